"""The Inbox as a place of saved views (IN8): its chips and mailbox under a name."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import QueryDict
from django.urls import reverse

from postroom.inbox.listing import Asked, state_of
from postroom.records.saved.places import Place, add_place
from postroom.workspaces.access import MemberRequest

PLACE = "inbox"


def _tidy(request: MemberRequest, query: str) -> tuple[str, Mapping[str, str]]:
    return state_of(Asked.read(QueryDict(query))), {}


def register() -> None:
    """Called when Django starts."""
    add_place(Place(PLACE, "the Inbox", "inbox", lambda: reverse("inbox:list"), _tidy, lambda pk, query: query))
