"""What a table of records is made of, as data: its columns, what sorts and narrows them, the parts it is cut into.

One mechanism draws all of them (`lists.py`): contacts, companies, deals, tickets, candidates and tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal, NamedTuple

from django.db import models
from django.db.models import Case, F, Func, IntegerField, QuerySet, Value, When
from django.db.models.functions import Cast, Coalesce, Lower, NullIf

from postroom.lib.pages import Near
from postroom.records import extensions, filters, nearby
from postroom.records.filters import Filter
from postroom.records.text import fold
from postroom.workspaces.models import Membership, Workspace, WorkspaceQuerySet

MOST_WORDS = 8
NAME, MAIL = "name", "mail"
MAIL_TOPICS = ("mail", "links")  # what may change when a record last had mail
Kind = Literal["key", "text", "number", "day", "moment"]

NO_MOMENT = datetime(1000, 1, 1, tzinfo=UTC)

_STAND_INS: dict[str, tuple[Any, Any, models.Field[Any, Any]]] = {
    "text": ("", "1", models.TextField()),
    "number": (float("-inf"), float("inf"), models.FloatField()),
    "day": (date(1000, 1, 1), date(9999, 12, 31), models.DateField()),
    "moment": (NO_MOMENT, datetime(9999, 12, 31, tzinfo=UTC), models.DateTimeField()),
}
"""What stands where nothing is set, so that it comes last on the way down and on the way up, and the page after has a
value to begin behind. No text is behind all others, so each that is one begins with a 0."""


@dataclass(frozen=True)
class Column:
    """A column of a table. It shows `text`, or what its template `cell` draws of ``record`` and ``line``.

    by      what it is sorted by: a path, an expression, or what makes one for the model and the member who asks;
            None where it cannot be
    near    on the way of the first press: what names the few records that may be next (``lib.pages.Near``)
    kind    of what; "key" is a column of the table itself that is never empty, so that an index serves it
    down    whether the first press brings the largest, or the newest, to the top
    usual   whether it is there before somebody chooses columns
    room    the class that leaves it out: "is-mid" on phones, "is-extra" in narrow windows too
    edit    what changes it in the table itself: a field of the record's form, or the step it stands at
    """

    key: str
    label: str
    text: Callable[[Any], str] = lambda record: ""
    cell: str = ""
    by: Any = None
    near: Callable[[Any, Membership], Near] | None = None
    kind: Kind = "text"
    down: bool = False
    number: bool = False
    usual: bool = True
    room: str = ""
    filter: Filter | None = None
    edit: str = ""

    def order(self, query: QuerySet[Any], *, down: bool, member: Membership) -> tuple[QuerySet[Any], tuple[str, ...]]:
        """The query and the order that sort by this column; what is empty comes last both ways."""
        sign = "-" if down else ""
        if self.kind == "key":
            return query, (f"{sign}{self.by}", f"{sign}id")
        smallest, largest, field = _STAND_INS[self.kind]
        by = self.by(query.model, member) if callable(self.by) else self.by
        raw = F(by) if isinstance(by, str) else by
        if self.kind == "text":
            raw = _Behind(
                Value("0"), NullIf(Lower(Cast(raw, field)), Value("", output_field=field)), output_field=field
            )
        elif self.kind == "number":
            raw = Cast(raw, field)
        stand_in = Value(smallest if down else largest, output_field=field)
        filled = Coalesce(raw, stand_in, output_field=field)
        return query.annotate(sort_by=filled), (f"{sign}sort_by", f"{sign}id")

    def stands_in(self, value: Any) -> bool:
        """Whether a value of the order stands where nothing is set."""
        return self.kind != "key" and value in _STAND_INS[self.kind][:2]


class _Behind(Func):
    """A text behind another; nothing where one of them is."""

    template = "(%(expressions)s)"
    arg_joiner = " || "


class Cut(NamedTuple):
    """A part of a table, chosen by a chip: ?show= names it; the first of a table is what it opens with."""

    key: str
    label: str
    narrow: Callable[[Any, Membership], Any]


Shape = Callable[[Any], Any]
"""A query to the same query with what a screen needs besides; it stays the workspace's own kind of query."""


def matching(records: QuerySet[Any], words: str) -> QuerySet[Any]:
    """Those whose text has every word, without regard to case and accents."""
    for word in fold(words).split()[:MOST_WORDS]:
        records = records.filter(search_text__contains=word)
    return records


@dataclass(frozen=True, kw_only=True)
class Table:
    """The first column is the record itself; it is always there. ``news``: the events that draw the table again."""

    columns: tuple[Column, ...]
    rows: Shape  # what a table reads of each record
    empty: str  # what the first one is good for, on the empty table
    cuts: tuple[Cut, ...] = ()
    first_sort: str = NAME
    find: Callable[[QuerySet[Any], str], QuerySet[Any]] = matching
    news: str = ""

    @property
    def place(self) -> str:
        """The word its saved views are kept under."""
        raise NotImplementedError

    @property
    def plural(self) -> str:
        raise NotImplementedError

    @property
    def singular(self) -> str:
        raise NotImplementedError

    @property
    def root(self) -> str:
        """The first word of its addresses."""
        return self.plural.lower()

    @property
    def url(self) -> str:
        """Its address."""
        raise NotImplementedError

    def of(self, workspace: Workspace | int) -> WorkspaceQuerySet[Any]:
        """All the workspace has of it."""
        raise NotImplementedError

    def topics(self, columns: Sequence[Column]) -> str:
        """The live topics that may change what these columns show."""
        return " ".join([self.root, *(MAIL_TOPICS if any(one.key == MAIL for one in columns) else ())])

    def own_columns(self, workspace: Workspace | int) -> tuple[Column, ...]:
        """The workspace's own fields as columns."""
        return ()


def rank(path: str, values: list[str]) -> Case:
    """Sorts a choice in the order of its meaning."""
    places = (When(**{path: value}, then=Value(place)) for place, value in enumerate(values))
    return Case(*places, default=Value(len(values)), output_field=IntegerField())


def day(value: date | None) -> str:
    """A day as tables say it: 9 Dec 2026."""
    return f"{value.day} {value:%b %Y}" if value else ""


def everything(query: Any, member: Membership) -> Any:
    return query


ALL = Cut("all", "All", everything)
MINE = Cut("mine", "Mine", lambda query, member: query.filter(owner=member))


def main(folder: str, label: str = "Name", *, edit: str = NAME) -> Column:
    """The first column: the record by its name."""
    return Column(NAME, label, cell=f"records/{folder}/main.html", by="sort_name", kind="key", edit=edit)


def words_column(key: str, label: str, path: str = "") -> Column:
    """A text of the record's own, in `path` if that is not called as the column is; not there until it is chosen."""
    path = path or key
    return Column(
        key,
        label,
        text=lambda record: getattr(record, path),
        by=path,
        usual=False,
        filter=filters.Contains(path),
        edit=path,
    )


def choice_column(
    key: str,
    label: str,
    choices: type[models.TextChoices],
    *,
    cell: str = "",
    down: bool = False,
    usual: bool = True,
    room: str = "",
    edit: bool = True,
) -> Column:
    """One of some fixed words, sorted in the order of their meaning."""
    return Column(
        key,
        label,
        text=lambda record: getattr(record, f"get_{key}_display")(),
        cell=cell,
        by=rank(key, choices.values),
        kind="number",
        down=down,
        usual=usual,
        room=room,
        filter=filters.Choice(key, filters.fixed(choices.choices)),
        edit=key if edit else "",
    )


def owner_column(label: str = "Owner", *, room: str = "is-extra") -> Column:
    """Who looks after the record."""
    return Column(
        "owner",
        label,
        cell="records/owner_cell.html",
        by="owner__user__name",
        room=room,
        filter=filters.Choice("owner", filters.members, empty="Nobody", mine=True),
        edit="owner",
    )


def company_column(*, room: str = "is-mid", usual: bool = True) -> Column:
    """The company it is of."""
    return Column(
        "company",
        "Company",
        text=lambda record: record.company.name if record.company else "",
        by="company__sort_name",
        near=nearby.by_name_of("company"),
        room=room,
        usual=usual,
        filter=filters.Contains("company__name"),
        edit="company",
    )


def last_mail(*, room: str = "") -> Column:
    """When it last had mail the member may see; other packages know."""
    return Column(
        MAIL,
        "Last mail",
        cell="records/last_mail.html",
        by=extensions.last_mail,
        near=extensions.newest_mail,
        kind="moment",
        down=True,
        number=True,
        room=room,
    )


def moment_column(key: str, label: str, path: str) -> Column:
    """When something happened to the record; not there until it is chosen."""
    return Column(
        key,
        label,
        cell=f"records/cells/{key}.html",
        by=path,
        kind="key",
        down=True,
        number=True,
        usual=False,
        room="is-extra",
        filter=filters.Day(path, moments=True, empty=""),
    )


ADDED = moment_column("added", "Added", "created_at")
CHANGED = moment_column("changed", "Changed", "updated_at")
