"""The lists that have saved views. Packages above add theirs when Django starts; records add their tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from postroom.workspaces.access import MemberRequest

Tidy = Callable[[MemberRequest, str], tuple[str, Mapping[str, str]]]
"""An address's query to (the query worth keeping, the names of the own fields in it)."""


class Place(NamedTuple):
    """A list. `active` is its word in the rail; `url` where it is."""

    key: str
    label: str
    active: str
    url: Callable[[], str]
    tidy: Tidy
    address: Callable[[int, str], str]  # the query that opens a view, from its id and its own query


_places: dict[str, Place] = {}


def add_place(place: Place) -> None:
    """This list may have saved views; the same key again replaces it."""
    _places[place.key] = place


def place_of(key: str) -> Place | None:
    return _places.get(key)
