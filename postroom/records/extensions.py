"""What packages above add to the screens of records: tabs and the time of the last mail. They register when Django
starts.

Records know nothing of mail; a page shows whatever tabs are registered, in the order of their weight.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, DateTimeField, QuerySet, Subquery, TextField, Value

from postroom.lib.pages import Near
from postroom.records.record import BY_KEY, Record
from postroom.workspaces.access import MemberRequest
from postroom.workspaces.models import Membership, WorkspaceQuerySet


@dataclass(frozen=True)
class Panel:
    """A tab of a record's page. `render` answers its HTML for the request's member; `count` names the rows
    that are counted on the tab. `facts` are expressions over the record that it finds as attributes of it: read in the
    record's own statement, while the tab is open."""

    key: str
    label: str
    render: Callable[[MemberRequest, Record], str]
    count: Callable[[Record], QuerySet[Any]] | None = None
    types: frozenset[str] = frozenset(BY_KEY)
    weight: int = 50
    styles: tuple[str, ...] = ()  # stylesheets, as static paths
    facts: Callable[[type[Record], Membership], Mapping[str, Any]] | None = None


LastContact = Callable[[Sequence[Record], Membership], dict[int, datetime]]
LastMail = Callable[[type[Record], Membership], Any]
NewestMail = Callable[[type[Record], Membership], Near]

_panels: dict[str, Panel] = {}
_last_contact: list[LastContact] = []
_last_mail: list[LastMail] = []
_newest_mail: list[NewestMail] = []
_came_back: list[Callable[[], Any]] = []


def counter(rows: str) -> Callable[[Record], QuerySet[Any]]:
    """Counts a record's own `rows`."""
    return lambda record: getattr(record, rows).all()


def with_panels(
    rows: WorkspaceQuerySet[Any], panels: Sequence[Panel], *, opened: Panel, pk: int, member: Membership
) -> WorkspaceQuerySet[Any]:
    """The row of a record with what stands on its tabs (`count_on`) and the facts of the one that is open."""
    record: Record = rows.model(pk=pk)
    counted = {f"of_{one.key}": _number(one.count(record)) for one in panels if one.count}
    facts = opened.facts(rows.model, member) if opened.facts else {}
    annotated: WorkspaceQuerySet[Any] = rows.annotate(**counted, **facts)
    return annotated


def count_on(panel: Panel, record: Record) -> int:
    """What stands on a tab of a record that was read with them."""
    return int(getattr(record, f"of_{panel.key}", None) or 0)


def _number(rows: QuerySet[Any]) -> Subquery:
    return Subquery(rows.order_by().annotate(_=Value(1)).values("_").annotate(number=Count("pk")).values("number"))


def add_panel(panel: Panel) -> None:
    """Show this tab on the pages of its record types; the same key again replaces it."""
    _panels[panel.key] = panel


def panels_for(record_type: str) -> list[Panel]:
    """The tabs of a type of record, the first one is open when a page is opened."""
    return sorted((one for one in _panels.values() if record_type in one.types), key=lambda one: one.weight)


def styles_for(record_type: str) -> list[str]:
    """The stylesheets of a type's tabs, each once."""
    return list(dict.fromkeys(path for panel in panels_for(record_type) for path in panel.styles))


def set_last_contact(answer: LastContact, sorts: LastMail, newest: NewestMail) -> None:
    """Who knows when records last had mail: by id, as an expression that sorts them by it, and which had it last."""
    _last_contact[:], _last_mail[:], _newest_mail[:] = [answer], [sorts], [newest]


def last_contact(records: Sequence[Record], member: Membership) -> dict[int, datetime]:
    """When each of these records (of one type) last had mail the member may see; empty when nobody knows."""
    return _last_contact[0](records, member) if _last_contact else {}


def last_mail(model: type[Record], member: Membership) -> Any:
    """When a record last had mail the member may see, as an expression over the records."""
    return _last_mail[0](model, member) if _last_mail else Value(None, output_field=DateTimeField())


def newest_mail(model: type[Record], member: Membership) -> Near:
    """The records that may be next in the order by last mail, newest first."""
    return _newest_mail[0](model, member) if _newest_mail else lambda after: ((), None)


def set_came_back(expression: Callable[[], Any]) -> None:
    """Who knows which addresses mail cannot reach."""
    _came_back[:] = [expression]


def came_back() -> Any:
    """Why mail to an address came back, as an expression over rows with `workspace` and `address` (lower-cased); null
    where it did not."""
    return _came_back[0]() if _came_back else Value(None, output_field=TextField())
