"""Taking the depth out of hostile HTML.

Parsers need time quadratic in the depth of a document, and repeat unclosed formatting in every block after it, so a
mail of some kilobytes can keep one busy for minutes. ``flattened`` follows the start and end tags closely enough to
know the depth a browser would build, and leaves out the tags (never the text) that lie too deep.
"""

import re


def words(some: str) -> frozenset[str]:
    """A set written as people read it."""
    return frozenset(some.split())


MAX_DEPTH = 256
MAX_TAG = 8_000  # characters of one tag; longer ones hold a picture or thousands of attributes
_MAX_ATTRIBUTES = 100
_LOOK_BACK = 16  # how far above its element an end tag may stand, in sloppy but honest mail

_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)[^>]*>?")
_VOID = words("area base br col embed hr img input link meta param source track wbr")
_FORMATTING = words("a b big code em font i nobr s small strike strong tt u")
_BLOCKS = words(
    "address article aside blockquote center dd details dir div dl dt fieldset figcaption figure footer form h1 h2 h3 "
    "h4 h5 h6 header li main nav ol p pre section summary table tbody td tfoot th thead tr ul"
)
_WALLS = words("table td th caption button object template marquee applet desc foreignobject")
_LISTS = frozenset({"ul", "ol"})  # walls for the end of an item
_TABLE_PARTS = words("table tbody td tfoot th thead tr caption")
# An element that ends by itself when one of these begins.
_ENDED_BY: dict[str, frozenset[str]] = {
    "p": _BLOCKS - {"p", "td", "th", "tr", "tbody"} | {"p", "hr"},
    "li": frozenset({"li"}),
    "dd": frozenset({"dd", "dt"}),
    "dt": frozenset({"dd", "dt"}),
    "td": frozenset({"td", "th", "tr", "tbody", "tfoot"}),
    "th": frozenset({"td", "th", "tr", "tbody", "tfoot"}),
    "tr": frozenset({"tr", "tbody", "tfoot"}),
    "option": frozenset({"option", "optgroup"}),
}


def flattened(html: str) -> str:
    """The same document, at most about ``MAX_DEPTH`` deep and without overlong tags. Linear in its length."""
    return _TAG.sub(_Nesting(), html)


class _Nesting:
    """Called with one tag after the other; answers what becomes of it."""

    def __init__(self) -> None:
        self.open: list[tuple[str, bool]] = []  # (name, whether its start tag was kept)

    def __call__(self, tag: re.Match[str]) -> str:
        whole, closing, name = tag[0], tag[1], tag[2].lower()
        if closing:
            return whole if self._end(name) else " "
        if len(whole) > MAX_TAG and whole.count("=") + whole.count(" ") > _MAX_ATTRIBUTES:
            whole = f"<{tag[2]}>"
        if name in _VOID:
            return whole
        while self.open and name in _ENDED_BY.get(self.open[-1][0], ()):
            self.open.pop()
        kept = len(self.open) < MAX_DEPTH
        self.open.append((name, kept))
        return whole if kept else " "

    def _end(self, name: str) -> bool:
        """Whether the end tag is kept: only if it ends something whose start tag was."""
        block = name in _BLOCKS
        for position in range(len(self.open) - 1, max(len(self.open) - 1 - _LOOK_BACK, -1), -1):
            found, kept = self.open[position]
            if found == name:
                above = self.open[position + 1 :] if not block else self._unclosed_formatting(position + 1)
                self.open[position:] = above
                return kept
            if (found in _WALLS and name not in _TABLE_PARTS) or (name == "li" and found in _LISTS):
                return False
        return False

    def _unclosed_formatting(self, start: int) -> list[tuple[str, bool]]:
        """A block ends what is in it, but formatting without an end tag goes on in the next block."""
        return [entry for entry in self.open[start:] if entry[0] in _FORMATTING]
