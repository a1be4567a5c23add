"""What the screens of one record type are made of, as data: the views in `views.py` are the same for all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.urls import reverse

from postroom.records.forms import RecordForm
from postroom.records.record import Record, RecordType
from postroom.workspaces.models import Membership


class Shown(NamedTuple):
    """A value on the page, with where it leads."""

    text: str
    href: str = ""
    compose: str = ""  # an address to write to
    avatar: str = ""  # the key of somebody's avatar


@dataclass(frozen=True)
class Field:
    """A line of the side column. `form` is the form's field that changes it in place, empty where it cannot be
    changed.
    """

    label: str
    show: Callable[[Any], Sequence[Shown]]
    form: str = ""
    add: str = ""  # what to say where nothing is set


class Column(NamedTuple):
    """A column of a list; `sort` is its key in `Screen.sorts`."""

    label: str
    sort: str = ""
    room: str = ""  # the class that leaves it out: "is-mid" on phones, "is-extra" in narrow windows too
    number: bool = False


class Sort(NamedTuple):
    """An order of a list, ending with the id; `back` is the other way round."""

    order: tuple[str, ...]
    back: tuple[str, ...]


class Cut(NamedTuple):
    """A part of a list, chosen by a chip: ?show= names it; the first of a screen is what the list opens with."""

    key: str
    label: str
    narrow: Callable[[Any, Membership], Any]


Shape = Callable[[Any], Any]
"""A query to the same query with what a screen needs besides; it stays the workspace's own kind of query."""


def both_ways(*order: str) -> Sort:
    return Sort(order, tuple(name.removeprefix("-") if name.startswith("-") else f"-{name}" for name in order))


@dataclass(frozen=True)
class Screen:
    """A record type's list, page and form. Templates lie in `records/<folder>/`."""

    form: type[RecordForm]
    type: RecordType  # below `form`: the name hides the builtin from here on
    folder: str
    create: Callable[..., Record]
    change: Callable[..., Record]
    columns: tuple[Column, ...]
    sorts: Mapping[str, Sort]
    fields: tuple[Field, ...]
    rows: Shape  # what a list reads of each record
    whole: Shape  # what a page reads
    empty: str  # what the first one is good for, on the empty list
    address: Callable[[Any], str] = lambda record: ""  # whom Compose writes to
    cuts: tuple[Cut, ...] = ()
    first_sort: str = "name"
    merges: bool = False  # whether duplicates of it are found and merged

    @property
    def root(self) -> str:
        """The first word of its addresses."""
        return self.type.plural.lower()

    @property
    def duplicates_url(self) -> str:
        """Where duplicates of this type are found, empty where they are not."""
        return reverse(f"records:{self.root}-duplicates") if self.merges else ""

    def template(self, name: str) -> str:
        return f"records/{self.folder}/{name}.html"

    @property
    def row_template(self) -> str:
        return self.template("row")

    @property
    def head_template(self) -> str:
        return self.template("head")

    @property
    def form_template(self) -> str:
        return self.template("fields")


def text(value: object) -> list[Shown]:
    return [Shown(str(value))] if value not in (None, "") else []


def owner(record: Record) -> list[Shown]:
    """Who looks after a record."""
    member: Membership | None = record.owner
    return [Shown(member.name, avatar=member.address)] if member else []


def company(record: Any) -> list[Shown]:
    """The company of a contact or deal."""
    return [Shown(record.company.name, href=record.company.get_absolute_url())] if record.company else []


COMMON_SORTS: dict[str, Sort] = {"name": both_ways("sort_name", "id"), "added": both_ways("-created_at", "-id")}
