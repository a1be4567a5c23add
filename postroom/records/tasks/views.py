"""Tasks: the list of everybody's or one's own, adding, ticking off, changing."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import F, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from postroom.records.extensions import Panel, add_panel
from postroom.records.forms import MemberField
from postroom.records.models import Task
from postroom.records.notes.views import record_of
from postroom.records.record import BY_KEY, Record, about
from postroom.records.tasks import commands
from postroom.records.tasks.table import TASKS
from postroom.records.views import done, form_methods, is_partial, refused, table
from postroom.workspaces.access import MemberRequest, member_required
from postroom.workspaces.models import Membership


class TaskForm(forms.Form):
    title = forms.CharField(label="Task", max_length=300, error_messages={"required": "Say what there is to do."})
    due = forms.DateField(
        label="Due", required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    importance = forms.ChoiceField(
        label="Importance", choices=Task.Importance.choices, initial=Task.Importance.NORMAL, required=False
    )
    assignee = MemberField(label="Assignee", queryset=Membership.objects.none(), required=False, empty_label="Nobody")
    body = forms.CharField(label="Notes", required=False, widget=forms.Textarea(attrs={"rows": 3}), max_length=20_000)

    def __init__(self, data: Any = None, *, request: MemberRequest, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial={"assignee": request.member, **(initial or {})})
        members = Membership.objects.for_workspace(request.workspace).select_related("user").order_by("user__name")
        self.fields["assignee"].queryset = members  # type: ignore[attr-defined]

    def values(self) -> dict[str, Any]:
        return {**self.cleaned_data, "importance": self.cleaned_data["importance"] or Task.Importance.NORMAL}


@require_GET
@member_required
def index(request: MemberRequest) -> HttpResponse:
    return table(request, TASKS, "records/tasks/list.html", active="tasks", form=TaskForm(request=request))


@require_POST
@member_required
def new(request: MemberRequest) -> HttpResponse:
    """A task, about the record that `key` and `record` name if they do."""
    key, pk = request.POST.get("key", ""), request.POST.get("record", "")
    record = record_of(request, key, int(pk)) if key in BY_KEY and pk.isdecimal() and len(pk) < 18 else None
    back = f"{record.get_absolute_url()}?tab=tasks" if record else reverse("records:tasks")
    form = TaskForm(request.POST, request=request)
    if form.is_valid():
        try:
            commands.create(request.workspace, by=request.member, record=record, **form.values())
        except ValidationError as problem:
            return refused(request, problem.messages[0], back=back, active="tasks")
        return (
            done(text="Task added.", record_changed=True, tasks_changed=True) if is_partial(request) else redirect(back)
        )
    return refused(request, str(next(iter(form.errors.values()))[0]), back=back, active="tasks")


@form_methods
@member_required
def edit(request: MemberRequest, pk: int) -> HttpResponse:
    task = Task.objects.for_workspace(request.workspace).find(pk=pk)
    start = {name: getattr(task, name) for name in TaskForm.base_fields}
    form = TaskForm(request.POST if request.method == "POST" else None, request=request, initial=start)
    if form.is_bound and form.is_valid():
        commands.change(task, **form.values())
        return redirect(task.record if task.has_record else "records:tasks")
    context = {"form": form, "task": task, "active": "tasks"}
    return render(request, "records/tasks/edit.html", context, status=422 if form.errors else 200)


@require_POST
@member_required
def tick(request: MemberRequest, pk: int, state: str) -> HttpResponse:
    """Done, or to do again; the toast offers the way back."""
    task = Task.objects.for_workspace(request.workspace).find(pk=pk)
    finished = state == "done"
    commands.finish(task, done=finished)
    if not is_partial(request):
        return redirect("records:tasks")
    undo = reverse("records:task-state", args=[pk, "open" if finished else "done"])
    return done(text="Done." if finished else "To do again.", undo_url=undo, record_changed=True, tasks_changed=True)


@require_POST
@member_required
def delete(request: MemberRequest, pk: int) -> HttpResponse:
    commands.delete(Task.objects.for_workspace(request.workspace).find(pk=pk))
    if is_partial(request):
        return done(text="Task deleted.", record_changed=True, tasks_changed=True)
    return redirect("records:tasks")


def panel(request: MemberRequest, record: Record) -> str:
    """A record's tasks: those to do first."""
    order = (F("done_at").asc(nulls_first=True), F("due").asc(nulls_last=True), "id")
    found = TASKS.rows(Task.objects.filter(**about(record))).order_by(*order)[:100]
    context = {"record": record, "tasks": found, "form": TaskForm(request=request)}
    return render_to_string("records/tasks/panel.html", context, request)


def register() -> None:
    """Called when Django starts."""
    add_panel(Panel("tasks", "Tasks", panel, _to_do, weight=75))


def _to_do(record: Record) -> QuerySet[Task]:
    return Task.objects.filter(done_at=None, **about(record))
