"""`mailFolders/{id}/messages/delta`: every round, trap and token of graph.md 2.12.

A first round lists the folder, newest first; later rounds tell what the folder's log says happened since. State
lives in the tokens, so rounds survive restarts and run in parallel. Nothing here is random: what a round does to a
client (replays, empty pages) follows from ticks, so a run can be repeated.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from urllib.parse import quote
from zlib import crc32

from postroom_sandbox.graph.call import Call, bad_request
from postroom_sandbox.graph.filters import Compare, Test, parse_filter
from postroom_sandbox.graph.odata import Options, read_options
from postroom_sandbox.graph.represent import View, page, render, sparse, view_for
from postroom_sandbox.graph.tokens import State, expired, seal, unseal
from postroom_sandbox.http import Response
from postroom_sandbox.store.changes import CREATED, MOVED_IN, READ_STATE, REMOVED, Entry
from postroom_sandbox.store.model import Folder, Message

_JSON = ("Content-Type", "application/json;odata.metadata=minimal;odata.streaming=true;charset=utf-8")
_LINK_LIFE = 3_600  # seconds a nextLink is good for
_CHANGE_TYPES = {"created": {CREATED, MOVED_IN}, "updated": {"U", READ_STATE}, "deleted": {REMOVED}}
_OLDEST = (-(2**62), 0)
_PARAMETERS = ("select", "expand", "filter", "change_type", "top")


def delta_of_all(call: Call) -> Response:
    """GET /me/messages/delta: there is no such thing."""
    message = "Change tracking is not supported against 'microsoft.graph.message'."
    raise bad_request(message, "ErrorInvalidRequest")


def messages_delta(call: Call, folder: str) -> Response:
    """GET /me/mailFolders/{id}/messages/delta."""
    where = call.folder(folder)
    state = _state(call, where)
    options = Options(
        select=tuple(name for name in state.select.split(",") if name),
        expand=read_options({"$expand": state.expand}).expand,
    )
    view = view_for(call, options, typed=True)
    step = _Step(call, where, state, view)
    return step.first_round() if state.first else step.later_round()


def _state(call: Call, folder: Folder) -> State:
    query = {key.lower(): value for key, value in call.request.query.items()}
    token = query.get("$skiptoken") or query.get("$deltatoken") or ""
    if token and token.lower() != "latest":
        state = unseal(token, call.world.secret)
        if state.mailbox != call.mailbox.number or state.folder != folder.number:
            raise bad_request("The sync state belongs to another folder.", "ErrorInvalidSyncStateData")
        _check_age(call, folder, state, is_next="$skiptoken" in query)
        return state if "$skiptoken" in query else _reopened(call, folder, state)
    return _opened(call, folder, query)


def _check_age(call: Call, folder: Folder, state: State, *, is_next: bool) -> None:
    position = state.after if is_next and not state.first else state.until
    stale = is_next and call.world.clock.timestamp() - state.issued > _LINK_LIFE
    if position < folder.log.floor or stale:
        url = f"{call.request.base_url}{call.request.raw_path}"
        raise expired(max(folder.log.floor, call.mailbox.tick), position, url=url)


def _opened(call: Call, folder: Folder, query: dict[str, str]) -> State:
    options = read_options({key: value for key, value in query.items() if key not in ("$deltatoken", "token")})
    if options.search is not None:
        raise bad_request("$search is not supported with delta.", "ErrorInvalidUrlQuery")
    if options.orderby and [(n.lower(), d) for n, d in options.orderby] != [("receiveddatetime", True)]:
        raise bad_request("Only $orderby=receivedDateTime desc is supported with delta.", "ErrorInvalidUrlQuery")
    if options.filter:
        _since(options.filter)
    change_type = query.get("changetype", "").lower()
    if change_type and change_type not in _CHANGE_TYPES:
        raise bad_request(f"Invalid changeType '{change_type}'.", "ErrorInvalidUrlQuery")
    return State(
        mailbox=call.mailbox.number, folder=folder.number, first=True, after=0, until=call.mailbox.tick,
        select=",".join(options.select), expand=query.get("$expand", ""), filter=options.filter,
        change_type=change_type, top=options.top or 0,
    )  # fmt: skip


def _reopened(call: Call, folder: Folder, state: State) -> State:
    """A new round from a deltaLink; some replay the last thing the client was told."""
    after, limits = state.until, call.limits
    told = [] if state.first or state.replayed else folder.log.between(state.after, state.until)
    replayed = bool(told) and _draw(after, "replay") < limits.replays
    if replayed:
        after = max(state.after, told[-1].tick - 1)
    pause = folder.log.last_tick() > state.until and _draw(state.until, "pause") < limits.empty_pages
    fixed = {name: getattr(state, name) for name in _PARAMETERS} | {"pause": pause, "replayed": replayed}
    return State(call.mailbox.number, folder.number, False, after, call.mailbox.tick, **fixed)


def _draw(tick: int, what: str) -> float:
    return crc32(f"{what}{tick}".encode()) / 2**32


def _since(text: str) -> float:
    """The one filter delta knows: `receivedDateTime ge|gt …`. Raises `ApiError` 400 for others."""
    test: Test = parse_filter(text)
    known = isinstance(test, Compare) and test.field.lower() == "receiveddatetime" and test.operator in ("ge", "gt")
    if not (known and isinstance(test, Compare) and isinstance(test.value, float)):
        raise bad_request("Only receivedDateTime ge or gt can filter a delta.", "ErrorInvalidUrlQueryFilter")
    return test.value


@dataclass
class _Step:
    """One page of a round."""

    call: Call
    folder: Folder
    state: State
    view: View

    @property
    def size(self) -> int:
        """How many rows this page may have."""
        return self.state.top or self.call.prefer.page_size or self.call.limits.delta_page

    def first_round(self) -> Response:
        """Part of the listing: newest first, from the position on; a filter stops it at 5,000."""
        state, items = self.state, self.folder.messages.items
        end = self.folder.messages.before(state.position) if state.position else len(items)
        start, room = 0, self.size
        if state.filter:
            start = self.folder.messages.before((int(_since(state.filter) // 1), 0))
            room = min(room, self.call.limits.filtered_delta_cap - state.told)
        chosen = items[max(start, end - room) : end][::-1] if end > start else []
        rows = render(self.call.mailbox, chosen, self.view)
        told = state.told + len(chosen)
        capped = bool(state.filter) and told >= self.call.limits.filtered_delta_cap
        more = end - len(chosen) > start and not capped
        if more and not (state.top and state.told):  # with $top the second page is the last: the trap
            return self._answer(rows, position=chosen[-1].order() if chosen else _OLDEST, told=told)
        return self._answer([] if state.top and state.told else rows)

    def later_round(self) -> Response:
        """Part of what happened: one row per thing changed, removed rows without content."""
        state = self.state
        if state.pause and state.position is None:
            return self._answer([], position=(state.after, 0))
        after = state.position[0] if state.position else state.after
        wanted = _CHANGE_TYPES.get(state.change_type)
        entries = [
            entry
            for entry in self.folder.log.between(after, state.until)
            if wanted is None or entry.kind in wanted
        ]  # fmt: skip
        chosen = list(islice(entries, self.size))
        rows = self._rows(chosen)
        if len(entries) > len(chosen) and not (state.top and state.told):
            return self._answer(rows, position=(chosen[-1].tick, 0), told=state.told + len(chosen))
        return self._answer([] if state.top and state.told else rows)

    def _rows(self, entries: list[Entry]) -> list[bytes]:
        mailbox = self.call.mailbox
        present = {entry: self._present(entry) for entry in entries}
        full = [m for entry, m in present.items() if m is not None and entry.kind != READ_STATE]
        rendered = dict(zip((m.sequence for m in full), render(mailbox, full, self.view), strict=True))
        rows: list[bytes] = []
        doubled: list[bytes] = []
        for entry, message in present.items():
            if message is None:
                rows.append(self._removed(entry))
            elif entry.kind == READ_STATE:
                rows.append(sparse(mailbox, message, self.view))
            elif self._passes(message):
                rows.append(rendered[message.sequence])
                if entry.kind == MOVED_IN and self._is_old(message):
                    doubled.append(rendered[message.sequence])
        return rows + doubled

    def _present(self, entry: Entry) -> Message | None:
        message = self.call.mailbox.places.get(entry.place)
        here = message is not None and message.folder is self.folder and message.sequence == entry.sequence
        return message if here and entry.kind != REMOVED else None

    def _passes(self, message: Message) -> bool:
        return not self.state.filter or message.received >= _since(self.state.filter)

    def _is_old(self, message: Message) -> bool:
        """Old mail moved in is told twice (graph.md 2.12)."""
        newest = self.folder.messages.items[-1]
        doubles = _draw(message.version, "double") < self.call.limits.duplicates
        return doubles and message.received < newest.received

    def _removed(self, entry: Entry) -> bytes:
        ids = self.call.mailbox.ids
        gone = ids.immutable(entry.sequence) if self.view.immutable else ids.default(self.folder.number, entry.place)
        return f'{{"@odata.type":"#microsoft.graph.message","id":"{gone}","@removed":{{"reason":"deleted"}}}}'.encode()

    def _answer(self, rows: list[bytes], *, position: tuple[int, int] | None = None, told: int = 0) -> Response:
        state, call = self.state, self.call
        fixed = {name: getattr(state, name) for name in (*_PARAMETERS, "replayed")}
        issued = int(call.world.clock.timestamp())
        following = State(
            state.mailbox, state.folder, state.first, state.after, state.until, position, told, issued=issued, **fixed
        )
        if position is None:
            self._remember(state.until)
        name = "$deltatoken" if position is None else "$skiptoken"
        link = f"{call.request.base_url}{call.request.raw_path}?{name}={quote(seal(following, call.world.secret))}"
        tail = {"@odata.deltaLink" if position is None else "@odata.nextLink": link}
        selected = f"({','.join(self.view.select)})" if self.view.select else ""
        what = f"mailFolders('{call.mailbox.ids.folder(self.folder.number)}')/messages{selected}/$delta"
        body = page(call.context(what), rows, tail)
        applied = ["odata.track-changes"]
        applied += [f"odata.maxpagesize={call.prefer.page_size}"] if call.prefer.page_size else []
        return Response(200, body, [_JSON, ("Preference-Applied", ", ".join(applied))])

    def _remember(self, tick: int) -> None:
        """Keeps the newest generations; the oldest die when there are too many."""
        log = self.folder.log
        if not log.issued or log.issued[-1] < tick:
            log.issued.append(tick)
        while len(log.issued) > max(1, self.call.limits.delta_generations):
            log.issued.popleft()
            log.floor = max(log.floor, log.issued[0])
            self.call.mailbox.save_folder(self.folder)
