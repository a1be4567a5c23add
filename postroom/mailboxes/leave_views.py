"""Disconnecting as a page (product.md MA3): what becomes of the synced mail, what that deletes, how far it is."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from postroom.mailboxes import access, hooks, lifecycle
from postroom.mailboxes.models import Departure, Mailbox
from postroom.workspaces.access import MemberRequest, member_required
from postroom.workspaces.models import Membership, Permission

KEEP, DELETE, CONTACTS = "keep", "delete", "contacts"
# Where people take the permission itself back: Microsoft lets no app do that for one account (graph.md 1.11).
REVOKE_AT = {"work": "https://myapps.microsoft.com/", "personal": "https://account.live.com/consent/Manage"}


class DisconnectForm(forms.Form):
    """Keep, delete, or delete with the contacts made from it; deleting wants the address typed."""

    mail = forms.ChoiceField(choices=[(one, one) for one in (KEEP, DELETE, CONTACTS)], initial=KEEP)
    address = forms.CharField(required=False, strip=True)

    def __init__(self, mailbox: Mailbox, data: Any = None) -> None:
        super().__init__(data)
        self.mailbox = mailbox

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        typed = lifecycle.normal(found.get("address", ""))
        if found.get("mail") in (DELETE, CONTACTS) and typed != lifecycle.normal(self.mailbox.address):
            self.add_error("address", f"Type {self.mailbox.address} to confirm that its synced mail may be deleted.")
        return found

    @property
    def deletes(self) -> bool:
        return bool(self.cleaned_data["mail"] != KEEP)

    @property
    def contacts(self) -> bool:
        return bool(self.cleaned_data["mail"] == CONTACTS)


@require_http_methods(["GET", "POST"])
@member_required
def disconnect(request: MemberRequest, pk: int) -> HttpResponse:
    """The question what becomes of the synced mail, and the answer. A dialog, or a page without a script."""
    mailbox = access.manageable_mailbox(request.member, pk)
    form = DisconnectForm(mailbox, request.POST or None)
    if request.method == "POST" and form.is_valid():
        return _leave(request, mailbox, form)
    template = "mailboxes/disconnect_dialog.html" if _partial(request) else "mailboxes/disconnect.html"
    return render(request, template, _question(mailbox, form), status=422 if form.errors else 200)


def _leave(request: MemberRequest, mailbox: Mailbox, form: DisconnectForm) -> HttpResponse:
    address = mailbox.address
    lifecycle.disconnect(mailbox, delete=form.deletes, contacts=form.contacts, at_once=False)
    if form.deletes:
        messages.success(request, f"{address} is disconnected. Its synced data is being deleted.")
    else:
        messages.success(request, f"{address} is disconnected. Its mail stays, read-only.")
    where = reverse("mailboxes:list")
    return HttpResponse(status=204, headers={"HX-Redirect": where}) if _partial(request) else redirect(where)


def _question(mailbox: Mailbox, form: DisconnectForm) -> dict[str, Any]:
    connected = mailbox.state != Mailbox.State.DISCONNECTED
    chosen = str(form["mail"].value())
    kind = mailbox.connection.account_kind if mailbox.connection else ""
    return {
        "active": "outlook",
        "mailbox": mailbox,
        "form": form,
        "holds": hooks.holds(mailbox),
        "chosen": DELETE if chosen == KEEP and not connected else chosen,
        "connected": connected,
        "followers": lifecycle.followers(mailbox),
        "own": mailbox.kind == Mailbox.Kind.OWN,
        "revoke_at": REVOKE_AT.get(kind, REVOKE_AT["work"]) if kind and mailbox.kind == Mailbox.Kind.OWN else "",
    }


@require_GET
@member_required
def departing(request: MemberRequest) -> HttpResponse:
    """How far the deletions are that this member may watch; asks for itself again while there are any."""
    return render(request, "mailboxes/departures.html", {"departures": departures(request.member)})


def departures(member: Membership) -> list[Departure]:
    """Deletions under way, of the member's own mailboxes; for an admin, all of the workspace."""
    found = Departure.objects.filter(mailbox__workspace=member.workspace_id).order_by("started_at")
    if not member.may(Permission.MANAGE_WORKSPACE):
        found = found.filter(mailbox__owner=member)
    return list(found)


def _partial(request: MemberRequest) -> bool:
    return request.headers.get("HX-Request") == "true"
