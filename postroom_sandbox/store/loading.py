"""Mailboxes from and to the database: opened when first asked for, so a start costs nothing."""

from __future__ import annotations

import json

from postroom_sandbox.clock import Clock
from postroom_sandbox.database import Database
from postroom_sandbox.store.changes import Entry
from postroom_sandbox.store.contents import Contents
from postroom_sandbox.store.mailbox import Emit, Mailbox
from postroom_sandbox.store.model import RECOVERABLE, Folder, Message
from postroom_sandbox.store.schema import SCHEMA
from postroom_sandbox.store.tree import TREE_LOG
from postroom_sandbox.users import User


class MailboxStore:
    """Every mailbox, by owner."""

    def __init__(self, database: Database, *, clock: Clock, emit: Emit) -> None:
        self._database = database
        self._clock = clock
        self._emit = emit
        database.declare(SCHEMA)
        self.contents = Contents(database)
        self._open: dict[str, Mailbox] = {}
        self._written: dict[str, int] = {}

    def open(self, user: User) -> Mailbox:
        """The mailbox of `user`, made or loaded when needed."""
        mailbox = self._open.get(user.id)
        if mailbox is None:
            mailbox = self._load(user) or self._create(user)
            self._open[user.id] = mailbox
        return mailbox

    def flush(self) -> None:
        """Writes the counters of mailboxes that moved; part of every commit."""
        for user_id, mailbox in self._open.items():
            if self._written.get(user_id) != mailbox.tick:
                self._written[user_id] = mailbox.tick
                sql = "UPDATE mailboxes SET tick = ? WHERE number = ?"
                self._database.execute(sql, (mailbox.tick, mailbox.number))

    def _new(self, user: User, number: int) -> Mailbox:
        return Mailbox(user, number, self._database, self.contents, clock=self._clock, emit=self._emit)

    def _create(self, user: User) -> Mailbox:
        row = self._database.query_one("SELECT coalesce(max(number), 0) + 1 FROM mailboxes")
        mailbox = self._new(user, row[0] if row else 1)
        mailbox.tree.create_standard(user.details.get("preferredLanguage", ""))
        mailbox.save()
        return mailbox

    def _load(self, user: User) -> Mailbox | None:
        sql = "SELECT number, tick, settings FROM mailboxes WHERE user_id = ?"
        row = self._database.query_one(sql, (user.id,))
        if row is None:
            return None
        mailbox = self._new(user, row[0])
        mailbox.tick, mailbox.settings = row[1], json.loads(row[2])
        self._load_folders(mailbox)
        mailbox.conversations.load()
        self._load_messages(mailbox)
        self._load_changes(mailbox)
        return mailbox

    def _load_folders(self, mailbox: Mailbox) -> None:
        sql = (
            "SELECT number, parent, name, well_known, hidden, log_floor FROM folders WHERE mailbox = ? ORDER BY number"
        )
        rows = self._database.query(sql, (mailbox.number,))
        folders = {row[0]: Folder(row[0], row[2], None, well_known=row[3], hidden=bool(row[4])) for row in rows}
        for number, parent, _, _, _, floor in rows:
            folder = folders[number]
            folder.parent = folders.get(parent)
            folder.log.floor = floor
            mailbox.tree.link(folder)
        mailbox.tree.log.floor = mailbox.settings.get("tree_floor", 0)

    def _load_messages(self, mailbox: Mailbox) -> None:
        sql = (
            "SELECT sequence, place, folder, content, received, created, modified, version, flags, categories,"
            " conversation, conversation_index, internet_message_id, extra FROM messages WHERE mailbox = ?"
        )
        categories: dict[str, tuple[str, ...]] = {}
        for row in self._database.query(sql, (mailbox.number,)):
            words = categories.get(row[9])
            if words is None:
                words = categories[row[9]] = tuple(json.loads(row[9]))
            extra = json.loads(row[13]) if row[13] else None
            folder = mailbox.tree.by_number[row[2]]
            state = (row[3], row[4], row[5], row[6], row[7], row[8], words)
            message = Message(row[0], row[1], folder, *state, row[10], row[11], row[12], extra)
            mailbox.index(message)
            folder.messages.items.append(message)
            if folder.well_known != RECOVERABLE:
                mailbox.all.items.append(message)
        mailbox.all.items.sort(key=Message.order)
        for folder in mailbox.tree:
            folder.messages.items.sort(key=Message.order)

    def _load_changes(self, mailbox: Mailbox) -> None:
        sql = "SELECT folder, tick, kind, sequence, place FROM changes WHERE mailbox = ? ORDER BY tick, rowid"
        logs = {folder.number: folder.log for folder in mailbox.tree} | {TREE_LOG: mailbox.tree.log}
        for folder, *entry in self._database.query(sql, (mailbox.number,)):
            log = logs.get(folder)
            if log is not None and entry[0] > log.floor:
                log.add(Entry(*entry))
