"""What all commands on records share: cleaning values, telling history what changed, deleting."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction

from postroom.lib.clock import now
from postroom.records import news
from postroom.records.custom_fields import values as own_fields
from postroom.records.history import Change, Event, tell
from postroom.records.record import NAME_LIMIT, Record
from postroom.records.signals import deleting
from postroom.records.text import clean
from postroom.workspaces.models import Membership

OWN = "own"
"""Under this name a command takes the values of the workspace's own fields, by field id."""

Labels = Mapping[str, str]
"""The columns that may be set, each with the word its change is told in."""


def shown(value: Any) -> str:
    """A value as history tells it."""
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    if isinstance(value, Decimal | int):
        return f"{value:,.2f}".removesuffix(".00")
    if isinstance(value, date):
        return f"{value.day} {value:%b %Y}"
    return "" if value is None else str(value)


def named(name: str) -> str:
    """A record's name, cleaned and cut to what fits. Raises ValidationError when nothing is left."""
    if not (found := clean(name)[:NAME_LIMIT]):
        raise ValidationError({"name": "A name is needed."})
    return found


def assign(record: Record, values: Mapping[str, Any], labels: Labels) -> list[Change]:
    """Set the columns and answer what differs. Raises ValidationError for what does not belong to the workspace."""
    changes: list[Change] = []
    for name, value in values.items():
        if name == OWN:
            changes += own_fields.assign(record, value)
            continue
        label = labels[name]  # a KeyError is a mistake of the caller
        belongs_to = getattr(value, "workspace_id", record.workspace_id)
        if belongs_to != record.workspace_id:
            raise ValidationError({name: "Not found."})
        value = clean(value) if isinstance(value, str) else value
        if (old := getattr(record, name)) != value:
            setattr(record, name, value)
            changes.append(Change(field=label, old=shown(old), new=shown(value)))
    return changes


def keep(
    record: Record, *, by: Membership | None, changes: list[Change], verb: Event.Verb = Event.Verb.CHANGED
) -> None:
    """Store the record with everything derived from it, and tell its history when something changed."""
    record.derive()
    record.updated_at = now()
    record.save()
    if changes or verb == Event.Verb.CREATED:
        tell(record, verb, by=by, changes=[] if verb == Event.Verb.CREATED else changes)
    else:
        news.changed(record)


def replace_rows(
    model: type[models.Model], rows: models.QuerySet[Any], *, owner: dict[str, Any], column: str, values: list[str]
) -> tuple[list[str], list[str]]:
    """Make an ordered list of texts (addresses, domains) equal to `values`; answers (added, removed)."""
    before = list(rows.values_list(column, flat=True))
    removed = [value for value in before if value not in values]
    added = [value for value in values if value not in before]
    rows.filter(**{f"{column}__in": removed}).delete()
    for position, value in enumerate(values):
        if value in added:
            model._default_manager.create(**owner, **{column: value}, position=position)
        elif before.index(value) != position:
            rows.filter(**{column: value}).update(position=position)
    return added, removed


@transaction.atomic
def delete(record: Record) -> None:
    """Delete a record with its notes, history and links. Mail is not touched."""
    deleting.send(type(record), record=record)
    news.changed(record)
    record.delete()


def derive_again(records: models.QuerySet[Any]) -> None:
    """Bring what others derive from a changed name up to date (contacts and deals carry their company's)."""
    record = None
    for record in records:
        record.derive()
        record.save(update_fields=["sort_name", "search_text"])
    if record is not None:
        news.all_changed(record.workspace_id, record.type)
