"""How much of a mailbox we may ask for at once: one budget per mailbox, shared by everything in this process.

Microsoft allows one app 4 requests at a time and 10,000 per 10 minutes on one mailbox (graph.md 4). Ordinary work
gets three of the four places so that a person who clicks never waits behind a backfill; who waits is served in
order of ``Urgency``, then of arrival. ``Retry-After`` pauses the whole mailbox.

Other processes have budgets of their own. That is enough: one worker holds a mailbox's lanes at a time, and what the
web process asks besides (an attachment, a probe) is a request of a person, for which the fourth place is kept. Should
the sum still be too much, the provider says 429 and the pause sorts it out.
"""

import heapq
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from postroom.providers.contract import Urgency
from postroom.providers.errors import Throttled

AT_ONCE = 4
RESERVED = 1  # of them, for Urgency.USER
REQUESTS, WINDOW = 10_000, 600.0  # requests per seconds
PATIENCE = 20.0  # seconds a caller is kept waiting for a pause to end before it is told to come back

Wait = Callable[[threading.Condition, float | None], object]


class Budget:
    """The places and the allowance of one mailbox. Thread-safe. ``clock`` counts seconds and never goes back."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        wait: Wait = lambda condition, seconds: condition.wait(seconds),
        requests: int = REQUESTS,
    ) -> None:
        self._clock = clock
        self._wait = wait
        self._allowance = requests
        self._changed = threading.Condition()
        self._queue: list[tuple[int, int]] = []  # (urgency, ticket); the head goes first
        self._tickets = 0
        self._in_use = 0
        self._spent: deque[tuple[float, int]] = deque()  # (when, requests), oldest first
        self._spent_sum = 0
        self._paused_until = 0.0
        self.calls = 0  # HTTP calls made so far: what an operator counts
        self.requests = 0  # requests as the provider counts them: a batch of 20 is 20

    @contextmanager
    def place(
        self, urgency: Urgency, *, requests: int = 1, width: int = 1, patience: float = PATIENCE
    ) -> Iterator[None]:
        """Hold ``width`` of the places while the block talks to the provider, and spend ``requests``.

        Raises ``Throttled`` with ``retry_after`` when a pause or a spent allowance outlasts ``patience`` seconds.
        """
        with self._changed:
            self._enter(urgency, requests=requests, width=width, patience=patience)
        try:
            yield
        finally:
            with self._changed:
                self._in_use -= width
                self._changed.notify_all()

    def pause(self, seconds: float) -> None:
        """Nobody asks this mailbox anything for ``seconds`` (the provider's ``Retry-After``)."""
        with self._changed:
            self._paused_until = max(self._paused_until, self._clock() + seconds)
            self._changed.notify_all()

    @property
    def paused_for(self) -> float:
        """Seconds until the mailbox may be asked again; 0 when it may be asked now ("slowed by Microsoft")."""
        return max(0.0, self._paused_until - self._clock())

    @property
    def spent(self) -> int:
        """Requests within the provider's window, as far as this process made them."""
        with self._changed:
            self._until_allowed(0)  # forgets what is older than the window
            return self._spent_sum

    def _enter(self, urgency: Urgency, *, requests: int, width: int, patience: float) -> None:
        self._tickets += 1
        ticket = (int(urgency), self._tickets)
        heapq.heappush(self._queue, ticket)
        try:
            while delay := self._delay(ticket, urgency, requests=requests, width=width):
                if patience < delay < math.inf:
                    raise Throttled("the mailbox is slowed by its provider", retry_after=delay)
                self._wait(self._changed, None if delay == math.inf else delay)
        finally:
            self._queue.remove(ticket)
            heapq.heapify(self._queue)
            self._changed.notify_all()
        self._in_use += width
        self._spend(requests)

    def _delay(self, ticket: tuple[int, int], urgency: Urgency, *, requests: int, width: int) -> float:
        """Seconds to wait; 0 = go now; infinity = until somebody leaves."""
        if pause := self.paused_for:
            return pause
        if quota := self._until_allowed(requests):
            return quota
        # A wide call (a batch runs up to four requests at once) takes the reserved place too, when it is free.
        places = AT_ONCE if urgency is Urgency.USER or width > AT_ONCE - RESERVED else AT_ONCE - RESERVED
        first = self._queue[0] == ticket
        return 0.0 if first and self._in_use + width <= places else math.inf

    def _until_allowed(self, requests: int) -> float:
        now = self._clock()
        while self._spent and self._spent[0][0] <= now - WINDOW:
            self._spent_sum -= self._spent.popleft()[1]
        missing = self._spent_sum + requests - self._allowance
        for when, count in self._spent if missing > 0 else ():
            missing -= count
            if missing <= 0:
                return when + WINDOW - now
        return 0.0

    def _spend(self, requests: int) -> None:
        self.calls += 1
        self.requests += requests
        self._spent_sum += requests
        when = math.floor(self._clock()) + 1.0  # one entry per second keeps the window small
        if self._spent and self._spent[-1][0] == when:
            requests += self._spent.pop()[1]
        self._spent.append((when, requests))


_budgets: dict[str, Budget] = {}
_lock = threading.Lock()


def budget_of(mailbox_key: str) -> Budget:
    """The budget of a mailbox in this process; the same object for the same key."""
    with _lock:
        return _budgets.setdefault(mailbox_key, Budget())


def budgets() -> dict[str, Budget]:
    """Every budget of this process, by mailbox key: what an operator looks at."""
    with _lock:
        return dict(_budgets)


def forget() -> None:
    """Start anew, as a new process does."""
    with _lock:
        _budgets.clear()
