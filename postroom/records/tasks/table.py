"""The table of tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from postroom.records import filters
from postroom.records.models import Task
from postroom.records.record import POINTERS, TYPES
from postroom.records.tables import Column, Cut, Table, choice_column, everything
from postroom.records.text import clean
from postroom.workspaces.models import Membership, Workspace, WorkspaceQuerySet

MOST_WORDS = 8


@dataclass(frozen=True, kw_only=True)
class TaskTable(Table):
    """Tasks are no records: they have no page, and their words stand in their title."""

    @property
    def place(self) -> str:
        return "task"

    @property
    def plural(self) -> str:
        return "Tasks"

    @property
    def singular(self) -> str:
        return "Task"

    @property
    def url(self) -> str:
        return reverse("records:tasks")

    def of(self, workspace: Workspace | int) -> WorkspaceQuerySet[Any]:
        return Task.objects.for_workspace(workspace)


def _matching(query: QuerySet[Any], words: str) -> QuerySet[Any]:
    for word in clean(words).split()[:MOST_WORDS]:
        query = query.filter(Q(title__icontains=word) | Q(body__icontains=word))
    return query


def _is_about(pointer: str) -> Q:
    return Q(**{f"{pointer}__isnull": False})


@dataclass(frozen=True)
class About(filters.Choice):
    """Tasks about a record of some type."""

    def narrow(self, query: QuerySet[Any], name: str, values: filters.Told, member: Membership) -> QuerySet[Any]:
        pointers = {one.key: one.pointer for one in TYPES}
        wanted = Q(pk__in=[])
        for value in values:
            if value in pointers:
                wanted |= _is_about(pointers[value])
            elif value == filters.NONE:
                wanted |= Q(**{f"{one}__isnull": True for one in POINTERS})
        return query.filter(wanted)


def _open(query: Any) -> Any:
    return query.filter(done_at=None)


def _done(query: Any, member: Membership) -> Any:
    return query.filter(Q(assignee=member) | Q(author=member)).exclude(done_at=None)


TASKS = TaskTable(
    columns=(
        Column("name", "Task", cell="records/tasks/main.html", by="title"),
        Column(
            "about",
            "About",
            cell="records/tasks/about.html",
            room="is-mid",
            filter=About("", filters.fixed((one.key, one.label) for one in TYPES), empty="Nothing"),
        ),
        Column("due", "Due", cell="records/tasks/due.html", by="due", kind="day", filter=filters.Day("due")),
        choice_column(
            "importance",
            "Importance",
            Task.Importance,
            cell="records/tasks/importance.html",
            down=True,
            room="is-mid",
            edit=False,
        ),
        Column(
            "assignee",
            "Assignee",
            cell="records/tasks/assignee.html",
            by="assignee__user__name",
            room="is-extra",
            filter=filters.Choice("assignee", filters.members, empty="Nobody", mine=True),
        ),
        Column(
            "author",
            "Added by",
            text=lambda task: task.author.name if task.author else "",
            by="author__user__name",
            usual=False,
            filter=filters.Choice("author", filters.members, mine=True),
        ),
        Column(
            "done",
            "Done",
            cell="records/tasks/done.html",
            by="done_at",
            kind="moment",
            down=True,
            usual=False,
            filter=filters.Day("done_at", moments=True, empty=""),
        ),
        Column(
            "added",
            "Added",
            cell="records/cells/added.html",
            by="created_at",
            kind="key",
            down=True,
            number=True,
            usual=False,
            filter=filters.Day("created_at", moments=True, empty=""),
        ),
    ),
    rows=lambda query: query.select_related("assignee__user", "author__user", *POINTERS),
    empty="Add a task above, or from the page of a contact, company, deal, ticket or candidate.",
    cuts=(
        Cut("mine", "Mine", lambda query, member: _open(query).filter(assignee=member)),
        Cut(
            "today",
            "Due by today",
            lambda query, member: _open(query).filter(assignee=member, due__lte=timezone.localdate()),
        ),
        Cut("all", "Everybody's", lambda query, member: _open(query)),
        Cut("done", "Done", _done),
        Cut("every", "All, done too", everything),
    ),
    first_sort="due",
    find=_matching,
    news="tasks:changed from:body, live:tasks from:body, live:resync from:body",
)
