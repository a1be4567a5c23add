"""What several parts of the contract suite do: whole rounds, whole pulls, a message to send."""

from collections.abc import Callable, Iterator
from threading import Event
from typing import Any, TypeVar

from postroom.providers.contract import (
    Address,
    DeltaPage,
    FolderRole,
    MailSource,
    Outgoing,
    OutgoingAttachment,
    RemoteMessage,
    Removed,
    Unusable,
    Urgency,
)
from tests.contract.worlds import NUMBERS, World

T = TypeVar("T")


def round_of(listing: Callable[[str | None], DeltaPage[T]], cursor: str | None = None) -> tuple[list[T], str]:
    """A whole round of changes and the cursor for the next one."""
    items: list[T] = []
    for _ in range(500):
        page = listing(cursor)
        assert (page.next is None) is (page.done is not None), "exactly one of next and done"
        items += page.items
        if page.done is not None:
            return items, page.done
        cursor = page.next
    raise AssertionError("the round does not end")


def folder_of(source: MailSource, role: FolderRole) -> str:
    return next(identifier for identifier, found in source.roles().items() if found is role)


def spine(source: MailSource, folder: str, cursor: str | None = None) -> tuple[list[RemoteMessage | Removed], str]:
    return round_of(lambda at: source.spine(folder, at, urgency=Urgency.DELTA), cursor)


def pulled(source: Callable[[], MailSource], **options: Any) -> list[RemoteMessage | Unusable]:
    items: list[RemoteMessage | Unusable] = []
    cursor: str | None = None
    for _ in range(500):
        page = source().pull(cursor=cursor, **(options if cursor is None else {}))
        items += page.items
        if page.next is None:
            return items
        cursor = page.next
    raise AssertionError("the pull does not end")


def eventually(call: Callable[[], T | None]) -> T:
    """What ``call`` gives once it gives something: providers move a sent draft a little later."""
    pause = Event()
    for _ in range(200):
        found = call()
        if found is not None:
            return found
        pause.wait(0.05)
    raise AssertionError("it never happened")


def outgoing(world: World, **changed: Any) -> Outgoing:
    number = next(NUMBERS)
    given: dict[str, Any] = {
        "marker": f"mark-{number}",
        "internet_message_id": f"<out-{number}@postroom.example>",
        "subject": "Offer",
        "html": "<p>Here it is</p>",
        "to": (Address(world.colleague, "Ben"),),
        **changed,
    }
    return Outgoing(**given)


def file(content: bytes, name: str = "offer.pdf") -> OutgoingAttachment:
    def open_at(start: int = 0) -> Iterator[bytes]:
        for at in range(start, len(content), 65_536):
            yield content[at : at + 65_536]

    return OutgoingAttachment(name=name, content_type="application/pdf", size=len(content), open=open_at)


def a_purged_message(world: World) -> str:
    identifier = world.deliver()
    world.purge(identifier)
    return identifier


def sent_of(world: World, out: Outgoing) -> RemoteMessage:
    def look() -> RemoteMessage | None:
        found = world.source().find_sent(marker=out.marker, internet_message_id=out.internet_message_id)
        return found if found and found.is_draft is False else None

    return eventually(look)


def arrived(world: World, subject: str = "Offer") -> RemoteMessage:
    def look() -> RemoteMessage | None:
        items = pulled(lambda: world.source(world.colleague))
        return next((one for one in items if isinstance(one, RemoteMessage) and one.subject == subject), None)

    return eventually(look)
