"""Deleting much, a portion at a time, whatever tables there are.

What hangs on a row is read from the models, so a table that is added later is found without anybody remembering it. A
portion is one short transaction's worth; the caller repeats until nothing is left, and may be interrupted in between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import NamedTuple

from django.apps import apps
from django.db import models, transaction

AT_ONCE = 1000


class Portion(NamedTuple):
    """What one step deleted: a table, and how many rows of it."""

    table: str
    rows: int


Eraser = Callable[[models.Model, int], int]


def some(
    root: models.Model, *, app: str = "", instead: Mapping[type[models.Model], Eraser] | None = None
) -> Portion | None:
    """Delete the next portion of the rows (of one app, when named) that belong to ``root``, with all that hangs on
    them. ``instead`` says for which tables something else than deleting is done. None when nothing is left.

    A row that others of a later table still protect waits for them.
    """
    for model, column in owned_by(type(root)):
        if app and model._meta.app_label != app:
            continue
        try:
            own = (instead or {}).get(model)
            gone = own(root, AT_ONCE) if own else _portion(model, column, root)
        except models.ProtectedError:
            continue
        if gone:
            return Portion(model._meta.db_table, gone)
    return None


def _portion(model: type[models.Model], column: str, root: models.Model) -> int:
    rows = model._base_manager.filter(**{column: root.pk}).order_by()
    if isinstance(model._meta.pk, models.CompositePrimaryKey):
        return int(rows.delete()[0])  # goes with its parents, so little is ever left here
    ids = list(rows.values_list("pk", flat=True)[:AT_ONCE])
    if ids:
        with transaction.atomic():  # of its own: a refusal undoes this portion and nothing else
            model._base_manager.filter(pk__in=ids).delete()
    return len(ids)


@cache
def owned_by(root: type[models.Model]) -> tuple[tuple[type[models.Model], str], ...]:
    """The tables whose rows go with a row of ``root``, and the column that says so; what points at another of them
    comes first."""
    direct = {
        field.model: field.name
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.concrete_fields
        if field.related_model is root and _goes_with(field)
    }
    return tuple((model, direct[model]) for model in _children_first(direct))


def _goes_with(field: models.Field[object, object]) -> bool:
    on_delete = getattr(field.remote_field, "on_delete", None)
    return on_delete in (models.CASCADE, models.PROTECT)


def _children_first(found: Iterable[type[models.Model]]) -> Iterator[type[models.Model]]:
    waiting = sorted(found, key=lambda one: one._meta.label)
    while waiting:
        free = next((one for one in waiting if not _pointed_at(one, waiting)), waiting[0])
        waiting.remove(free)
        yield free


def _pointed_at(target: type[models.Model], by: Iterable[type[models.Model]]) -> bool:
    return any(field.related_model is target for one in by if one is not target for field in one._meta.concrete_fields)


def mentions(number: int, root: type[models.Model]) -> dict[str, int]:
    """Rows of every table that still point at row ``number`` of ``root``, by table; empty when it is gone for good.

    A column that is called like the model counts, too, where it is no foreign key.
    """
    word = root._meta.model_name or ""
    found: dict[str, int] = {}
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.concrete_fields:
            named = field.name in (word, f"{word}_id", f"origin_{word}") and isinstance(field, models.IntegerField)
            if field.related_model is not root and not named:
                continue
            if count := model._base_manager.filter(**{field.attname: number}).count():
                found[f"{model._meta.db_table}.{field.column}"] = count
    if root._base_manager.filter(pk=number).exists():
        found[root._meta.db_table] = 1
    return found
