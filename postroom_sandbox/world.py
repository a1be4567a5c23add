"""Everything the sandbox is at one moment: people, mailboxes, accidents, records. One object, one database."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from postroom_sandbox.clock import Clock
from postroom_sandbox.database import Database
from postroom_sandbox.faults import Faults
from postroom_sandbox.limits import Limits, Throttle
from postroom_sandbox.store.loading import MailboxStore
from postroom_sandbox.store.mailbox import Change, Mailbox
from postroom_sandbox.traffic import Traffic
from postroom_sandbox.transport import Transport
from postroom_sandbox.users import User, UserRegistry

_log = logging.getLogger(__name__)
DATABASE_NAME = "sandbox.sqlite3"
SCHEMA = "CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);"


class World:
    """The state of the sandbox. With `home` it is kept in that directory, without it dies with the process.

    Whoever reads or changes it does so inside `with world.operation():` - one transaction, and the lock that keeps
    tests in other threads apart from the server.
    """

    def __init__(self, home: Path | None = None, *, clock: Clock | None = None) -> None:
        if home is not None:
            home.mkdir(parents=True, exist_ok=True)
        self.home = home
        self.clock = clock or Clock()
        self.lock = threading.RLock()
        self.db = Database(home / DATABASE_NAME if home else None)
        self.db.declare(SCHEMA)
        self.users = UserRegistry(self.db)
        self.faults = Faults()
        self.traffic = Traffic()
        self.throttle = Throttle()
        self.limits: dict[str, Limits] = {}
        self._listeners: list[Callable[[Change], None]] = []
        self._pending: list[Change] = []
        self._depth = 0
        self.mailboxes = MailboxStore(self.db, clock=self.clock, emit=self._pending.append)
        self.transport = Transport(self)
        self.alarm: Callable[[float], None] = lambda _seconds: None
        self.secret = bytes.fromhex(self.setting("secret", secrets.token_hex(32)))
        self.db.commit()

    @contextmanager
    def operation(self) -> Iterator[None]:
        """One unit of work: locked, committed at the end, then its changes are announced."""
        with self.lock:
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self._finish()

    def _finish(self) -> None:
        self.mailboxes.flush()
        self.db.commit()
        while self._pending:
            changes = self._pending[:]
            self._pending.clear()  # the list object is what `emit` appends to
            for change in changes:
                self._announce(change)

    def _announce(self, change: Change) -> None:
        for listener in self._listeners:
            try:
                listener(change)
            except Exception:  # a listener's fault must not undo the change it is told of
                _log.exception("a listener failed")

    def commit(self) -> None:
        """Makes a long operation's work so far durable."""
        self.mailboxes.flush()
        self.db.commit()

    def on_change(self, callback: Callable[[Change], None]) -> None:
        """`callback(change)` is called after every committed change to a message; it must be quick."""
        self._listeners.append(callback)

    def user_by_address(self, address: str) -> User | None:
        """The user with that primary address or alias."""
        return self.users.by_address(address)

    def mailbox(self, user: User) -> Mailbox:
        """The mailbox of a user. Raises LookupError for users without one."""
        if not user.has_mailbox:
            raise LookupError(f"{user.address} ({user.kind}) has no mailbox")
        return self.mailboxes.open(user)

    def limits_of(self, user: User) -> Limits:
        """What that mailbox allows."""
        return self.limits.get(user.id) or _MICROSOFT

    def setting(self, name: str, default: str = "") -> str:
        """A remembered value; the default is remembered when there is none."""
        row = self.db.query_one("SELECT value FROM settings WHERE name = ?", (name,))
        if row:
            return str(row[0])
        self.set_setting(name, default)
        return default

    def set_setting(self, name: str, value: str) -> None:
        """Remembers a value."""
        self.db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))

    def close(self) -> None:
        """Commits and closes the database."""
        with self.lock:
            self.mailboxes.flush()
            self.db.close()


_MICROSOFT = Limits()
