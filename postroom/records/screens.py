"""What the screens of one record type are made of, as data: the views in `views.py` are the same for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.urls import reverse

from postroom.records.custom_fields.columns import columns as own_columns
from postroom.records.forms import RecordForm
from postroom.records.record import Record, RecordType
from postroom.records.tables import Column, Shape, Table
from postroom.workspaces.models import Membership, Workspace, WorkspaceQuerySet


class Shown(NamedTuple):
    """A value on the page, with where it leads."""

    text: str
    href: str = ""
    compose: str = ""  # an address to write to
    avatar: str = ""  # the key of somebody's avatar
    warning: str = ""  # what one has to know before using it


@dataclass(frozen=True)
class Field:
    """A line of the side column. `form` is the form's field that changes it in place, empty where it cannot be
    changed.
    """

    label: str
    show: Callable[[Any], Sequence[Shown]]
    form: str = ""
    add: str = ""  # what to say where nothing is set


class Step(NamedTuple):
    """Where a record may stand: a stage, a status. `tone` is a class, `state` "now", "done" or ""."""

    value: str
    label: str
    tone: str = ""
    state: str = ""


@dataclass(frozen=True)
class Moved:
    """What moves a record on: pressed on its page, dragged on a board. `path` is its word in addresses.

    value   where a record stands, as addresses name it
    target  what the command takes for a name in an address; None when there is no such step
    steps   where a record may stand, in order
    said    what a toast says of a record that was moved
    """

    name: str
    label: str
    path: str
    value: Callable[[Any], str]
    target: Callable[[Any, str], Any]
    steps: Callable[[Any], Sequence[Step]]
    said: Callable[[Any], str]


def steps_of(choices: Iterable[tuple[Any, Any]], now: str) -> list[Step]:
    """The steps of a choice that is the same for all records of a type."""
    return [Step(str(value), str(label), state="now" if value == now else "") for value, label in choices]


@dataclass(frozen=True, kw_only=True)
class Screen(Table):
    """A record type's table, page and form. Templates lie in `records/<folder>/`."""

    form: type[RecordForm]
    type: RecordType  # below `form`: the name hides the builtin from here on
    folder: str
    create: Callable[..., Record]
    change: Callable[..., Record]
    fields: tuple[Field, ...]
    whole: Shape  # what a page reads
    address: Callable[[Any], str] = lambda record: ""  # whom Compose writes to
    merges: bool = False  # whether duplicates of it are found and merged
    moved: Moved | None = None
    page: str = "records/page.html"  # its template, where it has more than others
    board: bool = False  # whether its first screen is a board, and the table beside it

    @property
    def place(self) -> str:
        return self.type.key

    @property
    def plural(self) -> str:
        return self.type.plural

    @property
    def singular(self) -> str:
        return self.type.label

    @property
    def url(self) -> str:
        return reverse(f"records:{self.root}{'-list' if self.board else ''}")

    def of(self, workspace: Workspace | int) -> WorkspaceQuerySet[Any]:
        return self.type.of(workspace)

    def own_columns(self, workspace: Workspace | int) -> tuple[Column, ...]:
        return own_columns(workspace if isinstance(workspace, int) else workspace.pk, self.type.key)

    @property
    def duplicates_url(self) -> str:
        """Where duplicates of this type are found, empty where they are not."""
        return reverse(f"records:{self.root}-duplicates") if self.merges else ""

    def template(self, name: str) -> str:
        return f"records/{self.folder}/{name}.html"

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
