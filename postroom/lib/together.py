"""Calls that arrive while another is being served are served together, by whichever of them comes next.

What costs the same for one as for many (a commit that waits for the disk) then costs once for all that wait: the more
callers, the larger their batches, and nobody waits for more than two turns.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(eq=False)
class _Call(Generic[T]):
    items: Sequence[T]
    served: bool = False
    problem: Exception | None = None


class Together(Generic[T]):
    """``keep = Together(serve)``; then ``keep(items)`` in any number of threads returns once its items were served.

    ``serve`` gets the items of all waiting callers, in the order in which they came, and runs in the thread of one of
    them, never twice at once. What it raises each of them gets; but where that is one of ``blame``, which says that
    something is wrong with an item, every call is served again by itself, so that only the guilty one fails. ``serve``
    must bear to be given an item twice.
    """

    def __init__(self, serve: Callable[[list[T]], object], *, blame: tuple[type[Exception], ...] = ()) -> None:
        self._serve, self._blame = serve, blame
        self._turn, self._gate = threading.Lock(), threading.Lock()
        self._thread: Executor | None = None
        self._waiting: list[_Call[T]] = []

    def __call__(self, items: Sequence[T]) -> None:
        call = _Call(items)
        with self._gate:
            self._waiting.append(call)
        if self._thread is None:
            self._take_turn(call)
        else:
            self._thread.submit(self._take_turn, call).result()
        if call.problem is not None:
            raise call.problem

    def in_a_thread(self, name: str, *, first: Callable[[], object]) -> None:
        """From now on ``serve`` runs in one thread of its own, with one database connection however many call. What
        would make the first caller wait is done there now, by ``first``."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._thread.submit(first)

    def _take_turn(self, call: _Call[T]) -> None:
        with self._turn:
            if not call.served:
                self._serve_waiting()

    def _serve_waiting(self) -> None:
        with self._gate:
            calls, self._waiting = self._waiting, []
        try:
            self._serve([item for call in calls for item in call.items])
        except self._blame:
            for call in calls:
                self._serve_alone(call)
        except Exception as problem:  # each caller raises it for itself
            for call in calls:
                call.problem = problem
        finally:
            for call in calls:
                call.served = True

    def _serve_alone(self, call: _Call[T]) -> None:
        try:
            self._serve(list(call.items))
        except Exception as problem:  # the caller raises it
            call.problem = problem
