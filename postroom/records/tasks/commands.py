"""What happens to tasks, named as members would say it."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from postroom.lib.clock import now
from postroom.lib.live import publish
from postroom.records import news
from postroom.records.models import Task
from postroom.records.record import Record, about
from postroom.records.text import clean
from postroom.workspaces.models import Membership, Workspace

TITLE, LONGEST = 300, 20_000
TOPIC = "tasks"
"""The live topic: {"id": task}."""


@transaction.atomic
def create(
    workspace: Workspace, *, by: Membership | None, title: str, record: Record | None = None, **values: Any
) -> Task:
    """A task, of whoever makes it unless an assignee is named. Raises ValidationError, keyed by field."""
    if record is not None and record.workspace_id != workspace.pk:
        raise ValidationError({"record": "Not found."})
    task = Task(workspace=workspace, author=by, **(about(record) if record else {}))
    return _kept(task, {"assignee": by, **values, "title": title})


@transaction.atomic
def change(task: Task, **values: Any) -> Task:
    """Set any of title, body, due, importance, assignee. Raises ValidationError, keyed by field."""
    return _kept(task, values)


@transaction.atomic
def finish(task: Task, *, done: bool) -> Task:
    """Done, or to do again."""
    if done != (task.done_at is not None):
        task.done_at = now() if done else None
        task.save(update_fields=["done_at"])
        _tell(task)
    return task


@transaction.atomic
def delete(task: Task) -> None:
    _tell(task)
    task.delete()


def _kept(task: Task, values: dict[str, Any]) -> Task:
    for name, value in values.items():
        if getattr(value, "workspace_id", task.workspace_id) != task.workspace_id:
            raise ValidationError({name: "Not found."})
        setattr(task, name, value)
    task.title = clean(task.title)[:TITLE]
    task.body = task.body.replace("\x00", "").strip()
    if not task.title:
        raise ValidationError({"title": "Say what there is to do."})
    if len(task.body) > LONGEST:
        raise ValidationError({"body": f"At most {LONGEST:,} characters."})
    task.updated_at = now()
    task.save()
    _tell(task)
    return task


def _tell(task: Task) -> None:
    publish(task.workspace_id, TOPIC, {"id": task.pk})
    news.changed_about(task)
