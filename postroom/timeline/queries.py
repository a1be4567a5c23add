"""What screens read: a record's threads, its timeline, and the records of a conversation.

Everything is read as a member sees it: of mail in mailboxes the member may not use there is no more than these show on
records (``sharing.levels``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from heapq import merge
from typing import Any, NamedTuple

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import Exists, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, Lower
from django.urls import reverse
from django.utils.dateparse import parse_datetime

from postroom.lib.pages import Near
from postroom.mail.models import Conversation, Thread
from postroom.mail.queries import Cursor, Page, read_cursor
from postroom.mailboxes.access import mailboxes_visible_to
from postroom.mailboxes.models import Mailbox
from postroom.records.models import Candidate, Company, Deal, Event, Note, Person, Task
from postroom.records.record import BY_KEY, POINTERS, TYPES, Record, RecordType, about
from postroom.records.tables import NO_MOMENT
from postroom.timeline import sql
from postroom.timeline.matching import addresses_of, found_parameters
from postroom.timeline.models import Link, Reach
from postroom.timeline.sharing import levels
from postroom.timeline.sharing.models import Level
from postroom.workspaces.models import Membership

LOOKED_AT = 60  # mails per address and mailbox that one page looks at beyond the reach of matching
LOOKED_OVER = 10  # the same within it: what was stored in the moment a contact was made may have missed its link


@dataclass(frozen=True)
class ThreadLine:
    """A conversation on a record as one member sees it. `linked`: by a link, else only by address.

    `level`: how much of it they see; below FULL `thread` is a copy that holds no more than that.
    """

    conversation: int
    at: datetime
    thread: Thread
    linked: bool
    level: int = levels.FULL

    @property
    def full(self) -> bool:
        """Whether the member may use a mailbox it lies in."""
        return self.level == levels.FULL

    @property
    def partly(self) -> bool:
        """Whether there is more of it than they see."""
        return self.level < Level.EVERYTHING

    @property
    def icon(self) -> str:
        """What stands before the subject of what is another's."""
        return "" if self.full else "lock" if self.partly else "eye"

    @property
    def title(self) -> str:
        """The subject, or why there is none."""
        if self.level < Level.SUBJECT:
            return "Subject not shared"
        return self.thread.subject or "(no subject)"

    @property
    def url(self) -> str:
        """Where the member reads it."""
        if self.full:
            return reverse("inbox:thread", args=[self.thread.pk])
        return reverse("timeline:shared", args=[self.conversation])


@dataclass(frozen=True)
class Entry:
    """Something that happened: exactly one of `line`, `event`, `note` and `task` is set."""

    at: datetime
    kind: str
    id: int
    line: ThreadLine | None = None
    event: Event | None = None
    note: Note | None = None
    task: Task | None = None


class _Place(NamedTuple):
    at: datetime
    conversation: int


def visible_mailboxes(member: Membership) -> list[int]:
    """The ids of the mailboxes whose mail the member may read."""
    return levels.mailboxes_of(member)


class Boxes(NamedTuple):
    """The mailboxes the member may use, by id, and the addresses of all of the workspace's, lower-cased."""

    mine: list[int]
    ours: list[str]


def boxes_of(member: Membership) -> Boxes:
    """One query."""
    mine = mailboxes_visible_to(member).order_by().filter(pk=OuterRef("pk"))
    rows = list(
        Mailbox.objects.for_workspace(member.workspace_id)
        .annotate(mine=Exists(mine))
        .values_list("pk", "mine", "address")
    )
    return Boxes([pk for pk, is_mine, _ in rows if is_mine], [address.lower() for _, _, address in rows])


def facts(model: type[Record], member: Membership) -> dict[str, Any]:
    """What the mail of a record is read with, as expressions over records of a type: of a record that was read with
    them nothing of it is asked again."""
    reach = Reach.objects.filter(**{BY_KEY[model.key].pointer: OuterRef("pk")})
    every = Mailbox.objects.for_workspace(member.workspace_id).order_by()
    return {
        "boxes_mine": ArraySubquery(mailboxes_visible_to(member).order_by().values("pk")),
        "boxes_ours": ArraySubquery(every.values(lowered=Lower("address"))),
        "reached": Exists(reach),
        "reached_until": Subquery(reach.values("until")[:1]),
    }


def boxes_for(record: Record, member: Membership) -> Boxes:
    """The member's, as the record brought them along (``facts``), else one query."""
    brought = vars(record)
    return Boxes(brought["boxes_mine"], brought["boxes_ours"]) if "boxes_mine" in brought else boxes_of(member)


def _reach_of(record: Record) -> tuple[bool, datetime | None]:
    """Whether its mail was linked, and down to which moment (None: all)."""
    brought = vars(record)
    if "reached" in brought:
        return brought["reached"], brought["reached_until"]
    row = Reach.objects.filter(**about(record)).first()
    return row is not None, row.until if row else None


def threads(
    record: Record, member: Membership, cursor: str = "", *, limit: int = 30, boxes: Boxes | None = None
) -> Page[ThreadLine]:
    """The conversations of a record, newest first: those linked to it, and those only its addresses lead to (CR2).
    ``boxes``: the member's, if they are at hand."""
    lines, more = _threads(record, boxes or boxes_for(record, member), read_cursor(cursor), limit)
    return Page(lines, more.write() if more else "")


def entries(
    record: Record, member: Membership, cursor: str = "", *, limit: int = 30, boxes: Boxes | None = None
) -> Page[Entry]:
    """What happened around a record, newest first (CR7): its conversations, its changes, notes and tasks."""
    start = read_cursor(cursor)
    lines, more = _threads(record, boxes or boxes_for(record, member), _for_kind(start, "mail"), limit)
    streams = [
        [Entry(line.at, "mail", line.conversation, line=line) for line in lines],
        [Entry(row.at, "event", row.pk, event=row) for row in _events(record, _for_kind(start, "event"), limit + 1)],
        [
            Entry(row.created_at, "note", row.pk, note=row)
            for row in _notes(record, _for_kind(start, "note"), limit + 1)
        ],
        [Entry(row.at, "task", row.pk, task=row) for row in _tasks(record, _for_kind(start, "task"), limit + 1)],
    ]
    cut = more.at if more and len(lines) < limit else _BEGINNING  # older mail is not looked at yet, so nothing older is
    merged = [one for one in merge(*streams, key=_position, reverse=True) if one.at > cut]
    shown = merged[:limit]
    if len(merged) > limit or (more and len(lines) == limit):
        return Page(shown, _position(shown[-1]).write())
    return Page(shown, Cursor(more.at).write() if more else "")


_BEGINNING = datetime(2, 1, 1, tzinfo=UTC)  # before all mail, with room for a step back
# A place in the timeline is a moment, and an id with its kind in its remainder.
_KINDS = ("event", "note", "task", "mail")


def _position(entry: Entry) -> Cursor:
    """A place in the order over all kinds."""
    return Cursor(entry.at, entry.id * len(_KINDS) + _KINDS.index(entry.kind))


def _for_kind(cursor: Cursor, kind: str) -> Cursor:
    """The same place among the ids of one kind."""
    return Cursor(cursor.at, -((_KINDS.index(kind) - cursor.id) // len(_KINDS)))


def _before(field: str, cursor: Cursor) -> Q:
    return Q(**{f"{field}__lte": cursor.at}) & (Q(**{f"{field}__lt": cursor.at}) | Q(id__lt=cursor.id))


def _events(record: Record, cursor: Cursor, limit: int) -> list[Event]:
    rows = Event.objects.filter(_before("at", cursor), **about(record)).select_related("actor__user")
    return list(rows.order_by("-at", "-id")[:limit])


def _notes(record: Record, cursor: Cursor, limit: int) -> list[Note]:
    rows = Note.objects.filter(_before("created_at", cursor), **about(record)).select_related("author__user")
    return list(rows.order_by("-created_at", "-id")[:limit])


def _tasks(record: Record, cursor: Cursor, limit: int) -> list[Any]:
    """Where they were done, or, still to do, where they were made; with that moment as `at`."""
    placed = Task.objects.filter(**about(record)).annotate(at=Coalesce("done_at", "created_at"))
    rows = placed.filter(_before("at", cursor)).select_related("author__user", "assignee__user")
    return list(rows.order_by("-at", "-id")[:limit])


def _threads(record: Record, boxes: Boxes, cursor: Cursor, limit: int) -> tuple[list[ThreadLine], Cursor | None]:
    """At most `limit` conversations before the cursor, and where the next page starts, None when that is all."""
    if cursor.at <= _BEGINNING:
        return [], None
    for _ in range(_LOOKS):
        linked = _linked(record, boxes.mine, cursor, limit)
        found, horizon = _found(record, boxes, cursor)
        by_conversation = {place.conversation: place for place in sorted([*found, *linked])}
        ordered = sorted((one for one in by_conversation.values() if one.at > horizon), reverse=True)
        shown = ordered[:limit]
        if len(ordered) > limit:
            more: Cursor | None = Cursor(shown[-1].at, shown[-1].conversation)
        else:
            more = Cursor(horizon) if horizon > _BEGINNING else None
        if shown or more is None:
            break
        cursor = more
    return _with_threads(record, shown, boxes.mine, {one.conversation for one in linked}), more


_LOOKS = 5  # how often an empty stretch of mail is skipped before the reader is asked to go on


def _linked(record: Record, mailboxes: list[int], cursor: Cursor, limit: int) -> list[_Place]:
    people = _people_behind(record)
    pointers: dict[str, list[int]] = {record.type.pointer: [record.pk], **({"person": people} if people else {})}
    parameters = {
        **pointers,
        "mailboxes": mailboxes,
        "workspace": record.workspace_id,
        "before": cursor.at,
        "conversation": cursor.id,
        "hidden_by": record.pk if people else None,
        "limit": limit + 1,
    }
    own = record.type.pointer
    parts = [sql.LINKED.format(pointer=one, hidden_by=own) for one in POINTERS if one in pointers]
    with connection.cursor() as database:
        database.execute(" union ".join(parts), parameters)
        newest = sorted((_Place(at, conversation) for conversation, at in database.fetchall()), reverse=True)
    return newest[: limit + 1]


def _people_behind(record: Record) -> list[int]:
    """The contacts whose threads a record shows as its own: a deal's, and who a candidate is."""
    if isinstance(record, Deal):
        return [person.pk for person in record.people.all()]  # the deal's page has them at hand
    if isinstance(record, Candidate) and record.person_id is not None:
        return [record.person_id]
    return []


def _found(record: Record, boxes: Boxes, cursor: Cursor) -> tuple[list[_Place], datetime]:
    """Conversations that only addresses lead to, and the moment down to which that was looked for."""
    if not boxes.mine or not isinstance(record, Person | Company):
        return [], _BEGINNING  # the others have no addresses of their own
    reached, until_then = _reach_of(record)
    complete = reached and until_then is None
    if complete and not isinstance(record, Person):
        return [], _BEGINNING
    addresses, _ = addresses_of(record, boxes.ours)
    before = min(cursor.at, until_then) if until_then else cursor.at
    each = LOOKED_OVER if complete else LOOKED_AT
    parameters = {
        **found_parameters(record, addresses, mailboxes=boxes.mine, each=each, before=before),
        "conversation": cursor.id if before == cursor.at else Cursor().id,
    }
    with connection.cursor() as database:
        database.execute(sql.SHOW_FOUND, parameters)
        rows = database.fetchall()
    until = rows[0][0] if rows else None
    places = [_Place(at, conversation) for _, conversation, at in rows if conversation is not None]
    if complete or until is None:
        return places, _BEGINNING
    # Always a step on, however many mails carry the same time.
    return places, max(_BEGINNING, min(until, cursor.at - _MOMENT))


_MOMENT = timedelta(microseconds=1)


def _with_threads(
    record: Record, places: Sequence[_Place], mailboxes: list[int], linked: Collection[int]
) -> list[ThreadLine]:
    """Each conversation as the thread shows it of which the member sees most, the newest of several."""
    shown = levels.threads(record.workspace_id, mailboxes)
    rows = shown.filter(conversation__in=[one.conversation for one in places])
    best = rows.order_by("conversation", "-level", "-last_at", "id").distinct("conversation")
    found = {row.conversation_id: row for row in best}
    lines = [_line(one, found[one.conversation], linked) for one in places if one.conversation in found]
    return [one for one in lines if one.full or one.linked]


def _line(place: _Place, thread: Thread, linked: Collection[int]) -> ThreadLine:
    level: int = thread.level  # type: ignore[attr-defined]
    seen = thread if level == levels.FULL else levels.redacted(thread, level)
    return ThreadLine(place.conversation, place.at, seen, place.conversation in linked, level)


def visible_conversation(member: Membership, pk: int, boxes: Boxes | None = None) -> Conversation | None:
    """A conversation of which the member may read at least one thread."""
    mine = Conversation.objects.filter(workspace=member.workspace_id, pk=pk)
    mailboxes = visible_mailboxes(member) if boxes is None else boxes.mine
    return mine.filter(threads__mailbox__in=mailboxes).distinct().first()


def links_of(conversations: Iterable[int]) -> dict[int, list[Link]]:
    """The live links of each conversation with their records: contacts last."""
    rows = Link.objects.filter(conversation__in=list(conversations), removed_at=None)
    found: dict[int, list[Link]] = {}
    for row in rows.select_related(*POINTERS).order_by(*reversed(POINTERS)):
        found.setdefault(row.conversation_id, []).append(row)
    return found


def names_of(conversations: Iterable[int]) -> dict[int, list[tuple[RecordType, int, str]]]:
    """The same, of each record only its type, id and name: for lines of lists."""
    rows = Link.objects.filter(conversation__in=list(conversations), removed_at=None).order_by(*reversed(POINTERS))
    named = rows.annotate(name=Coalesce(*(f"{one}__name" for one in POINTERS)))
    found: dict[int, list[tuple[RecordType, int, str]]] = {}
    for conversation, name, *keys in named.values_list("conversation", "name", *POINTERS):
        kind, key = next((kind, key) for kind, key in zip(TYPES, keys, strict=True) if key is not None)
        found.setdefault(conversation, []).append((kind, key, name))
    return found


def last_contact(records: Sequence[Record], member: Membership) -> dict[int, datetime]:
    """When each of some records of one type last had mail that is shown to the member, by id."""
    if not records:
        return {}
    model = records[0].type.model
    rows = model._default_manager.filter(pk__in=[record.pk for record in records])
    times = rows.annotate(at=last_mail(model, member)).values_list("pk", "at")
    return {pk: at for pk, at in times if at is not None}


def last_mail(model: type[Record], member: Membership) -> Subquery:
    """The same as an expression over records of a type, to sort them by: each looks at its newest links until one is
    shown to the member.
    """
    links = Link.objects.filter(_shown_to(member), **{BY_KEY[model.key].pointer: OuterRef("pk")}, removed_at=None)
    return Subquery(links.order_by("-last_at", "-conversation").values("last_at")[:1])


def _shown_to(member: Membership) -> Exists:
    """Whether the conversation of a link is shown to the member. Asked of each thread: were it two conditions, one for
    the member's mailboxes, all threads of these would be read first."""
    boxes = ArraySubquery(mailboxes_visible_to(member).order_by().values("pk"))
    return Exists(levels.threads(member.workspace_id, boxes).filter(conversation=OuterRef("conversation")))


NEWEST = 5_000  # links one page of records in the order of their last mail looks at
ENOUGH = 300  # of which are shown to the member: mostly these lead to a page


def newest_mail(model: type[Record], member: Membership) -> Near:
    """The records that may be next in that order: those of the newest links that are shown to the member."""
    pointer = BY_KEY[model.key].pointer

    def near(after: list[Any] | None) -> tuple[Collection[int], datetime]:
        before = _moment(after[0] if after else None)
        here = Q(workspace=member.workspace_id, last_at__lte=before, **{f"{pointer}__isnull": False})
        links = Link.objects.filter(here).order_by("-last_at")
        end = Coalesce(Subquery(links.values("last_at")[NEWEST : NEWEST + 1]), NO_MOMENT)
        shown = links.filter(_shown_to(member), removed_at=None, last_at__gt=end)
        rows = list(shown.values_list(f"{pointer}_id", "last_at")[:ENOUGH])
        return {key for key, _ in rows}, rows[-1][1] if rows else datetime.max.replace(tzinfo=UTC)

    return near


def _moment(told: Any) -> datetime:
    """A moment as an address tells it; the end of time where it tells none."""
    try:
        found = parse_datetime(told) if isinstance(told, str) else None
    except ValueError:
        found = None
    return found if found and found.tzinfo else datetime.max.replace(tzinfo=UTC)
