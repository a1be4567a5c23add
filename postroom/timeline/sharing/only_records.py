"""Keep only mail that touches a record (product.md CR6): off unless a workspace, or the owner of a mailbox, wants it.

A mail comes and is stored, linked, made a contact or a ticket of, as ever; what then touches nothing is made a number
(``mail.counted``) in the same transaction, so nobody ever sees it. When a record comes to be that it touches, it is
pulled again. What touches a record no more is made a number by the nightly round.

What touches: mail of a conversation that is linked to a record, or in which a record's address is heard. What stays in
any case: drafts, conversations somebody wrote in from here, and those that are worked on (assigned, commented,
snoozed).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import Count, Exists, OuterRef, QuerySet, Sum

from postroom.lib.clock import now
from postroom.mail import counted, events
from postroom.mail.models import Known, Message, Thread
from postroom.mail.pens import PeopleList
from postroom.mail.store import locks
from postroom.mail.store.types import Stored
from postroom.mailboxes.models import NOT_SYNCED, Mailbox
from postroom.records.models import Company, Person
from postroom.records.record import Record
from postroom.sync import lanes
from postroom.sync.models import Activity
from postroom.timeline.models import Link
from postroom.timeline.rules import CROWD, PUBLIC_DOMAINS
from postroom.timeline.sharing import digests
from postroom.timeline.sharing.levels import NEVER
from postroom.timeline.sharing.models import MailboxSharing, Policy
from postroom.workspaces.models import Workspace

UNDO = timedelta(hours=1)  # what was unlinked a moment ago is linked again as easily
AT_ONCE = 200  # threads in one transaction of a round
MOST_COUNTED = 10_000  # threads that are looked at to say how much would go
LATELY = timedelta(days=2)  # what a lost wake-up left is found by one of two rounds
END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)


# --- where it is on ----------------------------------------------------------------------------------------------


def boxes(workspace_id: int) -> QuerySet[Mailbox]:
    """The mailboxes of which only mail of records is kept."""
    every = Policy.objects.filter(workspace=OuterRef("workspace"), only_records=True)
    own = MailboxSharing.objects.filter(mailbox=OuterRef("pk"), only_records=True)
    synced = Mailbox.objects.for_workspace(workspace_id).exclude(provider=NOT_SYNCED)
    return synced.filter(Exists(every) | Exists(own))


def is_on(mailbox: Mailbox) -> bool:
    """The rule of ``mail.counted``."""
    return boxes(mailbox.workspace_id).filter(pk=mailbox.pk).exists()


@transaction.atomic
def decide(workspace: Workspace, on: bool, *, mailbox: Mailbox | None = None) -> None:
    """For the workspace or one mailbox. What follows from it is done in the background; nothing in the mailbox itself
    is touched."""
    if mailbox is None:
        Policy.objects.update_or_create(workspace=workspace, defaults={"only_records": on})
    else:
        MailboxSharing.objects.update_or_create(mailbox=mailbox, defaults={"only_records": on})
    transaction.on_commit(lambda: _begin(workspace.pk))


def _begin(workspace_id: int) -> None:
    from postroom.timeline.jobs import wake_only_records  # it names what this module does

    wake_only_records(workspace_id)


class Figures(NamedTuple):
    """How many messages of some mailboxes are here, how many of them touch no record (``more``: at least), how many
    are kept only as a number, and of how many the text is still to come: those are looked at when it does."""

    messages: int
    loose: int
    more: bool
    numbers: int
    to_come: int


def figures(mailboxes: Sequence[Mailbox]) -> Figures:
    """What turning it on would take from here. Mail of disconnected mailboxes stays: it could not be pulled again."""
    ids = [one.pk for one in mailboxes]
    messages = Thread.objects.filter(mailbox__in=ids).aggregate(sum=Sum("count"))["sum"] or 0
    emptied = [one.pk for one in mailboxes if one.state != Mailbox.State.DISCONNECTED]
    threads = list(Thread.objects.filter(mailbox__in=emptied).values_list("pk", flat=True)[: MOST_COUNTED + 1])
    loose = _loose(mailboxes[0].workspace_id, threads[:MOST_COUNTED]) if threads else []
    missing = Message.objects.filter(mailbox__in=emptied, body_state=Message.BodyState.MISSING)
    to_come = missing.count()
    untold = missing.filter(pk__in=loose).count() if to_come else 0
    return Figures(messages, len(loose) - untold, len(threads) > MOST_COUNTED, sum(numbers(ids).values()), to_come)


def numbers(mailbox_ids: Collection[int]) -> dict[int, int]:
    """How many mails of each of these mailboxes are kept only as a number; those without are left out."""
    rows = Known.objects.filter(mailbox__in=mailbox_ids, state=Known.State.COUNTED).order_by().values_list("mailbox")
    return dict(rows.annotate(Count("pk")))


# --- as mail comes -----------------------------------------------------------------------------------------------


def on_stored(mailbox: Mailbox, stored: Stored, *, fresh: bool) -> None:
    """The last hook of ``settings.SYNC_HOOKS``: of new mail that touches nothing only numbers stay, and mail of
    conversations that do touch a record now is asked for again."""
    if not stored.threads or not boxes(mailbox.workspace_id).exists():
        return
    if (
        stored.new
        and is_on(mailbox)
        and (loose := _loose(mailbox.workspace_id, list(stored.threads), messages=stored.new))
    ):
        counted.put(mailbox, digests.of_messages(mailbox, loose))
        _take_out(stored, set(loose))
    _bring_along(mailbox, stored)


def _take_out(stored: Stored, gone: set[int]) -> None:
    """Nothing is told of what was never here."""
    stored.new = [one for one in stored.new if one not in gone]
    stored.changed = [one for one in stored.changed if one not in gone]
    stored.threads &= set(Thread.objects.filter(pk__in=stored.threads).values_list("pk", flat=True))


def _bring_along(mailbox: Mailbox, stored: Stored) -> None:
    """The other mails of these conversations, where they are on a record, as far as they are numbers."""
    linked = Link.objects.filter(conversation=OuterRef("conversation"), removed_at=None)
    here = Thread.objects.filter(pk__in=stored.threads).values("conversation")
    rows = Known.objects.filter(Exists(linked), state=Known.State.COUNTED, conversation__in=here)
    found = set(rows.values_list("mailbox", "conversation"))
    if own := {conversation for box, conversation in found if box == mailbox.pk}:
        counted.want(mailbox.workspace_id, mailboxes=[mailbox.pk], conversations=own, alone=False)
        lanes.want(mailbox.pk, Activity.BACKFILL)
    if others := {conversation for box, conversation in found if box != mailbox.pk}:
        look_again(mailbox.workspace_id, others)


# What of these threads (or of these messages in them) touches nothing and may go.
_LOOSE = f"""
with own as materialized (
    select lower(address) as address, split_part(lower(address), '@', 2) as domain
    from mailboxes_mailbox where workspace_id = %(workspace)s
), loose as materialized (
    select t.id from mail_thread t
    where t.id = any(%(threads)s)
      and not exists (
        select from timeline_link l where l.conversation_id = t.conversation_id
        and (l.removed_at is null or l.changed_at > %(undo)s))
      and not exists (select from mail_composition c where c.conversation_id = t.conversation_id)
      and not exists (
        select from mail_message m join mail_composition c on c.sent_message_id = m.id where m.thread_id = t.id)
      and not exists (
        select from mail_message m join mail_composition c on c.internet_message_id = m.internet_message_id
        where m.thread_id = t.id and c.mailbox_id = t.mailbox_id and c.sent_message_id is null)
      and not exists (select from timeline_assignment a where a.conversation_id = t.conversation_id)
      and not exists (
        select from timeline_comment c where c.conversation_id = t.conversation_id and c.deleted_at is null)
      and not exists (select from timeline_snooze s where s.conversation_id = t.conversation_id and s.woke_at is null)
      and ({NEVER.format(thread="t.id", workspace="%(workspace)s")} or not exists (
        select from mail_message m
        join mail_participant p on p.message_id = m.id and p.role <> 'bcc'
        left join records_personaddress a on a.workspace_id = %(workspace)s and a.address = p.address
        left join records_companydomain d on d.workspace_id = %(workspace)s
            and d.domain = split_part(p.address, '@', 2) and d.domain <> all(%(public)s)
            and not exists (select from own where own.domain = d.domain)
        where m.thread_id = t.id and (a.person_id is not null or d.company_id is not null)
          and not exists (select from own where own.address = p.address)
          and (p.role = 'from'
               or (select count(*) from mail_participant c where c.message_id = m.id) <= %(crowd)s)
          and not exists (
            select from timeline_link untied where untied.conversation_id = t.conversation_id
            and untied.removed_at is not null
            and (untied.person_id = a.person_id or untied.company_id = d.company_id))))
)
select m.id from loose join mail_message m on m.thread_id = loose.id
where not m.is_draft and (%(messages)s::bigint[] is null or m.id = any(%(messages)s::bigint[]))
  and not exists (select from mail_kept k where k.mailbox_id = m.mailbox_id and k.remote_id = m.remote_id)
  and not exists (
    select from sync_outboxentry o where o.mailbox_id = m.mailbox_id and o.remote_id = m.remote_id
    and o.state in ('waiting', 'working'))
"""  # noqa: S608 -- constant text


def _loose(workspace_id: int, threads: Sequence[int], *, messages: Sequence[int] | None = None) -> list[int]:
    parameters: dict[str, Any] = {
        "workspace": workspace_id,
        "threads": list(threads),
        "messages": None if messages is None else list(messages),
        "public": list(PUBLIC_DOMAINS),
        "crowd": CROWD,
        "undo": now() - UNDO,
    }
    with connection.cursor() as cursor:
        cursor.execute(_LOOSE, parameters)
        return [row[0] for row in cursor.fetchall()]


# --- when a record comes to be -----------------------------------------------------------------------------------


def look_for(record: Record) -> None:
    """Mail of a contact's or company's addresses that is only a number is pulled, once the record is there for good."""
    if boxes(record.workspace_id).exists() and (marks := digests.of_record(record)):
        _later(record.workspace_id, digests=marks)


def look_again(workspace_id: int, conversations: Collection[int]) -> None:
    """The same for conversations that were tied to a record."""
    if conversations and boxes(workspace_id).exists():
        _later(workspace_id, conversations=conversations)


def _later(workspace_id: int, **what: Any) -> None:
    transaction.on_commit(lambda: _pull(workspace_id, **what), robust=True)


def _pull(workspace_id: int, **what: Any) -> None:
    """Its own transactions: one to say what, one to ask for it, for the engine locks its lane before mail."""
    if found := counted.want(workspace_id, **what):
        lanes.want_all(found, Activity.BACKFILL)


# --- the round ---------------------------------------------------------------------------------------------------


def workspaces() -> list[int]:
    """Those a round has something to do in: where it is on, or was."""
    rows = Known.objects.exclude(state=Known.State.NOTED).order_by().values_list("mailbox__workspace", flat=True)
    on = Policy.objects.filter(only_records=True).values_list("workspace", flat=True)
    own = MailboxSharing.objects.filter(only_records=True).values_list("mailbox__workspace", flat=True)
    return sorted({*rows.distinct(), *on, *own})


def round_of(workspace_id: int, *, stopping: Callable[[], bool] = lambda: False) -> int:
    """Make everything as it was decided: how many mails became numbers. May end at any point and be repeated."""
    on = list(boxes(workspace_id).exclude(state=Mailbox.State.DISCONNECTED).order_by("pk"))
    PeopleList.objects.filter(mailbox__in=on).exclude(people=[]).update(people=[])
    _release(workspace_id)
    emptied = sum(_empty(mailbox, stopping) for mailbox in on)
    if on:
        for record in _made_lately(workspace_id):
            look_for(record)
        tied = Link.objects.filter(workspace=workspace_id, removed_at=None, changed_at__gt=now() - LATELY)
        look_again(workspace_id, list(tied.values_list("conversation", flat=True).distinct()))
    wanted = Known.objects.filter(mailbox__workspace=workspace_id, state=Known.State.WANTED)
    lanes.want_all(set(wanted.order_by().values_list("mailbox", flat=True).distinct()), Activity.BACKFILL)
    return emptied


def _release(workspace_id: int) -> None:
    """Numbers of mailboxes where it is off: all of it is pulled again."""
    off = Mailbox.objects.for_workspace(workspace_id).exclude(pk__in=boxes(workspace_id).values("pk"))
    if ids := list(off.values_list("pk", flat=True)):
        counted.want(workspace_id, mailboxes=ids)


def _made_lately(workspace_id: int) -> list[Record]:
    made = {"workspace": workspace_id, "created_at__gt": now() - LATELY}
    return [*Person.objects.filter(**made), *Company.objects.filter(**made)]


def _empty(mailbox: Mailbox, stopping: Callable[[], bool]) -> int:
    """Walk a mailbox, newest first, and make numbers of what touches nothing."""
    emptied, place = 0, (END_OF_TIME, 0)
    while not stopping() and (threads := _threads(mailbox, place, AT_ONCE)):
        place = (threads[-1][1], threads[-1][0])
        with transaction.atomic():
            locks.enter(mailbox)
            loose = _loose(mailbox.workspace_id, [one[0] for one in threads]) if is_on(mailbox) else []
            if loose:
                counted.put(mailbox, digests.of_messages(mailbox, loose))
                events.announce(mailbox)
                emptied += len(loose)
    return emptied


def _threads(mailbox: Mailbox, before: tuple[datetime, int], most: int) -> list[tuple[int, datetime]]:
    with connection.cursor() as cursor:
        cursor.execute(
            """select id, last_at from mail_thread where mailbox_id = %s and (last_at, id) < (%s, %s)
               order by last_at desc, id desc limit %s""",
            [mailbox.pk, *before, most],
        )
        return list(cursor.fetchall())
