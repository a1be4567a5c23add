"""Who can see a thread, in plain words, for somebody who may use a mailbox it lies in (product.md CR6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import connection

from postroom.mail.models import Thread
from postroom.mailboxes.access import mailboxes_visible_to
from postroom.mailboxes.models import Mailbox
from postroom.timeline.models import Link, ThreadSharing
from postroom.timeline.sharing.commands import policy_of
from postroom.timeline.sharing.models import Level, MailboxSharing, Policy
from postroom.workspaces.models import Membership

SEES = {
    Level.NOTHING: "They see nothing of it.",
    Level.METADATA: "They see who wrote and when, on these records.",
    Level.SUBJECT: "They see who wrote, when, and the subject, on these records.",
    Level.EVERYTHING: "They read all of it, and its files, from these records. They cannot answer it or change it.",
}
MOST_NAMED = 6


@dataclass(frozen=True)
class Reason:
    """One line: who (as a heading), and why."""

    who: str
    why: str
    names: Sequence[str] = ()


@dataclass(frozen=True)
class Answer:
    """`headline` in one breath; `inside` those who may use a mailbox it lies in; `outside` everybody else.

    `choices` are the levels the member may set, with the one that is set now; empty: they may not.
    """

    headline: str
    inside: Sequence[Reason]
    outside: Reason
    records: Sequence[Link] = ()
    choices: Sequence[tuple[str, str, bool]] = field(default_factory=tuple)
    limited: str = ""


def explain(member: Membership, conversation: int) -> Answer | None:
    """As far as the member may know: of copies in mailboxes they may not use nothing is said. None where there are only
    such."""
    mine = mailboxes_visible_to(member).order_by().values("pk")
    rows = Thread.objects.filter(conversation=conversation, mailbox__in=mine)
    threads = list(rows.select_related("mailbox__owner__user").prefetch_related("mailbox__members__user"))
    if not threads:
        return None
    boxes = [one.mailbox for one in threads]
    policy, shared = policy_of(member.workspace), _decided(boxes)
    own = {row.mailbox_id: Level(row.level) for row in ThreadSharing.objects.filter(conversation=conversation)}
    links = list(Link.objects.filter(conversation=conversation, removed_at=None).select_related(*_RECORDS))
    best = max(boxes, key=lambda box: level_of(box, policy, shared, own), default=None)
    level = level_of(best, policy, shared, own) if best else Level.NOTHING
    never = _never(threads)
    everybody = any(one.visibility == Mailbox.Visibility.WORKSPACE for one in boxes)
    outside = _outside(best, level, policy, shared, own, links=links, never=never)
    return Answer(
        headline=_headline(member, boxes, everybody=everybody, level=Level.NOTHING if never or not links else level),
        inside=[_reader(box, member) for box in boxes],
        outside=Reason("Nobody else", "Everybody in the workspace may use it.") if everybody else outside,
        records=links,
        choices=[] if everybody else _choices([box for box in boxes if box.owner_id == member.pk], policy, shared, own),
        limited=f"The workspace lets nobody show more than “{Level(policy.most).label}”." if policy.most < 3 else "",
    )


_RECORDS = ("person", "company", "deal", "ticket", "candidate")


def _decided(boxes: Sequence[Mailbox]) -> dict[int, Level]:
    rows = MailboxSharing.objects.filter(mailbox__in=boxes).exclude(level=None)
    return {row.mailbox_id: Level(row.level or 0) for row in rows}


def level_of(box: Mailbox, policy: Policy, shared: dict[int, Level], own: dict[int, Level]) -> Level:
    """The same as ``levels.LEVEL`` says; a test holds them together."""
    return Level(min(policy.most, own.get(box.pk, shared.get(box.pk, Level(policy.given)))))


def _never(threads: Sequence[Thread]) -> list[str]:
    """What the list has that is heard in all of these threads' mail."""
    with connection.cursor() as cursor:
        cursor.execute(_WHICH, {"threads": [one.pk for one in threads]})
        return [row[0] for row in cursor.fetchall()]


_WHICH = """
select distinct n.what from mail_message m join mailboxes_mailbox b on b.id = m.mailbox_id
join mail_participant p on p.message_id = m.id
join timeline_neverlog n on n.workspace_id = b.workspace_id and (n.mailbox_id is null or n.mailbox_id = m.mailbox_id)
    and (n.what = p.address or n.what = split_part(p.address, '@', 2)
         or right(split_part(p.address, '@', 2), length(n.what) + 1) = '.' || n.what)
where m.thread_id = any(%(threads)s) order by n.what
"""


def _headline(member: Membership, boxes: Sequence[Mailbox], *, everybody: bool, level: Level) -> str:
    if everybody or level == Level.EVERYTHING:
        return "Everyone in the workspace can read this"
    others = {one.pk for box in boxes for one in _readers(box)} - {member.pk}
    count = len(others)
    start = (
        "Only you can read this" if not count else f"You and {count} colleague{'s' if count > 1 else ''} can read this"
    )
    return start if level == Level.NOTHING else f"{start}; others see part of it"


def _readers(box: Mailbox) -> list[Membership]:
    named = list(box.members.all()) if box.visibility == Mailbox.Visibility.MEMBERS else []
    return [one for one in [box.owner, *named] if one.removed_at is None]


def _reader(box: Mailbox, member: Membership) -> Reason:
    kind = "a shared mailbox" if box.kind == Mailbox.Kind.SHARED else "a mailbox"
    if box.visibility == Mailbox.Visibility.WORKSPACE:
        return Reason("Every member of the workspace", f"It is in {box.address}, {kind} that everyone may use.")
    names = ["You" if one.pk == member.pk else one.name for one in _readers(box)]
    who = ", ".join(names[:MOST_NAMED]) + (f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else "")
    if box.visibility == Mailbox.Visibility.MEMBERS:
        return Reason(who, f"It is in {box.address}, {kind} shared with them by name.", names)
    reads = "you read" if box.owner_id == member.pk else f"{box.owner.name} reads"
    return Reason(who, f"It is in {box.address}, {kind} whose mail only {reads}.", names)


def _outside(
    box: Mailbox | None,
    level: Level,
    policy: Policy,
    shared: dict[int, Level],
    own: dict[int, Level],
    *,
    links: Sequence[Link],
    never: Sequence[str],
) -> Reason:
    who = "Other members of the workspace"
    if never:
        return Reason(who, f"{SEES[Level.NOTHING]} {_joined(never)} is never logged.")
    if not links:
        return Reason(who, "They see nothing of it: it is on no record.")
    if box is None or level == Level.NOTHING:
        return Reason(who, f"{SEES[Level.NOTHING]} {_because(box, level, policy, shared, own)}")
    return Reason(who, f"{SEES[level]} {_because(box, level, policy, shared, own)}")


def _because(box: Mailbox | None, level: Level, policy: Policy, shared: dict[int, Level], own: dict[int, Level]) -> str:
    if box is None:
        return ""
    if box.pk in own:
        return f"Decided for this thread by the owner of {box.address}."
    if box.pk in shared:
        return f"Decided by the owner of {box.address} for all its mail."
    return f"The owner of {box.address} decided nothing, so what the workspace decided counts."


def _joined(words: Sequence[str]) -> str:
    return ", ".join(words[:3]) + (f" and {len(words) - 3} more" if len(words) > 3 else "")


def _choices(
    mine: Sequence[Mailbox], policy: Policy, shared: dict[int, Level], own: dict[int, Level]
) -> list[tuple[str, str, bool]]:
    if not mine:
        return []
    box = mine[0]
    usual = Level(min(policy.most, shared.get(box.pk, Level(policy.given))))
    now = own.get(box.pk)
    found = [("", f"As all mail of {box.address}: {usual.label.lower()}", now is None)]
    return found + [(str(one.value), LABELS[one], one == now) for one in Level if one <= policy.most or one == now]


LABELS = {
    Level.NOTHING: "Nothing",
    Level.METADATA: "Who and when",
    Level.SUBJECT: "Who, when and the subject",
    Level.EVERYTHING: "Everything",
}
