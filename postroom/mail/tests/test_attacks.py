"""Hundreds of attack samples against the first fence alone: what is stored, and what a reader is given of it.

The verdict comes from another parser than the one that cleans (Lexbor; nh3 uses html5ever) and from rules written down
here, not from the lists of ``mail/html.py``. ``tests/journeys/test_attacks.py`` shows the same samples to a browser.
"""

import re
from collections.abc import Iterator

import pytest
from selectolax.lexbor import LexborHTMLParser

from postroom.mail import content, html, quotes
from postroom.mail.nesting import words
from postroom.mail.tests.attacks import ATTACKS, KINDS

RUNS_OR_LOADS = words(
    "script style link meta base iframe frame frameset fencedframe portal object embed applet param form input button "
    "select textarea option optgroup datalist keygen isindex output label fieldset video audio source track picture "
    "canvas svg math template slot noscript noembed noframes xmp plaintext listing title dialog marquee area layer "
    "ilayer bgsound image xml selectedcontent"
)
ADDRESSES = words(
    "action archive attributionsrc background cite classid code codebase data dynsrc formaction href icon imagesrcset "
    "longdesc lowsrc manifest ping poster profile src srcdoc srcset usemap"
)
LINKS = {"http", "https", "mailto", "tel"}
MOVES_OR_LOADS = re.compile(
    r"url|image|src|import|expression|binding|behavio|position|transform|inset|z-index|cursor|filter|content\b|animation|"
    r"transition|var\(|attr\(|env\(|paint\(|element\(|mask|clip|shape|list-style|^-|;\s*-|zoom|anchor|offset",
    re.IGNORECASE,
)


def read_by_css(style: str) -> str:
    """A style as a browser understands it: without comments, escapes put in."""
    style = re.sub(r"/\*.*?(?:\*/|\Z)", "", style, flags=re.DOTALL)
    return re.sub(r"\\([0-9a-fA-F]{1,6})\s?", lambda found: chr(int(found[1], 16) % 0x110000), style).replace("\\", "")


def scheme(address: str) -> str:
    """An address's scheme as a browser reads it: spaces around it and line ends within it do not count (WHATWG URL)."""
    bare = re.sub(r"[\t\n\r]", "", address.strip("".join(map(chr, range(33)))))
    found = re.match(r"[a-z][a-z0-9+.-]*(?=:)", bare, re.IGNORECASE)
    return found[0].lower() if found else ""


def faults(page: str, *, pictures: re.Pattern[str]) -> Iterator[str]:
    """What a browser would do with this HTML that no mail may; nothing when it is safe."""
    for node in LexborHTMLParser(page).css("*"):
        name, tag = node.html or "", node.tag
        if tag in RUNS_OR_LOADS or not re.fullmatch(r"[a-z][a-z0-9]*", tag):
            yield f"element {tag}"
        for attribute, value in node.attributes.items():
            fault = _fault(tag, attribute, value or "", pictures)
            if fault:
                yield f"{fault}: {name[:300]}"


def _fault(tag: str, attribute: str, value: str, pictures: re.Pattern[str]) -> str:
    if attribute.startswith("on") or ":" in attribute or attribute in {"is", "slot", "nonce", "popover", "autofocus"}:
        return f"attribute {attribute}"
    if attribute == "style" and MOVES_OR_LOADS.search(read_by_css(value)):
        return "style"
    if attribute == "target" and value != "_blank":
        return "target"
    if (tag, attribute) == ("img", "src"):
        return "" if pictures.match(value) else "picture"
    if (tag, attribute) == ("a", "href"):
        return "" if scheme(value) in LINKS else "link"
    return f"address {attribute}" if attribute in ADDRESSES else ""


def shape(page: str) -> list[tuple[str, dict[str, str | None]]]:
    """Elements and what they say, but for the addresses of pictures, which are disguised only once, and styles."""
    nodes = LexborHTMLParser(page).css("*")
    return [
        (node.tag, {key: value for key, value in node.attributes.items() if key not in {"src", "style"}})
        for node in nodes
    ]


RASTER = r"data:image/(?:png|jpe?g|gif|webp|bmp);base64,"
STORED = re.compile(rf"(?:blocked:https?://|cid:|{RASTER})", re.IGNORECASE)
SHOWN = re.compile(rf"(?:/mail/attachments/\d+/view\Z|{RASTER})", re.IGNORECASE)
ASKED = re.compile(rf"(?:/mail/attachments/\d+/view\Z|/mail/pictures/[\w:.-]+\Z|{RASTER})", re.IGNORECASE)


def test_there_are_hundreds_of_samples_and_no_two_are_the_same() -> None:
    assert len(ATTACKS) == sum(len(some) for some in KINDS.values()) == len(set(ATTACKS.values())) >= 700


@pytest.mark.parametrize("name", ATTACKS)
def test_nothing_stored_or_shown_of_a_sample_runs_loads_or_leaves(name: str) -> None:
    stored = html.sanitise(f"<p>before</p>{ATTACKS[name]}").html
    folded = quotes.folded(stored)
    attachments = dict.fromkeys(html.content_ids(stored), "/mail/attachments/7/view")
    asked = html.shown(folded, attachments=attachments, proxied=content.picture_address)
    assert list(faults(stored, pictures=STORED)) == []
    assert list(faults(html.shown(folded, attachments={}), pictures=SHOWN)) == []
    assert list(faults(asked, pictures=ASKED)) == []
    if name not in KINDS["sizes"]:  # what was cut down to be read at all may be cut again
        assert shape(html.sanitise(stored).html) == shape(stored)  # a second reading finds nothing else
    assert list(faults(LexborHTMLParser(stored).html or "", pictures=STORED)) == []  # nor does a third, by others


def test_a_text_that_talks_of_pictures_stays_a_text() -> None:
    written = '<p>Write &lt;img src="cid:logo"&gt; or src="blocked:x" <b title="y">here</b></p>'
    stored = html.sanitise(written).html
    assert not html.content_ids(stored) and not html.has_remote_pictures(stored)
    assert html.shown(stored, attachments={"logo": "/7"}, proxied=content.picture_address) == stored


def test_colours_that_are_computed_survive_and_other_calls_do_not() -> None:
    computed = "color: rgb(1, 2, 3); background: rgba(1,2,3,.5); width: calc(100% - 9px)"
    style = f"{computed}; height: expression(1); margin: \\31px"
    kept = html.sanitise(f'<p style="{style}">x</p>').html
    assert "rgb(1, 2, 3)" in kept and "rgba(" in kept and "calc(" in kept
    assert "expression" not in kept and "margin" not in kept


def test_the_verdict_is_not_blind() -> None:
    guilty = [name for name, sample in ATTACKS.items() if any(faults(sample, pictures=STORED))]
    assert len(guilty) > 0.85 * len(ATTACKS)
