"""What every part of a mailbox's connector holds: the way to Graph and where the mailbox is in it."""

from typing import TypeVar

from postroom.providers.contract import DeltaPage, Unusable, Urgency
from postroom.providers.errors import CursorExpired, Malformed, Refused
from postroom.providers.microsoft.client import Graph, segment

T = TypeVar("T")


class Mailbox:
    """``address`` names a shared mailbox; without it the mailbox is the signed-in account's own (graph.md 6)."""

    def __init__(self, graph: Graph, address: str | None = None) -> None:
        self._graph = graph
        self._shared = bool(address)
        self._root = f"/users/{segment(address)}" if address else "/me"

    def _message(self, message_id: str, rest: str = "") -> str:
        return f"{self._root}/messages/{segment(message_id)}{rest}"

    def _folder(self, folder_id: str, rest: str = "") -> str:
        return f"{self._root}/mailFolders/{segment(folder_id)}{rest}"

    def _delta_page(
        self, path: str, item: type[T], *, urgency: Urgency, prefer: str, begun: bool
    ) -> DeltaPage[T | Unusable]:
        """One page of a delta round. A cursor the provider does not understand is as dead as an expired one.

        A page may be empty and still lead on; headers are not part of the links and are sent each time (graph.md 2.12).
        """
        try:
            page = self._graph.page(path, item, urgency=urgency, prefer=prefer)
        except Refused as error:
            if not begun or error.status != 400:
                raise
            raise CursorExpired(str(error), code=error.code, status=error.status) from None
        if not page.next_link and not page.delta_link:
            raise Malformed("a page of changes that neither goes on nor ends")
        return DeltaPage(
            items=tuple(page.value),
            next=self._graph.follow(page.next_link) if page.next_link else None,
            done=self._graph.follow(page.delta_link) if page.delta_link and not page.next_link else None,
        )
