"""Workers that run the real engine, one moment at a time, in one thread on one database connection.

A worker is a greenlet. Right before and after every request to the provider, every commit and every statement outside
a transaction it comes to a *moment*: there it may be put aside for another worker, killed, or lose its database. So
any interleaving of any number of workers can be made, and made again.

The whole history is one transaction that is rolled back at its end; the engine's transactions are savepoints in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import Any
from unittest.mock import patch

from django.db import DatabaseError, OperationalError, connections, transaction
from greenlet import getcurrent, greenlet
from psycopg.pq import ExecStatus

from postroom.sync import lanes, runner
from postroom.sync.models import Lane

_LASTING = ("UPDATE", "INSERT", "DELETE")
_OF_LOCKS = "SELECT pg_advisory_xact_lock"
ENDLESS = 1_000_000_000
MOST = 20_000  # moments after which a run is taken for one that never ends


class Killed(BaseException):
    """kill -9: nothing between this moment and the end of the process runs, as far as Python can do that."""


class NeverEnds(BaseException):
    """A run goes round and round."""


class Worker:
    """One process of Postroom. ``mailbox_id`` is what it works on, ``fate`` in how many moments it meets its end."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.mailbox_id: int | None = None
        self.lane: Lane | None = None
        self.left = 0
        self.passed = 0
        self.fate = 0
        self.how = "kill"
        self.cut = False  # its connection to the database is gone
        self.frozen = False  # the process stands still: no step, and no beat of its lease
        self.failed: BaseException | None = None
        self.done = False
        self.job: Callable[[], object] = lambda: None
        self._greenlet: greenlet | None = None

    @property
    def busy(self) -> bool:
        return self._greenlet is not None

    def begin(self, mailbox_id: int) -> None:
        """What a wake-up for a mailbox does."""
        self.do(partial(runner.run_mailbox, mailbox_id))
        self.mailbox_id = mailbox_id

    def do(self, job: Callable[[], object]) -> None:
        self.job, self.cut, self.failed, self.done, self.passed = job, False, None, False, 0
        self._greenlet = greenlet(self._work)

    def _work(self) -> None:
        try:
            self.job()
            self.done = True
        except Killed:
            pass
        except OperationalError as lost:
            if not self.cut:
                self.failed = lost
        except (Exception, NeverEnds) as trouble:  # what ends a worker is a finding, whatever it is
            self.failed = trouble
        finally:
            self._greenlet, self.mailbox_id, self.lane, self.fate = None, None, None, 0


class Workers:
    """The scheduler. ``run`` lets one worker go on for some moments."""

    def __init__(self, count: int) -> None:
        self.all = [Worker(number) for number in range(count)]
        self.web = Worker(count)  # takes notifications in, when it shall die of it
        self.current: Worker | None = None
        self.moments = 0
        self._undone = ""

    def run(self, worker: Worker, moments: int = ENDLESS) -> None:
        """Let a busy worker pass ``moments``, or less when it has no more to do."""
        if worker._greenlet is None or worker.frozen:
            return
        worker.left, self.current = moments, worker
        worker._greenlet.switch()
        self.current = None

    def kill(self, worker: Worker) -> None:
        """Now, where it stands."""
        if worker._greenlet is not None:
            self.current = worker
            worker.fate, worker.left, worker.how = 0, ENDLESS, "kill"
            worker._greenlet.throw(Killed())
            worker._greenlet, self.current = None, None

    def drop_connections(self) -> None:
        """The database restarts: whoever is at work finds out at its next statement."""
        for worker in self.all:
            worker.cut = worker.busy

    def beat(self) -> None:
        """Leases of those at work are renewed, as their heartbeats would have done meanwhile."""
        for worker in self.all:
            if worker.busy and worker.lane is not None and not worker.frozen and not worker.cut:
                with suppress(lanes.LeaseLost):
                    lanes.renew(worker.lane)

    def moment(self, *, aside: bool = True) -> None:
        """Called by what is hooked below. ``aside``: another worker may go on here (no transaction is open)."""
        worker = self.current
        if worker is None:
            return
        self.moments += 1
        if worker.fate:
            worker.fate -= 1
            if not worker.fate:
                if worker.how == "kill":
                    raise Killed
                worker.cut = True
        worker.passed += 1
        if worker.passed > MOST:
            raise NeverEnds(f"a worker at {worker.mailbox_id} passed {MOST} moments")
        worker.left -= 1
        if aside and worker.left <= 0:
            parent = getcurrent().parent
            assert parent is not None
            parent.switch()
            self.current = worker

    # -- hooks

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Every moment of the engine comes here while the block runs."""
        database = connections["default"]
        with ExitStack() as stack:
            for name, hook in (
                ("savepoint_commit", self._committing(database)),
                ("savepoint_rollback", self._rolling_back(database)),
                ("ensure_connection", self._ensuring(database)),
                ("_savepoint", _plainly(database, database.ops.savepoint_create_sql)),
                ("_savepoint_commit", _plainly(database, database.ops.savepoint_commit_sql)),
                ("_savepoint_rollback", _plainly(database, database.ops.savepoint_rollback_sql)),
            ):
                stack.enter_context(patch.object(database, name, hook))
            stack.enter_context(patch.object(transaction, "mark_for_rollback_on_error", _outside_nothing_breaks))
            stack.enter_context(patch.object(runner, "Heartbeat", self._heartbeat()))
            stack.enter_context(database.execute_wrapper(self._executing))
            yield

    def _committing(self, database: Any) -> Callable[[str], None]:
        commit, roll_back = database.savepoint_commit, database.savepoint_rollback

        def committing(sid: str) -> None:
            worker = self.current
            if worker is None or database.savepoint_ids or sid == self._undone:  # nested: the outer one decides
                with self._reachable():
                    commit(sid)
                return
            try:
                self.moment(aside=False)
                self._refuse_if_cut()
            except Killed:
                roll_back(sid)
                commit(sid)
                raise
            commit(sid)
            self.moment()

        return committing

    def _rolling_back(self, database: Any) -> Callable[[str], None]:
        roll_back = database.savepoint_rollback

        def rolling_back(sid: str) -> None:
            self._undone = sid
            with self._reachable():
                roll_back(sid)

        return rolling_back

    def _ensuring(self, database: Any) -> Callable[[], None]:
        ensure = database.ensure_connection

        def ensuring() -> None:
            self._refuse_if_cut()
            ensure()

        return ensuring

    @contextmanager
    def _reachable(self) -> Iterator[None]:
        """The database undoes what a lost connection left, even though its worker cannot ask for that."""
        worker = self.current
        cut, self.current = worker.cut if worker else False, None
        try:
            yield
        finally:
            self.current = worker
            if worker:
                worker.cut = cut

    def _executing(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        worker = self.current
        if worker is None:
            return execute(sql, params, many, context)
        self._refuse_if_cut()
        if sql.startswith(_OF_LOCKS):
            return None  # a connection never waits for itself: half a thousand of these a history say nothing
        start = sql.lstrip()[:6].upper()
        writes = start in _LASTING or (start[:4] == "WITH" and any(word in sql for word in _LASTING))
        alone = writes and not context["connection"].savepoint_ids
        if alone:
            self.moment()
            self._refuse_if_cut()
        done = execute(sql, params, many, context)
        if alone:
            self.moment(aside=False)  # Django still reads what the statement returned: nobody comes between
        return done

    def _refuse_if_cut(self) -> None:
        if self.current is not None and self.current.cut:
            raise OperationalError("the connection was closed")

    def _heartbeat(self) -> type:
        workers = self

        class Heartbeat:
            """Renewed by ``beat`` when time moves on, not by a thread."""

            def __init__(self, lane: Lane) -> None:
                self.lane = lane

            def __enter__(self) -> None:
                if workers.current is not None:
                    workers.current.lane = self.lane

            def __exit__(self, *_: object) -> None:
                if workers.current is not None:
                    workers.current.lane = None

        return Heartbeat


def _plainly(database: Any, statement: Callable[[str], str]) -> Callable[[str], None]:
    """A statement about a savepoint, a quarter of all there are, without the ways of a cursor."""

    def execute(sid: str) -> None:
        database.ensure_connection()
        done = database.connection.pgconn.exec_(statement(sid).encode())
        if done.status != ExecStatus.COMMAND_OK:
            raise DatabaseError(done.get_error_message())

    return execute


@contextmanager
def _outside_nothing_breaks(using: str | None = None) -> Iterator[None]:
    """A failed statement outside the engine's transactions has none to break, though here it runs in ours."""
    try:
        yield
    except Exception:
        database = connections["default"]
        database.needs_rollback = bool(database.savepoint_ids)
        raise


class Watched:
    """A connector's mail with a moment before and after each call."""

    def __init__(self, source: Any, moment: Callable[[], None]) -> None:
        self._source, self._moment = source, moment

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._source, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            self._moment()
            answer = method(*args, **kwargs)
            self._moment()
            return answer

        return call
