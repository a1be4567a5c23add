"""Candidates at jobs@northwind.example."""

from __future__ import annotations

from datetime import datetime, timedelta

from .. import files
from ..mime import Attachment
from ..phrases import hiring as say
from . import calendar
from .facts import make
from .writer import STAFF_BY_NAME, Ended, Person, Thread, Writer

JOBS = STAFF_BY_NAME["jobs"]
HANNA = STAFF_BY_NAME["hanna"]
_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def candidate(writer: Writer, start: datetime) -> None:
    """One application, its talks and its end."""
    rng, phrases = writer.rng, writer.phrases
    name, domain = phrases.deal(say.CANDIDATES)
    local = name.lower().replace(" ", ".").translate(str.maketrans("äëïöüćßéè", "aeioucsee"))
    person = Person(
        name,
        f"{local}@{domain}",
        style=rng.choice(("gmail", "gmail", "plain")),
        city=rng.choice(("London", "Lyon", "Lisbon")),
    )
    role, lead_name, _, skills = phrases.deal(say.ROLES)
    lead = STAFF_BY_NAME[lead_name]
    facts = make(
        rng,
        start,
        role=role,
        lead=lead.first,
        name=name,
        them=name.split()[0],
        skill1=skills[0],
        skill2=rng.choice(skills[1:]),
    )
    facts["candidate"] = name
    facts["a_role"] = f"{'an' if role[0] in 'AEIO' else 'a'} {role}"
    subject = phrases.say(say.SUBJECTS, facts)
    try:
        _tell(Thread(writer, start, subject, facts, ["candidate", f"role:{role}"]), person, lead, _cv(facts, name))
    except Ended:
        return


def _cv(facts: dict[str, object], name: str) -> Attachment:
    lines = [
        f"{facts['role']}, {facts['years']} years of experience",
        "",
        f"{facts['employer']}: {facts['skill1']}",
        "Before that: warehouse night shift, university, a year abroad",
        f"Likes: {facts['skill2']}",
    ]
    if len(name) % 3 == 0:
        return Attachment(f"CV {name}.docx", _DOCX, files.docx(name, lines))
    return Attachment(f"CV {name}.pdf", "application/pdf", files.pdf(name, lines))


def _tell(thread: Thread, person: Person, lead: Person, cv: Attachment) -> None:
    rng = thread.writer.rng
    thread.write(person, [JOBS], say.APPLY, attach=[cv], tags=["opens"])
    thread.write(JOBS, [person], say.RECEIVED, sign=HANNA, after=(2, 30))
    verdict = _ask_lead(thread, lead, cv)
    if not verdict:
        thread.write(JOBS, [person], say.DECLINE, sign=HANNA, after=(40, 160))
        if rng.random() < 0.5:
            thread.write(person, [JOBS], say.DECLINE_ANSWER, after=(1, 30))
        return
    thread.write(person, [JOBS], say.SCHEDULE, after=(1, 30))
    thread.write(JOBS, [person], say.CONFIRM, sign=HANNA, after=(0.5, 8))
    meeting = calendar.Meeting(f"Interview {person.name}, {thread.facts['role']}", 45, "Video call", HANNA)
    calendar.invite(thread, meeting, [person, lead], after=(0.1, 1))
    _after_interview(thread, person, lead)


def _after_interview(thread: Thread, person: Person, lead: Person) -> None:
    rng = thread.writer.rng
    notes = Thread(
        thread.writer,
        thread.clock + timedelta(days=5),
        f"Notes: {person.name}",
        {**thread.facts, "name": person.name},
        ["internal"],
    )
    notes.facts["name"] = person.name
    notes.write(lead, [HANNA], _named(say.FEEDBACK, person.name))
    thread.clock = notes.clock
    if rng.random() < 0.5:
        offer = files.pdf("Offer", [person.name, str(thread.facts["role"]), f"{thread.facts['salary']} a year"])
        thread.write(
            JOBS,
            [person],
            say.OFFER,
            sign=HANNA,
            cc=[lead],
            after=(8, 60),
            attach=[Attachment("Offer.pdf", "application/pdf", offer)],
        )
        thread.write(person, [JOBS], say.ACCEPT, after=(20, 120))
    else:
        thread.write(JOBS, [person], say.DECLINE, sign=HANNA, after=(20, 90))


def _ask_lead(thread: Thread, lead: Person, cv: Attachment) -> bool:
    """Hanna asks the team's lead; whether they want to talk to the candidate."""
    rng = thread.writer.rng
    name = str(thread.facts["candidate"])
    inside = Thread(thread.writer, thread.clock + timedelta(hours=1), f"Candidate: {name}", thread.facts, ["internal"])
    inside.write(HANNA, [lead], _named(say.TO_LEAD, name), attach=[cv])
    inside.write(lead, [HANNA], say.LEAD_SAYS, after=(1, 30))
    thread.clock = inside.clock
    return rng.random() < 0.6


def _named(slots: tuple[tuple[str, ...], ...], name: str) -> list[list[str]]:
    """The slots with the candidate's name in them; `{name}` would otherwise be the person written to."""
    return [[text.replace("{name}", name) for text in slot] for slot in slots]
