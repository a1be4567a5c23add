"""How much a member sees of a thread: the one place that decides it (product.md CR6).

FULL                   they may use the mailbox it lies in: all of it, and they may work on it
EVERYTHING … METADATA  as much as its mailbox shows of it on records; for a conversation that is on one
NOTHING                for them the thread does not exist

Whatever shows mail to members asks one of three things: ``mailboxes.access`` (the mail of mailboxes one may use),
`LEVEL` in a statement over many threads, or `look` for one conversation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.db import connection
from django.db.models import BigIntegerField, Exists, F, Func, IntegerField, OuterRef, Value

from postroom.mail.models import Message, Thread
from postroom.mailboxes.access import mailboxes_visible_to
from postroom.timeline.models import Link
from postroom.timeline.sharing.models import Level
from postroom.workspaces.models import Membership

FULL = 4

NEVER = """exists (
    select from mail_message heard join mail_participant p on p.message_id = heard.id
    join timeline_neverlog n on (n.mailbox_id is null or n.mailbox_id = heard.mailbox_id)
        and (n.what = p.address or n.what = split_part(p.address, '@', 2)
             or right(split_part(p.address, '@', 2), length(n.what) + 1) = '.' || n.what)
    where heard.thread_id = {thread} and n.workspace_id = {workspace}
)"""
"""Whether somebody is heard in a thread whose mail is never logged."""

_SHOWN = f"""coalesce((
    select case when {NEVER.format(thread="{thread}", workspace="box.workspace_id")} then 0 else decided.level end
    from (
        select least(coalesce(policy.most, {Level.EVERYTHING}),
                     coalesce(one.level, every.level, policy.given, {Level.NOTHING})) as level
        from mailboxes_mailbox box
        left join timeline_policy policy on policy.workspace_id = box.workspace_id
        left join timeline_mailboxsharing every on every.mailbox_id = box.id
        left join timeline_threadsharing one on one.mailbox_id = box.id and one.conversation_id = {{conversation}}
        where box.id = {{mailbox}}
    ) decided
    join mailboxes_mailbox box on box.id = {{mailbox}} and box.workspace_id = {{workspace}}
    join workspaces_membership owner on owner.id = box.owner_id and owner.removed_at is null
    where decided.level > 0 and not exists (select from mailboxes_departure gone where gone.mailbox_id = box.id)
), 0)"""  # noqa: S608

_ANYTHING = """(select
    exists (select from timeline_policy p where p.workspace_id = {workspace} and p.given > 0)
    or exists (select from timeline_mailboxsharing s join mailboxes_mailbox b on b.id = s.mailbox_id
               where b.workspace_id = {workspace} and s.level > 0)
    or exists (select from timeline_threadsharing s join mailboxes_mailbox b on b.id = s.mailbox_id
               where b.workspace_id = {workspace} and s.level > 0)
)"""
"""Whether anything is shown in the workspace at all: asked once for a statement, not once for a row."""

LEVEL = f"case when {{mailbox}} = any({{mine}}) then {FULL} when not {_ANYTHING} then 0 else {_SHOWN} end"
"""The level of a thread that is on a record: format with the columns of the thread and the parameters `mine` (ids of
the mailboxes the member may use), then `workspace`, as often as `_ASKED` says."""
_ASKED = LEVEL.count("{workspace}")
_IDS: ArrayField[Any, Any] = ArrayField(BigIntegerField())

LEVEL_OF_T = LEVEL.format(
    mailbox="t.mailbox_id", conversation="t.conversation_id", thread="t.id", mine="%(mailboxes)s",
    workspace="%(workspace)s",
)  # fmt: skip


Boxes = Sequence[int] | ArraySubquery
"""Ids of mailboxes, or what finds them once for a statement."""


class LevelOf(Func):
    """The same as an annotation of threads."""

    def __init__(self, workspace: int, mine: Boxes) -> None:
        boxes = mine if isinstance(mine, ArraySubquery) else Value(list(mine), output_field=_IDS)
        super().__init__(F("mailbox_id"), F("conversation_id"), F("pk"), boxes, output_field=IntegerField())
        self.workspace = workspace

    def as_sql(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        *columns, (boxes, asked) = (compiler.compile(one) for one in self.get_source_expressions())
        named = {name: sql for name, (sql, _) in zip(("mailbox", "conversation", "thread"), columns, strict=True)}
        told = LEVEL.format(**named, mine=f"({boxes})::bigint[]", workspace="%s")
        return told, [*asked, *[self.workspace] * _ASKED]


def threads(workspace: int, mine: Boxes) -> Any:
    """The threads shown to who may use the mailboxes `mine`, with their `level`. Only right for conversations that are
    on a record: of others nothing but FULL counts."""
    return Thread.objects.annotate(level=LevelOf(workspace, mine)).filter(level__gt=0)


def mailboxes_of(member: Membership) -> list[int]:
    """The ids of the mailboxes the member may use."""
    return list(mailboxes_visible_to(member).order_by().values_list("pk", flat=True))


@dataclass(frozen=True)
class Sight:
    """What a member who may not use the mailbox sees of a conversation: its threads as far as `level` goes."""

    conversation: int
    level: Level
    threads: Sequence[Thread]

    @property
    def may_read(self) -> bool:
        return self.level == Level.EVERYTHING

    @property
    def subject(self) -> str:
        """Empty where it is not shown."""
        if self.level < Level.SUBJECT:
            return ""
        rows = self.messages().order_by("-received", "-pk")
        return rows.values_list("subject", flat=True).first() or "(no subject)"

    def messages(self) -> Any:
        """What was sent and received; nobody sees what another has not sent yet."""
        return _sent(Message.objects.filter(thread__in=self.threads))


def look(member: Membership, conversation: int) -> Sight | None:
    """A conversation on a record as others show it, None where they show nothing. Not for who may use a mailbox of it:
    they read it as mail."""
    on_record = Link.objects.filter(conversation=OuterRef("conversation"), removed_at=None)
    rows = (
        threads(member.workspace_id, [])
        .filter(Exists(on_record), conversation=conversation)
        .select_related("mailbox__owner__user")
    )
    found = [row for row in rows.order_by("-level", "-last_at", "-id")[:MOST_COPIES] if not _only_drafts(row)]
    if not found:
        return None
    level = Level(found[0].level)
    return Sight(conversation, level, [row for row in found if row.level == level])


MOST_COPIES = 20  # of one conversation in mailboxes of colleagues


def _only_drafts(thread: Thread) -> bool:
    return thread.has_draft and not _sent(thread.messages.all()).exists()


def _sent(rows: Any) -> Any:
    return rows.filter(is_draft=False).exclude(folder__role__in=("junk", "outbox"))


def opens(member: Membership, message: Message) -> bool:
    """Whether a member who may not use its mailbox may read a message, because all of its thread is shown on a record
    (``mail.queries.set_opened_through``)."""
    if message.thread_id is None or message.is_draft or message.folder.role in ("junk", "outbox"):
        return False
    on_record = Link.objects.filter(conversation=OuterRef("conversation"), removed_at=None)
    rows = threads(member.workspace_id, []).filter(Exists(on_record), pk=message.thread_id)
    return bool(rows.filter(level=Level.EVERYTHING).exists())


def never_logged(message: Message) -> bool:
    """Whether somebody is heard in its thread whose mail is never logged."""
    statement = NEVER.format(thread="%s", workspace="%s")
    with connection.cursor() as cursor:
        cursor.execute(f"select {statement}", [message.thread_id, message.mailbox.workspace_id])
        row = cursor.fetchone()
    return bool(row and row[0])


def redacted(thread: Thread, level: int) -> Thread:
    """A thread as a line shows it to who may not use its mailbox: a copy that leads nowhere and holds no more than the
    level allows. What its owner has read, flagged or begun to write is nobody else's business."""
    said = list(_sent(thread.messages.all()).order_by("-received", "-pk")[:1]) if thread.has_draft else []
    subject = said[0].subject if said else thread.subject
    return Thread(
        conversation_id=thread.conversation_id,
        subject=subject if level >= Level.SUBJECT else "",
        snippet=thread.snippet if level >= Level.EVERYTHING and not thread.has_draft else "",
        people=thread.people,
        last_at=thread.last_at,
        first_at=thread.first_at,
        count=thread.count,
        has_attachments=thread.has_attachments and level >= Level.EVERYTHING,
    )
