"""What an author is told before sending (product.md SE10): who is outside, how many read it, a file that is missing."""

import re
from typing import NamedTuple

from postroom.inbox.accounts import Accounts
from postroom.mail import text
from postroom.mail.models import Composition
from postroom.mail.outbound import returns

MANY = 25  # recipients who see each other's addresses
SHOWN = 3

# Words for something attached, in the languages people write to each other here.
_ATTACHED = re.compile(
    r"\b(?:attach(?:ed|ment|ments|ing)|enclosed|(?:im|als|den) anhang|anbei|angehängt|beigefügt|beiliegend|"
    r"ci-joint(?:e|es|s)?|en pièces? jointes?|adjunt[oa]s?|allegat[oaie]|in allegato|em anexo|"
    r"bijlagen?|bijgevoegd|w załączniku|vedhæftet|bifogat)\b",
    re.IGNORECASE,
)


class Hint(NamedTuple):
    icon: str
    text: str


def of(composition: Composition, known: Accounts) -> list[Hint]:
    """What the composer says below the recipients. One query beyond the composition's own rows."""
    found = [*_unreachable(composition), _outside(composition, known), _many(composition)]
    return [one for one in found if one is not None]


def misses_file(composition: Composition) -> bool:
    """Whether the text speaks of a file and none is there; a forwarded message brings its own."""
    if composition.how == "forward" or composition.files.exists():
        return False
    return (
        _ATTACHED.search(f"{composition.subject if composition.how == 'new' else ''}\n{_own(composition)}") is not None
    )


def _own(composition: Composition) -> str:
    return text.from_html(re.split(r"<blockquote|gmail_quote", composition.html, maxsplit=1)[0])


def _outside(composition: Composition, known: Accounts) -> Hint | None:
    """Recipients of other domains than ours, where some are of ours: a colleague is easily mistaken."""
    ours = {address.rpartition("@")[2] for address in known.ours}
    everybody = [address.lower() for _, address in composition.recipients if "@" in address]
    outside = [one for one in everybody if one.rpartition("@")[2] not in ours]
    if not outside or len(outside) == len(everybody):
        return None
    named = ", ".join(outside[:SHOWN]) + (f" and {len(outside) - SHOWN} more" if len(outside) > SHOWN else "")
    return Hint("building-2", f"{named} {'is' if len(outside) == 1 else 'are'} outside of your organisation.")


def _unreachable(composition: Composition) -> list[Hint]:
    """Addresses that mail came back from for good."""
    people = [address for _, address in composition.recipients]
    found = returns.unreachable(composition.mailbox.workspace_id, people)
    return [Hint("triangle-alert", f"{address}: {why[0].lower()}{why[1:]}.") for address, why in found.items()]


def _many(composition: Composition) -> Hint | None:
    seen = len(composition.to) + len(composition.cc)
    if seen < MANY:
        return None
    return Hint("users", f"{seen} people will read this and see each other's addresses. Bcc hides them.")
