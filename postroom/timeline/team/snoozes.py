"""Snooze: out of a member's sight until a moment, or until somebody answers.

Asleep is what is read from the clock (``until`` has not come, nothing woke it); the job that runs every minute only
notes that it woke and tells the member. So a late worker keeps nothing back.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple, Protocol

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from postroom.lib.clock import now
from postroom.lib.live import publish
from postroom.mailboxes.models import Mailbox
from postroom.timeline.team import notices, readers
from postroom.timeline.team.models import Snooze
from postroom.workspaces.models import Membership

MORNING = time(8)
LATER = timedelta(hours=3)
EVENING = 21  # o'clock; later than this "later today" is tomorrow
LONGEST = timedelta(days=5 * 366)
ON_TOP_FOR = timedelta(days=14)  # so long a conversation stands where it woke; then by its newest mail again


class Preset(NamedTuple):
    """A moment to choose. ``unless_answered``: an answer wakes it before."""

    key: str
    label: str
    until: datetime
    unless_answered: bool = False
    writes: str = ""  # the next mail of this address wakes it before


class Wake(NamedTuple):
    """How a snooze stood, to be put back: ``until`` in ISO form."""

    until: str
    unless_answered: bool
    writes: str = ""


def presets(at: datetime | None = None) -> list[Preset]:
    """What the menu offers at a moment, in the member's own time (the active time zone)."""
    local = timezone.localtime(at or now())
    later = _half_hour(local + LATER)
    monday = _morning(local, (7 - local.weekday()) % 7 or 7)
    found = [Preset("today", "Later today", later)] if later.date() == local.date() and later.hour <= EVENING else []
    found.append(Preset("tomorrow", "Tomorrow morning", _morning(local, 1)))
    if monday.date() != _morning(local, 1).date():
        found.append(Preset("monday", "Monday", monday))
    if _morning(local, 7) != monday:
        found.append(Preset("week", "In a week", _morning(local, 7)))
    return [
        *found,
        Preset("answer-1", "Tomorrow morning", _morning(local, 1), True),
        Preset("answer-3", "In 3 days", _morning(local, 3), True),
        Preset("answer-7", "In a week", _morning(local, 7), True),
    ]


def _half_hour(at: datetime) -> datetime:
    whole = at.replace(minute=0, second=0, microsecond=0)
    return whole + timedelta(minutes=30) * (1 if at.minute < 30 else 2) if at > whole else whole


def _morning(local: datetime, days: int) -> datetime:
    return timezone.make_aware(datetime.combine(local.date() + timedelta(days=days), MORNING))


def moment(text: str) -> datetime | None:
    """A typed moment (``datetime-local``) in the member's time; None when it is none or lies too far off."""
    try:
        typed = datetime.fromisoformat(text)
        found = typed if typed.tzinfo else timezone.make_aware(typed)
        return found if found < now() + LONGEST else None
    except (ValueError, OverflowError):
        return None


def asleep(at: datetime | None = None) -> Q:
    """The snoozes that have not ended."""
    return Q(woke_at=None, until__gt=at or now())


# --- doing -------------------------------------------------------------------------------------------------------


@transaction.atomic
def snooze(
    conversations: Collection[int],
    member: Membership,
    *,
    until: datetime,
    unless_answered: bool = False,
    writes: str = "",
) -> Mapping[int, Wake | None]:
    """Put them to sleep. Returns how each that changed stood before (None: awake)."""
    before = _standing(conversations, member)
    wanted = Wake(until.isoformat(), unless_answered, writes)
    changed = {one: before.get(one) for one in conversations if before.get(one) != wanted}
    put(changed, member, wanted)
    return changed


@transaction.atomic
def wake(conversations: Collection[int], member: Membership) -> Mapping[int, Wake | None]:
    """Bring them back now, by hand. Returns how each that slept stood before."""
    before = _standing(conversations, member)
    put(before, member, None)
    return before


def put(conversations: Collection[int], member: Membership, wanted: Wake | None) -> None:
    """What ``snooze``, ``wake`` and Undo do."""
    rows = Snooze.objects.filter(member=member, conversation__in=list(conversations))
    rows.delete()
    if wanted is not None:
        Snooze.objects.bulk_create(
            Snooze(
                workspace_id=member.workspace_id, member=member, conversation_id=one,
                until=datetime.fromisoformat(wanted.until), unless_answered=wanted.unless_answered, made_at=now(),
                writes=wanted.writes,
            )
            for one in conversations
        )  # fmt: skip
    _tell(member.workspace_id, member.pk, conversations)


def standing(conversations: Collection[int], member: Membership) -> dict[int, Wake]:
    """How they sleep, for Undo to compare with."""
    return dict(_standing(conversations, member))


def _standing(conversations: Collection[int], member: Membership) -> dict[int, Wake]:
    rows = Snooze.objects.filter(asleep(), member=member, conversation__in=list(conversations))
    return {row.conversation_id: Wake(row.until.isoformat(), row.unless_answered, row.writes) for row in rows}


def _tell(workspace_id: int, member: int, conversations: Collection[int]) -> None:
    """Only the member's own screens: a snooze is nobody else's business."""
    some = sorted(conversations)
    if some:
        payload: dict[str, Any] = {"conversation": some} if len(some) <= 200 else {"all": True}
        publish(workspace_id, readers.TOPIC, payload, members=[member])


def opened(member: Membership, conversation: int) -> None:
    """They have it before them: the mark of what woke goes."""
    rows = Snooze.objects.filter(~asleep(), member=member, conversation=conversation, seen_at=None)
    rows.update(seen_at=now())


# --- waking ------------------------------------------------------------------------------------------------------


def wake_due() -> int:
    """Note what woke by the clock and tell the members. Returns how many; doubled or late runs do no harm."""
    moment = now()
    with transaction.atomic():
        rows = Snooze.objects.select_for_update(skip_locked=True).filter(woke_at=None, until__lte=moment)
        due = list(rows.select_related("member").order_by("until")[:1000])
        for row in due:
            row.woke_at = row.until
        Snooze.objects.bulk_update(due, ["woke_at"])
        _told(due)
    return len(due)


def _told(rows: Collection[Snooze]) -> None:
    by_workspace: dict[int, list[notices.News]] = {}
    for row in rows:
        news = notices.News(row.member_id, notices.Kind.WOKE, row.conversation_id)
        by_workspace.setdefault(row.workspace_id, []).append(news)
        _tell(row.workspace_id, row.member_id, [row.conversation_id])
    for workspace_id, news_of in by_workspace.items():
        notices.tell(workspace_id, news_of)


# Who is waited for may write in another conversation: it counts in a mailbox that has the sleeping one.
_ANSWERED = """
SELECT s.id FROM timeline_snooze s
WHERE s.woke_at IS NULL AND (s.unless_answered OR s.writes <> '') AND s.until > %(now)s AND EXISTS (
    SELECT 1 FROM mail_message m JOIN mail_thread t ON t.id = m.thread_id
    WHERE m.id = ANY(%(messages)s) AND m.received > s.made_at
      AND ((s.unless_answered AND t.conversation_id = s.conversation_id)
           OR (s.writes <> '' AND lower(m.from_address) = s.writes AND EXISTS (
               SELECT 1 FROM mail_thread here
               WHERE here.conversation_id = s.conversation_id AND here.mailbox_id = m.mailbox_id)))
      AND NOT m.is_draft AND m.kind NOT IN ('auto_reply', 'bounce') AND NOT EXISTS (
          SELECT 1 FROM mailboxes_mailbox b
          WHERE b.workspace_id = s.workspace_id AND lower(b.address) = lower(m.from_address)))
"""
_MERGE = (  # (gone, kept): what both have, the kept one keeps
    """UPDATE {table} x SET conversation_id = pair.kept
       FROM unnest(%(gone)s::bigint[], %(kept)s::bigint[]) AS pair (gone, kept)
       WHERE x.conversation_id = pair.gone {once}""",
    "DELETE FROM {table} WHERE conversation_id = ANY(%(gone)s)",
)
_ALONE = """AND NOT EXISTS (SELECT 1 FROM {table} y WHERE y.id <> x.id AND {same} (
    y.conversation_id = pair.kept OR (y.id < x.id AND EXISTS (
        SELECT 1 FROM unnest(%(gone)s::bigint[], %(kept)s::bigint[]) AS other (gone, kept)
        WHERE other.kept = pair.kept AND other.gone = y.conversation_id))))"""
_TABLES = {  # table -> what may stand in it only once for each conversation
    "timeline_assignment": "",
    "timeline_snooze": "y.member_id = x.member_id AND",
    "timeline_presence": "y.member_id = x.member_id AND",
    "timeline_threadsharing": "y.mailbox_id = x.mailbox_id AND",
    "timeline_origin": None,
    "timeline_notice": None,
    "timeline_comment": None,
}


class Stored(Protocol):
    """What storing a page of mail reports (as ``matching.Stored``)."""

    @property
    def new(self) -> Collection[int]: ...

    @property
    def merged(self) -> Collection[tuple[int, int]]: ...


def on_stored(mailbox: Mailbox, stored: Stored, *, fresh: bool) -> None:
    """A hook of ``settings.SYNC_HOOKS``: an answer wakes what waits for one; conversations that became one have what
    was said in both."""
    on_merged(stored.merged)
    if not fresh or not stored.new:
        return
    with connection.cursor() as cursor:
        cursor.execute(_ANSWERED, {"messages": list(stored.new), "now": now()})
        ids = [row[0] for row in cursor.fetchall()]
    if ids:
        rows: QuerySet[Snooze] = Snooze.objects.filter(pk__in=ids)
        rows.update(woke_at=now(), answered=True)
        _told(list(rows))


def on_merged(pairs: Collection[tuple[int, int]]) -> None:
    """Move what hangs on conversations that turned out to be part of another, before those are deleted."""
    if not pairs:
        return
    parameters = {"gone": [gone for gone, _ in pairs], "kept": [kept for _, kept in pairs]}
    with connection.cursor() as cursor:
        for table, same in _TABLES.items():
            once = "" if same is None else _ALONE.format(table=table, same=same)
            for statement in _MERGE:
                cursor.execute(statement.format(table=table, once=once), parameters)
