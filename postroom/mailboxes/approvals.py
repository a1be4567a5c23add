"""Asking an administrator to allow Postroom for a whole organisation (product.md CN3, graph.md 1.9).

    ask      a link with a state of its own, and the words of a mail to send it with
    answer   what the administrator's browser brought back: checked against the state, believed in nothing else
    settle   the member has what was asked for: the request is done with

Approving grants us nothing by itself: every member still signs in, and then sees no consent page any more.
"""

import secrets
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import NamedTuple
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse

from postroom.lib.clock import now
from postroom.mailboxes import features
from postroom.mailboxes.models import AdminApproval, Connection
from postroom.providers import errors, registry
from postroom.workspaces.models import Membership

LIFE = timedelta(days=30)  # an IT department takes its time
Outcome = AdminApproval.Outcome


class Letter(NamedTuple):
    """A mail to the IT department, ready to be sent."""

    subject: str
    text: str

    @property
    def mailto(self) -> str:
        return "mailto:?" + urlencode({"subject": self.subject, "body": self.text}, quote_via=quote)


def ask(member: Membership, provider: str, names: Collection[str], *, tenant: str = "") -> AdminApproval:
    """The member's request for these features; one that still waits is used again, so that its link stays good."""
    wanted = features.chosen(provider, names)
    AdminApproval.objects.filter(created_at__lt=now() - LIFE).delete()
    waiting = of(member).filter(provider=provider, tenant=tenant, features=wanted, outcome=Outcome.WAITING).first()
    return waiting or AdminApproval.objects.create(
        workspace_id=member.workspace_id,
        member=member,
        provider=provider,
        tenant=tenant,
        features=wanted,
        state=secrets.token_urlsafe(32),
    )


def of(member: Membership) -> QuerySet[AdminApproval]:
    """The member's requests, the newest first."""
    return AdminApproval.objects.filter(member=member, created_at__gte=now() - LIFE).order_by("-created_at", "-pk")


def link(approval: AdminApproval) -> str:
    """What the administrator opens. Raises ``errors.Unsupported`` where there are no administrators."""
    authority = registry.connector(approval.provider).authority()
    return authority.admin_consent_url(
        redirect_uri=settings.POSTROOM_BASE_URL + reverse("mailboxes:callback", args=[approval.provider]),
        scopes=features.scopes(approval.provider, approval.features),
        state=approval.state,
        tenant=approval.tenant,
    )


def letter(approval: AdminApproval) -> Letter:
    """The mail a member forwards: what is asked for, why it is safe to look at, and the link."""
    company, member = features.company(approval.provider), approval.member
    asked = [one for one in features.offered(approval.provider) if one.name in approval.features]
    lines = [f"- {one.label}: {', '.join(features.permissions(one))}" for one in asked if features.permissions(one)]
    text = [
        "Hello,",
        "",
        f"I would like to use Postroom ({settings.POSTROOM_BASE_URL}) with my {company} account. "
        f"{company} wants an administrator to allow it first. It asks for these delegated permissions:",
        "",
        *lines,
        "",
        "Postroom acts as the person who signed in and never by itself; it sees only what that person may see. "
        f"Opening this link as an administrator shows {company}’s own page with the whole list, where you decide:",
        "",
        link(approval),
        "",
        "Thank you!",
        member.name,
    ]
    return Letter(subject=f"Please approve Postroom for {company}", text="\n".join(text))


def answer(provider: str, params: Mapping[str, str]) -> AdminApproval | None:
    """Note what came back; ``None`` for a state that is none of ours or too old.

    ``admin_consent=True`` is there after a refusal, too, so the error counts. A refused link may be opened again.
    """
    found = AdminApproval.objects.select_related("member__user", "workspace").filter(
        state=params.get("state", ""), provider=provider, created_at__gte=now() - LIFE
    )
    approval = found.first()
    if approval is None or approval.outcome == Outcome.APPROVED:
        return approval
    agreed = not params.get("error") and params.get("admin_consent", "").lower() == "true"
    approval.outcome = Outcome.APPROVED if agreed else Outcome.REFUSED
    approval.answered_at = now()
    approval.save(update_fields=["outcome", "answered_at"])
    return approval


def settle(member: Membership, connection: Connection) -> None:
    """Forget the member's requests that this connection has everything of."""
    on = set(features.granted_names(connection))
    done = [one.pk for one in of(member).filter(provider=connection.provider) if on.issuperset(one.features)]
    AdminApproval.objects.filter(pk__in=done).delete()


def possible(provider: str, *, kind: str = "work") -> bool:
    """Whether there is anybody to ask: personal accounts have no administrator (graph.md 1.13)."""
    if kind == "personal":
        return False
    try:
        registry.connector(provider).authority().admin_consent_url(redirect_uri="", scopes=[], state="")
    except errors.ProviderError:
        return False
    return True
