"""What is pasted into a message, made plain: structure and emphasis stay; fonts, sizes, colours and the wrapping of
Word, Outlook, Gmail and Google Docs go.

A tree is read and written anew from its text, in few elements: ``p div br h1-h4 ul ol li blockquote pre hr table tr td
th``, ``b i u s sub sup code a`` and pictures. What comes out goes through the one sanitiser of mail (``mail.html``).
"""

import re
from collections.abc import Callable, Iterator
from html import escape
from typing import NamedTuple

from selectolax.lexbor import LexborHTMLParser, LexborNode

from postroom.mail import html as mail_html
from postroom.mail.nesting import flattened, words

LONGEST = 2_000_000  # characters that are looked at; nobody writes on in more
TABLE = '<table border="1" cellpadding="4" cellspacing="0">'

# The address a picture gets in the message, by what it was pasted with (``data:…`` or an address); empty: left out.
Picture = Callable[[str], str]

_DROPPED = words(
    "script style head title meta link xml template iframe object embed svg math audio video canvas select noscript "
    "textarea input button -comment o:smarttagtype v:shapetype v:shape"
)
_LINES = words(
    "p div section article header footer main aside nav address center dl dt dd figure figcaption form details"
)
_HEADINGS = {"h1": "h1", "h2": "h2", "h3": "h3", "h4": "h4", "h5": "h4", "h6": "h4"}
_LISTS = words("ul ol")
_TABLE_PARTS = words("thead tbody tfoot")
_MARK_OF = {
    **dict.fromkeys(words("b strong"), "b"),
    **dict.fromkeys(words("i em cite var dfn"), "i"),
    "u": "u",
    **dict.fromkeys(words("s strike del"), "s"),
    **dict.fromkeys(words("code kbd samp tt"), "code"),
    "sub": "sub",
    "sup": "sup",
}
_MARKS = ("b", "i", "u", "s", "sub", "sup", "code")  # from the outside in

_FRAGMENT = re.compile(r"<!--\s*StartFragment\s*-->(.*?)<!--\s*EndFragment\s*-->", re.DOTALL)
_SPACE = re.compile(r"[ \t\r\n\f\xa0]+")
_LINK = re.compile(r"(?:https?|mailto|tel):", re.IGNORECASE)
_WORD_LEVEL = re.compile(r"\blevel(\d)\b")
_NUMBERED = re.compile(r"\(?(?:\d{1,3}|[a-zA-Z]|[ivxlc]{1,6}|[IVXLC]{1,6})[.)]")
_END_BREAKS = re.compile(r"(?:\s*<br>)+\Z")
_MANY_TAGS = 2_000


class _Run(NamedTuple):
    """A stretch of text with the same look; ``text`` is HTML already."""

    text: str
    marks: frozenset[str]
    href: str


class _Look(NamedTuple):
    """How text looks where the tree is read."""

    marks: frozenset[str] = frozenset()
    href: str = ""
    pre: bool = False


class _Part(NamedTuple):
    html: str
    is_block: bool


class _Item(NamedTuple):
    """One line of a list: as Word and Word for the web have them, each in a paragraph or list of its own."""

    level: int
    ordered: bool
    html: str


def clean(html: str, *, picture: Picture | None = None) -> str:
    """Pasted HTML as it goes into a message. Never raises; pictures without a place (``picture``) are left out."""
    html = html[:LONGEST].replace("\0", "")
    found = _FRAGMENT.search(html)
    html = found[1] if found else html
    if html.count("<") > _MANY_TAGS:
        html = flattened(html)
    tree = LexborHTMLParser(html)
    if tree.body is None:
        return ""
    writer = _Writer(picture or (lambda _: ""), spaced=_is_spaced(tree.body))
    return mail_html.sanitise(writer.whole(tree.body)).html


def _is_spaced(body: LexborNode) -> bool:
    """Whether paragraphs of Word stand apart by themselves, rather than by empty ones between them."""
    paragraphs = body.css('p[class^="Mso"]')
    return not any(_blank(one) for one in paragraphs)


def _blank(node: LexborNode) -> bool:
    return not (node.text() or "").strip(" \t\r\n\f\xa0") and node.css_first("img") is None


class _Writer:
    def __init__(self, picture: Picture, *, spaced: bool) -> None:
        self._picture = picture
        self._spaced = spaced

    def whole(self, body: LexborNode) -> str:
        parts = self._parts(body, _Look())
        if not any(one.is_block for one in parts):
            return "".join(one.html for one in parts).strip()
        return self._lines(parts)

    # -- blocks ---------------------------------------------------------------------------------------------------

    def _parts(self, node: LexborNode, look: _Look) -> list[_Part]:
        """What stands in an element: blocks, and the text between them."""
        parts: list[_Part] = []
        runs: list[_Run] = []
        items: list[_Item] = []
        for child in _children(node):
            if (item := self._list_item(child)) is not None:
                _flush(runs, parts)
                items.append(item)
                continue
            if items and not (child.is_text_node and not (child.text_content or "").strip()):
                parts.append(_Part(_nested(items), True))
                items = []
            if child.is_text_node:
                runs.extend(_text(child.text_content or "", look))
                continue
            self._element(child, look, parts, runs)
        _flush(runs, parts)
        if items:
            parts.append(_Part(_nested(items), True))
        return parts

    def _element(self, node: LexborNode, look: _Look, parts: list[_Part], runs: list[_Run]) -> None:
        tag = node.tag or ""
        if tag in _DROPPED or _is_hidden(node):
            return
        if tag == "br":
            if "interchange" not in _attribute(node, "class"):
                runs.append(_Run("<br>", look.marks, look.href))
        elif tag == "img":
            runs.extend(self._image(node, look))
        elif (block := self._block(node, tag, look)) is not None:
            _flush(runs, parts)
            parts.extend(block)
        else:
            for part in self._inline(node, tag, look):
                if isinstance(part, _Run):
                    runs.append(part)
                else:
                    _flush(runs, parts)
                    parts.append(part)

    def _inline(self, node: LexborNode, tag: str, look: _Look) -> Iterator[_Run | _Part]:
        """An element inside a line; it may hold blocks all the same (``<b><p>…``, as Google Docs writes)."""
        look = _looks(node, tag, look)
        runs: list[_Run] = []
        for child in _children(node):
            if child.is_text_node:
                runs.extend(_text(child.text_content or "", look))
                continue
            inner: list[_Part] = []
            self._element(child, look, inner, runs)
            if inner:  # what was text before a block is in ``inner`` already
                yield from inner
        yield from runs

    def _block(self, node: LexborNode, tag: str, look: _Look) -> list[_Part] | None:
        """The blocks an element becomes; None when it is none."""
        if tag in _LINES:
            return self._paragraph(node, tag, _looks(node, "", look))
        if tag in _HEADINGS:
            inner = self._parts(node, _looks(node, "", look)._replace(marks=look.marks - {"b"}))
            return _wrapped(inner, _HEADINGS[tag], without="b")
        if tag in _LISTS:
            return self._list(node, tag, look)
        if tag == "blockquote":
            held = self._lines(self._parts(node, look))
            return [_Part(f"<blockquote>{held}</blockquote>", True)] if held else []
        if tag == "pre":
            return _wrapped(self._parts(node, look._replace(pre=True)), "pre")
        if tag == "table":
            return self._table(node, look)
        return [_Part("<hr>", True)] if tag == "hr" else None

    def _paragraph(self, node: LexborNode, tag: str, look: _Look) -> list[_Part]:
        parts = self._parts(node, look)
        if any(one.is_block for one in parts):
            return [one if one.is_block else _Part(f"<div>{one.html}</div>", True) for one in parts if one.html.strip()]
        as_tag = "p" if tag == "p" and not _is_tight(node) and self._spaced_here(node) else "div"
        inner = "".join(one.html for one in parts).strip()
        if not inner or inner == "<br>":
            return [] if as_tag == "p" or (not inner and tag != "p") else [_Part("<div><br></div>", True)]
        return [_Part(f"<{as_tag}>{_END_BREAKS.sub('', inner)}</{as_tag}>", True)]

    def _spaced_here(self, node: LexborNode) -> bool:
        return self._spaced or not _attribute(node, "class").startswith("Mso")

    def _lines(self, parts: list[_Part]) -> str:
        """Text between blocks as lines of its own."""
        return "".join(
            one.html if one.is_block else f"<div>{one.html.strip()}</div>" for one in parts if one.html.strip()
        )

    # -- lists and tables -----------------------------------------------------------------------------------------

    def _list(self, node: LexborNode, tag: str, look: _Look) -> list[_Part]:
        """A list inside a list without an item around it (Google Docs) belongs to the item before."""
        lines: list[str] = []
        for child in _children(node):
            if child.tag == "li":
                lines.append(self._item(child, look))
            elif child.tag in _LISTS:
                nested = "".join(one.html for one in self._list(child, child.tag or "ul", look))
                lines = [*lines[:-1], lines[-1] + nested] if lines else [nested]
        lines = [one for one in lines if one]
        return [_Part(f"<{tag}>{''.join(f'<li>{one}</li>' for one in lines)}</{tag}>", True)] if lines else []

    def _item(self, node: LexborNode, look: _Look) -> str:
        """Paragraphs inside an item are lines of it."""
        out = ""
        for part in self._parts(node, _looks(node, "", look)):
            inner = re.sub(r"\A<(p|div)>(.*)</\1>\Z", r"\2", part.html.strip(), flags=re.DOTALL)
            is_line = part.is_block and inner != part.html
            out += ("<br>" if is_line and out else "") + inner
        return _END_BREAKS.sub("", out)

    def _list_item(self, node: LexborNode) -> _Item | None:
        style = _attribute(node, "style")
        if node.tag == "p" and "mso-list:" in style.replace(" ", "") and "level" in style:
            return self._word_item(node, style)
        if node.tag == "div" and "ListContainerWrapper" in _attribute(node, "class"):
            line = node.css_first("li")
            if line is not None:
                level = _attribute(line, "data-aria-level") or _attribute(line, "aria-level")
                ordered = node.css_first("ol") is not None
                return _Item(int(level) if level.isdecimal() else 1, ordered, self._item(line, _Look()))
        return None

    def _word_item(self, node: LexborNode, style: str) -> _Item:
        level = _WORD_LEVEL.search(style)
        marker = next((one for one in node.css("span") if _is_marker(one)), None)
        told = (marker.text() or "").strip(" \t\r\n\xa0") if marker is not None else ""
        inner = "".join(one.html for one in self._parts(node, _Look()))
        return _Item(int(level[1]) if level else 1, bool(_NUMBERED.match(told)), inner.strip())

    def _table(self, node: LexborNode, look: _Look) -> list[_Part]:
        rows = [one for one in self._rows(node, look) if one]
        if not rows:
            return []
        if len(rows) == 1 and rows[0].count("<td") == 1 and "<th" not in rows[0]:  # only there to lay something out
            return self._parts(node.css_first("td") or node, look)
        return [_Part(f"{TABLE}{''.join(f'<tr>{one}</tr>' for one in rows)}</table>", True)]

    def _rows(self, node: LexborNode, look: _Look) -> Iterator[str]:
        for child in _children(node):
            if child.tag in _TABLE_PARTS:
                yield from self._rows(child, look)
            elif child.tag == "tr":
                yield "".join(self._cell(one, look) for one in _children(child) if one.tag in ("td", "th"))

    def _cell(self, node: LexborNode, look: _Look) -> str:
        parts = self._parts(node, look)
        one_line = len(parts) == 1 and re.fullmatch(r"<(p|div)>(.*)</\1>", parts[0].html, re.DOTALL)
        inner = one_line[2] if one_line else "".join(one.html for one in parts).strip()
        spans = "".join(
            f' {name}="{value}"'
            for name in ("colspan", "rowspan")
            if (value := _attribute(node, name)).isdecimal() and 1 < int(value[:4]) < 1000
        )
        return f"<{node.tag}{spans}>{inner}</{node.tag}>"

    def _image(self, node: LexborNode, look: _Look) -> Iterator[_Run]:
        address = self._picture(_attribute(node, "src").strip())
        if address:
            alt = escape(_attribute(node, "alt")[:300])
            size = "".join(
                f' {name}="{value}"' for name in ("width", "height") if (value := _attribute(node, name)).isdecimal()
            )
            yield _Run(f'<img src="{escape(address)}" alt="{alt}"{size}>', frozenset(), look.href)


# --- reading -----------------------------------------------------------------------------------------------------


def _children(node: LexborNode) -> Iterator[LexborNode]:
    child = node.first_child
    while child is not None:
        if not child.is_comment_node:
            yield child
        child = child.next


def _attribute(node: LexborNode, name: str) -> str:
    return (node.attributes.get(name) or "") if node.is_element_node else ""


def _declarations(node: LexborNode) -> dict[str, str]:
    style = _attribute(node, "style")
    if not style:
        return {}
    pairs = (one.partition(":") for one in style.lower().split(";"))
    return {name.strip(): value.replace("!important", "").strip() for name, _, value in pairs}


def _is_hidden(node: LexborNode) -> bool:
    style = _attribute(node, "style").lower().replace(" ", "")
    return bool(style) and ("display:none" in style or "mso-hide:all" in style or "mso-list:ignore" in style)


def _is_marker(node: LexborNode) -> bool:
    return "mso-list:ignore" in _attribute(node, "style").lower().replace(" ", "")


def _is_tight(node: LexborNode) -> bool:
    """Its margins above and below are told, and nothing."""
    told = _declarations(node)
    around = told.get("margin", "").split()
    top = told.get("margin-top", around[0] if around else "")
    bottom = told.get("margin-bottom", around[2] if len(around) > 2 else (around[0] if around else ""))
    return bool(top and bottom) and all(_length(one) < 1 for one in (top, bottom))


def _length(value: str) -> float:
    found = re.match(r"-?\d*\.?\d+", value)
    return float(found[0]) if found else 0.0


def _looks(node: LexborNode, tag: str, look: _Look) -> _Look:
    """How text looks inside an element: by what it is, then by what its style says."""
    marks = look.marks | {_MARK_OF[tag]} if tag in _MARK_OF else look.marks
    href = look.href
    if tag == "a":
        address = _attribute(node, "href").strip()
        href = address if _LINK.match(address) else look.href
    told = _declarations(node)
    if weight := told.get("font-weight"):
        heavy = weight.startswith("bold") or (weight.isdecimal() and int(weight[:4]) >= 600)
        marks = marks | {"b"} if heavy else marks - {"b"}
    if slant := told.get("font-style"):
        marks = marks | {"i"} if slant.startswith(("italic", "oblique")) else marks - {"i"}
    line = told.get("text-decoration", "") + " " + told.get("text-decoration-line", "")
    marks |= {mark for word, mark in (("underline", "u"), ("line-through", "s")) if word in line}
    placed = {"super": "sup", "sub": "sub"}.get(told.get("vertical-align", ""))
    marks |= {placed} if placed else set()
    return _Look(frozenset(marks), href, look.pre)


# --- writing -----------------------------------------------------------------------------------------------------


def _text(text: str, look: _Look) -> Iterator[_Run]:
    told = text.replace("\r\n", "\n") if look.pre else _SPACE.sub(" ", text)
    if told:
        yield _Run(escape(told, quote=False), look.marks, look.href)


def _flush(runs: list[_Run], parts: list[_Part]) -> None:
    """Runs as HTML; equal neighbours are one."""
    merged: list[_Run] = []
    for run in runs:
        last = merged[-1] if merged else None
        run = _without_look(run) if not run.text.strip() else run
        if last is not None and (last.marks, last.href) == (run.marks, run.href):
            merged[-1] = last._replace(text=last.text + run.text)
        else:
            merged.append(run)
    runs.clear()
    html = "".join(_run(one) for one in merged)
    html = re.sub(r"  +", " ", html) if "  " in html and "\n" not in html else html
    if html.strip():
        parts.append(_Part(html, False))


def _without_look(run: _Run) -> _Run:
    """A space between two words has no look of its own, but it may stand inside a link."""
    return run._replace(marks=frozenset())


def _run(run: _Run) -> str:
    """Spaces at the edges stand outside, as people type."""
    inner = run.text.strip(" ") if run.marks or run.href else run.text
    if not inner or not (run.marks or run.href):
        return run.text
    before = " " if run.text.startswith(" ") else ""
    after = " " if run.text.endswith(" ") else ""
    for mark in reversed(_MARKS):
        if mark in run.marks and not (mark == "u" and run.href):
            inner = f"<{mark}>{inner}</{mark}>"
    if run.href:
        inner = f'<a href="{escape(run.href)}">{inner}</a>'
    return f"{before}{inner}{after}"


def _wrapped(parts: list[_Part], tag: str, *, without: str = "") -> list[_Part]:
    if any(one.is_block for one in parts):
        return [one if one.is_block else _Part(f"<div>{one.html.strip()}</div>", True) for one in parts]
    inner = "".join(one.html for one in parts)
    inner = inner.strip("\n") if tag == "pre" else _END_BREAKS.sub("", inner.strip())
    if without:
        inner = inner.replace(f"<{without}>", "").replace(f"</{without}>", "")
    return [_Part(f"<{tag}>{inner}</{tag}>", True)] if inner.strip() else []


def _nested(items: list[_Item]) -> str:
    """Items with levels as lists in lists."""
    out: list[str] = []
    open_: list[str] = []
    for item in items:
        tag = "ol" if item.ordered else "ul"
        level = min(max(item.level, 1), len(open_) + 1)
        while len(open_) > level:
            out.append(f"</li></{open_.pop()}>")
        if len(open_) == level and open_[-1] != tag:
            out.append(f"</li></{open_.pop()}>")
        if len(open_) < level:
            out.append(f"<{tag}>")
            open_.append(tag)
        else:
            out.append("</li>")
        out.append(f"<li>{item.html}")
    while open_:
        out.append(f"</li></{open_.pop()}>")
    return "".join(out)
