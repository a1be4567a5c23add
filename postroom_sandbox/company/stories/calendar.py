"""Invitations and what people answer to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from .. import files
from ..mime import Mail
from .writer import Ended, Person, Thread, signature

_WORD = {
    "en": ("Accepted: ", "Tentative: ", "Canceled: "),
    "de": ("Zugesagt: ", "Mit Vorbehalt: ", "Abgesagt: "),
    "fr": ("Accepté : ", "Provisoire : ", "Annulé : "),
    "es": ("Aceptado: ", "Provisional: ", "Cancelado: "),
    "pt": ("Aceite: ", "Provisório: ", "Cancelado: "),
    "ja": ("承諾: ", "仮承諾: ", "キャンセル済み: "),
    "ar": ("مقبول: ", "مبدئي: ", "ملغى: "),
}


@dataclass(frozen=True, slots=True)
class Meeting:
    """What is put into calendars."""

    title: str
    minutes: int
    place: str
    organiser: Person
    weekly: bool = False


def invite(thread: Thread, meeting: Meeting, guests: Sequence[Person], *, after: tuple[float, float]) -> None:
    """Sends the invitation and most of the guests' answers. They stand beside the thread, as Outlook's do."""
    writer, rng = thread.writer, thread.writer.rng
    sent = writer.business_time(thread.clock + timedelta(hours=rng.uniform(*after)), meeting.organiser)
    start = writer.business_time(sent + timedelta(days=rng.randint(1, 5)), meeting.organiser)
    start = start.replace(minute=rng.choice((0, 30)), second=0)
    uid = f"{rng.getrandbits(96):024X}"
    people = [(person.name, person.address) for person in guests]

    def calendar(method: str = "REQUEST", status: str = "NEEDS-ACTION", who: object = None) -> bytes:
        return files.ics(
            uid=uid,
            summary=meeting.title,
            start=start,
            minutes=meeting.minutes,
            organizer=(meeting.organiser.name, meeting.organiser.address),
            attendees=people if who is None else [who],  # type: ignore[list-item]
            location=meeting.place,
            method=method,
            status=status,
            stamp=sent,
            weekly=meeting.weekly,
        )

    when = f"{start:%A %d %B, %H:%M} UTC, {meeting.minutes} minutes"
    request = Mail(
        message_id=writer.message_id(meeting.organiser.address),
        sender=meeting.organiser.party,
        to=tuple(person.party for person in guests),
        subject=meeting.title,
        sent=sent,
        paragraphs=[f"When: {when}\nWhere: {meeting.place}", "Please tell me if the time does not suit you."],
        signature=signature(meeting.organiser, long=True),
        calendar=calendar(),
        tags=thread.tags | {"invite"},
    )
    writer.add(request)
    thread.clock = sent
    for guest in guests:
        if rng.random() < (0.75 if guest.inside and not thread.tags - {"internal"} else 0.4):
            _respond(thread, guest, request, calendar)


def _respond(thread: Thread, guest: Person, request: Mail, calendar: object) -> None:
    writer, rng = thread.writer, thread.writer.rng
    accepted = rng.random() < 0.85
    words = _WORD[guest.language]
    status = "ACCEPTED" if accepted else "TENTATIVE"
    sent = writer.business_time(request.sent + timedelta(hours=rng.uniform(0.2, 20)), guest)
    answer = replace(
        request,
        message_id=writer.message_id(guest.address),
        sender=guest.party,
        to=(request.sender,),
        cc=(),
        subject=(words[0] if accepted else words[1]) + request.subject,
        sent=sent,
        paragraphs=[] if accepted else ["I will try, the morning is tight."],
        parent=None,
        style="outlook",
        language="en",
        signature=None,
        calendar=calendar("REPLY", status, (guest.name, guest.address)),  # type: ignore[operator]
        calendar_method="REPLY",
        headers=(("In-Reply-To", f"<{request.message_id}>"),),
        tags=request.tags | {"response"},
    )
    try:
        writer.add(answer)
    except Ended:
        return
