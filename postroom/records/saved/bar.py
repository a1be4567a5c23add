"""The saved views of a list as a member sees them: read once, told to the list and drawn above it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.db.models import Q
from django.http import QueryDict
from django.urls import reverse

from postroom.records.models import SavedView
from postroom.records.saved.commands import may_change
from postroom.records.saved.places import place_of
from postroom.workspaces.models import Membership

VIEW, WITHIN = "view", "in"
"""?view= opens a view as it was saved; ?in= is a list that began as one, with a state of its own beside it."""


@dataclass(frozen=True)
class Chip:
    """A view above its list."""

    view: SavedView
    href: str
    current: bool


@dataclass(frozen=True)
class Bar:
    """What is drawn above a list. `changed`: the open view shows something else than was saved."""

    place: str
    chips: Sequence[Chip]
    open: SavedView | None
    changed: bool
    may_change: bool
    state: str
    new_url: str

    @property
    def ways(self) -> list[tuple[str, str, str]]:
        """Where the open view may go among the others: the way, its words and its icon."""
        at = next((number for number, one in enumerate(self.chips) if one.view is self.open), 0)
        front = [("front", "Move to the left", "arrow-left")] if at > 0 else []
        return [*front, ("back", "Move to the right", "arrow-right")] if at < len(self.chips) - 1 else front


@dataclass(frozen=True)
class Views:
    """`columns` are those a member's list opens with; empty for the usual ones."""

    place: str
    member: Membership
    rows: Sequence[SavedView]
    columns: tuple[str, ...] = ()
    _by_id: dict[str, SavedView] = field(default_factory=dict)

    def open(self, told: QueryDict) -> SavedView | None:
        """The view an address opens or began with."""
        return self._by_id.get(told.get(VIEW) or told.get(WITHIN, ""))

    def told(self, told: QueryDict) -> QueryDict:
        """The state an address means: its own, or that of the view it opens."""
        found = self._by_id.get(told.get(VIEW, ""))
        return QueryDict(found.query) if found else told

    def names_of(self, missing: Sequence[str], view: SavedView | None) -> list[str]:
        """What the fields that are gone were called, as far as the view knows."""
        known = view.labels if view else {}
        return [known.get(one.split(".")[0], "") for one in missing]

    def drawn(
        self, state: str, *, open: SavedView | None = None, by_state: bool = False, missing: Sequence[str] = ()
    ) -> Bar:
        """`by_state`: the list's addresses name no view, so the one that says the same is open."""
        found = place_of(self.place)
        assert found is not None, self.place
        if by_state:
            open = next((one for one in self.rows if one.query == state), None)
        chips = [Chip(one, f"{found.url()}?{found.address(one.pk, one.query)}", one is open) for one in self.rows]
        return Bar(
            place=self.place,
            chips=chips,
            open=open,
            changed=open is not None and (open.query != state or bool(missing)),
            may_change=open is not None and may_change(open, self.member),
            state=state,
            new_url=f"{reverse('records:view-new')}?{urlencode({'place': self.place, 'state': state})}",
        )


def of(place: str, member: Membership) -> Views:
    """The views of a list that a member sees, in their order. One query."""
    rows = SavedView.objects.for_workspace(member.workspace_id).filter(place=place)
    every = list(rows.filter(Q(member=member) | Q(member=None)).order_by("created_at", "pk"))
    how = next((one for one in every if not one.name), None)
    named = [one for one in every if one.name]
    if how is not None:
        at = {pk: number for number, pk in enumerate(how.order)}
        named.sort(key=lambda one: at.get(one.pk, len(at)))
    columns = QueryDict(how.query).get("cols", "").split(",") if how is not None and how.query else []
    return Views(place, member, named, tuple(one for one in columns if one), {str(one.pk): one for one in named})
