"""Settings > Integrations > Outlook: cards, their buttons, a mailbox's own settings (product.md MA1-MA3, SY1, SY8)."""

import json

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from postroom.mailboxes import access, approval_views, cards, hooks, lifecycle, shared_views
from postroom.mailboxes.models import Mailbox
from postroom.workspaces.access import MemberRequest, member_required
from postroom.workspaces.models import Permission


@require_GET
@member_required
def mailboxes(request: MemberRequest) -> HttpResponse:
    """Every mailbox the member may manage."""
    known = access.in_settings(request.member)
    found = known.managed
    context = {
        "cards": cards.views(found, request.member),
        "allowed": cards.allowed(found, request.member),
        "may_connect": request.member.may(Permission.CONNECT_MAILBOX),
        "approvals": approval_views.pending(request.member, found),
        "departures": known.departures,
        **shared_views.offer(request.member, known.shared),
    }
    return render(request, "mailboxes/list.html", context)


@require_GET
@member_required
def card(request: MemberRequest, pk: int) -> HttpResponse:
    """One card, asked for by itself every few seconds. With a ticket it brings the result of a sync as a toast."""
    mailbox = access.manageable_mailbox(request.member, pk)
    ticket = request.GET.get("ticket", "")
    result = hooks.sync_result(mailbox, ticket) if ticket.isalnum() else None
    return _card(request, mailbox, ticket="" if result else ticket, toast=_toast(mailbox, result) if result else None)


@require_POST
@member_required
def sync_now(request: MemberRequest, pk: int) -> HttpResponse:
    """Ask for a sync (SY8); the card then waits for its result."""
    mailbox = _connected(request, pk)
    ticket = hooks.sync_now(mailbox)
    return _answer(request, mailbox, f"Syncing {mailbox.address}.", ticket=ticket)


@require_POST
@member_required
def pause(request: MemberRequest, pk: int) -> HttpResponse:
    """Stop all sync of a mailbox for a while (MA1)."""
    mailbox = _connected(request, pk)
    lifecycle.pause(mailbox)
    return _answer(request, mailbox, f"{mailbox.address} is paused. Nothing arrives until you resume it.")


@require_POST
@member_required
def resume(request: MemberRequest, pk: int) -> HttpResponse:
    """Go on with a paused mailbox."""
    mailbox = _connected(request, pk)
    lifecycle.resume(mailbox)
    return _answer(request, mailbox, f"{mailbox.address} is syncing again.")


@require_POST
@member_required
def history(request: MemberRequest, pk: int) -> HttpResponse:
    """The answer to the history question, and a longer range later (CN13)."""
    mailbox = _connected(request, pk)
    chosen = request.POST.get("history", "")
    if chosen not in Mailbox.History.values:
        raise Http404
    lifecycle.choose_history(mailbox, Mailbox.History(chosen))
    text = cards.PULLING[mailbox.history] if mailbox.since != mailbox.connected_at else "Only new mail from now on"
    return _answer(request, mailbox, f"{text}. New mail arrives meanwhile.")


PULL_WORDS = {
    "pause": "History paused. New mail goes on arriving.",
    "resume": "Going on with the history.",
    "cancel": "History stopped. What was pulled stays; you can pull more in the mailbox’s settings.",
}


@require_POST
@member_required
def change_pull(request: MemberRequest, pk: int, change: str) -> HttpResponse:
    """Pause, resume or cancel the history pull (SY1)."""
    if change not in PULL_WORDS:
        raise Http404
    mailbox = _connected(request, pk)
    hooks.tell(change, mailbox)
    return _answer(request, mailbox, PULL_WORDS[change])


def _connected(request: MemberRequest, pk: int) -> Mailbox:
    mailbox = access.manageable_mailbox(request.member, pk)
    if mailbox.state == Mailbox.State.DISCONNECTED:
        raise Http404
    return mailbox


def _partial(request: MemberRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def _answer(request: MemberRequest, mailbox: Mailbox, text: str, *, ticket: str = "") -> HttpResponse:
    """After a button: the card for a script (which says what happened by itself while a ticket runs), else the page."""
    if not _partial(request):
        messages.success(request, text)
        return redirect(f"{reverse('mailboxes:list')}#mailbox-{mailbox.pk}")
    return _card(request, mailbox, ticket=ticket, toast=None if ticket else {"text": text, "kind": "success"})


def _card(
    request: MemberRequest, mailbox: Mailbox, *, ticket: str = "", toast: dict[str, str] | None = None
) -> HttpResponse:
    context = {"card": cards.view(mailbox, request.member, ticket=ticket)}
    response = render(request, "mailboxes/card.html", context)
    if toast:
        response.headers["HX-Trigger"] = json.dumps({"toast": toast})
    return response


def _toast(mailbox: Mailbox, result: hooks.SyncResult) -> dict[str, str]:
    if result.error:
        return {"kind": "error", "text": f"{mailbox.address}: {result.error}"}
    parts = [(result.new, "new"), (result.changed, "changed"), (result.removed, "removed")]
    found = ", ".join(f"{count:,} {word}" for count, word in parts if count)
    return {"kind": "success", "text": f"{mailbox.address} is up to date: {found or 'nothing new'}."}
