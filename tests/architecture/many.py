"""More of everything that is in the database, whatever it is: for tests of what must not grow with it.

Every row gets copies: *kin*, which hang on the same rows as the original (more messages of one thread, more notes of
one contact), and *strangers*, which hang on copies made in the same round (other threads, other contacts with their own
notes). What may exist only once is left alone. New models take part by themselves.
"""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from django.apps import apps
from django.db import IntegrityError, models, transaction

ALONE = {"workspaces.workspace", "workspaces.role", "accounts.identity", "accounts.throttle", "operations.process"}
VOCABULARY = {"provider", "activity", "resource", "role", "kind", "key", "record_type", "how", "type", "module"}
Copies = dict[tuple[type[models.Model], Any], Any]


def ours() -> list[type[models.Model]]:
    """All models of the product, those that others point to first."""
    wanted = [one for one in apps.get_models() if one.__module__.startswith("postroom.") and not one._meta.proxy]
    ordered: list[type[models.Model]] = []
    while wanted:
        free = [one for one in wanted if not set(_pointed_to(one)) & {*wanted} - {one}] or wanted[:1]
        ordered += free
        wanted = [one for one in wanted if one not in free]
    return [one for one in ordered if one._meta.label_lower not in ALONE]


def _pointed_to(model: type[models.Model]) -> Iterator[type[models.Model]]:
    for field in model._meta.concrete_fields:
        if field.is_relation and not field.null:
            yield field.related_model  # type: ignore[misc]


class Multiplier:
    """``grow`` adds a round of copies of what there was when this was made."""

    def __init__(self) -> None:
        self._rows = {model: list(model._base_manager.all()) for model in ours()}
        self._made = 0

    def grow(self, rounds: int) -> None:
        for _ in range(rounds):
            self._made += 1
            copies: Copies = {}
            for model, rows in self._rows.items():
                for row in rows:
                    self._save(model, row, {}, "kin")
                    made = self._save(model, row, copies, "own")
                    if made is not None:
                        copies[model, row.pk] = made.pk

    def _save(self, model: type[models.Model], row: models.Model, copies: Copies, how: str) -> models.Model | None:
        values = {field.attname: getattr(row, field.attname) for field in model._meta.concrete_fields}
        once = _unique(model)
        for field in model._meta.concrete_fields:
            name = field.attname
            if field.is_relation:
                values[name] = copies.get((field.related_model, values[name]), values[name])
            elif field.primary_key:
                del values[name]
            elif field.name in once - VOCABULARY:
                values[name] = self._another(field, values[name], how)
        made = model(**values)
        try:
            with transaction.atomic():
                model._base_manager.bulk_create([made])
        except IntegrityError:
            return None  # there may be only one of it
        return made

    def _another(self, field: Any, value: Any, how: str) -> Any:
        if isinstance(field, models.UUIDField):
            return uuid4()
        if isinstance(field, models.BinaryField) and value:
            return uuid4().bytes
        if isinstance(field, models.CharField | models.TextField) and value and not field.choices:
            return f"{how}{self._made}{value}"[: field.max_length]
        if isinstance(field, models.IntegerField) and value is not None and not field.choices:
            return value + self._made * 1000 + (500 if how == "kin" else 0)
        return value


def _unique(model: type[models.Model]) -> set[str]:
    """Names of fields that must differ between rows, alone or together with others."""
    found = {field.name for field in model._meta.concrete_fields if field.unique}
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.UniqueConstraint):
            found |= {*constraint.fields}
            found |= {
                one.name for told in constraint.expressions for one in told.flatten() if isinstance(one, models.F)
            }
    return found.union(*model._meta.unique_together)
