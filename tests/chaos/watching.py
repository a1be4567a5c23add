"""What is measured while the storm blows: how long mailboxes wait, how fast the endpoint answers, whether all is equal.

A mailbox waits from the moment a notification of its was taken in until a run has taken it; after the storm, until its
dump is the provider's. Rows are read from the installation's own database.
"""

import threading
import time
from dataclasses import dataclass, field

import psycopg

_WAITING = """
    SELECT m.address, extract(epoch FROM now() - min(n.received_at))
    FROM sync_notification n JOIN mailboxes_mailbox m ON m.id = n.mailbox_id GROUP BY m.address
"""
_NOT_READY = """
    SELECT count(*) FROM mailboxes_mailbox m WHERE m.failure <> '' OR NOT EXISTS (
        SELECT 1 FROM sync_lane l WHERE l.mailbox_id = m.id AND l.activity = 'backfill'
          AND (l.progress->>'complete')::boolean AND l.lease_until IS NULL)
      OR NOT EXISTS (SELECT 1 FROM sync_subscription s WHERE s.mailbox_id = m.id)
"""
_AT_REST = """
    SELECT m.address FROM mailboxes_mailbox m
    WHERE NOT EXISTS (SELECT 1 FROM sync_notification n WHERE n.mailbox_id = m.id)
      AND NOT EXISTS (SELECT 1 FROM sync_lane l WHERE l.mailbox_id = m.id AND l.activity IN ('live', 'outbox') AND (
          l.wanted > l.seen OR l.lease_until > now() OR l.due_at < now() + interval '3 seconds'))
"""


@dataclass
class Watch:
    """Looks twice a second, in a thread of its own, until it is told to stop."""

    dsn: str
    longest: dict[str, float] = field(default_factory=dict)
    most_rows: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._look, daemon=True, name="watch")
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(10)

    def note(self, address: str, seconds: float) -> None:
        self.longest[address] = max(self.longest.get(address, 0.0), seconds)

    def _look(self) -> None:
        while not self._stop.wait(0.5):
            try:
                with psycopg.connect(self.dsn, autocommit=True, connect_timeout=5) as db:
                    for address, seconds in db.execute(_WAITING).fetchall():
                        self.note(address, float(seconds))
                    counted = db.execute("SELECT count(*) FROM sync_notification").fetchone()
                    self.most_rows = max(self.most_rows, counted[0] if counted else 0)
            except psycopg.Error:
                continue  # the database is being restarted: who waits goes on waiting, and is seen again after it


def not_ready(dsn: str) -> int:
    """Mailboxes that are not live with their whole history and push on."""
    with psycopg.connect(dsn, autocommit=True) as db:
        found = db.execute(_NOT_READY).fetchone()
        return int(found[0]) if found else 0


def at_rest(dsn: str) -> set[str]:
    """Addresses of mailboxes for which nothing waits and nothing is about to be done."""
    with psycopg.connect(dsn, autocommit=True) as db:
        return {row[0] for row in db.execute(_AT_REST).fetchall()}


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered)) - 1))] if ordered else 0.0


def eventually_ready(dsn: str, mailboxes: int, *, seconds: float, each: float = 1.0) -> None:
    """Wait until every mailbox is ready and at rest. Raises RuntimeError."""
    deadline = time.monotonic() + seconds
    while left := max(not_ready(dsn), mailboxes - len(at_rest(dsn))):
        if time.monotonic() > deadline:
            raise RuntimeError(f"{left} mailboxes are not ready after {seconds:.0f} s")
        time.sleep(each)
