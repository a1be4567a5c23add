"""What a dropped mail is: written by the member, forwarded in its text or as an attachment, or redirected (contracts:
google-imap-smtp.md H3).

What a forward's text says of the mail it holds is anybody's word. It is taken, because the member sent it, and marked.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from postroom.dropbox.forward_words import FIELD, LINE, MONTHS, PREFIX
from postroom.dropbox.letter import Letter, date_of, opened, people, readable
from postroom.mail.quote_words import DIVIDER, FORWARDED
from postroom.providers.contract import Address

SENT, ATTACHED, INLINE, REDIRECTED = "sent", "attached", "inline", "redirected"
MESSAGES = 20  # attached to one mail
_LINES = 400  # of a text in which the head of a forward is looked for
_HEAD = 12  # lines a head may have
_ADDRESS = re.compile(r"[^\s<>,;:\"'()\[\]*|]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+")
_CLOCK = re.compile(r"(?<!\d)(\d{1,2})[:h.](\d{2})(?!\d)(?::\d{2})?\s?(?:([aApP])\.?[mM]\b)?")
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d)(?!\d)")
_DATE = re.compile(r"\d{1,2}\s?[-/.]\s?\d{1,2}\s?[-/.]\s?\d{4}|\d{4}\s?[-/.]\s?\d{1,2}\s?[-/.]\s?\d{1,2}")


class Original(NamedTuple):
    """The head of a forwarded mail, as its text has it. ``None`` and empty: not said, or not understood."""

    author: Address | None
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    subject: str
    sent: datetime | None


@dataclass
class Understood:
    """``way``: one of the four. ``speaker``: the address that must be the member's, and proven. ``letters``: what is to
    be filed; of a forward in the text ``original`` says what its text says."""

    way: str
    speaker: str
    letters: Sequence[Letter] = ()
    original: Original | None = None


def understand(letter: Letter, *, own: Collection[str], drop: Collection[str], sender: str) -> Understood:
    """``own``: the member's addresses; ``drop``: domains of drop addresses; ``sender``: MAIL FROM. All lower-cased.

    Who only redirects a mail stands in Resent-From, or in the envelope alone.
    """
    author = letter.authors[0].address.lower() if letter.authors else ""
    resent = [one.address.lower() for one in letter.people("resent-from")]
    if author not in own and resent:
        return Understood(REDIRECTED, resent[0], [letter])
    if author not in own and sender in own:
        return Understood(REDIRECTED, sender, [letter])
    if author in own and not _others(letter, own, drop):
        if letter.messages:
            return Understood(ATTACHED, author, [opened(part) for part in letter.messages[:MESSAGES]])
        original = original_of(letter)
        if original is not None:
            return Understood(INLINE, author, [letter], original)
    return Understood(SENT, author, [letter])


def _others(letter: Letter, own: Collection[str], drop: Collection[str]) -> list[str]:
    """Whom a mail was written to besides the member and drop boxes."""
    everybody = [one.address.lower() for one in (*letter.people("to"), *letter.people("cc"))]
    return [one for one in everybody if one not in own and one.rpartition("@")[2] not in drop]


# --- forwarded in the text -------------------------------------------------------------------------------------------


def original_of(letter: Letter) -> Original | None:
    """The first head of a forwarded mail in a letter's text; ``None`` when it forwards nothing."""
    body = letter.body
    text = body.content if body.content_type == "text" else readable(body.content)
    found = head_in(text)
    if found is not None:
        return found
    # A forward that does not say of whom: somebody has to look.
    return Original(None, (), (), "", None) if PREFIX.match(letter.subject) else None


def head_in(text: str) -> Original | None:
    """The first head in a text: an author, and two further lines a head has, or one below "Forwarded message"."""
    lines = [line.strip().lstrip("> ") for line in text.split("\n", _LINES)[:_LINES]]
    announced = -10
    for n, line in enumerate(lines):
        if DIVIDER.match(line) or FORWARDED.match(line):
            announced = n
        told = _fields(lines[_begin(lines, n) : n + _HEAD]) if _label(line) == "from" else {}
        if "from" in told and len(told) >= (2 if n - announced <= 3 else 3):
            return _original(told)
    return None


def _begin(lines: Sequence[str], n: int) -> int:
    """Some put the subject and the date above the author."""
    while n > 0 and _label(lines[n - 1]):
        n -= 1
    return n


def _label(line: str) -> str:
    found = LINE.match(line[:400])
    return FIELD.get(found["label"].strip().lower(), "") if found else ""


def _fields(lines: Sequence[str]) -> dict[str, str]:
    """What the lines of a head say, up to the first that is none. A long list of people goes on in the next line."""
    told: dict[str, str] = {}
    last = ""
    for line in lines:
        found = LINE.match(line[:4000])
        name = FIELD.get(found["label"].strip().lower(), "") if found else ""
        if name and found and name not in told:
            told[name], last = found["value"].strip(" *_"), name
        elif not line and told.get(last):
            break
        elif last in ("to", "cc") and line:
            told[last] += f" {line}"
        elif line and not told.get(last, "x"):  # a value on a line of its own
            told[last] = line
        elif line and not name:
            break
    return told


def _original(told: dict[str, str]) -> Original:
    author = _people(told["from"])
    return Original(
        author=author[0] if author else None,
        to=_people(told.get("to", "")),
        cc=_people(told.get("cc", "")),
        subject=told.get("subject", ""),
        sent=moment(told.get("sent", "")),
    )


def _people(text: str) -> tuple[Address, ...]:
    """Whoever is named with an address: ``Ana <ana@x>``, ``Ana [mailto:ana@x]``, ``ana@x; ben@x``."""
    plain = re.sub(r"\[?mailto:|[\[\]*]", " ", text)
    found: dict[str, Address] = {}
    for piece in re.split(r"[;\n]", plain):
        for one in people([piece]) or ():
            address = _ADDRESS.search(one.address)
            if address:
                found.setdefault(address[0].lower(), Address(address[0], one.name.strip("'\" <")))
    for address_text in _ADDRESS.findall(plain):
        found.setdefault(address_text.lower(), Address(address_text))
    return tuple(found.values())


def moment(text: str) -> datetime | None:
    """When a mail was sent, as far as a line in anybody's language says so. Without a zone it is taken as UTC: good
    enough to put it on the right day."""
    exact = date_of(text) if re.search(r"[+-]\d{4}\b", text) else None
    if exact is not None:
        return exact
    year = _YEAR.search(text)
    day, month = _day_and_month(text, int(year[1]) if year else 0)
    if year is None or not day or not month:
        return None
    clock = _CLOCK.search(_DATE.sub(" ", text))
    hour, minute = (int(clock[1]), int(clock[2])) if clock else (12, 0)
    if clock and clock[3]:
        hour = hour % 12 + (12 if clock[3] in "pP" else 0)
    try:
        return datetime(int(year[1]), month, day, hour, minute, tzinfo=UTC)
    except ValueError:
        return None


def _day_and_month(text: str, year: int) -> tuple[int, int]:
    """By the name of a month, else by numbers: 2026-11-14, 14.11.2026, 14/11/2026, 11/14/2026, 2026年11月14日."""
    for word in reversed(re.findall(r"[^\W\d_]{3,}", text.lower())):  # days of the week come first: "mardi"
        month = MONTHS.get(word) or next((MONTHS[word[:n]] for n in (4, 3) if word[:n] in MONTHS), 0)
        if month:
            rest = re.sub(r"\d{1,2}[:.h]\d{2}.*", " ", text.replace(str(year), " ", 1))
            numbers = [int(n) for n in re.findall(r"\b(\d{1,2})\b", rest)]
            return (numbers[0] if numbers else 0), month
    if found := re.search(rf"{year}\s?[-/.年]\s?(\d{{1,2}})\s?[-/.月]\s?(\d{{1,2}})", text):
        return int(found[2]), int(found[1])
    if found := re.search(rf"(\d{{1,2}})\s?[-/.]\s?(\d{{1,2}})\s?[-/.]\s?{year}", text):
        first, second = int(found[1]), int(found[2])
        american = second > 12 or (first <= 12 and "/" in found[0] and re.search(r"[ap]\.?m\b", text, re.IGNORECASE))
        return (second, first) if american else (first, second)
    return 0, 0
