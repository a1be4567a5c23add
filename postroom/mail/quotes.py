"""What a message says itself, apart from what it quotes and how it is signed.

Quotes are recognised by the marks mail programs leave (Gmail, Outlook on every platform, Apple, Yahoo, Thunderbird,
Proton …) and by the lines people know ("On … wrote:", "From: … Sent: …", ">"), in many languages. Nothing is thrown
away: whoever shows a mail shows all of it and folds what ``quoted`` names.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from postroom.mail.nesting import words
from postroom.mail.quote_words import DIVIDER, FORWARDED, FROM_LINE, OPENING, SENT_FROM, SENT_LINE, UNDERLINE, WROTE
from postroom.mail.text import VOID, Token, element_end, joined, text_of, tidy, tokens

Range = tuple[int, int]
_LINE_SEEN = 300  # characters of a line that are looked at: no line can cost more than that
_LINES_SEEN = 20_000
_INTRODUCTION = 3  # lines that "On … wrote:" may be wrapped over
_SIGNATURE_LINES = 25


class Split(NamedTuple):
    """``new``: what the message itself says. ``quoted``: the rest, without signatures."""

    new: str
    quoted: str


def new_text(content: str, content_type: str) -> str:
    """What a message says itself. ``content`` is plain text, or HTML that ``html.sanitise`` returned."""
    if content_type != "html":
        return _said(content)[0]
    some = tokens(content)
    new = text_of(some, without=find_marks(some).ranges())
    return _said(new)[0] if new else text_of(some)


# --- plain text --------------------------------------------------------------------------------------------------


def split_text(text: str) -> Split:
    """Plain text, cut. A message that is nothing but a quote counts as new: a bare forward says what it forwards."""
    new, lines, cut = _said(text)
    return Split(new, tidy("\n".join([line for n, line in enumerate(lines) if n in cut])))


def _said(text: str) -> tuple[str, list[str], set[int]]:
    """The new text, all lines, and the numbers of the quoted ones."""
    lines = text.split("\n", _LINES_SEEN)
    heads = [line[:_LINE_SEEN].strip() for line in lines]
    end = _rest_starts(heads)
    quoted = _quoted_lines(heads, end)
    signature = _signature_starts(heads, end)
    if not quoted and signature == len(lines):
        return tidy(text), lines, set()
    said = tidy("\n".join([line for n, line in enumerate(lines[:signature]) if n not in quoted]))
    return (said, lines, quoted.union(range(end, len(lines)))) if said else (tidy(text), lines, set())


def _rest_starts(heads: Sequence[str]) -> int:
    """The line from which on everything is an older mail, as Outlook puts it below; ``len`` when there is none."""
    for n, line in enumerate(heads):
        if not line or line[0] == ">":
            continue
        if FROM_LINE.match(line) and _is_head(heads, n):
            return _back_over_divider(heads, n)
        if line[0] in "-–—_" and DIVIDER.match(line) and _head_follows(heads, n + 1):
            return n
        if FORWARDED.match(line):
            return n
    return len(heads)


def _is_head(heads: Sequence[str], n: int) -> bool:
    return any(SENT_LINE.match(line) for line in heads[n + 1 : n + 4])


def _head_follows(heads: Sequence[str], n: int) -> bool:
    return any(FROM_LINE.match(line) or SENT_LINE.match(line) for line in heads[n : n + 4])


def _back_over_divider(heads: Sequence[str], n: int) -> int:
    for before in range(n - 1, max(n - 4, -1), -1):
        if heads[before]:
            return before if UNDERLINE.match(heads[before]) or DIVIDER.match(heads[before]) else n
    return n


def _quoted_lines(heads: Sequence[str], end: int) -> set[int]:
    """Lines that begin with ">", and the lines that introduce them."""
    quoted = {n for n, line in enumerate(heads[:end]) if line.startswith((">", "|>"))}
    for n in sorted(quoted):
        if n - 1 not in quoted:
            quoted.update(_introduction(heads, n))
    return quoted


def _introduction(heads: Sequence[str], n: int) -> Iterator[int]:
    """The numbers of the lines "On … Ana wrote:" right above line ``n``, possibly over an empty line."""
    last = n - 1
    while last >= 0 and n - last < 3 and not heads[last]:
        last -= 1
    if last < 0 or not heads[last].endswith((":", "：", "...")):
        return
    found = None
    for first in range(last, max(last - _INTRODUCTION, -1), -1):
        if not heads[first]:
            break
        joined_lines = " ".join(heads[first : last + 1])
        if is_introduction(joined_lines) and (found is None or OPENING.match(joined_lines)):
            found = first
            if OPENING.match(joined_lines):
                break
    if found is not None:
        yield from range(found, last + 1)


def is_introduction(line: str) -> bool:
    """Whether a line says who wrote what follows: ends in a colon, has the verb."""
    line = line.strip()
    return line.endswith((":", "：", "...")) and len(line) <= _LINE_SEEN and WROTE.search(line) is not None


def _signature_starts(heads: Sequence[str], end: int) -> int:
    """Where the signature (or a list's footer) begins; ``end`` when there is none."""
    for n, line in enumerate(heads[:end]):
        if line == "--" or line == "-- ":
            return n
        if line[:20] == "_" * 20 and UNDERLINE.match(line) and "mailing list" in " ".join(heads[n + 1 : n + 3]).lower():
            return n
    for n in range(end - 1, max(end - _SIGNATURE_LINES, -1), -1):
        if SENT_FROM.match(heads[n]):
            return n
    return end


# --- HTML --------------------------------------------------------------------------------------------------------

_QUOTE = re.compile(
    r'class="[^"]*\b(?:gmail_quote|gmail_quote_container|x_gmail_quote|yahoo_quoted|protonmail_quote|tutanota_quote|'
    r'zmail_extra|mail-quote|moz-cite-prefix|OutlookMessageHeader)\b|type="cite"'
)
_REST = re.compile(
    r'id="[^"]*\b(?:x_)?(?:divRplyFwdMsg|appendonsend|OLK_SRC_BODY_SECTION|mail-editor-reference-message-container|'
    r"isReplyContent|isForwardContent|reply-intro|origbody)\b"
)
_SIGNATURE = re.compile(
    r'class="[^"]*\b(?:gmail_signature|moz-signature|AppleMailSignature|protonmail_signature_block)\b|'
    r'id="[^"]*\b(?:AppleMailSignature|ms-outlook-mobile-signature|(?:x_)?Signature)\b'
)
_RULE = re.compile(r"border-top:\s?(?:solid|1(?:\.0)?p[tx]|#|medium|none none|rgb|currentcolor)|border:none;border-top")
_MARKED = re.compile(r"class=|id=|type=|border")
_LOOK_AHEAD = 40  # tokens
_MARKS = 100  # quotes and signatures looked for in one mail
_LINE_STARTS = words("blockquote br div hr p td")
_LIKELY = frozenset({"hr", "blockquote"})
_BLOCK_STARTS = words("div p blockquote td hr span font b strong br")


class Quote(NamedTuple):
    """Indexes of tokens: where the line that introduces the quote begins, where the quote does, where it ends."""

    introduced: int
    start: int
    stop: int


class Marks(NamedTuple):
    quotes: list[Quote]
    signatures: list[Range]

    def ranges(self) -> list[Range]:
        return _merged([*((one.introduced, one.stop) for one in self.quotes), *self.signatures])


def split_html(html: str) -> Split:
    """Sanitised HTML, cut into what is said and what is quoted, both as readable text."""
    some = tokens(html)
    marks = find_marks(some)
    new = text_of(some, without=marks.ranges())
    # What has no marks may still be quoted the old way, by lines.
    said = split_text(new).new if new else ""
    if not said:
        return Split(text_of(some), "")
    return Split(said, tidy("\n\n".join(text_of(some[one.start : one.stop]) for one in marks.quotes)))


def find_marks(some: Sequence[Token]) -> Marks:
    """Quotes and signatures, in order."""
    marks, behind = Marks([], []), 0
    for index in _candidates(some):
        if index < behind or (found := _mark(some, index)) is None:
            continue
        into, behind = found
        if into == "quote":
            marks.quotes.append(Quote(_introduction_before(some, index), index, behind))
        else:
            marks.signatures.append((index, behind))
        if len(marks.quotes) + len(marks.signatures) >= _MARKS:
            break
    return marks


def _candidates(some: Sequence[Token]) -> list[int]:
    """Start tags worth a closer look: few of the hundreds in a mail."""
    return [
        index
        for index, (end, name, attributes, text) in enumerate(some)
        if not end
        and (
            name in _LIKELY
            or (attributes and _MARKED.search(attributes))
            or (text and name in _BLOCK_STARTS and (":" in text or "：" in text or text[0] == "-"))
        )
    ]


def _mark(some: Sequence[Token], index: int) -> tuple[str, int] | None:
    """What begins at a start tag: a quote, a signature, or nothing; and where it ends."""
    _, name, attributes, text = some[index]
    if attributes and _MARKED.search(attributes):
        if _QUOTE.search(attributes):
            return "quote", _element_end_or_next(some, index)
        if _REST.search(attributes) or (_RULE.search(attributes) and _head_ahead(some, index)):
            return "quote", len(some)
        if _SIGNATURE.search(attributes):
            return "signature", element_end(some, index)
    if name == "hr" and _head_ahead(some, index):
        return "quote", len(some)
    if name == "blockquote" and _introduced(some, index):
        return "quote", element_end(some, index)
    if text and name in _BLOCK_STARTS and (text[0] == "-" or FROM_LINE.match(text.strip()[:_LINE_SEEN])):
        line = text.strip()[:_LINE_SEEN]
        if (DIVIDER.match(line) or FROM_LINE.match(line)) and _head_ahead(some, index):
            return "quote", len(some)
    return None


def _element_end_or_next(some: Sequence[Token], index: int) -> int:
    """Thunderbird's "… wrote:" stands before its blockquote: both are one quote."""
    stop = element_end(some, index)
    if "moz-cite-prefix" in some[index][2]:
        for following in range(stop, min(stop + 4, len(some))):
            if some[following][:2] == ("", "blockquote"):
                return element_end(some, following)
    return stop


def _head_ahead(some: Sequence[Token], index: int) -> bool:
    """Whether the next lines are the head of an older mail: From, then Sent or Date or To."""
    lines = text_of(some[index : index + _LOOK_AHEAD])[: 4 * _LINE_SEEN].split("\n")
    heads = [line.strip() for line in lines if line.strip()][:6]
    for n, line in enumerate(heads[:3]):
        if FROM_LINE.match(line):
            return any(SENT_LINE.match(other) for other in heads[n + 1 : n + 4]) or _in_one_line(line)
    return False


def _in_one_line(line: str) -> bool:
    """Heads whose lines are not separated by anything a browser breaks at."""
    return sum(1 for word in re.findall(r"\S+:", line[:_LINE_SEEN]) if SENT_LINE.match(word)) >= 2


def _introduced(some: Sequence[Token], index: int) -> bool:
    return is_introduction(_line_before(some, index)[0])


def _line_before(some: Sequence[Token], index: int) -> tuple[str, int]:
    """The last line of text above a token, and the index of the token whose tag begins it."""
    pieces: list[str] = []
    first = index
    for at in range(index - 1, max(index - _LOOK_AHEAD, -1), -1):
        _, name, _, text = some[at]
        piece = text.strip()
        if piece:
            pieces.append(piece)
            first = at
        if pieces and name in _LINE_STARTS:
            break
    return text_of([("", "", "", " ".join(reversed(pieces))[-_LINE_SEEN:])]), first


def _introduction_before(some: Sequence[Token], start: int) -> int:
    """Where the line that introduces a quote begins, if it stands in an element of its own right above."""
    line, first = _line_before(some, start)
    if not is_introduction(line):
        return start
    end, name, _, _ = some[first]
    if end or not name or name in VOID or element_end(some, first) > start:
        return start
    return first


def _merged(ranges: Sequence[Range]) -> list[Range]:
    merged: list[Range] = []
    for start, stop in sorted(ranges):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((start, stop))
    return merged


# --- showing -----------------------------------------------------------------------------------------------------

_FOLD_FROM = 80  # characters: shorter quotes are left open, folding them hides nothing worth hiding


def folded(html: str, *, label: str = "Show quoted text") -> str:
    """Sanitised HTML with its quotes in ``<details>``, which needs no script to open."""
    some = tokens(html)
    ranges = [_whole(some, quote) for quote in find_marks(some).quotes]
    long = [(start, stop) for start, stop in ranges if len(text_of(some[start:stop])) > _FOLD_FROM]
    if not long or not text_of(some, without=_merged(long)):
        return html
    out, at = [], 0
    opening = f'<details class="quoted"><summary title="{label}">•••</summary>'
    for start, stop in long:
        inside, outside = _balanced(some, start, stop)
        out += [joined(some[at:start]), opening, inside, "</details>", outside]
        at = stop
    return "".join([*out, joined(some[at:])])


def _whole(some: Sequence[Token], quote: Quote) -> Range:
    """The range to fold: with the introduction if both lie side by side in one element."""
    depth = 0
    for end, name, _, _ in some[quote.introduced : quote.start]:
        if name and name not in VOID:
            depth += -1 if end else 1
        if depth < 0:
            return quote.start, quote.stop
    return (quote.introduced if depth == 0 else quote.start), quote.stop


def _balanced(some: Sequence[Token], start: int, stop: int) -> tuple[str, str]:
    """The range as HTML that ends nothing it did not begin, and what must follow it: the end tags left over and the
    text behind the last."""
    depth, inside, outside = 0, [], []
    for n, (end, name, attributes, text) in enumerate(some[start:stop], start):
        if name and name not in VOID:
            depth += -1 if end else 1
        bare = (end, name, attributes, "")
        if depth < 0:
            depth = 0
            outside.append(joined([bare]))
        else:
            inside.append(joined([bare]))
        (outside if n == stop - 1 else inside).append(text)
    return "".join(inside), "".join(outside)
