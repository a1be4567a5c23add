"""How mail travels: from Drafts over Sent Items to the mailboxes of others, or into the record of what left
(graph.md 2.9). Sending is asynchronous and survives a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postroom_sandbox import bounce
from postroom_sandbox.clock import iso
from postroom_sandbox.mime import Address, Parsed, build_message
from postroom_sandbox.store import model
from postroom_sandbox.store.mailbox import Mailbox
from postroom_sandbox.store.model import FLAGGED, READ, Folder, Message
from postroom_sandbox.users import User

if TYPE_CHECKING:
    from postroom_sandbox.world import World

SCHEMA = """
CREATE TABLE IF NOT EXISTS submissions (
  id INTEGER PRIMARY KEY, user_id TEXT NOT NULL, sequence INTEGER NOT NULL, due REAL NOT NULL, save INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS outgoing (
  id INTEGER PRIMARY KEY, user_id TEXT NOT NULL, sent TEXT NOT NULL, recipients TEXT NOT NULL, raw BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS outgoing_of_user ON outgoing (user_id, id);
"""


_SETTLE = 2  # in place of `save`: the message was sent, only its copy gets another default id


class Transport:
    """Submission, routing, delivery."""

    def __init__(self, world: World) -> None:
        self._world = world
        world.db.declare(SCHEMA)

    # -- sending

    def is_submitted(self, mailbox: Mailbox, message: Message) -> bool:
        """Whether a draft is already on its way."""
        sql = "SELECT 1 FROM submissions WHERE user_id = ? AND sequence = ?"
        return self._world.db.query_one(sql, (mailbox.user.id, message.sequence)) is not None

    def submit(self, mailbox: Mailbox, message: Message, *, save: bool = True) -> None:
        """Accepts a draft for sending; it leaves Drafts after the mailbox's `send_delay_ms`."""
        self._later(mailbox, message, int(save))

    def _later(self, mailbox: Mailbox, message: Message, save: int) -> None:
        delay = self._world.limits_of(mailbox.user).send_delay_ms / 1000
        row = (mailbox.user.id, message.sequence, self._world.clock.timestamp() + delay, save)
        self._world.db.execute("INSERT INTO submissions (user_id, sequence, due, save) VALUES (?,?,?,?)", row)
        self._world.alarm(delay)

    def recipients_today(self, user: User) -> int:
        """To how many a mailbox has written in the last 24 hours; what was accepted and is not out yet included."""
        since = iso(int(self._world.clock.timestamp()) - 86_400)
        sql = "SELECT recipients FROM outgoing WHERE user_id = ? AND sent > ?"
        gone: int = sum(row[0].count("\n") + 1 for row in self._world.db.query(sql, (user.id, since)))
        return gone + sum(self._people_of(user, row[0]) for row in self._waiting(user))

    def _waiting(self, user: User) -> list[tuple[int]]:
        sql = "SELECT sequence FROM submissions WHERE user_id = ? AND save != ?"
        return list(self._world.db.query(sql, (user.id, _SETTLE)))

    def _people_of(self, user: User, sequence: int) -> int:
        mailbox = self._world.mailbox(user)
        message = mailbox.messages.get(sequence)
        if message is None:
            return 0
        parsed = mailbox.contents.load(message.content, attachments=False)
        return len({address for _, address in (*parsed.to, *parsed.cc, *parsed.bcc)})

    def next_due(self) -> float | None:
        """Seconds until the next submission is due, or None."""
        row = self._world.db.query_one("SELECT min(due) FROM submissions")
        return None if row is None or row[0] is None else max(0.0, row[0] - self._world.clock.timestamp())

    def run_due(self) -> int:
        """Sends everything that is due; returns how many."""
        with self._world.operation():
            sql = "SELECT id, user_id, sequence, save FROM submissions WHERE due <= ? ORDER BY due, id"
            rows = self._world.db.query(sql, (self._world.clock.timestamp() + 0.001,))
            for number, user_id, sequence, save in rows:
                self._world.db.execute("DELETE FROM submissions WHERE id = ?", (number,))
                user = self._world.users.get(user_id)
                message = self._world.mailbox(user).messages.get(sequence) if user else None
                if user is None or message is None:
                    continue
                mailbox = self._world.mailbox(user)
                if save == _SETTLE:
                    mailbox.place_anew(message, message.folder)
                else:
                    self._transmit(mailbox, message, save=bool(save))
        return len(rows)

    def _transmit(self, mailbox: Mailbox, message: Message, *, save: bool) -> None:
        parsed = mailbox.contents.load(message.content)
        parsed.sent = mailbox.now()
        parsed.thread_index = message.index
        raw = build_message(parsed)
        attachments, parsed.attachments = parsed.attachments, []
        mailbox.contents.replace(message.content, parsed)
        parsed.attachments = attachments
        if save:
            limits = self._world.limits_of(mailbox.user)
            keep = not limits.sent_id_changes
            mailbox.sent(message, content=message.content, folder=mailbox.tree[model.SENT], keep_sequence=keep)
            if limits.sent_copy_moves:
                self._later(mailbox, message, _SETTLE)
        else:
            mailbox.purge(message)
        self.route(mailbox.user, raw, parsed)

    def route(self, sender: User, raw: bytes, parsed: Parsed) -> None:
        """Brings a message to everyone it is for and records that it left."""
        people = list(dict.fromkeys(address for _, address in (*parsed.to, *parsed.cc, *parsed.bcc)))
        row = (sender.id, iso(parsed.sent or 0), "\n".join(people), raw)
        self._world.db.execute("INSERT INTO outgoing (user_id, sent, recipients, raw) VALUES (?,?,?,?)", row)
        reached: set[str] = set()
        lost: list[str] = []
        for address in people:
            user = self._world.user_by_address(address)
            if user is not None and user.has_mailbox:
                if user.id not in reached:
                    self.deliver(self._world.mailbox(user), raw)
                reached.add(user.id)
            elif self._bounces(address, user):
                lost.append(address)
        if lost:
            self._return(sender, parsed, raw, lost)

    def _bounces(self, address: str, user: User | None) -> bool:
        if user is not None:
            return user.kind == "no-licence"
        domain = address.rpartition("@")[2].lower()
        return "@" not in address or domain in self._world.users.domains()

    def _return(self, sender: User, parsed: Parsed, raw: bytes, lost: list[str]) -> None:
        back: Address | None = parsed.sender or parsed.from_
        user = (self._world.user_by_address(back[1]) if back else None) or sender
        if user.has_mailbox:
            report = bounce.report(user, parsed, raw, lost, now=int(self._world.clock.timestamp()))
            self.deliver(self._world.mailbox(user), report)

    # -- arriving

    def deliver(self, mailbox: Mailbox, raw: bytes, *, folder: Folder | None = None) -> Message:
        """New mail, now."""
        now = mailbox.now()
        content, origin = mailbox.contents.add_raw(raw, fallback_sent=now)
        return mailbox.add(content, origin, folder or mailbox.tree[model.INBOX], received=now)

    def file(
        self,
        mailbox: Mailbox,
        raw: bytes,
        folder: Folder,
        *,
        received: int | None = None,
        is_read: bool = True,
        is_flagged: bool = False,
        categories: tuple[str, ...] = (),
        fallback: int | None = None,
    ) -> Message:
        """Old mail, as an import leaves it: dated by `received`, else its Date header, else `fallback`, else now."""
        date = received if received is not None else fallback
        content, origin = mailbox.contents.add_raw(raw, fallback_sent=mailbox.now() if date is None else date)
        if received is None:
            received = origin.sent if origin.sent is not None else date
        flags = (READ if is_read else 0) | (FLAGGED if is_flagged else 0)
        when = mailbox.now() if received is None else received
        return mailbox.add(content, origin, folder, received=when, flags=flags, categories=categories)

    def outgoing(self, user: User) -> list[tuple[int, str, list[str], bytes]]:
        """What left a mailbox: number, sent time, recipients, raw MIME, in order."""
        sql = "SELECT id, sent, recipients, raw FROM outgoing WHERE user_id = ? ORDER BY id"
        return [(row[0], row[1], row[2].split("\n"), row[3]) for row in self._world.db.query(sql, (user.id,))]
