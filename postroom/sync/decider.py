"""What a page of a listing means. Pure: no database, no network, no clock.

(what we have, what the provider says, where it says so) -> what to store, what to fetch, what to ask about

The rules (design.md section 3, steps 5-7; graph.md 2.12): rows may be replayed, reordered, doubled, sparse or about
items we never saw. "Removed" tells only that an item left *this* folder, so it leads to a question, never to a
deletion, and only if we believed the item to be here. So does a row about a message we have that does not say how old
it is, or says it as ours does (times of change have seconds). Whether a row is older than ours is left to the store,
which compares versions under the row's lock.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from postroom.providers.contract import RemoteMessage, Removed


class Known(Protocol):
    """What the decider needs of a stored row."""

    @property
    def folder_remote_id(self) -> str: ...
    @property
    def change_key(self) -> str: ...
    @property
    def is_draft(self) -> bool: ...
    @property
    def modified(self) -> datetime | None: ...


@dataclass(slots=True)
class Decision:
    store: list[RemoteMessage] = field(default_factory=list)  # state to merge into rows, or rows without a body yet
    fetch: list[str] = field(default_factory=list)  # whole messages to get
    ask: list[str] = field(default_factory=list)  # where is it now?
    outside: list[RemoteMessage] = field(default_factory=list)  # exists, no more is wanted of it
    unchanged: list[str] = field(default_factory=list)  # named, nothing new about it
    forget: list[str] = field(default_factory=list)  # left the folder, and we only knew that it existed


def decide(
    page: Iterable[RemoteMessage | Removed],
    known: Mapping[str, Known],
    *,
    folder_id: str,
    since: datetime | None,
    listing: bool,
    counted: Collection[str] = (),
) -> Decision:
    """Sort a page. ``listing``: a first listing, whose bodies come with the backfill; otherwise new mail, wanted now.
    ``counted`` are those of which nothing is kept but where they are.

    The last word about an id counts: a provider may name it several times in one page.
    """
    decision = Decision()
    for item in {row.id: row for row in page}.values():
        have = known.get(item.id)
        if isinstance(item, Removed):
            if have is None:
                decision.forget.append(item.id)
            elif have.folder_remote_id == folder_id:
                decision.ask.append(item.id)
            continue
        if have is None and item.id in counted:
            decision.outside.append(item)
            continue
        _place(item, have, decision, folder_id=folder_id, since=since, listing=listing)
    return decision


def _place(
    item: RemoteMessage,
    have: Known | None,
    decision: Decision,
    *,
    folder_id: str,
    since: datetime | None,
    listing: bool,
) -> None:
    if have is None:
        if item.received is not None and since is not None and item.received < since:
            decision.outside.append(item)
        elif listing and item.received is not None:
            decision.store.append(item)
        else:
            decision.fetch.append(item.id)
    elif (
        item.change_key is not None
        and item.change_key == have.change_key
        and (item.folder_id or folder_id) == have.folder_remote_id
    ):
        decision.unchanged.append(item.id)
    elif have.is_draft or item.is_draft:
        decision.fetch.append(item.id)  # a draft's body changes, and the listing does not carry it
    elif item.modified is None or item.modified == have.modified:
        decision.ask.append(
            item.id
        )  # perhaps a replay: it has nothing to tell its age by, or that of ours to the second
    else:
        decision.store.append(item)
