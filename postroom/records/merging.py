"""Duplicates: two contacts or companies that are one.

What hangs on the one that goes is moved by asking the database's own relations, so that no list has to be kept
complete; packages above move theirs when they hear ``signals.merged``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Count

from postroom.records import news
from postroom.records.commands import keep
from postroom.records.history import Change, Event, tell
from postroom.records.models import Company, Person
from postroom.records.record import Record
from postroom.records.screens import Screen
from postroom.records.signals import addresses_changed, merged
from postroom.workspaces.models import Membership, Workspace

MOST_GROUPS = 50
MOST_OF_ONE = 10
SHORTEST = 3  # letters: shorter names say too little


def duplicates(screen: Screen, workspace: Workspace) -> list[list[Record]]:
    """Groups of records with the same name (case and accents aside), those with the most first."""
    every = screen.type.of(workspace)
    named = every.exclude(sort_name="").values("sort_name").annotate(times=Count("pk")).filter(times__gt=1)
    names = [row["sort_name"] for row in named.order_by("-times", "sort_name")[: 2 * MOST_GROUPS]]
    wanted = [name for name in names if len(name) >= SHORTEST][:MOST_GROUPS]
    groups: dict[str, list[Record]] = {name: [] for name in wanted}
    for record in screen.rows(every.filter(sort_name__in=wanted)).order_by("sort_name", "created_at", "id"):
        if len(groups[record.sort_name]) < MOST_OF_ONE:
            groups[record.sort_name].append(record)
    return list(groups.values())


@transaction.atomic
def merge(kept: Record, gone: Record, *, by: Membership | None) -> Record:
    """Make two records one. What `kept` says stays; what it leaves open comes from `gone`. Raises ValidationError."""
    if type(kept) is not type(gone) or kept.pk == gone.pk or kept.workspace_id != gone.workspace_id:
        raise ValidationError("Choose another record of the same kind.")
    if not isinstance(kept, Person | Company):
        raise ValidationError("Only contacts and companies are merged like this.")
    both = type(kept)._base_manager.select_for_update(no_key=True).filter(pk__in=[kept.pk, gone.pk]).order_by("pk")
    if len(both.values_list("pk", flat=True)) < 2:  # two windows at once: a record must not come back half
        raise ValidationError("One of the two was merged or deleted meanwhile.")
    merged.send(type(kept), gone=gone, kept=kept, by=by)
    _fill(kept, gone)
    _move(kept, gone)
    name = gone.name
    news.changed(gone)
    gone.delete()
    keep(kept, by=by, changes=[])
    tell(kept, Event.Verb.CHANGED, by=by, changes=[Change(field="Merged from", old="", new=name)])
    addresses_changed.send(type(kept), record=kept, lost=False)
    return kept


def _fill(kept: Record, gone: Record) -> None:
    for field in kept._meta.concrete_fields:
        if field.editable and not field.primary_key and getattr(kept, field.attname) in (None, "", []):
            setattr(kept, field.attname, getattr(gone, field.attname))
    kept.custom = {**gone.custom, **kept.custom}


def _move(kept: Record, gone: Record) -> None:
    for relation in gone._meta.related_objects:
        column = relation.field.name
        if relation.many_to_many:
            for row in relation.related_model._base_manager.filter(**{column: gone}):
                getattr(row, column).add(kept)
            continue
        rows = relation.related_model._base_manager.filter(**{column: gone})
        if _ordered(relation.related_model):  # addresses and domains: behind those that are there
            _append(relation.related_model, column, kept, rows)
        rows.update(**{column: kept})


def _ordered(model: type[models.Model]) -> bool:
    return any(field.name == "position" for field in model._meta.concrete_fields)


def _append(model: type[models.Model], column: str, kept: Record, rows: Any) -> None:
    there = model._base_manager.filter(**{column: kept}).count()
    for number, row in enumerate(rows.order_by("position", "id")):
        row.position = there + number
        row.save(update_fields=["position"])


def lines(screen: Screen, records: Sequence[Record]) -> list[tuple[str, list[str]]]:
    """The fields in which at least one of the records says something, side by side."""
    found = []
    for field in screen.fields:
        texts = ["; ".join(one.text for one in field.show(record)) for record in records]
        if any(texts):
            found.append((field.label, texts))
    return found
