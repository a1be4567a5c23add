"""What the left rail shows of the packages below (the contract is ``ui.shell``).

Two queries, one of them shared with the page.
"""

from typing import Any, cast

from django.db.models import QuerySet
from django.http import HttpRequest

from postroom.inbox.accounts import Account, Pull, accounts
from postroom.lib.paths import path_to
from postroom.lib.prepared import Prepared
from postroom.mailboxes import failures, features
from postroom.mailboxes.models import Mailbox
from postroom.operations.alerts.channels import open_levels, reach
from postroom.operations.models import Alert
from postroom.timeline.team import notices
from postroom.ui.shell import Shell, ShellAlerts, ShellMailbox, ShellSync, ShellTrouble
from postroom.workspaces.models import Membership


def build(request: HttpRequest) -> Shell | None:
    """None for strangers and for people without a workspace."""
    member = cast(Membership | None, getattr(request, "member", None))
    if member is None:
        return None
    connected = [one for one in accounts(request).readable if one.mailbox.state != Mailbox.State.DISCONNECTED]
    local = _one_domain(connected)
    lines = [_line(one, local=local) for one in connected]
    levels, told = _facts(member)
    return {
        "workspace": {"name": member.workspace.name},
        "member": {"name": member.name, "address": member.address},
        "mailboxes": lines,
        "inbox_unread": sum(line["unread"] for line in lines),
        "sync": _sync_card([one for one in connected if one.mailbox.owner_id == member.pk]),
        "alerts": _alerts(levels),
        "told": {"count": told, "url": path_to("inbox:told")},
        "trouble": _trouble([one for one in connected if one.mailbox.owner_id == member.pk]),
    }


def _facts(member: Membership) -> tuple[list[int], int]:
    """The levels of open alerts that concern the member, and how much colleagues told them; one query."""
    found = cast(Any, _told(member.pk, member.workspace_id, shape=reach(member))[0])
    return found.levels, found.unread or 0


@Prepared
def _told(member_id: int, workspace_id: int, workspace: bool, installation: bool) -> QuerySet[Membership]:
    member = Membership(pk=member_id, workspace_id=workspace_id)
    levels = open_levels(member, workspace=workspace, installation=installation)
    return Membership.objects.filter(pk=member_id).only("pk").annotate(levels=levels, unread=notices.unread(member))


def _alerts(levels: list[int]) -> ShellAlerts | None:
    """The bell."""
    if not levels:
        return None
    urgent = Alert.Level.URGENT in levels
    return {"count": len(levels), "health": "error" if urgent else "stale", "url": path_to("operations:alerts")}


def _trouble(own: list[Account]) -> ShellTrouble | None:
    """The banner for mailboxes that need their owner: what passes by itself is said on their cards only."""
    told = [(one, _advice(one.mailbox)) for one in own if one.mailbox.failure]
    broken = [(account, advice) for account, advice in told if advice and advice.remedy != "wait"]
    if not broken:
        return None
    where = path_to("mailboxes:list")
    if len(broken) > 1:
        names = ", ".join(account.address for account, _ in broken)
        waiting = sum(account.waiting for account, _ in broken)
        title = f"Sync failed for {len(broken)} mailboxes."
        return {
            "title": title,
            "text": f"{names}. {_waiting(waiting)}Nothing is lost.",
            "label": "See what to do",
            "url": where,
        }
    mailbox, advice = broken[0][0].mailbox, broken[0][1]
    found: ShellTrouble = {
        "title": f"Sync failed: {mailbox.address}.",
        "text": "Nothing is lost.",
        "label": "See what to do",
        "url": where,
    }
    if advice.remedy == "reconnect" and mailbox.connection_id is not None:
        found["label"] = failures.reconnect_label(mailbox)
        found["post_url"] = path_to("mailboxes:reconnect", mailbox.pk)
    return found


def _advice(mailbox: Mailbox) -> failures.Advice | None:
    return failures.advice(mailbox, provider=features.company(mailbox.provider))


def _waiting(many: int) -> str:
    return "" if not many else "1 change waits. " if many == 1 else f"{many:,} changes wait. "


def _one_domain(connected: list[Account]) -> bool:
    """Whether the part of an address before the @ says which mailbox it is."""
    return len({one.address.rpartition("@")[2] for one in connected}) < 2


def _line(account: Account, *, local: bool) -> ShellMailbox:
    mailbox = account.mailbox
    return {
        "address": mailbox.address,
        "label": mailbox.address.partition("@")[0] if local else mailbox.address,
        "health": "paused" if mailbox.state == Mailbox.State.PAUSED else cast(Any, mailbox.health),
        "shared": account.shared,
        "unread": account.unread,
        "url": path_to("inbox:mailbox", mailbox.pk),
    }


def _sync_card(connected: list[Account]) -> ShellSync | None:
    """The history pull under way in one of the member's own mailboxes, the first if there are several."""
    for account in connected:
        pull = account.pull
        if pull is None or not _under_way(pull):
            continue
        done, total = pull["progress"]["done"], pull["progress"]["total"]
        return {
            "title": _title(account.mailbox),
            "done": done,
            "total": total,
            "note": f"{done:,} of {total:,}{_left(pull['progress'].get('eta'))}",
            "url": path_to("mailboxes:list"),
            "paused": pull["paused"],
            "pause_url": path_to("mailboxes:pull", account.pk, "pause"),
            "resume_url": path_to("mailboxes:pull", account.pk, "resume"),
            "cancel_url": path_to("mailboxes:pull", account.pk, "cancel"),
        }
    return None


def _under_way(pull: Pull) -> bool:
    progress = pull["progress"]
    unfinished = bool(progress.get("total")) and not progress.get("complete")
    return unfinished and bool(pull["paused"] or pull["due"] or pull["lease"])


def _title(mailbox: Mailbox) -> str:
    reach = dict(Mailbox.History.choices).get(mailbox.history, "").lower()
    local = mailbox.address.partition("@")[0]
    return f"Pulling {'all mail' if mailbox.history == 'all' else reach} of {local}@" if reach else f"Pulling {local}@"


def _left(seconds: int | None) -> str:
    if not seconds:
        return ""
    return f" · {seconds} s left" if seconds < 90 else f" · {round(seconds / 60)} min left"
