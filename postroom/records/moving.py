"""Into another stage or status, and the way back from that and from a change in place."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import trigger_client_event

from postroom.records.record import Record
from postroom.records.screens import Screen
from postroom.records.undoing import label_of, read, take_back, value_of, way_back
from postroom.records.views import field_shown, find, is_partial, lines_of
from postroom.ui.toasts import Kind, toast
from postroom.workspaces.access import MemberRequest, member_required


@require_POST
@member_required
def move(request: MemberRequest, screen: Screen, pk: int, to: str) -> HttpResponse:
    """Into another stage or status; the toast offers the way back."""
    assert screen.moved is not None
    moved, record = screen.moved, find(screen, request, pk)
    target = moved.target(record, to)
    if target is None:
        raise Http404
    before = value_of(screen, record, moved.name)
    screen.change(record, by=request.member, **{moved.name: target})
    back = way_back(screen, record, moved.name, before=before, by=request.member)
    answer = HttpResponse(status=204) if is_partial(request) else redirect(record)
    return _told(request, record, answer, moved.said(record) if back else "", undo_url=back)


@require_GET
@member_required
def steps(request: MemberRequest, screen: Screen, pk: int) -> HttpResponse:
    """The menu of a card: where it may go."""
    context = {"screen": screen, "record": find(screen, request, pk)}
    return render(request, "records/board/moves.html", context)


@require_POST
@member_required
def undo(request: MemberRequest, token: str, screens: dict[str, Screen]) -> HttpResponse:
    """Take back a change, unless somebody changed the same since."""
    way = read(token, request.member)
    screen = screens[way.key]
    try:
        take_back(screen, way, by=request.member)
    except ValidationError as problem:
        record = find(screen, request, way.record)
        return _told(request, record, _shown(request, screen, record, way.name), problem.messages[0], kind="warning")
    record = find(screen, request, way.record)
    text = f"{label_of(screen, record, way.name)} of {record.name} is as it was."
    return _told(request, record, _shown(request, screen, record, way.name), text)


def _shown(request: MemberRequest, screen: Screen, record: Record, name: str) -> HttpResponse:
    """The line of the page that shows the field, wherever the page has one."""
    line = next((one for one in lines_of(request, screen) if one.form == name), None)
    if line is not None:
        return field_shown(request, screen, record, line, aside=True)
    return HttpResponse(status=204) if is_partial(request) else redirect(record)


def _told(
    request: MemberRequest, record: Record, answer: HttpResponse, text: str, *, kind: Kind = "success", **toasted: Any
) -> HttpResponse:
    """The answer with a toast, and with the news for what shows the record."""
    if is_partial(request):
        trigger_client_event(answer, "record:changed", {"id": record.pk})
    return toast(request, answer, text, kind=kind, **toasted) if text else answer
