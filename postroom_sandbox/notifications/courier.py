"""Carries notifications to webhooks: in batches, with retries, from a thread of its own (graph.md 3.5, 3.6).

Only loopback addresses are ever contacted.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import json
import secrets
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx2

from .endpoint_state import EndpointState

if TYPE_CHECKING:
    from ..world import World

COALESCE = 0.004  # seconds changes are gathered before a POST
BATCH = 100
FIRST_TIMEOUT, RETRY_TIMEOUT, VALIDATION_TIMEOUT = 3.0, 10.0, 10.0
WATCH_EVERY = 5.0
GIVE_UP = 4 * 3600.0
REORDER_BY = 0.15
_TICK = 0.25  # how often waiting work looks at the world's clock, which a test may move
_LOG = 20_000


@dataclass
class Parcel:
    """One POST's worth of items for one URL."""

    url: str
    items: list[dict[str, Any]]
    kind: str
    caused: float  # real time of the oldest change in it
    born: float  # the world's time
    attempt: int = 0


@dataclass(order=True)
class _Waiting:
    due: float
    number: int
    parcel: Parcel = field(compare=False)


class Courier:
    """A thread with an event loop, begun when there is something to do.

    `lost(items)` is called for what could not be delivered, `every()` each few seconds.
    """

    def __init__(
        self, world: World, *, lost: Callable[[list[dict[str, Any]]], None], every: Callable[[], None]
    ) -> None:
        self._world = world
        self._lost = lost
        self._every = every
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: httpx2.AsyncClient | None = None
        self._thread: threading.Thread | None = None
        self._start = threading.Lock()
        self._gathered: dict[tuple[str, str], Parcel] = {}
        self._waiting: list[_Waiting] = []
        self._running: set[asyncio.Task[None]] = set()
        self._numbers = itertools.count(1)
        self._states: dict[str, EndpointState] = {}
        self._ticking: asyncio.TimerHandle | None = None
        self.idle = threading.Event()
        self.idle.set()
        self.log: deque[dict[str, Any]] = deque(maxlen=_LOG)

    # -- the thread

    def _ready(self) -> asyncio.AbstractEventLoop:
        with self._start:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._run, name="notifications", daemon=True)
                self._thread.start()
            return self._loop

    def _run(self) -> None:
        loop = self._loop
        assert loop is not None
        asyncio.set_event_loop(loop)
        limits = httpx2.Limits(max_connections=64, max_keepalive_connections=16)
        self._client = httpx2.AsyncClient(trust_env=False, follow_redirects=False, limits=limits)
        loop.call_later(WATCH_EVERY, self._watch)
        loop.run_forever()
        loop.run_until_complete(self._close())
        loop.close()

    def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            self._every()
        except sqlite3.ProgrammingError:  # the world was closed under us
            loop.stop()
            return
        loop.call_later(WATCH_EVERY, self._watch)

    def stop(self) -> None:
        """Ends the thread; what waits is lost, as when Graph's own machines fail."""
        with self._start:
            loop, thread, self._loop, self._thread = self._loop, self._thread, None, None
        if loop and thread and thread.is_alive():
            loop.call_soon_threadsafe(loop.stop)
            thread.join(5)

    async def _close(self) -> None:
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        if self._client:
            await self._client.aclose()

    # -- handing over (any thread)

    def hand_over(self, url: str, item: dict[str, Any], *, kind: str = "notification", delay: float = 0.0) -> None:
        """One item for a URL; items handed over within a few milliseconds travel together."""
        self.idle.clear()
        born = self._world.clock.timestamp()
        loop = self._ready()
        loop.call_soon_threadsafe(self._take, Parcel(url, [item], kind, time.time(), born), delay)

    def poke(self) -> None:
        """The world's clock was moved: looks at once at what is due."""
        if self._loop:
            self._loop.call_soon_threadsafe(self._tick)

    def validate(self, url: str) -> Future[str]:
        """The handshake (graph.md 3.5); the result is "" or why it failed."""
        return asyncio.run_coroutine_threadsafe(self._validate(url), self._ready())

    # -- on the loop

    def _take(self, parcel: Parcel, delay: float) -> None:
        loop = asyncio.get_running_loop()
        now = self._world.clock.timestamp()
        state = self._state(parcel.url).state(now)
        if state == "drop":
            self._give_up(parcel, "discarded: the endpoint is in the drop state")
            return
        if state == "slow":
            self._later(parcel, now + 600)
        elif delay:
            loop.call_later(delay, self._gather, parcel)
        else:
            self._gather(parcel)

    def _gather(self, parcel: Parcel) -> None:
        key = parcel.url, parcel.kind
        known = self._gathered.get(key)
        if known is None:
            self._gathered[key] = parcel
            asyncio.get_running_loop().call_later(COALESCE, self._dispatch, key)
            return
        known.items.extend(parcel.items)
        if len(known.items) >= BATCH:
            self._dispatch(key)

    def _dispatch(self, key: tuple[str, str]) -> None:
        parcel = self._gathered.pop(key, None)
        if parcel:
            self._go(parcel)

    def _go(self, parcel: Parcel) -> None:
        task = asyncio.get_running_loop().create_task(self._deliver(parcel))
        self._running.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not (self._running or self._gathered or self._waiting):
            self.idle.set()

    async def _deliver(self, parcel: Parcel) -> None:
        timeout = RETRY_TIMEOUT if parcel.attempt else FIRST_TIMEOUT
        sent, begun = time.time(), time.perf_counter()
        status, problem = await self._post(parcel.url, json.dumps({"value": parcel.items}).encode(), timeout)
        took = time.perf_counter() - begun
        now = self._world.clock.timestamp()
        self._state(parcel.url).answered(now, took)
        self._note(parcel, sent=sent, took=took, status=status, problem=problem)
        if 200 <= status < 300:
            return
        parcel.attempt += 1
        due = now + min(2.0**parcel.attempt, 600.0)
        if due > parcel.born + GIVE_UP:
            self._give_up(parcel, "given up after four hours")
        else:
            self._later(parcel, due)

    async def _post(self, url: str, body: bytes, timeout: float) -> tuple[int, str]:
        assert self._client is not None
        try:
            headers = {"Content-Type": "application/json", "User-Agent": "Sandbox-Notifications/1.0"}
            response = await self._client.post(url, content=body, headers=headers, timeout=timeout)
        except httpx2.TimeoutException:
            return 0, f"no answer within {timeout:g} s"
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            return 0, type(error).__name__
        return response.status_code, ""

    async def _validate(self, url: str) -> str:
        assert self._client is not None
        token = f"Validation: {secrets.token_urlsafe(12)} + % / {secrets.token_hex(4)}"
        address = f"{url}{'&' if '?' in url else '?'}validationToken={quote(token, safe='')}"
        begun, status = time.perf_counter(), 0
        try:
            headers = {"Content-Type": "text/plain; charset=utf-8"}
            response = await self._client.post(address, content=b"", headers=headers, timeout=VALIDATION_TIMEOUT)
            status, problem = response.status_code, _judge(response, token)
        except httpx2.TimeoutException:
            problem = "The operation has timed out."
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            problem = f"The endpoint could not be reached ({type(error).__name__})."
        parcel = Parcel(url, [], "validation", time.time(), self._world.clock.timestamp())
        self._note(parcel, sent=time.time(), took=time.perf_counter() - begun, status=status, problem=problem)
        return problem

    def _later(self, parcel: Parcel, due: float) -> None:
        heapq.heappush(self._waiting, _Waiting(due, next(self._numbers), parcel))
        self._rest(self._world.clock.timestamp())

    def _rest(self, now: float) -> None:
        """Sleep until a parcel is due (each goes at its own time, not in herds) or the clock was perhaps moved."""
        if self._ticking:
            self._ticking.cancel()
            self._ticking = None
        if self._waiting:
            pause = min(max(self._waiting[0].due - now, 0.005), _TICK)
            self._ticking = asyncio.get_running_loop().call_later(pause, self._tick)

    def _tick(self) -> None:
        now = self._world.clock.timestamp()
        while self._waiting and self._waiting[0].due <= now:
            self._go(heapq.heappop(self._waiting).parcel)
        self._rest(now)

    def _give_up(self, parcel: Parcel, why: str) -> None:
        self._note(parcel, sent=time.time(), took=0.0, status=0, problem=why)
        if parcel.kind == "notification":
            self._lost(parcel.items)
        if not (self._running or self._gathered or self._waiting):
            self.idle.set()

    def _state(self, url: str) -> EndpointState:
        return self._states.setdefault(url.partition("?")[0], EndpointState())

    # -- the record

    def _note(self, parcel: Parcel, *, sent: float, took: float, status: int, problem: str) -> None:
        """One line of the log. `t` is the real time the POST was begun, in seconds since 1970."""
        entry = {
            "n": next(self._numbers),
            "kind": parcel.kind,
            "url": parcel.url,
            "t_change": parcel.caused,
            "t": sent,
            "ms": round(took * 1000, 3),
            "attempt": parcel.attempt + 1,
            "status": status,
            "problem": problem,
            "items": [{key: value for key, value in item.items() if key != "clientState"} for item in parcel.items],
        }
        self.log.append(entry)

    def lines(self, since: int) -> Iterator[bytes]:
        """The log as JSON lines with `n > since`."""
        for entry in list(self.log):
            if entry["n"] > since:
                yield json.dumps(entry).encode() + b"\n"

    def states(self) -> dict[str, str]:
        """Endpoint -> `normal`, `slow` or `drop`."""
        now = self._world.clock.timestamp()
        return {url: state.state(now) for url, state in self._states.items()}


def _judge(response: httpx2.Response, token: str) -> str:
    """ "" when the handshake was answered rightly, else what is wrong with the answer."""
    if response.status_code != 200:
        return f"The server returned status {response.status_code}."
    if not response.headers.get("content-type", "").lower().startswith("text/plain"):
        return "The content type of the answer is not text/plain."
    return "" if response.text == token else "The answer is not the decoded validation token."
