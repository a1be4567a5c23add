"""An administrator's approval as pages (product.md CN3): asked for, waited for, come back."""

from collections.abc import Mapping, Sequence

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from postroom.mailboxes import access, approvals, features
from postroom.mailboxes.models import AdminApproval, Connection, Mailbox
from postroom.providers import registry
from postroom.workspaces.access import MemberRequest, member_required
from postroom.workspaces.models import Membership


@require_http_methods(["GET", "POST"])
@member_required
def choose(request: MemberRequest, provider: str) -> HttpResponse:
    """Which features to ask an administrator for; POST makes the link."""
    if provider not in registry.PROVIDERS or not approvals.possible(provider):
        raise Http404
    if request.method == "POST":
        approval = approvals.ask(
            request.member, provider, request.POST.getlist("feature"), tenant=_tenant(request, provider)
        )
        return redirect("mailboxes:approval", approval.pk)
    context = {
        "active": "outlook",
        "company": features.company(provider),
        "asked": [(one, features.permissions(one)) for one in features.offered(provider)],
    }
    return render(request, "mailboxes/approval_choose.html", context)


def _tenant(request: MemberRequest, provider: str) -> str:
    """The organisation of the workspace's accounts, where there is only one."""
    work = Connection.objects.for_workspace(request.workspace).filter(provider=provider, account_kind="work")
    tenants = set(work.exclude(tenant="").values_list("tenant", flat=True))
    return tenants.pop() if len(tenants) == 1 else ""


@require_POST
@member_required
def ask(request: MemberRequest, pk: int, feature: str) -> HttpResponse:
    """Ask an administrator for one more feature of a connected mailbox."""
    mailbox = access.manageable_mailbox(request.member, pk)
    connection = mailbox.connection
    if connection is None or not features.optional(mailbox.provider, [feature]):
        raise Http404
    if not approvals.possible(mailbox.provider, kind=connection.account_kind):
        raise Http404
    approval = approvals.ask(request.member, mailbox.provider, [feature], tenant=connection.tenant)
    return redirect("mailboxes:approval", approval.pk)


@require_GET
@member_required
def approval(request: MemberRequest, pk: int) -> HttpResponse:
    """The link and the mail to send it with, and how it stands."""
    found = get_object_or_404(approvals.of(request.member), pk=pk)
    return render(request, "mailboxes/approval.html", {"active": "outlook", **_shown(found)})


@require_POST
@member_required
def forget(request: MemberRequest, pk: int) -> HttpResponse:
    """The member no longer asks; the link ends."""
    get_object_or_404(approvals.of(request.member), pk=pk).delete()
    messages.success(request, "Taken back. The link no longer tells us anything.")
    return redirect("mailboxes:list")


def _shown(found: AdminApproval) -> dict[str, object]:
    return {
        "approval": found,
        "company": features.company(found.provider),
        "asked": features.labels(found.provider, found.features),
        "admin_url": approvals.link(found),
        "letter": approvals.letter(found),
    }


def pending(member: Membership, manageable: Sequence[Mailbox]) -> list[dict[str, object]]:
    """The member's requests for Settings: waiting, refused, or approved with the way on."""
    own = [one for one in manageable if one.owner_id == member.pk and one.kind == Mailbox.Kind.OWN]
    return [
        {"approval": one, "company": features.company(one.provider), **_way_on(one, own)}
        for one in approvals.of(member)
    ]


def _way_on(approval: AdminApproval, mine: Sequence[Mailbox]) -> dict[str, object]:
    """What is asked for, and where an approved request leads: to the next rung of a mailbox that lacks it, else to
    connecting."""
    further = features.labels(approval.provider, features.optional(approval.provider, approval.features))
    for mailbox in mine:
        connection = mailbox.connection if mailbox.provider == approval.provider else None
        if connection and (lacking := features.to_ask(connection, approval.features)):
            allow = reverse("mailboxes:allow", args=[mailbox.pk, lacking[0]])
            return {"asked": further, "post_url": allow, "label": "Allow it now"}
    connect = reverse("mailboxes:permissions", args=[approval.provider])
    return {"asked": ["Postroom"], "url": connect, "label": "Connect now"}


def returned(request: HttpRequest, provider: str, answer: Mapping[str, str]) -> HttpResponse:
    """Where an administrator lands after the provider's page, usually somebody who has no account here.

    It shows nothing that is not on the link already, and grants nothing (graph.md 1.9).
    """
    found = approvals.answer(provider, answer)
    agreed = found is not None and found.outcome == AdminApproval.Outcome.APPROVED
    context = {
        "company": features.company(provider),
        "known": found is not None,
        "agreed": agreed,
        "again": approvals.link(found) if found and not agreed else "",
        "asked": features.labels(provider, found.features) if found else [],
        "who": found.member.name if found else "",
    }
    return render(request, "mailboxes/approved.html", context, status=200 if agreed else 400)
