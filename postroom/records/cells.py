"""Cells of a table changed where they stand: the same fields, commands and way back as on the record's own page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render

from postroom.records import lists
from postroom.records.asked import known_columns
from postroom.records.record import Record
from postroom.records.screens import Screen
from postroom.records.undoing import label_of
from postroom.records.views import find, form_methods, is_partial, keep_field
from postroom.ui.toasts import toast
from postroom.workspaces.access import MemberRequest, member_required

LONGEST_ADDRESS = 4_000


class StepForm(forms.Form):
    """Where a record stands, as a choice; speaks to the command as a record's form cut down to one field does."""

    def __init__(self, data: QueryDict | None, *, screen: Screen, record: Record) -> None:
        super().__init__(data)
        assert screen.moved is not None
        self._moved, self._record = screen.moved, record
        choices = [(step.value, step.label) for step in self._moved.steps(record)]
        self.fields[self._moved.name] = forms.ChoiceField(choices=choices, initial=self._moved.value(record))

    def values(self) -> dict[str, Any]:
        name = self._moved.name
        return {name: self._moved.target(self._record, self.cleaned_data[name])}

    def refuse(self, problem: forms.ValidationError) -> None:
        self.add_error(None, problem.messages)


@form_methods
@member_required
def cell(request: MemberRequest, screen: Screen, pk: int, column: str) -> HttpResponse:
    """The form of a cell; what it sends is answered by the whole row, of which others may follow from this one."""
    record = find(screen, request, pk)
    found = known_columns(screen, screen.own_columns(request.workspace.pk)).get(column)
    if found is None or not found.edit:
        raise Http404
    if not is_partial(request):  # without a script, the form of the whole record
        return redirect(f"records:{screen.type.key}-edit", pk)
    told = request.POST if request.method == "POST" else request.GET
    here = told.get("here", "")[:LONGEST_ADDRESS]
    form = _form(request, screen, record, found.edit)
    if (kept := keep_field(request, screen, record, form, found.edit)) is not None:
        return _row(request, screen, kept, found.edit, here)
    bound = form[found.edit]
    attributes = bound.field.widget.attrs
    attributes["aria-label"] = f"{found.label} of {record.name}"
    context = {"screen": screen, "record": record, "column": found, "form": form, "bound": bound, "here": here}
    answer = render(request, "records/cell_form.html", context, status=422 if form.errors else 200)
    if form.errors:  # it was sent to be answered by the row
        answer["HX-Retarget"] = f"#{screen.place}-{record.pk} [data-cell='{column}'] form"
        answer["HX-Reswap"] = "outerHTML"
    return answer


def _form(request: MemberRequest, screen: Screen, record: Record, name: str) -> Any:
    data = request.POST if request.method == "POST" else None
    if screen.moved is not None and name == screen.moved.name:
        return StepForm(data, screen=screen, record=record)
    return screen.form(data, workspace=request.workspace, record=record, only=name)


def _row(request: MemberRequest, screen: Screen, kept: tuple[Record, str], name: str, here: str) -> HttpResponse:
    record, back = kept
    rows = lists.some(screen, request, QueryDict(here.lstrip("?")), [record.pk])
    answer = render(request, "records/list_rows.html", rows)
    text = f"{label_of(screen, record, name)} of {record.name} changed."
    return toast(request, answer, text, undo_url=back) if back else answer
