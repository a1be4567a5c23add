"""Import and export of every record type."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from postroom.records import lists
from postroom.records.custom_fields import values as own_fields
from postroom.records.imports import commands, table
from postroom.records.models import Import
from postroom.records.screens import Screen
from postroom.records.views import form_methods, is_partial
from postroom.workspaces.access import MemberRequest, member_required, permission_required
from postroom.workspaces.models import Permission

PREVIEWED = 5
CHUNK = 500


@require_GET
@permission_required(Permission.EXPORT)
def export(request: MemberRequest, screen: Screen) -> HttpResponse:
    """What the list shows now, as CSV with all fields."""
    lines = [*screen.fields, *own_fields.lines(request.workspace.pk, screen.type.key)]
    records = lists.shown(screen, request).order_by("id")
    name = f"{screen.type.plural.lower()} {timezone.localdate():%Y-%m-%d}.csv"

    def rows() -> Iterator[list[str]]:
        yield [line.label for line in lines] + ["Added"]
        for record in screen.whole(records.prefetch_related(None)).iterator(chunk_size=CHUNK):
            values = ["; ".join(one.text for one in line.show(record)) for line in lines]
            yield [*values, record.created_at.date().isoformat()]

    return _file(rows(), name)


def _file(rows: Iterable[list[str]], name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    answer = StreamingHttpResponse(table.write(rows), content_type="text/csv; charset=utf-8", headers=headers)
    return cast(HttpResponse, answer)  # streamed or not is all the same to decorators


@form_methods
@member_required
def upload(request: MemberRequest, screen: Screen) -> HttpResponse:
    """Choose a file."""
    problem = ""
    if request.method == "POST":
        file = request.FILES.get("file")
        try:
            if file is None:
                raise ValidationError("Choose a file first.")
            if (file.size or 0) > table.LARGEST:
                raise ValidationError(
                    f"The file is larger than {table.LARGEST // 1_000_000} MB. Split it into several."
                )
            job = commands.begin(table.read(file.read()), screen, by=request.member, name=file.name or "table.csv")
        except ValidationError as refused:
            problem = refused.messages[0]
        else:
            return redirect("records:import", pk=job.pk)
    context = {"screen": screen, "active": screen.type.plural.lower(), "problem": problem}
    return render(request, "records/imports/upload.html", context, status=422 if problem else 200)


def _job(request: MemberRequest, pk: int) -> Import:
    """One's own import. Raises Http404."""
    return Import.objects.for_workspace(request.workspace).filter(member=request.member).find(pk=pk)


@form_methods
@member_required
def job(request: MemberRequest, pk: int, screens: dict[str, Screen]) -> HttpResponse:
    """Which column is which field, with the first rows; later how far it is."""
    found = _job(request, pk)
    screen, problem = screens[found.record_type], ""
    if request.method == "POST" and found.state == Import.State.MAPPING:
        mapping = [request.POST.get(f"column-{number}", "") for number in range(len(found.header))]
        update = request.POST.get("known", "update") == "update"
        try:
            commands.start(found, mapping, screen=screen, update_known=update)
        except ValidationError as refused:
            problem, found.mapping = refused.messages[0], mapping
        else:
            return redirect("records:import", pk=pk)
    context = {**_context(found, screen), "problem": problem, "targets": commands.targets(screen, request.workspace)}
    name = "mapping" if found.state == Import.State.MAPPING else "running"
    return render(request, f"records/imports/{name}.html", context, status=422 if problem else 200)


def _context(found: Import, screen: Screen) -> dict[str, Any]:
    columns = [
        (
            number,
            name,
            found.mapping[number] if number < len(found.mapping) else "",
            [row[number] for row in found.rows[:PREVIEWED]],
        )
        for number, name in enumerate(found.header)
    ]
    return {
        "job": found,
        "screen": screen,
        "active": screen.type.plural.lower(),
        "columns": columns,
        "refused": found.refused[:50],
    }


@require_POST
@member_required
def step(request: MemberRequest, pk: int, screens: dict[str, Screen]) -> HttpResponse:
    """The next rows; the answer asks for those after them."""
    found = _job(request, pk)
    screen = screens[found.record_type]
    after = commands.step(found, screen)
    if not is_partial(request):
        return redirect("records:import", pk=pk)
    return render(request, "records/imports/progress.html", _context(after, screen))


@require_GET
@member_required
def refused(request: MemberRequest, pk: int) -> HttpResponse:
    """The rows that were refused with the reason, to be mended and imported again."""
    found = _job(request, pk)
    rows = [[*found.header, "Why not"], *([*cells, why] for _, cells, why in found.refused)]
    return _file(rows, f"refused {found.name}".replace('"', ""))
