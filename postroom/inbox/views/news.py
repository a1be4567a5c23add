"""What open pages fetch when something happened: the rail's counts, and what a member has to be told."""

from datetime import timedelta

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET
from django_htmx.http import trigger_client_event

from postroom.lib.clock import now
from postroom.mail.models import Composition
from postroom.sync.models import OutboxEntry
from postroom.workspaces.access import MemberRequest, member_required

_TOLD = "inbox_told"
RECENT = timedelta(minutes=10)
MOST_COUNTED = 500


@require_GET
@member_required
def rail(request: MemberRequest) -> HttpResponse:
    """Counts, mailboxes and the sync card, out of band, and what the member has to be told, on whatever screen they
    are. While mail is being pulled, lists look again, too."""
    response = _told(request, render(request, "inbox/rail.html"))
    return trigger_client_event(response, "list:changed") if request.GET.get("pulling") else response


@require_GET
@member_required
def notices(request: MemberRequest) -> HttpResponse:
    """A change of the member's own that the provider refused, or a message that could not be sent; each told once."""
    return _told(request, HttpResponse(status=204))


def _told(request: MemberRequest, response: HttpResponse) -> HttpResponse:
    rows = OutboxEntry.objects.filter(
        member_id=request.member.pk, state=OutboxEntry.State.FAILED, done_at__gt=now() - RECENT
    )
    found = list(rows.filter(pk__gt=request.session.get(_TOLD, 0)).order_by("-pk")[:MOST_COUNTED])
    if not found:
        return response
    request.session[_TOLD] = found[0].pk
    more = len(found) - 1
    text = _sentence(found[0]) + (f" So were {more} more." if more else "")
    told = {"kind": "error", "text": text}
    return trigger_client_event(trigger_client_event(response, "toast", told), "list:changed")


def _sentence(entry: OutboxEntry) -> str:
    if entry.kind == OutboxEntry.Kind.SEND:
        number = entry.subject_key.partition(":")[2]
        composition = Composition.objects.filter(pk=int(number) if number.isdecimal() else 0).first()
        subject = f"“{composition.subject[:60]}”" if composition and composition.subject else "Your message"
        return f"{subject} was not sent. Open it to see why and to send it again."
    if entry.kind == OutboxEntry.Kind.FOLDER:
        return _about_folder(entry)
    what = "The move" if entry.kind == OutboxEntry.Kind.MOVE else "A change"
    return f"{what} was refused by the mailbox and has been taken back ({entry.reason[:80] or 'no reason given'})."


_WHY = {
    "ErrorFolderExists": "there is a folder of that name already",
    "ErrorDeleteDistinguishedFolder": "it has a purpose in the mailbox",
    "ErrorMaximumFolderCountReached": "there are too many folders",
}


def _about_folder(entry: OutboxEntry) -> str:
    wanted, before = entry.fields.get("name", ""), entry.before.get("name", "")
    what = f"Renaming “{before}” to “{wanted}”" if before else f"Making the folder “{wanted}”" if wanted else "The move"
    why = _WHY.get(entry.reason, entry.reason[:80] or "no reason given")
    return f"{what} was refused by the mailbox and has been taken back: {why}."
