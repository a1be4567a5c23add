"""Linking by hand, and the records beside a conversation.

Whoever may read a thread of a conversation may link it; for everybody else the conversation does not exist (404).
"""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from postroom.mail.models import Conversation
from postroom.records import lists
from postroom.records.notes.views import record_of
from postroom.records.record import TYPES
from postroom.records.views import done, is_partial, refused
from postroom.timeline import contacts, links, panel, queries
from postroom.workspaces.access import MemberRequest, member_required

MOST_FOUND = 5  # of each record type


def _conversation(request: MemberRequest, pk: int, boxes: queries.Boxes | None = None) -> Conversation:
    found = queries.visible_conversation(request.member, pk, boxes)
    if found is None:
        raise Http404
    return found


@require_GET
@member_required
def beside(request: MemberRequest, pk: int) -> HttpResponse:
    """The right pane of a conversation, for ?address= or whoever it is with."""
    boxes = queries.boxes_of(request.member)
    conversation = _conversation(request, pk, boxes)
    html = panel.render(request, conversation, boxes, request.GET.get("address", "")[:320].replace("\0", ""))
    return HttpResponse(html) if is_partial(request) else render(request, "timeline/beside.html", {"panel": html})


@require_GET
@member_required
def choices(request: MemberRequest, pk: int) -> HttpResponse:
    """Records to link a conversation to: those found for ?q=, without those it has."""
    conversation = _conversation(request, pk)
    words = request.GET.get("q", "")[:200]
    linked = {(link.record.key, link.record.pk) for link in queries.links_of([pk]).get(pk, [])}
    found = [
        (kind, record)
        for kind in TYPES
        for record in lists.suggestions(kind.of(request.workspace), words, limit=MOST_FOUND)
        if (kind.key, record.pk) not in linked
    ]
    return render(request, "timeline/choices.html", {"conversation": conversation, "found": found, "words": words})


@require_POST
@member_required
def link(request: MemberRequest, pk: int, key: str, record: int) -> HttpResponse:
    conversation, target = _conversation(request, pk), record_of(request, key, record)
    links.link(conversation, target, by=request.member)
    undo = reverse("timeline:unlink", args=[pk, key, record])
    return _answer(request, f"Linked to {target.name}.", undo, target.get_absolute_url())


@require_POST
@member_required
def unlink(request: MemberRequest, pk: int, key: str, record: int) -> HttpResponse:
    conversation, target = _conversation(request, pk), record_of(request, key, record)
    links.unlink(conversation, target, by=request.member)
    undo = reverse("timeline:link", args=[pk, key, record])
    return _answer(request, f"Unlinked from {target.name}. It stays so.", undo, target.get_absolute_url())


@require_POST
@member_required
def add_contact(request: MemberRequest, pk: int) -> HttpResponse:
    """Make a contact of `address` (named `name`, else as in mail) and link the conversation to it."""
    conversation = _conversation(request, pk)
    address, name = request.POST.get("address", "")[:400], request.POST.get("name", "")[:300]
    try:
        person = contacts.add(conversation, address, by=request.member, name=name)
    except ValidationError as problem:
        return refused(request, problem.messages[0], back=reverse("home"))
    return _answer(request, f"{person.name} is a contact now.", "", person.get_absolute_url())


def _answer(request: MemberRequest, text: str, undo: str, otherwise: str) -> HttpResponse:
    if is_partial(request):
        return done(text=text, undo_url=undo, links_changed=True)
    back = request.headers.get("Referer", "")
    safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return redirect(back if safe else otherwise)
