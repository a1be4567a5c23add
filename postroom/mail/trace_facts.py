"""All that is known here of some messages, read for all of them at once: what `mail.trace` makes its steps of.

However many messages and mailboxes a question finds, the number of statements is the same.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import CharField, DateTimeField, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Cast, JSONObject

from postroom.mail.checks import Kept
from postroom.mail.folders import with_parents
from postroom.mail.models import Folder, Known, Message
from postroom.mailboxes import hooks
from postroom.mailboxes.models import Mailbox
from postroom.providers.contract import RemoteMessage
from postroom.sync import push
from postroom.sync.models import Activity, Lane, Notification, Quarantined, SyncState

MOST = 10  # messages that one question shows per mailbox

Key = tuple[int, str]  # a mailbox, and what its provider calls a message or folder


class Box(NamedTuple):
    """A mailbox that is asked. ``found``: its newest messages that fit the words; ``pull``: how far the history is."""

    mailbox: Mailbox
    found: Sequence[int]
    pushed: bool
    pull: Mapping[str, Any] | None  # {"progress": …, "paused": …}


class Asked(NamedTuple):
    """What its provider answered, by id; ``reached`` is false when it could not be asked."""

    box: Box
    remote: Mapping[str, RemoteMessage]
    reached: bool


class Noted(NamedTuple):
    """A line about a message that needs no row of its own: `table` says which."""

    table: str
    mailbox: int
    remote_id: str
    folder: int | None
    words: str
    at: datetime | None


@dataclass(frozen=True)
class Facts:
    """All that is known of one message."""

    mailbox: Mailbox
    asked: bool
    pushed: bool
    pull: Mapping[str, Any] | None
    remote: RemoteMessage | None
    row: Message | None
    folder: Folder | None
    state: SyncState | None
    records: Sequence[str]
    known: Noted | None = None  # listed, not pulled: `words` is a ``Known.State``
    aside: Noted | None = None  # could not be read, `words` says why
    named: Noted | None = None  # by a notice
    kept: Noted | None = None  # somebody decided to keep it

    @property
    def counted(self) -> bool:
        """Whether it is kept only as a number."""
        return self.known is not None and self.known.words == str(Known.State.COUNTED.value)


def boxes(mailboxes: QuerySet[Mailbox], *, message_id: str, words: str) -> list[Box]:
    """Some mailboxes, with those of their messages that have this Message-ID, or else these words in the subject."""
    fit = Q(internet_message_id=message_id) if message_id else Q(subject__icontains=words)
    of_it = {"mailbox": OuterRef("pk")}
    pulls = Lane.objects.filter(**of_it, activity=Activity.BACKFILL)
    rows = mailboxes.annotate(
        found=ArraySubquery(Message.objects.filter(fit, **of_it).order_by("-received").values("pk")[:MOST]),
        pushed=Exists(push.living().filter(**of_it)),
        pull=Subquery(pulls.values_list(JSONObject(progress="progress", paused="paused"))[:1]),
    )
    told: Iterable[Any] = rows
    return [Box(one, one.found, one.pushed, one.pull) for one in told]


def of(asked: Sequence[Asked]) -> list[list[Facts]]:
    """The messages each mailbox has or its provider named, at most ``MOST`` of each."""
    rows = _rows(asked)
    keys = [_keys(one, rows) for one in asked]
    every = [key for some in keys for key in some]
    folders = with_parents(Folder.objects.filter(mailbox__in={mailbox for mailbox, _ in every})) if every else {}
    for row in rows.values():
        row.folder = folders[row.folder_id]
    about = _About(rows, folders, _noted(every), _states(folders.values(), every), _records(asked, rows))
    return [[about.facts(one, key) for key in some] for one, some in zip(asked, keys, strict=True)]


def _rows(asked: Sequence[Asked]) -> dict[Key, Message]:
    """Ours: those that fit the words, and those the providers named."""
    wanted = Q(pk__in=[pk for one in asked for pk in one.box.found])
    for one in asked:
        if one.remote:
            wanted |= Q(mailbox=one.box.mailbox, remote_id__in=list(one.remote))
    found = Message.objects.filter(wanted).select_related("thread").order_by("-received")
    return {(row.mailbox_id, row.remote_id): row for row in found}


def _keys(one: Asked, rows: Mapping[Key, Message]) -> list[Key]:
    pk = one.box.mailbox.pk
    named = ((pk, remote_id) for remote_id in one.remote)
    return list(dict.fromkeys([*named, *(key for key in rows if key[0] == pk)]))[:MOST]


def _noted(keys: Collection[Key]) -> dict[tuple[str, Key], Noted]:
    """The short lines of four tables about some messages, in one statement; the first of several."""
    if not keys:
        return {}
    no_folder, no_words, never = Value(None, IntegerField()), Value(""), Value(None, DateTimeField())

    def lines(table: str, rows: QuerySet[Any], folder: Any = no_folder, words: Any = no_words, at: Any = never) -> Any:
        wanted = rows.filter(mailbox__in={key[0] for key in keys}, remote_id__in=[key[1] for key in keys])
        return wanted.order_by().values_list(
            Value(table), "mailbox_id", "remote_id", folder, Cast(words, CharField()), at
        )

    found = lines("known", Known.objects.all(), folder="folder_id", words="state").union(
        lines("aside", Quarantined.objects.filter(resource="mail"), words="reason", at="tried_at"),
        lines("named", Notification.objects.all(), at="received_at"),
        lines("kept", Kept.objects.all()),
        all=True,
    )
    noted = sorted((Noted(*line) for line in found), key=lambda one: (one.at is None, one.at), reverse=True)
    return {(one.table, (one.mailbox, one.remote_id)): one for one in noted}


def _states(folders: Iterable[Folder], keys: Collection[Key]) -> dict[Key, SyncState]:
    """Where the listings of folders are, by the folder's key."""
    scopes = [folder.remote_id for folder in folders]
    if not scopes:
        return {}
    found = SyncState.objects.filter(mailbox__in={key[0] for key in keys}, resource="mail", scope__in=scopes)
    return {(state.mailbox_id, state.scope): state for state in found}


def _records(asked: Sequence[Asked], rows: Mapping[Key, Message]) -> Mapping[int, Sequence[str]]:
    conversations = {row.thread.conversation_id for row in rows.values()}
    return hooks.matched([one.box.mailbox for one in asked], conversations) if conversations else {}


class _About(NamedTuple):
    """What was read, by what it is about."""

    rows: Mapping[Key, Message]
    folders: Mapping[int, Folder]
    noted: Mapping[tuple[str, Key], Noted]
    states: Mapping[Key, SyncState]
    records: Mapping[int, Sequence[str]]

    def facts(self, one: Asked, key: Key) -> Facts:
        remote, row = one.remote.get(key[1]), self.rows.get(key)
        lines = {table: self.noted.get((table, key)) for table in ("known", "aside", "named", "kept")}
        folder = self._folder(key, remote, row, lines["known"])
        return Facts(
            one.box.mailbox,
            one.reached,
            one.box.pushed,
            one.box.pull,
            remote,
            row,
            folder,
            self.states.get((key[0], folder.remote_id)) if folder else None,
            self.records.get(row.thread.conversation_id, ()) if row else (),
            **lines,
        )

    def _folder(
        self, key: Key, remote: RemoteMessage | None, row: Message | None, known: Noted | None
    ) -> Folder | None:
        """Where the provider has it, else where we have it or were told of it."""
        there = (key[0], remote.folder_id) if remote else None
        named = next((one for one in self.folders.values() if (one.mailbox_id, one.remote_id) == there), None)
        return named or (row.folder if row else self.folders.get((known and known.folder) or 0))
