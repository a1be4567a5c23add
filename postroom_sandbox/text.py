"""HTML and plain text into each other, previews, and the harmless HTML a mailbox hands out (graph.md 2.4)."""

from __future__ import annotations

import html
import re

PREVIEW_LENGTH = 255
_PREVIEW_FIRST, _PREVIEW_SOURCE = 3_000, 60_000
_HIDDEN = re.compile(
    r"<(style|script|head|title|template)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)", re.DOTALL | re.IGNORECASE
)
_BREAK = re.compile(r"<(?:br|/p|/div|/tr|/h[1-6]|/li|/blockquote|/table|hr)\b[^<>]*>", re.IGNORECASE)
_CELL = re.compile(r"</t[dh]\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>?")
_SPACES = re.compile(r"[ \t\r\f\v\u00a0]+")
_BLANK_LINES = re.compile(r"\n[ \n]*\n")
_QUOTED = re.compile(
    r'<div id="(?:appendonsend|divRplyFwdMsg)"|<div class="gmail_quote|<blockquote type="cite"', re.IGNORECASE
)
_OPENERS = (
    '<html><head>\r\n<meta http-equiv="Content-Type" content="text/html; charset=utf-8">'
    '<meta name="Generator" content="Microsoft Exchange Server"><!-- converted from text -->'
    '</head>\r\n<body>\r\n<div class="PlainText">'
)


def html_to_text(source: str) -> str:
    """The readable text of `source`, paragraphs as lines."""
    text = _HIDDEN.sub(" ", source) if "<" in source else source
    text = text.replace("\n", " ")
    text = _CELL.sub("\t", _BREAK.sub("\n", text))
    text = html.unescape(_TAG.sub("", text))
    text = _SPACES.sub(" ", text)
    return _BLANK_LINES.sub("\n\n", text).strip()


def text_to_html(text: str) -> str:
    """Plain text as Exchange shows it to a client that reads HTML."""
    inner = html.escape(text, quote=False).replace("\n", "<br>\r\n")
    return f"{_OPENERS}{inner}</div>\r\n</body>\r\n</html>"


def preview(text: str) -> str:
    """The first 255 characters of plain text, white space collapsed."""
    return " ".join(text[: PREVIEW_LENGTH * 8].split())[:PREVIEW_LENGTH]


def preview_of_html(source: str) -> str:
    """The preview of an HTML body; reads only its beginning."""
    start = max(source[:_PREVIEW_SOURCE].lower().find("<body"), 0)
    for length in (_PREVIEW_FIRST, _PREVIEW_SOURCE):
        text = preview(html_to_text(source[start : start + length]))
        if len(text) == PREVIEW_LENGTH or start + length >= len(source):
            break
    return text


def without_scripts(source: str) -> str:
    """`source` without script elements: what clients get unless they ask for `outlook.allow-unsafe-html`."""
    lowered = source.lower()
    if "<script" not in lowered or len(lowered) != len(source):
        return source
    out, at = [], 0
    while (start := lowered.find("<script", at)) >= 0:
        out.append(source[at:start])
        end = lowered.find("</script", start)
        close = lowered.find(">", end) if end >= 0 else -1
        if close < 0:
            return "".join(out)
        at = close + 1
    out.append(source[at:])
    return "".join(out)


def unique_part(source: str) -> str:
    """The HTML above the quoted tail (`uniqueBody`)."""
    found = _QUOTED.search(source)
    return source[: found.start()] if found else source
