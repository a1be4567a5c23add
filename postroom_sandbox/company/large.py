"""One mailbox of 100,000 messages, written while it is read: a few stories are in memory at any time."""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

from .delivery import copies
from .mime import Mail, Party
from .model import SeedMessage, User
from .people import NORTHWIND
from .stories import abroad, bulk, inside, sales, support
from .stories.writer import COMPANY_DOMAIN, Person, Writer, signature

SIZE = 100_000
_SPAN = timedelta(days=365 * 12)
_MAILS_PER_STORY = 4.7  # measured, rounded up
_STORIES = (support.ticket, sales.deal, abroad.conversation, inside.talk, bulk.newsletter, bulk.notice)
_WEIGHTS = (30, 10, 12, 18, 20, 10)

COLLECTOR = User(
    "robin@northwind.example",
    "Robin Achterberg",
    "Office Manager",
    "work",
    NORTHWIND.id,
    phone="+44 20 5550 0118",
    office="London",
)
_ROBIN = Person(
    COLLECTOR.name, COLLECTOR.address, title=COLLECTOR.job_title, company="Northwind", phone=COLLECTOR.phone
)


def large_mailbox(seed: int, now: datetime, *, count: int = SIZE) -> Iterator[SeedMessage]:
    """`count` messages of one person over twelve years, oldest first but for a few of the last weeks."""
    owner = frozenset({COLLECTOR.address})
    for mail in itertools.islice(_in_order(seed, now, count), count):
        for address, copy in copies(mail, owner, now):
            yield copy.seed(address)


def _in_order(seed: int, now: datetime, count: int) -> Iterator[Mail]:
    """Mails of story after story by time; a story's mails wait until no later story can be older."""
    writer = Writer(f"large:{seed}", now)
    waiting: list[tuple[datetime, str, Mail]] = []
    planned = int(count / _MAILS_PER_STORY)
    told = 0
    for number in range(planned):
        start = now - _SPAN + number / planned * _SPAN
        writer.rng.choices(_STORIES, _WEIGHTS)[0](writer, start)
        _take(writer, waiting)
        while waiting and waiting[0][0] < start - timedelta(days=1):
            told += 1
            yield heapq.heappop(waiting)[2]
    missing = count - told - len(waiting)
    while missing > 0:  # notices of the last weeks make up the number
        bulk.notice(writer, now - timedelta(days=writer.rng.uniform(0, 60)))
        missing -= _take(writer, waiting)
    while waiting:
        yield heapq.heappop(waiting)[2]


def _take(writer: Writer, waiting: list[tuple[datetime, str, Mail]]) -> int:
    """Moves what the writer has written into the heap; how many."""
    adopted = _adopted(writer.mails)
    for mail in adopted:
        heapq.heappush(waiting, (mail.sent, mail.message_id, mail))
    writer.mails.clear()
    return len(adopted)


def _adopted(mails: list[Mail]) -> list[Mail]:
    """The mails of a story as Robin's: the colleague who had most of them becomes Robin throughout."""
    seen: Counter[str] = Counter()
    for mail in mails:
        seen.update({address for address in (mail.sender.address, *mail.everyone) if address.endswith(COMPANY_DOMAIN)})
    if not seen:
        return []
    colleague = max(seen, key=lambda address: (seen[address], address))
    names = {party.name for mail in mails for party in (mail.sender, *mail.to) if party.address == colleague}
    first = next(iter(names)).split()[0] if names else "\0"
    return [
        _handed_over(mail, colleague, first) for mail in mails if colleague in (mail.sender.address, *mail.everyone)
    ]


def _handed_over(mail: Mail, colleague: str, first: str) -> Mail:
    """Changes the mail in place, so that the answers to it quote it as changed."""

    def swap(party: Party) -> Party:
        return _ROBIN.party if party.address == colleague else party

    if mail.sender.address == colleague and mail.signature:
        mail.signature = signature(_ROBIN, long=len(mail.signature.lines) > 1)
    mail.sender, mail.to, mail.cc = swap(mail.sender), tuple(map(swap, mail.to)), tuple(map(swap, mail.cc))
    mail.recipients = tuple(COLLECTOR.address if address == colleague else address for address in mail.recipients)
    mail.paragraphs = [paragraph.replace(first, "Robin") for paragraph in mail.paragraphs]
    return mail
