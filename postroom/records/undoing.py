"""Taking back what was changed in place, moved on a board or put into another stage.

The way back is an address that says what was changed, by whom, from what to what. It is signed, so nobody makes one up,
and it works only while nobody changed the same since: otherwise it says who did, and leaves things as they are.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from django.core import signing
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404
from django.urls import reverse

from postroom.records.history import Event
from postroom.records.record import Record, about
from postroom.records.screens import Screen
from postroom.workspaces.models import Membership

SALT = "postroom.records.undoing"
HOURS = 12  # a toast is gone long before


class Way(NamedTuple):
    """A field of a record that went from `before` to `after`, as a form would send them; `event` told of it."""

    key: str
    record: int
    name: str
    before: Any
    after: Any
    event: int
    member: int


def value_of(screen: Screen, record: Record, name: str) -> Any:
    """A field's value as its form would send it."""
    if screen.moved is not None and name == screen.moved.name:
        return screen.moved.value(record)
    form = screen.form(workspace=record.workspace, record=record, only=name)
    value = form[name].value()
    return value if value is None or isinstance(value, int) else str(value)


def last_event(record: Record) -> int:
    """The newest thing told of a record; 0 for none."""
    found = Event.objects.filter(**about(record)).order_by("-at", "-id").values_list("pk", flat=True).first()
    return found or 0


def way_back(screen: Screen, record: Record, name: str, *, before: Any, by: Membership) -> str:
    """The address that takes back what was just changed; "" when nothing was."""
    after = value_of(screen, record, name)
    if after == before:
        return ""
    way = Way(screen.type.key, record.pk, name, before, after, last_event(record), by.pk)
    return reverse("records:undo", args=[signing.dumps(list(way), salt=SALT, compress=True)])


def read(token: str, member: Membership) -> Way:
    """What an address says. Raises Http404 for one that is made up, somebody else's or too old."""
    try:
        way = Way(*signing.loads(token, salt=SALT, max_age=HOURS * 3600))
    except (signing.BadSignature, TypeError, ValueError):
        raise Http404 from None
    if way.member != member.pk:
        raise Http404
    return way


@transaction.atomic
def take_back(screen: Screen, way: Way, *, by: Membership) -> Record:
    """Put the value back that was there before.

    Raises ValidationError when it was changed since, saying by whom, or cannot be had again.
    """
    screen.type.of(by.workspace_id).select_for_update(of=("self",)).find(pk=way.record)
    record: Record = screen.whole(screen.type.of(by.workspace_id)).find(pk=way.record)
    if value_of(screen, record, way.name) != way.after:
        raise ValidationError(_who(screen, record, way))
    if screen.moved is not None and way.name == screen.moved.name:
        target = screen.moved.target(record, way.before)
        if target is None:
            raise ValidationError(f"{screen.moved.label} “{way.before}” is no more.")
        screen.change(record, by=by, **{way.name: target})
        return record
    form = screen.form({way.name: way.before or ""}, workspace=record.workspace, record=record, only=way.name)
    if not form.is_valid():
        raise ValidationError([text for texts in form.errors.values() for text in texts])
    screen.change(record, by=by, **form.values())
    return record


def _who(screen: Screen, record: Record, way: Way) -> str:
    """Who changed it since, in words."""
    label = label_of(screen, record, way.name)
    later = Event.objects.filter(**about(record), pk__gt=way.event).select_related("actor__user").order_by("-pk")
    for event in later[:50]:
        if any(change["field"] == label for change in event.changes):
            name = "You" if event.actor_id == way.member else event.actor.name if event.actor else "Postroom"
            return f"{name} changed {label.lower()} since, so it was left as it is."
    return f"{label} was changed since, so it was left as it is."


def label_of(screen: Screen, record: Record, name: str) -> str:
    """What history calls a field."""
    if screen.moved is not None and name == screen.moved.name:
        return screen.moved.label
    lines = {one.form: one.label for one in screen.fields}
    own = {one.key: one.label for one in screen.own_columns(record.workspace_id)} if name not in lines else {}
    return {**lines, **own}.get(name, "It")
