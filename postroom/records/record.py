"""What every record has, and what a row that belongs to one record looks like.

Record   a contact, company, deal, ticket or candidate: an owner, a name, what lists sort and filter by.
About    a row about exactly one record (a note, an event, a link): one foreign key per type, one of them set. Real
         foreign keys make the database answerable for it: no orphans, joins and cascades as anywhere else. The price is
         a column per record type, and there are few of those.

A new record type is a sub-package, a line in `models.py` and `urls.py`, a line in `TYPES`, and a key in `About`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, NamedTuple

from django.apps import apps
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.db.models.lookups import Exact

from postroom.lib.clock import now
from postroom.lib.paths import path_to
from postroom.records.text import fold, search_text
from postroom.workspaces.models import Workspace, WorkspaceOwned, WorkspaceQuerySet

NAME_LIMIT = 300


class RecordType(NamedTuple):
    """`key` is the word in addresses and code, `pointer` the column of `About` that points at records of this type."""

    key: str
    label: str
    plural: str
    pointer: str
    model_name: str
    icon: str

    @property
    def model(self) -> type[Record]:
        found = apps.get_model("records", self.model_name)
        assert issubclass(found, Record)
        return found

    def of(self, workspace: Workspace | int) -> WorkspaceQuerySet[Any]:
        """The workspace's records of this type."""
        query: WorkspaceQuerySet[Any] = WorkspaceQuerySet(self.model)
        return query.for_workspace(workspace)

    @property
    def list_url(self) -> str:
        return path_to(f"records:{self.plural.lower()}")


TYPES: tuple[RecordType, ...] = (
    RecordType("contact", "Contact", "Contacts", "person", "Person", "user"),
    RecordType("company", "Company", "Companies", "company", "Company", "building-2"),
    RecordType("deal", "Deal", "Deals", "deal", "Deal", "circle-dollar-sign"),
    RecordType("ticket", "Ticket", "Tickets", "ticket", "Ticket", "ticket"),
    RecordType("candidate", "Candidate", "Candidates", "candidate", "Candidate", "user-search"),
)
BY_KEY: dict[str, RecordType] = {one.key: one for one in TYPES}
POINTERS: tuple[str, ...] = tuple(one.pointer for one in TYPES)


class Record(WorkspaceOwned):
    """Made and changed by the commands of its package, which also write its history."""

    key: ClassVar[str]

    owner = models.ForeignKey(
        "workspaces.Membership", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    name = models.CharField(max_length=NAME_LIMIT)
    sort_name = models.CharField(max_length=NAME_LIMIT, editable=False, db_collation="C")
    search_text = models.TextField(editable=False, blank=True)
    custom = models.JSONField(default=dict, blank=True)  # values of the workspace's own fields, by field id
    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(default=now, editable=False)

    class Meta(WorkspaceOwned.Meta):
        abstract = True

    def __str__(self) -> str:
        return self.name

    @property
    def type(self) -> RecordType:
        return BY_KEY[self.key]

    def get_absolute_url(self) -> str:
        return path_to(f"records:{self.key}", self.pk)

    def search_parts(self) -> Iterable[str]:
        """The texts a list's filter finds this record by."""
        return [self.name]

    def derive(self) -> None:
        """Bring the columns that follow from others up to date. Reads the rows the record's own lists are in."""
        self.sort_name = fold(self.name)[:NAME_LIMIT]
        self.search_text = search_text(self.search_parts())


def record_indexes(name: str) -> list[models.Index | GinIndex]:
    """How lists of a record type are read: by name, newest first, and by any part of the text."""
    return [
        models.Index(fields=["workspace", "sort_name", "id"], name=f"{name}_by_name"),
        models.Index(fields=["workspace", "-created_at", "-id"], name=f"{name}_newest"),
        GinIndex(fields=["search_text"], opclasses=["gin_trgm_ops"], name=f"{name}_search"),
    ]


class About(WorkspaceOwned):
    """A row about exactly one record."""

    person = models.ForeignKey(
        "records.Person", null=True, on_delete=models.CASCADE, db_index=False, related_name="%(class)ss"
    )
    company = models.ForeignKey(
        "records.Company", null=True, on_delete=models.CASCADE, db_index=False, related_name="%(class)ss"
    )
    deal = models.ForeignKey(
        "records.Deal", null=True, on_delete=models.CASCADE, db_index=False, related_name="%(class)ss"
    )
    ticket = models.ForeignKey(
        "records.Ticket", null=True, on_delete=models.CASCADE, db_index=False, related_name="%(class)ss"
    )
    candidate = models.ForeignKey(
        "records.Candidate", null=True, on_delete=models.CASCADE, db_index=False, related_name="%(class)ss"
    )

    class Meta(WorkspaceOwned.Meta):
        abstract = True

    @property
    def record_type(self) -> RecordType:
        return next(one for one in TYPES if getattr(self, f"{one.pointer}_id") is not None)

    @property
    def record(self) -> Record:
        """The one record this row is about."""
        found: Record = getattr(self, self.record_type.pointer)
        return found


def about(record: Record) -> dict[str, Any]:
    """The column and value that point at `record`, for filters and constructors of `About` rows."""
    return {record.type.pointer: record}


def exactly_one(name: str) -> models.CheckConstraint:
    """The constraint of an `About` table: one pointer is set, and only one."""
    return models.CheckConstraint(
        condition=Exact(models.Func(*(models.F(one) for one in POINTERS), function="num_nonnulls"), models.Value(1)),
        name=name,
    )


def pointer_indexes(name: str, *order: str, condition: Q | None = None) -> list[models.Index]:
    """For each type of record an index over its rows only, in reading order."""
    return [
        models.Index(
            fields=[one, *order], condition=Q(**{f"{one}__isnull": False}) & (condition or Q()), name=f"{name}_of_{one}"
        )
        for one in POINTERS
    ]
