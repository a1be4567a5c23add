"""What the part of a mail that is written for machines says: the meeting it asks to, whom it could not reach.

Read from the provider when somebody first looks (a report's or calendar's attachment where there is one, else the
message as it travelled) and kept beside the body, so that it goes and comes with it.
"""

import email
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.message import Message as Mime
from typing import Any

import msgspec
from django.db import transaction
from django.utils import timezone

from postroom.lib.clock import now
from postroom.mail import content, icalendar, reports
from postroom.mail.icalendar import Guest, Meeting
from postroom.mail.models import Attachment, Message, MessageBody
from postroom.mail.reports import Failed
from postroom.mail.text import from_html

MAX_BYTES = 8_000_000  # of a message that is looked through
KINDS = (Message.Kind.INVITATION, Message.Kind.BOUNCE)
_CALENDAR, _REPORT = "text/calendar", "message/delivery-status"
_TYPES: Mapping[str, tuple[str, ...]] = {
    Message.Kind.INVITATION: (_CALENDAR, "application/ics"),
    Message.Kind.BOUNCE: (_REPORT, "message/global-delivery-status"),
}


@dataclass(frozen=True)
class Card:
    """An invitation or a delivery report, in words. ``tone``: info, warn, bad."""

    headline: str
    tone: str = "info"
    meeting: Meeting | None = None
    when: str = ""
    zone: str = ""
    often: str = ""
    over: bool = False
    asked: str = ""
    failed: tuple[Failed, ...] = ()


def card(message: Message) -> Card | None:
    """``None`` when there is nothing to say. Raises ``providers.errors`` when the provider cannot be asked."""
    if message.kind not in KINDS:
        return None
    said = told(message)
    if found := said.get("meeting"):
        return _of_meeting(msgspec.convert(found, Meeting))
    failed = tuple(Failed(*one) for one in said.get("failed", ()))
    return _of_report(failed) if failed else None


def told(message: Message) -> dict[str, Any]:
    """``meeting`` or ``failed`` in JSON, each once. Raises ``providers.errors``."""
    body: MessageBody | None = getattr(message, "body", None)
    if body is None:
        return {}
    if body.told is None:
        body.told = _looked_up(message, body)
        with transaction.atomic():
            MessageBody.objects.filter(pk=body.pk, sha256=body.sha256).update(told=body.told)
    return dict(body.told)


def _looked_up(message: Message, body: MessageBody) -> dict[str, Any]:
    text = _part(message, _TYPES[message.kind])
    if message.kind == Message.Kind.INVITATION:
        meeting = icalendar.read(text)
        return {"meeting": msgspec.to_builtins(meeting)} if meeting else {}
    ours = frozenset({message.mailbox.address.lower()})
    found = reports.read(text) or reports.guessed(body.text or from_html(body.html), ours=ours)
    return {"failed": [list(one) for one in found]} if found else {}


def _part(message: Message, types: tuple[str, ...]) -> str:
    for one in message.attachments.order_by("pk"):
        if one.kind == "file" and _is(one, types):
            return _text(_bytes(content.fetch_attachment(one)), None)
    whole = _bytes(content.original(message))
    return next(_parts_in(whole, types), "")


def _is(file: Attachment, types: tuple[str, ...]) -> bool:
    kind = file.content_type.lower()
    return kind.startswith(types) or (_CALENDAR in types and file.name.lower().endswith(".ics"))


def _bytes(chunks: Iterable[bytes]) -> bytes:
    found = bytearray()
    for chunk in chunks:
        found += chunk
        if len(found) > MAX_BYTES:
            break
    return bytes(found[:MAX_BYTES])


def _parts_in(raw: bytes, types: tuple[str, ...]) -> Iterator[str]:
    """The texts of parts of these types. A message nobody can take apart has none."""
    try:
        parts = [part for part in email.message_from_bytes(raw).walk() if part.get_content_type() in types]
    except (RecursionError, ValueError, LookupError, AttributeError, IndexError):
        return
    for part in parts:
        yield _payload(part)


def _payload(part: Mime) -> str:
    inside = part.get_payload()
    if isinstance(inside, list):  # a delivery report is taken for a row of messages
        return "\n".join(str(one) for one in inside)
    raw = part.get_payload(decode=True)
    return _text(raw if isinstance(raw, bytes) else b"", part.get_content_charset())


def _text(raw: bytes, charset: str | None) -> str:
    try:
        return raw.decode(charset or "utf-8", "replace")
    except LookupError:
        return raw.decode("latin-1")


# --- in words ----------------------------------------------------------------------------------------------------

_ANSWERED = {"accepted": "accepted", "declined": "declined", "tentative": "may come"}
_REPORTED: Mapping[str, tuple[str, str]] = {
    "failed": ("A message could not be delivered", "bad"),
    "delayed": ("A message is delayed: their server is asked again", "warn"),
    "delivered": ("A message was delivered", "info"),
}


def _of_report(failed: tuple[Failed, ...]) -> Card:
    actions = {one.action for one in failed}
    headline, tone = next(words for action, words in _REPORTED.items() if action in actions or action == "delivered")
    return Card(headline, tone, failed=failed)


def _of_meeting(meeting: Meeting) -> Card:
    ends = meeting.end or meeting.start
    return Card(
        _headline(meeting),
        "warn" if meeting.cancelled else "info",
        meeting=meeting,
        when=when(meeting),
        zone="" if meeting.all_day else timezone.get_current_timezone_name().replace("_", " "),
        often=often(meeting.rule),
        over=bool(ends and ends < now() and not meeting.rule and not meeting.all_day),
        asked=_asked(meeting.guests),
    )


def _headline(meeting: Meeting) -> str:
    answer = next((one for one in meeting.guests if one.answer), None)
    match meeting.method:
        case "cancel":
            return "This time is called off" if meeting.only else "This meeting is called off"
        case "reply" if answer:
            return f"{answer.name} {_ANSWERED[answer.answer]}"
        case "reply":
            return "An answer to an invitation"
        case "counter":
            return "Another time is proposed"
        case "request":
            return "The meeting is changed" if meeting.changed else "Invitation"
    return "Event"


def _asked(guests: tuple[Guest, ...]) -> str:
    """ "3 accepted, 1 declined"; empty where nobody has answered."""
    counts = {word: sum(1 for one in guests if one.answer == word) for word in _ANSWERED}
    return ", ".join(f"{count} {_ANSWERED[word]}" for word, count in counts.items() if count)


def when(meeting: Meeting) -> str:
    """In the reader's own time: "Thursday 2 July 2026, 14:30–15:15"."""
    if meeting.start is None:
        return ""
    local: Callable[[datetime], datetime] = (lambda at: at) if meeting.all_day else timezone.localtime
    start, end = local(meeting.start), local(meeting.end or meeting.start)
    first, last = day(start), day(end)
    if meeting.all_day:
        return f"{first}, all day" if start.date() == end.date() else f"{first} – {last}"
    if start == end:
        return f"{first}, {start:%H:%M}"
    same = start.date() == end.date()
    return f"{first}, {start:%H:%M}–{end:%H:%M}" if same else f"{first}, {start:%H:%M} – {last}, {end:%H:%M}"


def day(at: datetime) -> str:
    return f"{at:%A} {at.day} {at:%B} {at.year}"


_EVERY = {"DAILY": "day", "WEEKLY": "week", "MONTHLY": "month", "YEARLY": "year"}
_DAYS = {
    "MO": "Monday",
    "TU": "Tuesday",
    "WE": "Wednesday",
    "TH": "Thursday",
    "FR": "Friday",
    "SA": "Saturday",
    "SU": "Sunday",
}
_NTH = {"1": "first", "2": "second", "3": "third", "4": "fourth", "5": "fifth", "-1": "last"}
_WORKDAYS = "MO,TU,WE,TH,FR"


def often(rule: Mapping[str, str]) -> str:
    """An RRULE in words: "Every 2 weeks on Monday and Thursday, until 1 January 2027"; what is odd is "Repeats"."""
    unit = _EVERY.get(rule.get("FREQ", ""))
    if unit is None:
        return "Repeats" if rule else ""
    number = rule.get("INTERVAL", "1")
    every = f"Every {unit}" if number in ("", "1") else f"Every {number} {unit}s"
    on = _on(rule.get("BYDAY", ""), rule.get("BYMONTHDAY", ""))
    return f"{every}{on}{_ends(rule)}" if on != " on Monday to Friday" else f"Every working day{_ends(rule)}"


def _on(by_day: str, by_month_day: str) -> str:
    if by_day == _WORKDAYS:
        return " on Monday to Friday"
    names = [_named(one.strip()) for one in by_day.split(",") if one.strip()]
    if names and all(names):
        return f" on {' and '.join([', '.join(names[:-1]), names[-1]] if names[1:] else names)}"
    return f" on day {by_month_day}" if by_month_day.isdecimal() else ""


def _named(word: str) -> str:
    weekday, nth = _DAYS.get(word[-2:], ""), word[:-2].lstrip("+")
    return weekday if weekday and not nth else f"the {_NTH[nth]} {weekday}" if weekday and nth in _NTH else ""


def _ends(rule: Mapping[str, str]) -> str:
    until = rule.get("UNTIL", "")
    if rule.get("COUNT", "").isdecimal():
        return f", {rule['COUNT']} times"
    try:
        at = datetime.strptime(until[:8], "%Y%m%d")  # noqa: DTZ007 -- a day
    except ValueError:
        return ""
    return f", until {at.day} {at:%B} {at.year}"
