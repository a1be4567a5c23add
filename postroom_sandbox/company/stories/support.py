"""Tickets at support@northwind.example."""

from __future__ import annotations

from datetime import datetime, timedelta

from .. import files
from ..mime import Attachment
from ..phrases import support as say
from .facts import make
from .writer import EVERYBODY_OUTSIDE, STAFF_BY_NAME, Ended, Person, Thread, Writer

SUPPORT = STAFF_BY_NAME["support"]
_AGENTS = tuple(STAFF_BY_NAME[name] for name in ("oscar", "yuki", "nadia"))


def ticket(writer: Writer, start: datetime) -> None:
    """One problem from its report to its end."""
    rng, phrases = writer.rng, writer.phrases
    asker = rng.choice([person for person in EVERYBODY_OUTSIDE if person.language == "en"])
    agent = rng.choice(_AGENTS)
    problem = phrases.deal(say.PROBLEMS)
    facts = make(rng, start, company=asker.company)
    variant = rng.randrange(2)
    for part in ("report", "ask", "tell", "fix"):
        facts[part] = phrases.expand(problem[part][variant], facts)
    subject = phrases.say(problem["subjects"], facts)
    facts["short"] = subject[0].lower() + subject[1:]
    tags = ["ticket", f"topic:{problem['category']}"]
    thread = Thread(writer, start, subject, facts, tags)
    try:
        _tell(thread, asker, agent, photo=rng.random() < 0.3)
    except Ended:
        return


def _tell(thread: Thread, asker: Person, agent: Person, *, photo: bool) -> None:
    rng = thread.writer.rng
    picture = [
        Attachment(
            f"IMG_{rng.randint(1000, 9999)}.png",
            "image/png",
            files.bar_chart([rng.randint(2, 40) for _ in range(9)], (90, 90, 96)),
        )
    ]
    thread.write(asker, [SUPPORT], say.OPEN, attach=picture if photo else (), tags=["opens"])
    thread.write(SUPPORT, [asker], [say.AUTO_ACK], after=(0.01, 0.05), bare=True, tags=["auto"], exact=True)
    thread.write(SUPPORT, [asker], say.QUESTION, after=(0.4, 7), sign=agent)
    if rng.random() < 0.25:
        thread.write(asker, [SUPPORT], say.NUDGE, after=(8, 30))
    thread.write(asker, [SUPPORT], say.REPLY, after=(0.3, 24))
    if rng.random() < 0.35:
        _ask_colleague(thread, agent)
    guide = [Attachment("Guide.pdf", "application/pdf", files.pdf("How to", [str(thread.facts["fix"])[:90]]))]
    attach = guide if "attached" in str(thread.facts["fix"]) else ()
    thread.write(SUPPORT, [asker], say.SOLUTION, after=(1, 26), sign=agent, attach=attach)
    if rng.random() < 0.8:
        thread.write(asker, [SUPPORT], say.THANKS, after=(0.5, 40))
        if rng.random() < 0.6:
            thread.write(SUPPORT, [asker], say.CLOSED, after=(0.2, 5), sign=agent)


def _ask_colleague(thread: Thread, agent: Person) -> None:
    rng = thread.writer.rng
    expert = STAFF_BY_NAME[rng.choice(("diego", "ben", "oscar" if agent.first != "Oscar" else "yuki"))]
    inside = Thread(
        thread.writer,
        thread.clock + timedelta(hours=0.5),
        f"{thread.facts['ticket']}: {thread.subject}",
        thread.facts,
        ["internal"],
    )
    inside.write(agent, [expert], say.INTERNAL)
    inside.write(expert, [agent], say.INTERNAL_ANSWER, after=(0.3, 9))
