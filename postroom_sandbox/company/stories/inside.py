"""Colleagues among themselves: talks, weekly meetings, the coffee machine."""

from __future__ import annotations

from datetime import datetime

from .. import files
from ..mime import Attachment
from ..people import CUSTOMERS
from ..phrases import inside as say
from . import calendar
from .facts import make
from .writer import STAFF_BY_NAME, Ended, Thread, Writer

_ALL = tuple(person for name, person in STAFF_BY_NAME.items() if name not in {"support", "jobs"})


def talk(writer: Writer, start: datetime) -> None:
    """One question among colleagues and its answers."""
    rng, phrases = writer.rng, writer.phrases
    who, others, topics = phrases.deal(say.TALKS)
    subject, opening_text, answers = phrases.deal(topics)
    customer = rng.choice(CUSTOMERS)
    facts = make(rng, start, company=customer.name, contact=rng.choice(customer.contacts).first)
    everybody = [STAFF_BY_NAME[name] for name in others]
    chosen = everybody if len(everybody) < 4 or len(everybody) > 8 else rng.sample(everybody, 3)
    thread = Thread(writer, start, phrases.expand(subject, facts), facts, ["internal"])
    chart = Attachment("chart.png", "image/png", files.bar_chart([rng.randint(20, 100) for _ in range(6)]))
    rows: list[list[object]] = [["Week", "Plan", "Actual"]]
    rows += [[week, rng.randint(40, 90), rng.randint(30, 95)] for week in range(1, 14)]
    sheet = Attachment("figures.csv", "text/csv", files.csv(rows))
    try:
        opening = thread.write(STAFF_BY_NAME[who], chosen, [[opening_text]])
        if "attached" in " ".join(opening.paragraphs):
            opening.attachments = (rng.choice((chart, sheet)),)
        for answerer in rng.sample(chosen, min(len(chosen), rng.randint(1, 3))):
            everyone = [STAFF_BY_NAME[who], *(person for person in chosen if person != answerer)]
            to = everyone[:1] if rng.random() < 0.5 else everyone[:4]
            thread.write(answerer, to, [answers], after=(0.2, 12))
    except Ended:
        return


def note(writer: Writer, start: datetime) -> None:
    """A short notice to everybody."""
    rng = writer.rng
    sender = rng.choice(_ALL)
    subject, text = writer.phrases.deal(say.LUNCH)
    facts = make(rng, start)
    thread = Thread(writer, start, writer.phrases.expand(subject, facts), facts, ["internal", "note"])
    try:
        thread.write(sender, [person for person in _ALL if person != sender], [[text]])
    except Ended:
        return


def weekly(writer: Writer, start: datetime) -> None:
    """The invitation to a meeting that comes back every week."""
    who, others, title, minutes, place = writer.phrases.deal(say.WEEKLY)
    thread = Thread(writer, start, title, make(writer.rng, start), ["internal"])
    meeting = calendar.Meeting(title, minutes, place, STAFF_BY_NAME[who], weekly=True)
    try:
        calendar.invite(thread, meeting, [STAFF_BY_NAME[name] for name in others], after=(0, 3))
    except Ended:
        return
