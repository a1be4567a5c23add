"""Reading mail: the spine, whole messages by date, single ones, bytes. Source: graph.md 2.3, 2.7, 2.8, 2.10, 2.12."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from re import compile

from msgspec import UNSET, DecodeError, Raw, Struct, json

from postroom.providers.contract import (
    DeltaPage,
    Gone,
    Page,
    RemoteMessage,
    Removed,
    Unusable,
    Urgency,
)
from postroom.providers.errors import Malformed, NotFound, ProviderError, Refused, Transient
from postroom.providers.microsoft.client import Ask, Graph, path_of, segment, took_too_long
from postroom.providers.microsoft.decode import Listing, decode_item
from postroom.providers.microsoft.mailbox import Mailbox
from postroom.providers.microsoft.messages import (
    ATTACHMENTS,
    STATE,
    STATE_QUERY,
    WHOLE,
    WHOLE_QUERY,
    WireMessage,
    message,
    whole_message,
)

SPINE_PAGE = "odata.maxpagesize=500"  # rows without bodies, about 1 KB each; larger pages gain nothing measurable
PULL_MOST, PULL_LEAST = 100, 10  # messages with bodies in a page; halved when a page takes Microsoft too long
SECOND = timedelta(seconds=1)
_WORD, _MOST_WORDS = compile(r"\w+"), 12  # of a subject, in a search: signs mean something there
_NEVER = datetime(1, 1, 1, tzinfo=UTC)


class Window(Struct, omit_defaults=True):
    """The cursor of ``pull``: the date below which it goes on, so it never ages and does not shift under new mail.

    ``until`` is exclusive. ``had`` are the messages of its last second that were in the page before. ``link`` is set
    only inside a page-long run of messages of one second, which no date can divide.
    """

    until: datetime | None = None
    since: datetime | None = None
    had: tuple[str, ...] = ()
    link: str = ""


class Reading(Mailbox):
    def __init__(self, graph: Graph, address: str | None = None) -> None:
        super().__init__(graph, address)
        self._top = PULL_MOST

    def spine(
        self, folder_id: str, cursor: str | None = None, *, urgency: Urgency = Urgency.BACKFILL
    ) -> DeltaPage[RemoteMessage | Removed]:
        first = self._folder(folder_id, f"/messages/delta{path_of(select=STATE, orderby='receivedDateTime desc')}")
        page = self._delta_page(
            cursor or first, WireMessage, urgency=urgency, prefer=SPINE_PAGE, begun=cursor is not None
        )
        return DeltaPage(items=tuple(map(_row, page.items)), next=page.next, done=page.done)

    def pull(
        self,
        *,
        cursor: str | None = None,
        before: datetime | None = None,
        since: datetime | None = None,
        urgency: Urgency = Urgency.BACKFILL,
    ) -> Page[RemoteMessage | Unusable]:
        window = _window(cursor) if cursor else Window(until=_after(before), since=since)
        page = self._slowing_down(window, urgency)
        items = tuple(_whole(wire) for wire in page.value if wire.id not in window.had)
        return Page(items=items, next=self._onward(window, page))

    def _slowing_down(self, window: Window, urgency: Urgency) -> Listing[WireMessage | Unusable]:
        """The page of ``window``. A page that takes too long is asked for again at half the size, down to 10."""
        while True:
            smaller = max(PULL_LEAST, self._top // 2) if not window.link else self._top
            path = window.link or self._dated(window)
            try:
                page = self._graph.page(path, WireMessage, urgency=urgency, hasty=smaller < self._top)
            except Transient as error:
                if smaller == self._top or not took_too_long(error):
                    raise
                self._top = smaller
            else:
                self._top = min(PULL_MOST, self._top + PULL_LEAST)
                return page

    def _dated(self, window: Window) -> str:
        # What is sorted by has to come first in the filter, or Graph refuses both (graph.md 2.3).
        clauses = [f"receivedDateTime lt {_iso(window.until)}"] if window.until else []
        clauses += [f"receivedDateTime ge {_iso(window.since)}"] if window.since else []
        order = "receivedDateTime desc"
        options = path_of(filter=" and ".join(clauses), orderby=order, top=self._top, select=WHOLE, expand=ATTACHMENTS)
        return f"{self._root}/messages{options}"

    def _onward(self, window: Window, page: Listing[WireMessage | Unusable]) -> str | None:
        """The next cursor. A short or empty page is not the last one: only a page without a link is (graph.md 2.3)."""
        if not page.next_link:
            return None
        dated = [wire for wire in page.value if isinstance(wire, WireMessage) and wire.received]
        seconds = [wire.received.replace(microsecond=0) for wire in dated if wire.received]
        if not seconds or seconds[0] == seconds[-1]:
            onward = Window(since=window.since, had=window.had, link=self._graph.follow(page.next_link))
        else:
            last = seconds[-1]
            had = tuple(wire.id for wire, second in zip(dated, seconds, strict=True) if second == last)
            onward = Window(until=last + SECOND, since=window.since, had=had)
        return json.encode(onward).decode()

    def get(
        self, ids: Sequence[str], *, whole: bool = True, urgency: Urgency = Urgency.PUSH
    ) -> list[RemoteMessage | Gone | Unusable]:
        query = WHOLE_QUERY if whole else STATE_QUERY
        asks = [Ask(path=self._message(identifier, query)) for identifier in ids]
        outcomes = self._graph.batch(asks, urgency=urgency)
        arrived = any(isinstance(outcome, Raw) for outcome in outcomes)
        answers = zip(ids, outcomes, strict=True)
        return [_found(identifier, outcome, others_arrived=arrived, whole=whole) for identifier, outcome in answers]

    def find(self, *, internet_message_id: str = "", subject: str = "", most: int = 10) -> list[RemoteMessage]:
        """By Message-ID with a filter; by subject with a search, which takes no filter or order (graph.md 2.3)."""
        if internet_message_id:
            literal = internet_message_id.replace("'", "''")
            query = path_of(filter=f"internetMessageId eq '{literal}'", select=STATE, top=most)
        elif words := _WORD.findall(subject):
            asked = " AND ".join(f"subject:{word}" for word in words[:_MOST_WORDS])
            query = path_of(search=f'"{asked}"', select=STATE, top=most)
        else:
            return []
        page = self._graph.page(f"{self._root}/messages{query}", WireMessage, urgency=Urgency.USER)
        found = [message(wire) for wire in page.value if not isinstance(wire, Unusable)]
        return sorted(found, key=lambda one: one.received or _NEVER, reverse=True)[:most]

    def mime(self, message_id: str) -> Iterator[bytes]:
        return self._graph.stream(self._message(message_id, "/$value"))

    def attachment(self, message_id: str, attachment_id: str) -> Iterator[bytes]:
        """The bytes of a file; of an attached item its MIME, iCalendar or vCard (graph.md 2.10)."""
        return self._graph.stream(self._message(message_id, f"/attachments/{segment(attachment_id)}/$value"))


def _row(wire: WireMessage | Unusable) -> RemoteMessage | Removed:
    """A row of the spine. Of one that cannot be read only the id is told: the pull will say what is wrong with it."""
    if isinstance(wire, Unusable):
        return RemoteMessage(id=wire.id)
    return Removed(wire.id) if wire.removed is not UNSET else message(wire)


def _whole(wire: WireMessage | Unusable) -> RemoteMessage | Unusable:
    return wire if isinstance(wire, Unusable) else whole_message(wire)


def _found(
    identifier: str, outcome: Raw | ProviderError, *, others_arrived: bool, whole: bool
) -> RemoteMessage | Gone | Unusable:
    """One answer of ``get``. What is wrong with one message only must not hold up the others (SY15)."""
    match outcome:
        case Raw():
            wire = decode_item(outcome, WireMessage)
            if isinstance(wire, Unusable):
                return Unusable(identifier, wire.reason)
            return whole_message(wire) if whole else message(wire)
        case NotFound():
            return Gone(identifier)
        case Refused() as error:
            return Unusable(identifier, f"refused by Microsoft: {error.code}")
        case Transient(status=500, code=code) if others_arrived:
            return Unusable(identifier, f"Microsoft cannot read it: {code}")
        case error:
            raise error


def _window(cursor: str) -> Window:
    try:
        return json.decode(cursor, type=Window)
    except (DecodeError, UnicodeEncodeError):
        raise Malformed("not a cursor of this provider") from None


def _after(moment: datetime | None) -> datetime | None:
    """The end of ``moment``'s second: dates are told in whole seconds but kept finer, so ``le`` would miss some."""
    return moment and moment.astimezone(UTC).replace(microsecond=0) + SECOND


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
