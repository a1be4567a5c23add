"""What the left rail shows of the domain (`ui.shell.Shell`): workspace, mailboxes, unread counts, the sync card."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, cast

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from postroom.mail.queries import unread_counts
from postroom.mailboxes import access, cards
from postroom.mailboxes.models import Mailbox
from postroom.sync.models import Activity, Lane
from postroom.ui.shell import Health, Shell, ShellMailbox, ShellSync
from postroom.workspaces.models import Membership, Permission

# Where a mailbox leads, first that exists: its mail, else its settings.
MAILBOX_PLACES = ("inbox:mailbox", "mail:mailbox", "mailboxes:settings")


def build(request: HttpRequest) -> Shell | None:
    """The shell of a signed-in member, None for everybody else. Called once per page, when the rail is drawn."""
    member: Membership | None = getattr(request, "member", None)
    if member is None:
        return None
    mailboxes = list(access.mailboxes_visible_to(member).exclude(state=Mailbox.State.DISCONNECTED))
    unread = unread_counts(member) if mailboxes else {}
    workspace: dict[str, Any] = {"name": member.workspace.name}
    if member.may(Permission.MANAGE_WORKSPACE):
        workspace["url"] = reverse("workspaces:members")
    return cast(
        Shell,
        {
            "workspace": workspace,
            "member": {"name": member.name, "address": member.address},
            "mailboxes": [_line(mailbox, unread, labels=_labels(mailboxes)) for mailbox in mailboxes],
            "inbox_unread": sum(unread.get(mailbox.pk, 0) for mailbox in mailboxes),
            "sync": _sync_card(mailboxes, member),
        },
    )


def _labels(mailboxes: Sequence[Mailbox]) -> dict[int, str]:
    """The part before the @ where that tells mailboxes apart, else the whole address."""
    names = Counter(mailbox.address.split("@")[0] for mailbox in mailboxes)
    return {
        mailbox.pk: name if names[name := mailbox.address.split("@")[0]] == 1 else mailbox.address
        for mailbox in mailboxes
    }


def _line(mailbox: Mailbox, unread: dict[int, int], *, labels: dict[int, str]) -> ShellMailbox:
    calm = mailbox.state == Mailbox.State.PAUSED and not mailbox.failure
    return {
        "address": mailbox.address,
        "label": labels[mailbox.pk],
        "health": cast(Health, "paused" if calm else mailbox.health),
        "shared": mailbox.kind == Mailbox.Kind.SHARED,
        "unread": unread.get(mailbox.pk, 0),
        "url": _place(mailbox),
    }


def _place(mailbox: Mailbox) -> str:
    for name in MAILBOX_PLACES:
        try:
            return reverse(name, args=[mailbox.pk])
        except NoReverseMatch:
            continue
    raise NoReverseMatch(f"none of {MAILBOX_PLACES}")


def _sync_card(mailboxes: Sequence[Mailbox], member: Membership) -> ShellSync | None:
    """The first history that is being pulled; asked for only where a backfill is under way."""
    busy = Lane.objects.filter(mailbox__in=[mailbox.pk for mailbox in mailboxes], activity=Activity.BACKFILL)
    working = {lane.mailbox_id for lane in busy if lane.due_at or lane.lease_until or lane.paused}
    for mailbox in mailboxes:
        if mailbox.pk in working and (pull := cards.view(mailbox, member).pull) is not None:
            return _pull_card(mailbox, pull)
    return None


def _pull_card(mailbox: Mailbox, pull: cards.Pull) -> ShellSync:
    def change(what: str) -> str:
        return reverse("mailboxes:pull", args=[mailbox.pk, what])

    return {
        "title": pull.title,
        "done": pull.done,
        "total": pull.total,
        "note": pull.detail,
        "url": reverse("mailboxes:list"),
        "paused": pull.paused,
        "pause_url": change("pause"),
        "resume_url": change("resume"),
        "cancel_url": change("cancel"),
    }
