"""What must be true at rest, each said in words when it is not."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC
from typing import Any

from django.db import connection

from postroom.mail.dump import dump
from postroom.mail.models import Composition, Folder, Known, Message
from postroom.mail.outbound import copies
from postroom.mailboxes.models import Mailbox
from postroom.providers.contract import RemoteMessage
from postroom.providers.memory.mailbox import ROOT, Box
from postroom.sync.models import OutboxEntry, Quarantined, Subscription, SyncState
from tests.simulation.local import links_of
from tests.simulation.world import World

SHOWN = 6  # differences told of each kind


def violations(world: World) -> list[str]:
    """Everything that is wrong at rest."""
    found: list[str] = []
    for stale in world.mailboxes:
        mailbox = Mailbox.objects.get(pk=stale.pk)
        box = world.box(mailbox)
        for question in (_dumps, _known, _counters, _threads, _followed, _outbox, _subscriptions, _failures):
            found += [f"{mailbox.address}: {one}" for one in question(mailbox, box)]
    return [*found, *_sent(world), *_drafts(world), *_changes(world), *_links(world), *_rows(world)]


# --- the mirror ----------------------------------------------------------------------------------------------------


def untrue(world: World) -> list[str]:
    """Messages whose state differs; folders by id, because their names come with a daily look."""
    found = []
    for stale in world.mailboxes:
        mailbox = Mailbox.objects.get(pk=stale.pk)
        box = world.box(mailbox)
        theirs = {one.id: _state(one) for one in box.messages.values()}
        ours = {row[0]: tuple(row[1:]) for row in _rows_of(mailbox)}
        aside = _set_aside(mailbox, box)
        for remote_id in sorted(theirs.keys() | ours.keys()):
            here, there = ours.get(remote_id), theirs.get(remote_id)
            if here == there or (here is None and (remote_id in aside or not _in_range(mailbox, box, remote_id))):
                continue
            found.append(f"{mailbox.address}: {remote_id} is {here} here and {there} there")
    return found[:SHOWN]


_STATE = ("folder__remote_id", "is_read", "flag", "categories", "subject", "is_draft")


def _rows_of(mailbox: Mailbox) -> Iterator[tuple[Any, ...]]:
    for row in Message.objects.filter(mailbox=mailbox).values_list("remote_id", *_STATE):
        yield (*row[:4], tuple(sorted(row[4])), *row[5:])


def _state(one: RemoteMessage) -> tuple[Any, ...]:
    return (one.folder_id, one.is_read, str(one.flag), tuple(sorted(one.categories or ())), one.subject, one.is_draft)


def _in_range(mailbox: Mailbox, box: Box, remote_id: str) -> bool:
    message = box.messages.get(remote_id)
    if message is None or not mailbox.history:
        return message is not None and bool(mailbox.history)
    return mailbox.since is None or (message.received is not None and message.received >= mailbox.since)


def _set_aside(mailbox: Mailbox, box: Box) -> set[str]:
    rows = Quarantined.objects.filter(mailbox=mailbox).values_list("remote_id", flat=True)
    return set(rows) & set(box.spoiled)


def _dumps(mailbox: Mailbox, box: Box) -> list[str]:
    """The dump against the truth, line by line. What is older than the chosen history may be here, but must be true."""
    held = set(Message.objects.filter(mailbox=mailbox).values_list("remote_id", flat=True))
    wanted = {one for one in box.messages if _in_range(mailbox, box, one)} - _set_aside(mailbox, box)
    read = (wanted | (held & box.messages.keys())) - box.spoiled.keys()
    there = Counter(_line(box, box.messages[one], mailbox) for one in read)
    odd = {f"<{one.removeprefix('m')}@{box.address}>" for one in box.spoiled}  # some of each may be here, or nothing
    lines = map(json.loads, dump(mailbox))
    here = Counter(_without_old_bodies(mailbox, line) for line in lines if line["internet_message_id"] not in odd)
    return [
        *(f"ghost: {held - box.messages.keys()}" for _ in range(1) if held - box.messages.keys()),
        *(f"missing here: {line}" for line in list((there - here).elements())[:SHOWN]),
        *(f"only here: {line}" for line in list((here - there).elements())[:SHOWN]),
    ]


def _without_old_bodies(mailbox: Mailbox, line: dict[str, Any]) -> str:
    if mailbox.since is not None and line["received"] < _stamp(mailbox.since):
        line["body_sha256"] = ""
    return json.dumps(line, sort_keys=True)


def _line(box: Box, one: RemoteMessage, mailbox: Mailbox) -> str:
    old = mailbox.since is not None and _stamp(one.received) < _stamp(mailbox.since)
    content = one.body.content if one.body else ""
    return json.dumps(
        {
            "internet_message_id": one.internet_message_id,
            "folder": _path(box, one.folder_id or ""),
            "subject": one.subject,
            "from": one.from_.address if one.from_ else "",
            "to": [person.address for person in one.to or ()],
            "cc": [person.address for person in one.cc or ()],
            "received": _stamp(one.received),
            "is_read": one.is_read,
            "is_flagged": str(one.flag) == "flagged",
            "is_draft": one.is_draft,
            "categories": sorted(one.categories or ()),
            "has_attachments": one.has_attachments,
            "body_sha256": "" if old else hashlib.sha256(content.encode()).hexdigest(),
        },
        sort_keys=True,
    )


def _stamp(moment: Any) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"


def _path(box: Box, folder_id: str) -> str:
    names: list[str] = []
    while folder_id in box.folders and folder_id != ROOT:
        names.append(box.folders[folder_id].name)
        folder_id = box.folders[folder_id].parent_id or ROOT
    return "/".join(reversed(names))


def _known(mailbox: Mailbox, box: Box) -> list[str]:
    """Everything that exists is at least known to exist, and nothing else is; nothing twice."""
    messages = set(Message.objects.filter(mailbox=mailbox).values_list("remote_id", flat=True))
    known = set(Known.objects.filter(mailbox=mailbox).values_list("remote_id", flat=True))
    there = set(box.messages)
    return [
        *_named("exists, and nobody here knows", there - messages - known - _set_aside(mailbox, box)),
        *_named("noted as existing, and does not", known - there),
        *_named("noted as not pulled, and is here", known & messages),
    ]


def _named(what: str, ids: Iterable[str]) -> list[str]:
    found = sorted(ids)
    return [f"{what}: {', '.join(found[:SHOWN])}"] if found else []


# --- what lists show -----------------------------------------------------------------------------------------------


def _counters(mailbox: Mailbox, box: Box) -> list[str]:
    counted: Mapping[int, list[int]] = {}
    found = dict(counted)
    for folder_id, is_read in Message.objects.filter(mailbox=mailbox).values_list("folder_id", "is_read"):
        one = found.setdefault(folder_id, [0, 0])
        one[0] += 1
        one[1] += not is_read
    wrong = []
    for pk, name, total, unread in Folder.objects.filter(mailbox=mailbox).values_list("pk", "name", "total", "unread"):
        if [total, unread] != found.get(pk, [0, 0]):
            wrong.append(f"folder {name} says {total}/{unread}, it is {found.get(pk, [0, 0])}")
    return wrong


_THREADS = """
SELECT coalesce(t.id, m.thread_id), t.count, t.unread, m.count, m.unread FROM
  (SELECT * FROM mail_thread WHERE mailbox_id = %(mailbox)s) t FULL JOIN
  (SELECT thread_id, count(*) AS count, count(*) FILTER (WHERE NOT is_read) AS unread, max(received) AS last_at,
          bool_or(is_draft) AS has_draft, bool_or(flag = 'flagged') AS flagged
   FROM mail_message WHERE mailbox_id = %(mailbox)s GROUP BY thread_id) m ON m.thread_id = t.id
WHERE (t.count, t.unread, t.last_at, t.has_draft, t.flagged)
      IS DISTINCT FROM (m.count::int, m.unread::int, m.last_at, m.has_draft, m.flagged)
"""
_PLACES = """
SELECT coalesce(p.thread_id, m.thread_id), coalesce(p.folder_id, m.folder_id), p.count, m.count FROM
  (SELECT p.* FROM mail_threadfolder p JOIN mail_thread t ON t.id = p.thread_id WHERE t.mailbox_id = %(mailbox)s) p
  FULL JOIN
  (SELECT thread_id, folder_id, count(*) AS count, count(*) FILTER (WHERE NOT is_read) AS unread
   FROM mail_message WHERE mailbox_id = %(mailbox)s GROUP BY thread_id, folder_id) m
  ON (m.thread_id, m.folder_id) = (p.thread_id, p.folder_id)
WHERE (p.count, p.unread) IS DISTINCT FROM (m.count::int, m.unread::int)
"""


def _threads(mailbox: Mailbox, box: Box) -> list[str]:
    wrong = []
    with connection.cursor() as cursor:
        for what, statement in (("thread", _THREADS), ("place of a thread", _PLACES)):
            cursor.execute(statement, {"mailbox": mailbox.pk})
            wrong += [f"{what} {row} is not what its messages say" for row in cursor.fetchall()[:SHOWN]]
    return wrong


# --- the engine ----------------------------------------------------------------------------------------------------


def _followed(mailbox: Mailbox, box: Box) -> list[str]:
    """A folder that nobody follows loses mail and is counted by nothing."""
    synced = Folder.objects.filter(mailbox=mailbox, synced=True).values_list("remote_id", flat=True)
    followed = SyncState.objects.filter(mailbox=mailbox, resource="mail", phase=SyncState.Phase.FOLLOWING)
    lost = set(synced) - set(followed.values_list("scope", flat=True))
    return _named("is followed by nobody", lost) if lost else []


def _outbox(mailbox: Mailbox, box: Box) -> list[str]:
    rows = OutboxEntry.objects.filter(mailbox=mailbox).exclude(state="done")
    return [
        f"outbox entry {row.pk} ({row.kind} of {row.subject_key}) is {row.state}: {row.reason or 'no reason'}"
        for row in rows
        if row.state != OutboxEntry.State.FAILED or not row.reason
    ]


def _subscriptions(mailbox: Mailbox, box: Box) -> list[str]:
    living, ours = box.subscriptions.living, Subscription.objects.filter(mailbox=mailbox)
    if mailbox.kind == Mailbox.Kind.SHARED:
        return [f"a shared mailbox has subscriptions {living}"] if living else []
    if len(living) != 1 or [one.remote_id for one in ours] != living:
        return [f"subscriptions: {living} there, {[one.remote_id for one in ours]} here"]
    return []


def _failures(mailbox: Mailbox, box: Box) -> list[str]:
    if mailbox.failure or mailbox.health != "healthy":
        return [f"is {mailbox.health}: {mailbox.failure} {mailbox.failure_detail}"]
    return []


# --- what people did -----------------------------------------------------------------------------------------------


def _sent(world: World) -> list[str]:
    """Each mail handed over went out once, or came back to its author with the reason; where nobody can know (its only
    copy was deleted before we saw it) the author is asked, and it went out at most once."""
    went = Counter(one.marker for box in world.boxes() for one in box.sent if one.marker)
    wrong = []
    for made in Composition.objects.filter(pk__in=world.ledger.sent):
        times = went[made.marker]
        if made.state == Composition.State.SENT and times != 1:
            wrong.append(f"composition {made.pk} is sent, and went out {times} times")
        elif made.state == Composition.State.FAILED and (times or not made.failure):
            wrong.append(f"composition {made.pk} failed ({made.failure}), and went out {times} times")
        elif made.state == Composition.State.HELD and made.failure == copies.UNCLEAR:
            wrong += [f"composition {made.pk} is unclear, and went out {times} times"] * (times > 1)
        elif made.state not in (Composition.State.SENT, Composition.State.FAILED):
            wrong.append(f"composition {made.pk} is still {made.state}")
    return wrong


def _drafts(world: World) -> list[str]:
    """A draft that is written on both sides says the same on both. One that is gone there for good is kept here."""
    wrong = []
    for one in Composition.objects.filter(state="draft").exclude(draft_id="").select_related("mailbox"):
        there = world.box(one.mailbox).messages.get(one.draft_id)
        if there is not None and there.subject != one.subject:
            wrong.append(f"composition {one.pk} is {one.subject!r} here and {there.subject!r} there")
    return wrong


def _changes(world: World) -> list[str]:
    """The later change wins: what was changed here last is so there, unless a reason is written down."""
    if world.jumped:
        return []
    wrong = []
    excused = _excused()
    for address, remote_id, name, value in world.ledger.last_said():
        message = world.memory.mailbox(address).messages.get(remote_id)
        if message is None or (address, remote_id) in excused:
            continue
        there = {"folder": message.folder_id, "flag": str(message.flag)}.get(name, getattr(message, name, None))
        there, value = (sorted(one) if name == "categories" else one for one in (there, value))
        if there != value and not (name == "folder" and str(value).startswith("new:")):
            wrong.append(f"{address}: {name} of {remote_id} was last changed here to {value}, and is {there} there")
    return wrong[:SHOWN]


def _excused() -> set[tuple[str, str]]:
    """Messages with a change that could not be made, whose author was told so."""
    rows = OutboxEntry.objects.exclude(reason="").exclude(kind="send").values_list("mailbox__address", "remote_id")
    return set(rows)


def _links(world: World) -> list[str]:
    found = []
    for (address, remote_id), people in world.ledger.links.items():
        row = Message.objects.filter(mailbox__address=address, remote_id=remote_id)
        ids = row.values_list("thread__conversation_id", flat=True)
        found += [(address, remote_id, lost) for one in ids if (lost := people - links_of(one))]
    told = "{}: the conversation of {} has lost its links to {}"
    return [told.format(*one) for one in found[:SHOWN]]


def _rows(world: World) -> list[str]:
    """A message keeps its row as long as it exists: drafts, links and open screens point there."""
    wrong = []
    rows = Message.objects.values_list("mailbox__address", "remote_id", "pk")
    now = {(address, remote_id): pk for address, remote_id, pk in rows}
    for key, pk in world.ledger.rows.items():
        if key in now and now[key] != pk:
            wrong.append(f"{key[0]}: {key[1]} was row {pk} and is row {now[key]}")
    return wrong[:SHOWN]
