"""The attack samples: published ways to make a mail's HTML run, load, leave its frame or deceive.

Facts gathered from public descriptions, written anew. A name says what is tried, ``marks`` what happens on success.
"""

from postroom.mail.tests.attacks import leaving, loading, parsing, running

KINDS: dict[str, dict[str, str]] = {
    "scripts": running.SCRIPTS,
    "handlers": running.HANDLERS,
    "addresses": running.ADDRESSES,
    "elements that load": loading.ELEMENTS,
    "hints": loading.HINTS,
    "styles": loading.STYLES,
    "two readings": parsing.DIFFERENCES,
    "comments": parsing.COMMENTS,
    "characters": parsing.CHARACTERS,
    "sizes": parsing.SIZES,
    "our own steps": parsing.OURS,
    "going elsewhere": leaving.GOING,
    "covering": leaving.COVERING,
    "names": leaving.NAMES,
    "deceiving": leaving.DECEIVING,
}
ATTACKS = {name: html for some in KINDS.values() for name, html in some.items()}
