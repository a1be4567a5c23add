"""Readable text from sanitised HTML, and strings that a database can keep.

``tokens`` cuts what ``html.sanitise`` returned; it relies on that form (attributes in double quotes, every tag closed,
``<`` and ``&`` escaped in text) and must not be used on anything else.
"""

import re
from collections.abc import Sequence
from itertools import pairwise

from postroom.mail.nesting import words

_TOKEN = re.compile(r'<(/?)([a-z][a-z0-9]*)([^">]*(?:"[^"]*"[^">]*)*)>')
_SPACE = re.compile(r"[ \t\n\r\f\xa0]{2,}|[\t\n\r\f\xa0]")
_BLANK_LINES = re.compile(r"\n{3,}")
_SURROGATE = re.compile("[\ud800-\udfff]")
_HIDDEN = re.compile(r"display:\s*none|mso-hide:\s*all", re.IGNORECASE)

_LINE = dict.fromkeys(
    words(
        "address article aside blockquote br caption center dd div dl dt figcaption footer header hr li main nav "
        "section summary tbody tfoot thead tr"
    ),
    "\v",
)
_PARAGRAPH = dict.fromkeys(words("h1 h2 h3 h4 h5 h6 ol p pre table ul"), "\v\v")
_BREAKS = _LINE | _PARAGRAPH | {"td": " ", "th": " "}
VOID = words("br hr img wbr col")


def from_html(html: str) -> str:
    """The readable text of HTML that ``html.sanitise`` returned."""
    return text_of(tokens(html))


# One tag and the text behind it: "/" for an end tag, name, attributes, text still escaped. The first token of a
# document has no tag (its name is empty). A plain tuple, because there are hundreds in every mail.
Token = tuple[str, str, str, str]


def tokens(html: str) -> list[Token]:
    parts = _TOKEN.split(html)
    return [("", "", "", parts[0]), *zip(parts[1::4], parts[2::4], parts[3::4], parts[4::4], strict=True)]


def joined(some: Sequence[Token]) -> str:
    """The HTML of tokens again; ``joined(tokens(html)) == html``."""
    return "".join(f"<{end}{name}{attributes}>{text}" if name else text for end, name, attributes, text in some)


def element_end(some: Sequence[Token], start: int) -> int:
    """The index just behind the element that begins at ``start``."""
    wanted = some[start][1]
    if wanted in VOID:
        return start + 1
    depth = 0
    for index in range(start, len(some)):
        end, name, _, _ = some[index]
        if name == wanted:
            depth += -1 if end else 1
            if depth == 0:
                return index + 1
    return len(some)


def text_of(some: Sequence[Token], *, without: Sequence[tuple[int, int]] = ()) -> str:
    """What a person reads: blocks on lines of their own, white space as a browser shows it, hidden parts left out.

    ``without`` are index ranges to skip, in order. The text right behind a skipped element is kept.
    """
    out: list[str] = []
    for start, stop, led in _kept(len(some), without):
        if led:
            out += ["\v", some[start - 1][3]]
        _append(some, start, stop, out)
    # Until here "\v" is a line's end and every other white space only a space.
    return tidy(_unescaped(_SPACE.sub(" ", "".join(out)).replace("\v", "\n")))


def _kept(length: int, without: Sequence[tuple[int, int]]) -> list[tuple[int, int, bool]]:
    """(start, stop, whether the text behind the token before ``start`` belongs to it)."""
    borders = [(0, 0), *without, (length, length)]
    return [(before[1], after[0], before[1] > 0) for before, after in pairwise(borders)]


def _append(some: Sequence[Token], start: int, stop: int, out: list[str]) -> None:
    index, pre = start, 0
    while index < stop:
        end, name, attributes, text = some[index]
        if attributes and not end and "none" in attributes and name not in VOID and _HIDDEN.search(attributes):
            index = min(element_end(some, index), stop)
            out.append(some[index - 1][3])
            continue
        if name == "pre":
            pre += -1 if end else 1
        if name in _BREAKS:
            out.append(_BREAKS[name])
        if text:
            out.append(text.replace("\n", "\v") if pre > 0 else text)
        index += 1


def _unescaped(text: str) -> str:
    if "&" not in text:
        return text
    return text.replace("&nbsp;", " ").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def tidy(text: str) -> str:
    """No space at the ends of lines, no more than one empty line, nothing around."""
    text = "\n".join([line.strip() for line in text.split("\n")])
    return (_BLANK_LINES.sub("\n\n", text) if "\n\n\n" in text else text).strip()


def storable(text: str) -> str:
    """What PostgreSQL can keep of a string: NUL and lone surrogates become U+FFFD."""
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub("\ufffd", text)
    return text
