"""Who is told about an alert, and by which way: in the app, by mail (SMTP_URL), by the workspace's webhook.

Alerts are mailed through the operator's own SMTP server, never through a connected mailbox: they would stand in a
member's Sent Items in the member's name, and the mailbox may be just what is broken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Q, QuerySet

from postroom.operations.models import Alert, AlertSettings, Notice
from postroom.workspaces.models import Membership, Permission, Workspace

Channel = Notice.Channel
SINGLY = 5  # alerts of a workspace that turn in one round and are still told one by one


def settings_of(workspace: Workspace | int) -> AlertSettings:
    """The workspace's wishes, or the defaults (unsaved)."""
    pk = workspace if isinstance(workspace, int) else workspace.pk
    return AlertSettings.objects.filter(workspace_id=pk).first() or AlertSettings(workspace_id=pk)


def is_operator(member: Membership) -> bool:
    """Named in POSTROOM_OPERATORS."""
    return member.address.lower() in settings.POSTROOM_OPERATORS


def seen_by(member: Membership) -> QuerySet[Alert]:
    """Alerts a member may know of: their own mailboxes'; admins all of the workspace; the installation's go to the
    operators, or to every admin where none are named."""
    return Alert.objects.filter(_seen_by(member, *reach(member))).select_related("mailbox")


def reach(member: Membership) -> tuple[bool, bool]:
    """Whether a member is told of the whole workspace, and whether of the installation."""
    admin = member.may(Permission.MANAGE_WORKSPACE)
    return admin, is_operator(member) or (admin and not settings.POSTROOM_OPERATORS)


def _seen_by(member: Membership, workspace: bool, installation: bool) -> Q:
    mine = Q(workspace_id=member.workspace_id)
    if not workspace:
        mine &= Q(mailbox__owner=member)
    return mine | Q(workspace=None) if installation else mine


def open_for(member: Membership) -> QuerySet[Alert]:
    """Those that are open, the worst first."""
    return seen_by(member).filter(closed_at=None).order_by("-level", "opened_at")


def open_levels(member: Membership, *, workspace: bool, installation: bool) -> ArraySubquery:
    """The levels of those that are open for a member of that `reach` (a hundred at most), as part of another query."""
    seen = Alert.objects.filter(_seen_by(member, workspace, installation), closed_at=None)
    return ArraySubquery(seen.order_by("pk").values("level")[:100])


def announce(touched: Sequence[tuple[Alert, Notice.Event]]) -> None:
    """Write what has to leave the house; the sending is done later and tried again.

    When many turn at once (Microsoft is down, a secret ended) one notice sums them up instead of one mail for each.
    """
    together: dict[tuple[int | None, Notice.Event], list[Alert]] = {}
    for alert, event in touched:
        together.setdefault((alert.workspace_id, event), []).append(alert)
    notices = [
        notice
        for (workspace_id, event), alerts in together.items()
        for to, channel in _ways(workspace_id)
        for notice in _notices(alerts, to, channel, event)
    ]
    Notice.objects.bulk_create(notices)


def _notices(alerts: list[Alert], to: int | None, channel: str, event: Notice.Event) -> Iterable[Notice]:
    if len(alerts) <= SINGLY:
        yield from (Notice(workspace_id=to, alert=one, channel=channel, event=event) for one in alerts)
    else:
        summary = dict(Counter(str(one.kind) for one in alerts).most_common())
        yield Notice(workspace_id=to, channel=channel, event=event, summary=summary)


def _ways(workspace_id: int | None) -> Iterable[tuple[int | None, str]]:
    """To whom (a workspace, or None: the operators) and by which channel."""
    if workspace_id is None and settings.POSTROOM_OPERATORS:
        if settings.SMTP_URL:
            yield None, Channel.MAIL
        return
    for pk in [workspace_id] if workspace_id else _all_workspaces():
        wish = settings_of(pk)
        if settings.SMTP_URL and wish.by_mail:
            yield pk, Channel.MAIL
        if wish.webhook_url:
            yield pk, Channel.WEBHOOK


def _all_workspaces() -> Iterable[int]:
    """Those with a mailbox: the others have nothing to lose."""
    return Workspace.objects.filter(mailboxes__isnull=False).distinct().values_list("pk", flat=True)


def recipients(notice: Notice) -> list[str]:
    """Addresses of a mail: the mailbox's owner and the admins, or the operators."""
    if notice.workspace_id is None:
        return list(settings.POSTROOM_OPERATORS)
    members = Membership.objects.active().filter(workspace_id=notice.workspace_id, user__is_active=True)
    to = Q(role__permissions__contains=[Permission.MANAGE_WORKSPACE])
    if notice.alert and notice.alert.mailbox:
        to |= Q(pk=notice.alert.mailbox.owner_id)
    return sorted(set(members.filter(to).values_list("user__email", flat=True)))
