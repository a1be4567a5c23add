"""Settings > Drop box: the address, who may write to it, what waits, what came lately."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from postroom.audit import log
from postroom.audit.models import Access
from postroom.dropbox import addresses, filing, placing
from postroom.dropbox.models import DropBox, Dropped, Sender
from postroom.files import storage
from postroom.lib.crypto import CannotOpen
from postroom.mail import content
from postroom.workspaces.access import MemberRequest, member_required
from postroom.workspaces.models import Membership, Permission

HERE = "dropbox:settings"
LATELY = 15
WAITING = 100
State = Dropped.State
HEALTH = {
    State.NEW: "stale",
    State.FILED: "healthy",
    State.HELD: "error",
    State.DOUBLE: "never",
    State.AUTOMATIC: "never",
    State.LOOP: "never",
    State.DISCARDED: "never",
}


class SenderForm(forms.Form):
    address = forms.EmailField(label="Another address of yours", max_length=320)


def waiting_for(member: Membership) -> QuerySet[Dropped, Dropped]:
    """What waits in the member's box; in all of the workspace for those who manage it."""
    rows = Dropped.objects.for_workspace(member.workspace_id).filter(state=State.HELD)
    whose = Q() if member.may(Permission.MANAGE_WORKSPACE) else Q(box__member=member)
    return rows.filter(whose).select_related("box__member__user").order_by("-taken_at")


@require_GET
@member_required
def settings_page(request: MemberRequest) -> HttpResponse:
    return _page(request, SenderForm())


def _page(request: MemberRequest, form: SenderForm, status: int = 200) -> HttpResponse:
    box = addresses.of(request.member)
    context: dict[str, Any] = {
        "is_on": addresses.is_on(),
        "box": box,
        "form": form,
        "waiting": waiting_for(request.member)[:WAITING],
        **(_of_box(box) if box is not None else {"stats": [], "lately": [], "senders": [], "own": []}),
    }
    return render(request, "dropbox/settings.html", context, status=status)


def _of_box(box: DropBox) -> dict[str, Any]:
    senders = list(box.senders.order_by("address"))
    added = {one.address for one in senders}
    lately = box.dropped.exclude(state=State.HELD).select_related("message__thread").order_by("-taken_at")[:LATELY]
    return {
        **_address(box),
        "senders": senders,
        "own": sorted(addresses.own_addresses(box) - added),
        "lately": [{"row": row, "health": HEALTH[State(row.state)]} for row in lately],
        "stats": [
            {"label": "Filed", "value": box.filed},
            {"label": "Automatic replies and reports", "value": box.automatic},
            {"label": "Loops", "value": box.loops},
            {"label": "Turned away", "value": box.turned_away},
        ],
    }


def _address(box: DropBox) -> dict[str, str]:
    try:
        return {"address": addresses.address_of(box), "trouble": ""}
    except CannotOpen:
        text = "Your address cannot be shown: the key it was sealed with is no longer configured. Make a new one."
        return {"address": "", "trouble": text}


@require_POST
@member_required
def new_address(request: MemberRequest) -> HttpResponse:
    """Open the box, or give it another address."""
    had = addresses.of(request.member)
    if addresses.is_on():
        addresses.open_box(request.member)
        old = had is not None and had.token_key is not None
        text = "This is your new address. The old one is unknown from now on." if old else "Your drop box is open."
        messages.success(request, text)
    return redirect(HERE)


@require_POST
@member_required
def close(request: MemberRequest) -> HttpResponse:
    box = DropBox.objects.for_workspace(request.workspace).find(member=request.member)
    addresses.close_box(box)
    messages.success(request, "Your drop box is closed. What was filed stays.")
    return redirect(HERE)


@require_POST
@member_required
def add_sender(request: MemberRequest) -> HttpResponse:
    box = DropBox.objects.for_workspace(request.workspace).find(member=request.member)
    form = SenderForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    sender = addresses.add_sender(box, form.cleaned_data["address"])
    messages.success(request, f"Mail from {sender.address} is taken from now on.")
    return redirect(HERE)


@require_POST
@member_required
def remove_sender(request: MemberRequest, pk: int) -> HttpResponse:
    sender = Sender.objects.for_workspace(request.workspace).filter(box__member=request.member).find(pk=pk)
    sender.delete()
    messages.success(request, f"Mail from {sender.address} is refused from now on.")
    return redirect(HERE)


# --- what waits ------------------------------------------------------------------------------------------------------


@require_POST
@member_required
def file(request: MemberRequest, pk: int) -> HttpResponse:
    row = _waiting(request, pk)
    if filing.by_hand(row, by=request.member):
        messages.success(request, "Filed." if row.state == State.FILED else f"{row.get_state_display()}.")
    else:
        messages.error(request, f"It could not be filed. {row.reason}")
    return redirect(HERE)


@require_POST
@member_required
def discard(request: MemberRequest, pk: int) -> HttpResponse:
    filing.discard(_waiting(request, pk), by=request.member)
    messages.success(request, "Discarded.")
    return redirect(HERE)


@require_GET
@member_required
def original(request: MemberRequest, pk: int) -> HttpResponse:
    """What waits as it came, as text; ``?save=1`` as a file. For the box's member alone: whoever else may file it knows
    who sent it and why it waits, what it says is the member's, and so is the address in it."""
    row = _waiting(request, pk)
    if row.box.member_id != request.member.pk or row.raw is None or not storage.path(row.raw).is_file():
        raise Http404("No such mail")
    save = request.GET.get("save") == "1"
    read = log.Read(workspace_id=row.workspace_id, mailbox_id=placing.mailbox_of(row.box).pk)
    log.read(log.by(request, Access.How.DOWNLOAD if save else Access.How.SCREEN), Access.What.ORIGINAL, [read])
    answer = content.as_it_came(storage.chunks(row.raw), f"dropped-{row.pk}.eml", save=save)
    return cast(HttpResponse, answer)  # streamed or not is all the same to decorators


def _waiting(request: MemberRequest, pk: int) -> Dropped:
    rows = waiting_for(request.member).select_related("box__member__user", "box__mailbox", "raw", "workspace")
    return rows.find(pk=pk)  # type: ignore[attr-defined, no-any-return]
