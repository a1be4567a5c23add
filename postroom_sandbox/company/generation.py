"""`generate`: the people, and their mail."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Literal

from .delivery import Copy, copies
from .large import COLLECTOR, large_mailbox
from .mime import Mail
from .model import Company, SeedMessage
from .people import CUSTOMERS, DELEGATIONS, SHARED, STAFF, TENANTS, USERS
from .stories import abroad, bulk, hiring, inside, sales, support
from .stories.writer import Writer

Size = Literal["small", "large"]
Story = Callable[[Writer, datetime], None]
HISTORY = timedelta(days=548)  # 18 months

# storyline -> how many begin in the eighteen months of the small company
_PROGRAMME: tuple[tuple[Story, int], ...] = (
    (sales.deal, 74),
    (support.ticket, 176),
    (hiring.candidate, 30),
    (abroad.conversation, 84),
    (inside.talk, 130),
    (inside.note, 18),
    (inside.weekly, 4),
    (bulk.newsletter, 150),
    (bulk.notice, 190),
    (bulk.bounce, 14),
    (bulk.junk, 30),
)
# storyline -> how many more begin within so many last days: what a newcomer sees first
_LATEST: tuple[tuple[Story, int, float], ...] = (
    (sales.deal, 9, 6),
    (support.ticket, 14, 5),
    (abroad.conversation, 5, 4),
    (inside.talk, 5, 3),
    (hiring.candidate, 3, 7),
    (bulk.newsletter, 4, 3),
    (bulk.notice, 5, 2),
)
_AFTERWARDS: tuple[tuple[Story, int], ...] = ((bulk.absence, 34),)
_MAILBOXES = tuple(user.address for user in (*STAFF, *SHARED))


def generate(size: Size = "small", seed: int = 7, *, now: datetime | None = None) -> Company:
    """The company at `now` (aware; default: this minute). Same size, seed and `now` give the same bytes.

    `large` adds the mailbox robin@northwind.example with 100,000 messages, made while it is read.
    Raises ValueError for another size.
    """
    if size not in ("small", "large"):
        raise ValueError(f"size must be 'small' or 'large', not {size!r}")
    moment = (now or datetime.now(UTC)).astimezone(UTC).replace(second=0, microsecond=0)
    users = (*USERS, COLLECTOR) if size == "large" else USERS
    return Company("Northwind", TENANTS, users, DELEGATIONS, CUSTOMERS, _Mailboxes(size, seed, moment))


class _Mailboxes:
    """Iterates over (address, messages), oldest message first; the mails are written when iteration starts."""

    def __init__(self, size: Size, seed: int, now: datetime) -> None:
        self._size, self._seed, self._now = size, seed, now

    def __iter__(self) -> Iterator[tuple[str, Iterable[SeedMessage]]]:
        boxes: dict[str, list[Copy]] = {address: [] for address in _MAILBOXES}
        inside_addresses = frozenset(boxes)
        for mail in write_history(self._seed, self._now):
            for owner, copy in copies(mail, inside_addresses, self._now):
                boxes[owner].append(copy)
        for address, box in boxes.items():
            yield address, (copy.seed(address) for copy in box)
        if self._size == "large":
            yield COLLECTOR.address, large_mailbox(self._seed, self._now)


def write_history(seed: int, now: datetime) -> list[Mail]:
    """Every mail of the small company, by time."""
    writer = Writer(f"northwind:{seed}", now)
    for story, start in _schedule(writer, now):
        story(writer, start)
    for story, count in _AFTERWARDS:
        writer.rng.shuffle(writer.mails)
        for _ in range(count):
            story(writer, now)
    return sorted(writer.mails, key=lambda mail: (mail.sent, mail.message_id))


def _schedule(writer: Writer, now: datetime) -> list[tuple[Story, datetime]]:
    """The storylines with their beginnings: spread evenly, a little denser towards the present."""
    rng = writer.rng
    planned = []
    for story, count in _PROGRAMME:
        for number in range(count):
            share = ((number + rng.random()) / count) ** 0.9
            start = now - HISTORY + share * HISTORY
            planned.append((story, start.replace(hour=rng.randint(6, 17), minute=rng.randint(0, 59))))
    for story, count, days in _LATEST:
        planned += [(story, now - timedelta(days=rng.uniform(0.05, days))) for _ in range(count)]
    return sorted(planned, key=lambda item: item[1])
