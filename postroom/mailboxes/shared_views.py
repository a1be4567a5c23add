"""Adding a shared mailbox and giving one another delegate, as pages (product.md CN8)."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from postroom.mailboxes import access, shared
from postroom.mailboxes.models import Connection, Mailbox
from postroom.workspaces.access import MemberRequest, member_required
from postroom.workspaces.models import Membership, Permission

# Why a connection cannot be a delegate, in a line under its address.
WHY: dict[str, str] = {
    "personal": "Personal accounts have no shared mailboxes.",
    "permission": "It lacks the permission Mail.ReadWrite.Shared.",
    "sign_in": "It has to be signed in again first.",
}


class SharedForm(forms.Form):
    """Through which connection, which address, and who may use it."""

    address = forms.CharField(max_length=320, strip=True, label="Address of the shared mailbox")
    purpose = forms.ChoiceField(choices=Mailbox.Purpose, initial=Mailbox.Purpose.SUPPORT)
    visibility = forms.ChoiceField(
        choices=[one for one in Mailbox.Visibility.choices if one[0] != Mailbox.Visibility.PRIVATE],
        initial=Mailbox.Visibility.WORKSPACE,
    )
    members = forms.ModelMultipleChoiceField(Membership.objects.none(), required=False)

    def __init__(self, member: Membership, data: Any = None) -> None:
        super().__init__(data)
        colleagues = Membership.objects.for_workspace(member.workspace_id).exclude(pk=member.pk)
        field = self.fields["members"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = colleagues.select_related("user").order_by("user__name")

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if found.get("visibility") == Mailbox.Visibility.MEMBERS and not found.get("members"):
            self.add_error("members", "Choose at least one colleague, or the whole workspace.")
        return found


def offer(member: Membership, readable: Sequence[Mailbox]) -> dict[str, Any]:
    """What the list of mailboxes needs: whether a shared one can be added, why not, and which of those the member may
    only read wait for a delegate."""
    choices = _choices(member) if member.may(Permission.CONNECT_MAILBOX) else []
    return {
        "delegates": choices,
        "may_add_shared": any(one["usable"] for one in choices),
        "waiting": shared.fallen_for(member, readable),
    }


@require_http_methods(["GET", "POST"])
@member_required
def new(request: MemberRequest) -> HttpResponse:
    """Which connection, which address; made only when Exchange lets that account open it."""
    if not request.member.may(Permission.CONNECT_MAILBOX):
        return redirect("mailboxes:connect")  # says whom to ask
    form, choices = SharedForm(request.member, request.POST or None), _choices(request.member)
    connection = _chosen(request, choices)
    words = None
    if request.method == "POST" and form.is_valid() and connection is not None:
        address = form.cleaned_data["address"]
        try:
            made = _added(request.member, connection, form)
        except shared.SharedRefused as refused:
            words = {"words": shared.explain(refused, address=address, connection=connection), "refused": refused}
        else:
            messages.success(request, f"{made.address} is connected. Its newest mail is on the way.")
            return redirect(f"{reverse('mailboxes:list')}#mailbox-{made.pk}")
    context = {"active": "outlook", "form": form, "choices": choices, "chosen": connection, "words": words}
    context |= {"usable": any(one["usable"] for one in choices), "colleagues": _colleagues(form)}
    context |= {"visibilities": _visibilities(form), "purposes": _purposes()}
    return render(request, "mailboxes/shared_new.html", context, status=422 if words or form.errors else 200)


def _added(member: Membership, connection: Connection, form: SharedForm) -> Mailbox:
    told = form.cleaned_data
    return shared.add(
        member,
        connection,
        told["address"],
        visibility=Mailbox.Visibility(told["visibility"]),
        members=list(told["members"]),
        purpose=Mailbox.Purpose(told["purpose"]),
    )


@require_http_methods(["GET", "POST"])
@member_required
def redelegate(request: MemberRequest, pk: int) -> HttpResponse:
    """Another delegate: one of the member's own connections that Exchange lets open the mailbox."""
    mailbox = _shared(request.member, pk)
    if not request.member.may(Permission.CONNECT_MAILBOX):
        return redirect("mailboxes:connect")
    choices = _choices(request.member)
    connection, words = _chosen(request, choices), None
    if request.method == "POST" and connection is not None:
        try:
            shared.delegate(mailbox, request.member, connection)
        except shared.SharedRefused as refused:
            told = shared.explain(refused, address=mailbox.address, connection=connection)
            words = {"words": told, "refused": refused}
        else:
            messages.success(
                request, f"{connection.address} is the delegate of {mailbox.address} now. Nothing is lost."
            )
            return redirect(f"{reverse('mailboxes:list')}#mailbox-{mailbox.pk}")
    context = {"active": "outlook", "mailbox": mailbox, "choices": choices, "chosen": connection, "words": words}
    context |= {"usable": any(one["usable"] for one in choices)}
    return render(request, "mailboxes/shared_delegate.html", context, status=422 if words else 200)


def _shared(member: Membership, pk: int) -> Mailbox:
    """A shared mailbox that the member manages; one they may only read while it has no delegate that works: whoever
    lends the connection becomes its owner, so nobody takes a healthy one from a colleague. Raises ``Http404``."""
    if found := access.mailboxes_manageable_by(member).filter(pk=pk, kind=Mailbox.Kind.SHARED).first():
        return found
    found = access.mailboxes_visible_to(member).filter(pk=pk, kind=Mailbox.Kind.SHARED).first()
    if found is None or not shared.fallen(found):
        raise Http404
    return found


def _choices(member: Membership) -> list[dict[str, Any]]:
    """The member's connections as a template shows them; with the button that makes an unusable one usable."""
    found = []
    for one in shared.delegates(member):
        again = ""
        if one.mailbox_id is not None and one.why == "permission":
            again = reverse("mailboxes:allow", args=[one.mailbox_id, shared.FEATURE])
        elif one.mailbox_id is not None and one.why == "sign_in":
            again = reverse("mailboxes:reconnect", args=[one.mailbox_id])
        label = {"permission": "Allow", "sign_in": "Reconnect"}.get(one.why, "")
        why = WHY.get(one.why, "")
        entry = {"connection": one.connection, "usable": one.usable, "why": why, "url": again, "label": label}
        found.append(entry | {"form": f"again-{one.connection.pk}", "checked": False})
    return found


def _chosen(request: MemberRequest, choices: Sequence[dict[str, Any]]) -> Connection | None:
    """The usable connection that was chosen; the first one where nothing was."""
    usable = [one for one in choices if one["usable"]]
    wanted = request.POST.get("connection", "")
    entry = next((one for one in usable if str(one["connection"].pk) == wanted), None)
    if not wanted:
        entry = next(iter(usable), None)
    if entry is None:
        return None
    entry["checked"] = True
    found: Connection = entry["connection"]
    return found


READERS = {
    Mailbox.Visibility.WORKSPACE: "Every member reads and answers in its name.",
    Mailbox.Visibility.MEMBERS: "Only they, and you, read and answer in its name.",
}


def _visibilities(form: SharedForm) -> list[dict[str, Any]]:
    now = form["visibility"].value()
    return [
        {"value": one.value, "label": str(one.label), "help": words, "checked": one.value == now}
        for one, words in READERS.items()
    ]


def _purposes() -> list[dict[str, str]]:
    return [{"value": one.value, "label": str(one.label)} for one in Mailbox.Purpose]


def _colleagues(form: SharedForm) -> list[dict[str, Any]]:
    field = form.fields["members"]
    assert isinstance(field, forms.ModelChoiceField)
    chosen = {str(value) for value in form["members"].value() or []}
    return [{"value": one.pk, "label": one.name, "checked": str(one.pk) in chosen} for one in field.queryset or []]
