"""A mailbox's own settings (product.md CN11, CN14): name, purpose, who may use it, which way mail goes, whose it is."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from postroom.mailboxes import access, cards, lifecycle
from postroom.mailboxes.connect_views import directions
from postroom.mailboxes.forms import HandOverForm, MailboxForm
from postroom.mailboxes.models import Mailbox
from postroom.workspaces.access import MemberRequest, member_required
from postroom.workspaces.models import Permission

Visibility, Direction, State = Mailbox.Visibility, Mailbox.Direction, Mailbox.State

READERS = {
    Visibility.PRIVATE: "Nobody else reads its mail, admins included.",
    Visibility.MEMBERS: "They read and answer in its name.",
    Visibility.WORKSPACE: "Every member reads and answers in its name.",
}
# What happens to what is there, by the direction the mailbox has now.
EFFECTS = {
    Direction.TWO_WAY: "Changing to one-way keeps everything that is here as it is. From then on nothing is pulled: "
    "no new mail, no answers, and what you read, move or delete in Outlook no longer changes here. What you send or "
    "change here still reaches Outlook.",
    Direction.ONE_WAY: "Changing to two-way pulls the newest mail at once, and asks how much of the past to pull if it "
    "was not asked before. Mail that is here already is brought up to date, and nothing is pulled twice.",
}
CHANGED = {
    Direction.TWO_WAY: "syncs both ways again. What happened meanwhile is on the way.",
    Direction.ONE_WAY: "only sends from now on. What is here stays.",
}


@require_http_methods(["GET", "POST"])
@member_required
def settings(request: MemberRequest, pk: int) -> HttpResponse:
    """Name, purpose, who may use it, what is written from; and the ways to everything else."""
    mailbox = access.manageable_mailbox(request.member, pk)
    form = MailboxForm(mailbox, request.member, request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, f"Settings of {mailbox.address} saved.")
        return redirect("mailboxes:list")
    one_way = mailbox.direction == Direction.ONE_WAY
    context = {
        "active": "outlook",
        "mailbox": mailbox,
        "form": form,
        "mine": mailbox.owner_id == request.member.pk,
        "connected": mailbox.state != State.DISCONNECTED,
        "live": mailbox.state == State.LIVE,
        "longer": [] if one_way else [{"value": "", "label": "Choose a longer range"}, *cards.history_choices(mailbox)],
        "visibilities": _visibilities(form),
        "colleagues": _colleagues(form),
        "locked": form.fields["visibility"].disabled,
        "directions": directions(mailbox.direction),
        "effect": EFFECTS[Direction(mailbox.direction)],
        "signed_in_by": _signed_in_by(mailbox),
        "may_hand_over": access.may_hand_over(request.member, mailbox),
        "workspace_help": "Everyone in the workspace must be allowed to use it."
        if request.member.may(Permission.MANAGE_WORKSPACE)
        else "An admin of the workspace decides this.",
    }
    return render(request, "mailboxes/settings.html", context, status=422 if form.errors else 200)


def _signed_in_by(mailbox: Mailbox) -> str:
    """Whose sign-in the mailbox lives on, when that is not its owner's (after it was handed over)."""
    connection = mailbox.connection
    return connection.member.name if connection and connection.member_id != mailbox.owner_id else ""


def _visibilities(form: MailboxForm) -> list[dict[str, Any]]:
    now = form["visibility"].value()
    return [
        {"value": one.value, "label": str(one.label), "help": READERS[one], "checked": one.value == now}
        for one in Visibility
    ]


def _colleagues(form: MailboxForm) -> list[dict[str, Any]]:
    """Whom the mailbox may be shared with; what was just typed wins over what is stored."""
    chosen = {str(value) for value in form["members"].value() or []}
    return [{"value": one.pk, "label": one.name, "checked": str(one.pk) in chosen} for one in form.colleagues]


@require_POST
@member_required
def direction(request: MemberRequest, pk: int) -> HttpResponse:
    """Two-way or one-way (CN11)."""
    mailbox = access.manageable_mailbox(request.member, pk)
    chosen = request.POST.get("direction", "")
    if chosen not in Direction.values or mailbox.state == State.DISCONNECTED:
        raise Http404
    if chosen != mailbox.direction:
        lifecycle.set_direction(mailbox, Direction(chosen))
        messages.success(request, f"{mailbox.address} {CHANGED[Direction(chosen)]}")
    return redirect("mailboxes:list")


@require_http_methods(["GET", "POST"])
@member_required
def hand_over(request: MemberRequest, pk: int) -> HttpResponse:
    """Another member becomes the owner: a page that says what that means, and asks."""
    mailbox = access.manageable_mailbox(request.member, pk)
    if not access.may_hand_over(request.member, mailbox):
        raise Http404
    form = HandOverForm(mailbox, request.POST or None, by=request.member)
    if request.method == "POST" and form.is_valid():
        lifecycle.hand_over(mailbox, form.cleaned_data["owner"])
        messages.success(request, f"{mailbox.address} now belongs to {form.cleaned_data['owner'].name}.")
        return redirect("mailboxes:list")
    context = {
        "active": "outlook",
        "mailbox": mailbox,
        "form": form,
        "mine": mailbox.owner_id == request.member.pk,
        "signed_in_by": mailbox.connection.member.name if mailbox.connection else "",
    }
    return render(request, "mailboxes/hand_over.html", context, status=422 if form.errors else 200)
