"""Tasks: the list of everybody's or one's own, adding, ticking off, changing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import CharField, F, Q, QuerySet, Value
from django.db.models.functions import Cast, Coalesce
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from postroom.lib.pages import keyset
from postroom.records.extensions import Panel, add_panel
from postroom.records.forms import MemberField
from postroom.records.models import Task
from postroom.records.notes.views import record_of
from postroom.records.record import BY_KEY, POINTERS, Record, about
from postroom.records.tasks import commands
from postroom.records.views import done, form_methods, is_partial, wants_part
from postroom.workspaces.access import MemberRequest, member_required
from postroom.workspaces.models import Membership

PAGE = 50
FAR = "9999-12-31"


class Part(NamedTuple):
    key: str
    label: str
    narrow: Callable[[QuerySet[Task], MemberRequest], QuerySet[Task]]


def _open(query: QuerySet[Task]) -> QuerySet[Task]:
    return query.filter(done_at=None)


PARTS: tuple[Part, ...] = (
    Part("mine", "Mine", lambda query, request: _open(query).filter(assignee=request.member)),
    Part(
        "today",
        "Due by today",
        lambda query, request: _open(query).filter(assignee=request.member, due__lte=timezone.localdate()),
    ),
    Part("all", "Everybody's", lambda query, request: _open(query)),
    Part(
        "done",
        "Done",
        lambda query, request: query.filter(Q(assignee=request.member) | Q(author=request.member)).exclude(
            done_at=None
        ),
    ),
)


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


def rows(query: QuerySet[Task]) -> QuerySet[Any]:
    """Tasks as lists show them; `by_due` stands in for days that are not set."""
    shown = query.select_related("assignee__user", *POINTERS)
    return shown.annotate(by_due=Coalesce(Cast("due", CharField()), Value(FAR)))


@require_GET
@member_required
def index(request: MemberRequest) -> HttpResponse:
    """?show= chooses the part, ?after= goes on."""
    wanted = request.GET.get("show", "")
    part = next((one for one in PARTS if one.key == wanted), PARTS[0])
    query = part.narrow(rows(Task.objects.for_workspace(request.workspace)), request)
    order = ("-done_at", "-id") if part.key == "done" else ("by_due", "id")
    page = keyset(query, order=order, after=request.GET.get("after", ""), size=PAGE)
    context = {
        "active": "tasks",
        "tasks": page.rows,
        "parts": [(one, "?" + urlencode({"show": one.key}), one is part) for one in PARTS],
        "part": part,
        "form": TaskForm(request=request),
        "more": "?" + urlencode({"show": part.key, "after": page.next}) if page.next else "",
        "today": timezone.localdate(),
    }
    if is_partial(request) and request.GET.get("after"):
        return render(request, "records/tasks/rows.html", context)
    if wants_part(request, "tasks"):
        return render(request, "records/tasks/body.html", context)
    return render(request, "records/tasks/list.html", context)


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
            return _refused(request, problem.messages[0], back)
        return (
            done(text="Task added.", record_changed=True, tasks_changed=True) if is_partial(request) else redirect(back)
        )
    return _refused(request, str(next(iter(form.errors.values()))[0]), back)


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
    found = rows(Task.objects.filter(**about(record))).order_by(F("done_at").asc(nulls_first=True), "by_due", "id")[
        :100
    ]
    context = {"record": record, "tasks": found, "form": TaskForm(request=request), "today": timezone.localdate()}
    return render_to_string("records/tasks/panel.html", context, request)


def register() -> None:
    """Called when Django starts."""
    add_panel(Panel("tasks", "Tasks", panel, _to_do, weight=75))


def _to_do(record: Record) -> int:
    return Task.objects.filter(done_at=None, **about(record)).count()


def _refused(request: MemberRequest, text: str, back: str) -> HttpResponse:
    if is_partial(request):
        return done(toast={"text": text, "kind": "error"})
    return render(request, "records/tasks/refused.html", {"problem": text, "back": back, "active": "tasks"}, status=422)
