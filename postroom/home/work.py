"""What records and the outbox have for a member today, in one query: each part is a sub-select of the member's row.

Bounded: every part has a limit, and each begins at an index of the member's own rows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, DateTimeField, Exists, F, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce, Greatest, JSONObject

from postroom.audit.models import Access
from postroom.home.models import Desk
from postroom.lib.prepared import Prepared
from postroom.mail.models import Composition
from postroom.records.models import Candidate, Deal, Scorecard, Stage, Task, Ticket
from postroom.records.models import Interview as Interviews
from postroom.timeline.models import Link
from postroom.workspaces.models import Membership

SOON = timedelta(hours=4)  # before its target a ticket is worth a word, even late in the day
CLOSES_WITHIN = timedelta(days=3)
QUIET_AFTER = timedelta(days=14)
JUDGED_WITHIN = timedelta(days=7)  # so long after an interview it is asked what the member thinks
ANSWERS = ("reply", "reply_all")
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Day:
    """The day of a member: ``begins`` and ``ends`` are its midnights, ``today`` its date."""

    now: datetime
    begins: datetime
    ends: datetime
    today: date


@dataclass(frozen=True)
class Work:
    """Rows as the statements below name their values; ``desk`` is empty without a row; ``steps`` what was done ever."""

    tasks: Rows
    tickets: Rows
    deals: Rows
    interviews: Rows
    to_judge: Rows
    applications: Rows
    sends: Rows
    desk: Mapping[str, Any]
    steps: Mapping[str, bool]


def of(member: Membership, day: Day, *, worked_in: Collection[int], limit: int) -> Work:
    """``worked_in``: the mailboxes in which the member works; nobody's tickets that came there are theirs to see to."""
    soon = max(day.ends, day.now + SOON)
    values = (day.now, day.begins, day.ends, soon, day.today, member.pk, member.workspace_id, list(worked_in))
    told: Any = next(iter(_asked(*values, shape=(limit,))), None)
    found: dict[str, Any] = {one.name: getattr(told, f"has_{one.name}", None) or [] for one in fields(Work)}
    found["desk"] = next(iter(found["desk"]), {})
    found["steps"] = {name: bool(getattr(told, f"did_{name}", False)) for name in ("read", "reply", "link")}
    return Work(**found)


@Prepared
def _asked(
    at: datetime, begins: datetime, ends: datetime, soon: datetime, today: date,
    member_id: int, workspace_id: int, worked_in: list[int], limit: int,
) -> QuerySet[Membership]:  # fmt: skip
    """The member's row with all the parts; ``soon``: until when a ticket's target has to lie to be shown."""
    member, day = Membership(pk=member_id, workspace_id=workspace_id), Day(at, begins, ends, today)
    parts = {
        "tasks": _tasks(member, day),
        "tickets": _tickets(member, soon, worked_in, limit),
        "deals": _deals(member, day, limit),
        "interviews": _interviews(member, day),
        "to_judge": _to_judge(member, day),
        "applications": _applications(member),
        "sends": _sends(member, day),
        "desk": Desk.objects.filter(member=member).values(found=JSONObject(steps="steps", tried="tried")),
    }
    arrays = {f"has_{name}": ArraySubquery(rows[:limit]) for name, rows in parts.items()}
    return Membership.objects.filter(pk=member_id).only("pk").annotate(**arrays, **_steps(member))


def _tasks(member: Membership, day: Day) -> QuerySet[Task, Any]:
    rows = Task.objects.filter(workspace=member.workspace_id, assignee=member, done_at=None, due__lte=day.today)
    names = [f"{one}__name" for one in ("deal", "ticket", "candidate", "person", "company")]
    shown = JSONObject(pk="pk", title="title", due="due", importance="importance", about=Coalesce(*names))
    return rows.order_by("due", "pk").values(found=shown)


def _first(rows: QuerySet[Any], *order: Any, limit: int, shown: JSONObject) -> QuerySet[Any, Any]:
    """The first of many, found with no more than their order needs; only these are read with what belongs to them."""
    found = rows.order_by(*order).values("pk")[:limit]
    first: QuerySet[Any] = rows.model._default_manager.filter(pk__in=found)
    return first.order_by(*order).values(found=shown)


def _tickets(member: Membership, soon: datetime, worked_in: list[int], limit: int) -> QuerySet[Ticket, Any]:
    nobodys = Q(owner=None) & (Q(queue__mailbox__in=worked_in) | Q(queue__mailbox=None, works_on_tickets=True))
    first = When(replied_at=None, reply_due__isnull=False, then=F("reply_due"))  # as ``sla.clock`` says
    target = Case(first, default=F("solve_due"), output_field=DateTimeField())
    rows = Ticket.objects.filter(
        workspace=member.workspace_id, status__in=[Ticket.Status.NEW, Ticket.Status.OPEN], paused_at=None
    ).annotate(
        works_on_tickets=Exists(Ticket.objects.filter(workspace=member.workspace_id, owner=member)),
        target=target,
    )
    due = rows.filter(Q(owner=member) | nobodys, target__lt=soon)
    shown = JSONObject(
        pk="pk", number="number", name="name", replied="replied_at", reply_due="reply_due", solve_due="solve_due",
        priority="priority", owner="owner_id", requester="requester__name",
    )  # fmt: skip
    return _first(due, target.asc(), "pk", limit=limit, shown=shown)


def _deals(member: Membership, day: Day, limit: int) -> QuerySet[Deal, Any]:
    """The member's open deals that are to be closed now, or of which nothing was heard for long."""
    mail = Link.objects.filter(deal=OuterRef("pk"), removed_at=None).order_by("-last_at")
    long_ago, stages = day.now - QUIET_AFTER, Stage.objects.filter(pipeline__workspace=member.workspace_id)
    # The links of all deals in that time, read once, or those of one: an index for each begins like this.
    heard = mail.filter(workspace=member.workspace_id, deal__isnull=False, last_at__gte=long_ago)
    quiet = Q(updated_at__lt=long_ago) & ~Exists(heard)
    rows = Deal.objects.filter(workspace=member.workspace_id, owner=member, stage__in=stages.filter(outcome="open"))
    wanted = rows.filter(Q(close_date__lte=day.today + CLOSES_WITHIN) | quiet)
    stirred = Greatest("updated_at", Subquery(mail.values("last_at")[:1]))
    shown = JSONObject(
        pk="pk", name="name", stage="stage__name", close="close_date", stirred=stirred, amount="amount",
        currency="currency", company="company__name",
    )  # fmt: skip
    return _first(wanted, F("close_date").asc(nulls_last=True), "pk", limit=limit, shown=shown)


def _of_candidate(member: Membership) -> QuerySet[Interviews]:
    rows = Interviews.objects.filter(candidate__workspace=member.workspace_id, interviewers=member)
    return rows.exclude(candidate__stage__in=[Candidate.Stage.HIRED, Candidate.Stage.REJECTED])


def _interviews(member: Membership, day: Day) -> QuerySet[Interviews, Any]:
    rows = _of_candidate(member).filter(at__gte=day.begins, at__lt=day.ends)
    shown = JSONObject(
        pk="pk", candidate="candidate_id", name="candidate__name", job="candidate__job__title", at="at",
        minutes="minutes", kind="kind", place="place",
    )  # fmt: skip
    return rows.order_by("at", "pk").values(found=shown)


def _to_judge(member: Membership, day: Day) -> QuerySet[Interviews, Any]:
    """Interviews the member led and has not yet said anything about."""
    judged = Scorecard.objects.filter(candidate=OuterRef("candidate"), author=member)
    rows = _of_candidate(member).filter(~Exists(judged), at__gte=day.now - JUDGED_WITHIN, at__lt=day.now)
    shown = JSONObject(candidate="candidate_id", name="candidate__name", job="candidate__job__title", at="at")
    return rows.order_by("at", "pk").values(found=shown)


def _applications(member: Membership) -> QuerySet[Candidate, Any]:
    """The member's candidates whom nobody has looked at."""
    rows = Candidate.objects.filter(workspace=member.workspace_id, owner=member, stage=Candidate.Stage.NEW)
    shown = JSONObject(pk="pk", name="name", job="job__title", headline="headline", at="created_at")
    return rows.order_by("created_at", "pk").values(found=shown)


def _sends(member: Membership, day: Day) -> QuerySet[Composition, Any]:
    """Messages that could not go out, and those that go out today."""
    stuck = Q(state__in=[Composition.State.FAILED, Composition.State.HELD])
    today = Q(state=Composition.State.SENDING, send_at__isnull=False, send_at__lt=day.ends)
    rows = Composition.objects.filter(stuck | today, author=member, mailbox__workspace=member.workspace_id)
    shown = JSONObject(
        pk="pk", state="state", subject="subject", to="to", at="send_at", failure="failure",
        conversation="conversation_id", changed="updated_at",
    )  # fmt: skip
    return rows.order_by("state", "send_at", "pk").values(found=shown)


def _steps(member: Membership) -> dict[str, Exists]:
    """What a newcomer has done already, from the rows it left."""
    sent = [Composition.State.SENDING, Composition.State.SENT]
    opened = Access.objects.filter(workspace=member.workspace_id, member_id=member.pk)
    return {
        "did_read": Exists(opened.filter(what__in=[Access.What.THREAD, Access.What.BODY])),
        "did_reply": Exists(Composition.objects.filter(author=member, how__in=ANSWERS, state__in=sent)),
        "did_link": Exists(Link.objects.filter(by=member, how=Link.How.MANUAL)),
    }
