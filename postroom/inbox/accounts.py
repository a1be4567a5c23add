"""The mailboxes of a workspace as one member sees them. Asked of the database once per page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypedDict, cast

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, Count, OuterRef, QuerySet, Subquery, Sum, When, Window
from django.db.models.functions import JSONObject, Lower, RowNumber
from django.http import HttpRequest

from postroom.lib.clock import now
from postroom.lib.prepared import Prepared
from postroom.mail import outbox
from postroom.mail.categories import Colors
from postroom.mail.models import Category, Folder, ThreadFolder
from postroom.mailboxes import features
from postroom.mailboxes.access import mailboxes_visible_to
from postroom.mailboxes.models import Mailbox
from postroom.providers.contract import FolderRole
from postroom.sync import viewing
from postroom.sync.models import Activity, Lane
from postroom.timeline.team.models import Snooze
from postroom.timeline.team.snoozes import asleep
from postroom.workspaces.models import Membership


class Pull(TypedDict):
    """The history pull of a mailbox: ``progress`` as its lane keeps it, ``due`` or ``lease`` while it is under way."""

    progress: dict[str, Any]
    paused: bool
    due: str | None
    lease: str | None


@dataclass(frozen=True)
class Account:
    """A mailbox the member may read. ``worked_in``: they may also change its mail; ``sends``: and send from it."""

    mailbox: Mailbox
    inbox: int | None
    unread: int
    pull: "Pull | None"
    worked_in: bool
    sends: bool
    waiting: int = 0  # changes that do not go out in the usual time
    colors: Mapping[str, int | None] = field(default_factory=dict)  # of its categories, by name

    @property
    def pk(self) -> int:
        return self.mailbox.pk

    @property
    def address(self) -> str:
        return self.mailbox.address

    @property
    def shared(self) -> bool:
        return self.mailbox.kind == Mailbox.Kind.SHARED


@dataclass(frozen=True)
class Accounts:
    """``ours``: the addresses of all mailboxes of the workspace, lower-cased, also of those the member may not read;
    ``own``: the member's alone."""

    readable: Sequence[Account]
    ours: frozenset[str]
    own: frozenset[str] = frozenset()

    @property
    def mine(self) -> frozenset[str]:
        """The addresses the member writes from: what lists call "you"."""
        return self.own | {one.address.lower() for one in self.readable if one.worked_in}

    @property
    def colors(self) -> Colors:
        """The colours of categories, by mailbox and name."""
        return {one.pk: one.colors for one in self.readable}

    @property
    def ids(self) -> list[int]:
        return [one.pk for one in self.readable]

    @property
    def inboxes(self) -> list[int]:
        return [one.inbox for one in self.readable if one.inbox is not None]

    @property
    def unread(self) -> int:
        return sum(one.unread for one in self.readable)

    @property
    def senders(self) -> list[Account]:
        return [one for one in self.readable if one.sends]

    def worked_in(self) -> list[int]:
        """The mailboxes whose mail the member may mark, move and answer."""
        return [one.pk for one in self.readable if one.worked_in]

    def get(self, mailbox: int) -> Account | None:
        return next((one for one in self.readable if one.pk == mailbox), None)


def accounts(request: HttpRequest) -> Accounts:
    """Those of the request's member; kept with the request."""
    found = cast(Accounts | None, getattr(request, "_accounts", None))
    if found is None:
        found = accounts_of(request.member)  # type: ignore[attr-defined]
        request._accounts = found  # type: ignore[attr-defined]
    return found


_COLOR = JSONObject(name="name", color="color")
_PULL = JSONObject(progress="progress", paused="paused", due="due_at", lease="lease_until")


def accounts_of(member: Membership) -> Accounts:
    """One query, and no more of it the more mailboxes there are that the member may not read."""
    rows = _readable(now(), member.pk, member.workspace_id)
    own = {member.address.lower()}
    for row in rows:
        if row.owner_id == member.pk and row.kind == Mailbox.Kind.OWN:
            own |= {
                row.address.lower(),
                *(alias.lower() for alias in (row.connection.aliases if row.connection else ())),
            }
    everybody = next((told.everybody for told in cast(list[Any], rows) if told.everybody), ())
    return Accounts([_account(row) for row in rows], frozenset(everybody) | own, frozenset(own))


@Prepared
def _readable(at: datetime, member_id: int, workspace_id: int) -> QuerySet[Mailbox]:
    """The mailboxes a member may read, with what screens say of them; one of them knows ``everybody``: the addresses
    of all mailboxes of the workspace."""
    member = Membership(pk=member_id, workspace_id=workspace_id)
    visible = mailboxes_visible_to(member)
    every = Mailbox.objects.for_workspace(workspace_id).order_by()
    inbox = Folder.objects.filter(mailbox=OuterRef("pk"), role=FolderRole.INBOX).order_by("pk")
    pull = Lane.objects.filter(mailbox=OuterRef("pk"), activity=Activity.BACKFILL)
    late = outbox.late(at).filter(mailbox=OuterRef("pk")).order_by().values("mailbox")
    first = When(number=1, then=ArraySubquery(every.values_list(Lower("address"))))
    return visible.annotate(number=Window(RowNumber())).annotate(
        everybody=Case(first),
        inbox=Subquery(inbox.values("pk")[:1]),
        inbox_unread=Subquery(inbox.values("unread")[:1]),
        asleep=Subquery(_asleep(member, at)),
        pull=Subquery(pull.values(found=_PULL)[:1]),
        late=Subquery(late.annotate(n=Count("pk")).values("n")),
        colors=ArraySubquery(Category.objects.filter(mailbox=OuterRef("pk")).values(found=_COLOR)),
    )


def _asleep(member: Membership, at: datetime) -> QuerySet[Any, Any]:
    """Unread messages in a mailbox's Inbox that the member does not want to see yet."""
    sleeping = Snooze.objects.filter(asleep(at), member=member)
    places = ThreadFolder.objects.filter(
        folder__mailbox=OuterRef("pk"), folder__role=FolderRole.INBOX, thread__conversation__snoozes__in=sleeping
    )
    return places.order_by().values("folder__mailbox").annotate(n=Sum("unread")).values("n")


def _account(row: Mailbox) -> Account:
    """Who may use a mailbox also answers from it (CN14), as its settings say; a disconnected one is only read."""
    told = cast(Any, row)  # with what the query adds
    connected = row.state != Mailbox.State.DISCONNECTED and row.connection is not None
    return Account(
        mailbox=row,
        inbox=told.inbox,
        unread=max((told.inbox_unread or 0) - (told.asleep or 0), 0),
        pull=told.pull,
        worked_in=connected,
        sends=connected and _allows_sending(row),
        waiting=told.late or 0,
        colors={one["name"]: one["color"] for one in told.colors},
    )


def _allows_sending(mailbox: Mailbox) -> bool:
    if mailbox.connection is None:
        return False
    states = {one.feature.name: one.on for one in features.states(mailbox.connection)}
    return states.get("sending", True)


def looked_into(mailboxes: Sequence[Account]) -> None:
    """Note that somebody looks at these: their mail is then asked for more often where nothing is pushed (SY11)."""
    viewing.looked_into([one.mailbox.pk for one in mailboxes if viewing.is_stale(one.mailbox.viewed_at)])
