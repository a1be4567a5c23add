"""The screens every record type has: list, page, form, one field in place, deletion. What differs is in `Screen`.

Views load through the workspace (what is another's does not exist: 404), call one command, answer. Each answers a whole
page, or to htmx the part of it that was asked for.
"""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from postroom.records import commands, lists
from postroom.records.custom_fields import values as own_fields
from postroom.records.extensions import Panel, count_on, panels_for, styles_for, with_panels
from postroom.records.models import Note
from postroom.records.record import Record, about
from postroom.records.screens import Field, Screen
from postroom.records.tables import Table
from postroom.records.undoing import value_of, way_back
from postroom.ui.toasts import toast
from postroom.workspaces.access import MemberRequest, member_required, permission_required
from postroom.workspaces.models import Permission

MOST_ROWS = 200  # that are asked for by themselves, because there was news of them
form_methods = require_http_methods(["GET", "HEAD", "POST"])


def wants_part(request: HttpRequest, target: str) -> bool:
    """Whether htmx asks for the element `target` rather than for the page."""
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-Target", "") == target


def is_partial(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def done(*, text: str = "", undo_url: str = "", **events: Any) -> HttpResponse:
    """Nothing to show but a toast; `events` are named with _ for :."""
    told: dict[str, Any] = {name.replace("_", ":"): value for name, value in events.items()}
    if text:
        told["toast"] = {"text": text, **({"undo_url": undo_url} if undo_url else {})}
    return HttpResponse(status=204, headers={"HX-Trigger": json.dumps(told)})


def refused(request: HttpRequest, text: str, *, back: str, label: str = "Back", active: str = "") -> HttpResponse:
    """Why something was not saved: a toast to htmx, else a page that leads back."""
    if is_partial(request):
        return done(toast={"text": text, "kind": "error"})
    context = {"problem": text, "back": back, "label": label, "active": active}
    return render(request, "records/refused.html", context, status=422)


def find(screen: Screen, request: MemberRequest, pk: int) -> Record:
    """The record as its page needs it. Raises Http404."""
    found: Record = screen.whole(screen.type.of(request.workspace)).find(pk=pk)
    return found


@require_GET
@member_required
def index(request: MemberRequest, screen: Screen) -> HttpResponse:
    more = {"screen": screen, "active": screen.type.plural.lower(), "merge_url": screen.duplicates_url}
    return table(request, screen, "records/list.html", may_export=request.member.may(Permission.EXPORT), **more)


def table(request: MemberRequest, table: Table, template: str, **more: Any) -> HttpResponse:
    """The page of a table, or the part of it that htmx asks for."""
    if is_partial(request) and "rows" in request.GET:
        return _some_rows(request, table)
    found = lists.listing(table, request)
    if "apply" in request.GET:  # what a form says at length, said shortly
        return redirect(table.url + found["here"])
    if wants_part(request, "list"):
        return render(request, "records/list_body.html", {**found, **more})
    if is_partial(request) and request.GET.get("after"):
        return render(request, "records/list_rows.html", {**found, **more})
    return render(request, template, {**found, **more})


def _some_rows(request: MemberRequest, table: Table) -> HttpResponse:
    """?rows=5,6: these rows alone, each to stand where the page has it."""
    keys = [int(one) for one in request.GET["rows"].split(",")[:MOST_ROWS] if one.isdecimal() and len(one) < 18]
    return render(request, "records/some_rows.html", lists.some(table, request, request.GET, keys))


@require_GET
@member_required
def page(request: MemberRequest, screen: Screen, pk: int) -> HttpResponse:
    panels = panels_for(screen.type.key)
    wanted = request.GET.get("tab", "")
    panel = next((one for one in panels if one.key == wanted), panels[0])
    record = _find_with(screen, request, pk, panels=panels, opened=panel)
    context = {
        **_around(request, screen, record),
        "panel": panel,
        "panel_styles": styles_for(screen.type.key),
        "panel_html": panel.render(request, record),
        "tabs": [
            {
                "label": one.label,
                "href": f"{record.get_absolute_url()}?tab={one.key}",
                "current": one.key == panel.key,
                "count": count_on(one, record),
            }
            for one in panels
        ],
    }
    return render(request, "records/panel.html" if wants_part(request, "panel") else screen.page, context)


def _find_with(screen: Screen, request: MemberRequest, pk: int, *, panels: list[Panel], opened: Panel) -> Record:
    """The record with all that its page says of it around the open tab. Raises Http404."""
    rows = own_fields.with_fields(screen.whole(screen.type.of(request.workspace)), screen.type.key)
    found: Record = with_panels(rows, panels, opened=opened, pk=pk, member=request.member).find(pk=pk)
    return found


def _around(request: MemberRequest, screen: Screen, record: Record) -> dict[str, Any]:
    return {
        "screen": screen,
        "record": record,
        "active": screen.type.plural.lower(),
        "address": screen.address(record),
        "may_delete": request.member.may(Permission.DELETE_RECORDS),
        "lines": [(field, field.show(record)) for field in lines_of(request, screen, record)],
    }


def lines_of(request: MemberRequest, screen: Screen, record: Record | None = None) -> list[Field]:
    """The lines of the side column: the type's, then the workspace's own (as far as the record brought them along)."""
    return [*screen.fields, *own_fields.lines(request.workspace.pk, screen.type.key, record)]


@form_methods
@member_required
def new(request: MemberRequest, screen: Screen) -> HttpResponse:
    """The form of a new record; ?name= and the like fill it in."""
    start = {name: request.GET[name] for name in screen.form.base_fields if name in request.GET}
    form = screen.form(
        request.POST if request.method == "POST" else None,
        workspace=request.workspace,
        initial={"owner": request.member, **start},
    )
    if form.is_bound and form.is_valid():
        try:
            record = screen.create(request.workspace, by=request.member, **form.values())
        except ValidationError as problem:
            form.refuse(problem)
        else:
            messages.success(request, f"{screen.type.label} added.")
            return redirect(record)
    return _form_page(request, screen, form, None)


@form_methods
@member_required
def edit(request: MemberRequest, screen: Screen, pk: int) -> HttpResponse:
    record = find(screen, request, pk)
    form = screen.form(request.POST if request.method == "POST" else None, workspace=request.workspace, record=record)
    if form.is_bound and form.is_valid():
        try:
            screen.change(record, by=request.member, **form.values())
        except ValidationError as problem:
            form.refuse(problem)
            record = find(screen, request, pk)
        else:
            return redirect(record)
    return _form_page(request, screen, form, record)


def _form_page(request: HttpRequest, screen: Screen, form: Any, record: Record | None) -> HttpResponse:
    context = {"screen": screen, "form": form, "record": record, "active": screen.type.plural.lower()}
    return render(request, "records/form.html", context, status=422 if form.errors else 200)


@form_methods
@member_required
def field(request: MemberRequest, screen: Screen, pk: int, name: str) -> HttpResponse:
    """One field of the side column, changed in place. Without htmx the same as a page of its own."""
    record = find(screen, request, pk)
    line = next((one for one in lines_of(request, screen) if one.form == name), None)
    if line is None:
        raise Http404
    data = request.POST if request.method == "POST" else None
    form = screen.form(data, workspace=request.workspace, record=record, only=name)
    if (kept := keep_field(request, screen, record, form, name)) is not None:
        changed, back = kept
        answer = field_shown(request, screen, changed, line)
        return toast(request, answer, f"{line.label} changed.", undo_url=back) if back else answer
    if is_partial(request) and "shown" in request.GET:
        return field_shown(request, screen, record, line)
    context = {**_around(request, screen, record), "form": form, "line": line, "bound": form[name]}
    template = "records/field_form.html" if is_partial(request) else "records/field_page.html"
    return render(request, template, context, status=422 if form.errors else 200)


def keep_field(
    request: MemberRequest, screen: Screen, record: Record, form: Any, name: str
) -> tuple[Record, str] | None:
    """Store what the form of one field says: the record as it is then, and the way back ("" where nothing changed).

    None where there is nothing to store, or it was refused, which the form then says.
    """
    if not (form.is_bound and form.is_valid()):
        return None
    before = value_of(screen, record, name)
    try:
        screen.change(record, by=request.member, **form.values())
    except ValidationError as problem:
        form.refuse(problem)
        return None
    changed = find(screen, request, record.pk)
    return changed, way_back(screen, changed, name, before=before, by=request.member)


def field_shown(
    request: MemberRequest, screen: Screen, record: Record, line: Field, *, aside: bool = False
) -> HttpResponse:
    """A line of the side column as it is now. `aside`: out of band, wherever the page has it."""
    if not is_partial(request):
        return redirect(record)
    context = {
        **_around(request, screen, record),
        "line": line,
        "shown": line.show(record),
        "and_head": request.method == "POST",
        "aside": aside,
    }
    return render(request, "records/field_changed.html", context)


@form_methods
@permission_required(Permission.DELETE_RECORDS)
def delete(request: MemberRequest, screen: Screen, pk: int) -> HttpResponse:
    """Asks first. Mail is never deleted with a record."""
    record = find(screen, request, pk)
    if request.method == "POST":
        commands.delete(record)
        messages.success(request, f"{screen.type.label} “{record.name}” was deleted.")
        answer = redirect(screen.type.list_url)
        return HttpResponse(status=204, headers={"HX-Redirect": answer.url}) if is_partial(request) else answer
    context = {**_around(request, screen, record), "notes": Note.objects.filter(**about(record)).count()}
    return render(request, "records/delete_dialog.html" if is_partial(request) else "records/delete.html", context)


@require_GET
@member_required
def names(request: MemberRequest, screen: Screen) -> HttpResponse:
    """The names that what is typed into a field named like the type may mean, as options of its list."""
    found = lists.suggestions(screen.type.of(request.workspace), request.GET.get(screen.type.key, ""))
    return render(request, "records/names.html", {"records": found})
