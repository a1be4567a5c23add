"""Bugs put into the engine on purpose: the simulation has to find each of them, or it proves nothing.

with bug("cursor before commit"):
    live_through(seed)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any
from unittest.mock import patch

from postroom.mail import sending
from postroom.mail.models import Message
from postroom.mail.store import messages
from postroom.mail.sync import following
from postroom.mailboxes.models import Connection
from postroom.providers.contract import DeltaPage, Gone
from postroom.providers.memory import source
from postroom.sync import lanes, notified
from postroom.sync.decider import Decision
from postroom.sync.models import Lane, OutboxEntry

FILTER_STOPS_AT = 2  # Microsoft's is 5,000


@contextmanager
def _replaced(*replacements: tuple[Any, str, Any]) -> Iterator[None]:
    with ExitStack() as stack:
        for owner, name, new in replacements:
            stack.enter_context(patch.object(owner, name, new))
        yield


def cursor_before_commit() -> AbstractContextManager[object]:
    """The cursor is kept when a page was read, not with what it says."""
    store_page, advance = following._store_page, following._advance

    def storing(run: Any, state: Any, page: Any, *more: Any) -> Any:
        work = store_page(run, state, page, *more)
        advance(state, page)
        return work

    return _replaced((following, "_store_page", storing), (following, "_advance", lambda state, page: None))


def removed_is_deleted() -> AbstractContextManager[object]:
    """What left a folder is gone, and nobody asks."""
    decide, store_page = following.decide, following._store_page
    gone: list[str] = []

    def deciding(*args: Any, **kwargs: Any) -> Decision:
        decision = decide(*args, **kwargs)
        gone[:], decision.ask = decision.ask, []
        return decision

    def storing(run: Any, state: Any, page: Any, decision: Any, asked: Sequence[Any]) -> Any:
        return store_page(run, state, page, decision, [*asked, *map(Gone, gone)])

    return _replaced((following, "decide", deciding), (following, "_store_page", storing))


def no_version_check() -> AbstractContextManager[object]:
    """Whatever comes last is taken for the newest."""
    return _replaced((messages, "_is_older", lambda have, row: False))


def wrong_folder() -> AbstractContextManager[object]:
    """A listing that names a message has it, however old the row: after A -> B -> A it is in B."""
    is_older = messages._is_older

    def older(have: Any, row: Any) -> bool:
        there = Message.objects.filter(pk=have.id).values_list("folder__remote_id", flat=True).first()
        return is_older(have, row) and there == row.message.folder_id

    return _replaced((messages, "_is_older", older))


def retry_of_a_send() -> AbstractContextManager[object]:
    """A send that was interrupted is simply done again."""

    def forgetting(send: Callable[..., Any]) -> Callable[..., Any]:
        def sent(run: Any, entry: OutboxEntry, composition: Any) -> Any:
            entry.step = ""
            return send(run, entry, composition)

        return sent

    return _replaced((sending, "_attempt", forgetting(sending._attempt)))


def missing_lock() -> AbstractContextManager[object]:
    """Nobody looks whether somebody else is at work on the mailbox, and nobody minds."""
    claim = lanes.claim

    def claiming(mailbox_id: int, owner: str) -> Lane | None:
        Lane.objects.filter(mailbox_id=mailbox_id).update(lease_until=None)
        lane = claim(mailbox_id, owner)
        if lane is not None:
            lane.fence = Lane.objects.values_list("fence", flat=True).get(pk=lane.pk)
        return lane

    return _replaced((lanes, "claim", claiming), (lanes, "hold", lambda lane: None))


def gone_is_empty() -> AbstractContextManager[object]:
    """A lost cursor: the folder is emptied and listed anew."""
    start_over = following._start_over

    def starting(state: Any) -> Callable[[], None]:
        work = start_over(state)

        def emptied() -> None:
            rows = Message.objects.filter(mailbox=state.mailbox, folder__remote_id=state.scope)
            following.store.remove(state.mailbox, list(rows.values_list("remote_id", flat=True)))
            work()

        return emptied

    return _replaced((following, "_start_over", starting))


def dropped_lifecycle() -> AbstractContextManager[object]:
    """What the provider says about its own notifications goes unheard."""
    return _replaced((notified, "_REPAIRS", dict.fromkeys(notified._REPAIRS, (lambda row: None, ()))))


def filtered_listing() -> AbstractContextManager[object]:
    """Listings are asked for with a date filter, which ends after so many without saying so (graph.md 2.12)."""
    listing = source.listing

    def limited(box: Any, scope: str, items: Sequence[str], row: Any, cursor: str | None) -> DeltaPage[Any]:
        return listing(box, scope, items[:FILTER_STOPS_AT] if scope else items, row, cursor)

    return _replaced((source, "listing", limited))


def lost_claims() -> AbstractContextManager[object]:
    """The challenge that ended a sign-in is not kept, so the next one meets it again (product.md CN5)."""
    save = Connection.save

    def saving(self: Connection, *args: Any, **kwargs: Any) -> None:
        self.failure_claims = ""
        save(self, *args, **kwargs)

    return _replaced((Connection, "save", saving))


BUGS: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "cursor before commit": cursor_before_commit,
    "removed = deleted": removed_is_deleted,
    "no version check": no_version_check,
    "retry of a send": retry_of_a_send,
    "missing lock": missing_lock,
    "410 = start empty": gone_is_empty,
    "dropped lifecycle": dropped_lifecycle,
    "filter 5,000": filtered_listing,
    "lost claims": lost_claims,
    "wrong folder on A->B->A": wrong_folder,
}


def bug(name: str) -> AbstractContextManager[object]:
    """The engine with this bug while the block runs; ``""``: as it is."""
    return BUGS[name]() if name else nullcontext()
