"""`postroom worker`: carries wake-ups to the engine, looks for what is due, and ends cleanly.

Procrastinate only brings wake-ups (design.md section 3a); this harness supplies what it lacks: an executor of its own
size, a connector that leaves the jobs' own transactions alone, a new start when its listener dies with the database,
and a stop that lets each run finish its step. Any number of these processes may run on any number of machines.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.db import close_old_connections, connection, connections
from procrastinate import App
from procrastinate.contrib.django import app as django_app
from procrastinate.contrib.django.db_cleanup import close_db_connections
from procrastinate.psycopg_connector import PsycopgConnector

from postroom.lib import process

log = logging.getLogger("postroom.worker")

STOP_SECONDS = 20.0  # a step is one page of mail; what takes longer loses its lease instead of blocking the exit
RESTART_DELAYS = (0.2, 1.0, 2.0, 5.0)
STEADY_SECONDS = 30.0
POLL_SECONDS = 2.0  # Procrastinate's own look at its table, should a notification get lost
PROBE_SECONDS = 5.0
NICE = 5  # on a machine of one's own with the web process, pages and notifications come first


class Worker:
    """One worker process."""

    def __init__(self, *, threads: int | None = None) -> None:
        self._threads = threads or settings.WORKER_THREADS
        self._stop: asyncio.Event | None = None
        self._sweeper = threading.Thread(target=sweep_until_stopped, name="sweep", daemon=True)

    async def run(self) -> None:
        """Work until SIGTERM or Ctrl-C; a second signal ends the process at once."""
        loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        executor = ThreadPoolExecutor(self._threads, thread_name_prefix="job")
        loop.set_default_executor(executor)
        for sig in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sig, self.stop)
        self._sweeper.start()
        failures, started = 0, time.monotonic()
        while not self._stop.is_set():
            await self._engine_until_it_ends()
            failures = 0 if time.monotonic() - started > STEADY_SECONDS else failures + 1
            with suppress(TimeoutError):
                delay = RESTART_DELAYS[min(failures, len(RESTART_DELAYS)) - 1] if failures else RESTART_DELAYS[0]
                await asyncio.wait_for(self._stop.wait(), delay)
            started = time.monotonic()
        executor.shutdown(wait=False, cancel_futures=True)

    def stop(self) -> None:
        """Finish the steps under way and end; asked twice, end at once."""
        if process.stopping():
            os._exit(1)
        process.request_stop()
        if self._stop is not None:
            self._stop.set()

    async def _engine_until_it_ends(self) -> None:
        """One life of Procrastinate's worker: until we are asked to stop, or the database goes away under it."""
        assert self._stop is not None
        engine = asyncio.create_task(self._engine(), name="engine")
        listener = asyncio.create_task(_until_listener_is_lost(), name="listener watch")
        stop = asyncio.create_task(self._stop.wait(), name="stop")
        await asyncio.wait({engine, listener, stop}, return_when=asyncio.FIRST_COMPLETED)
        engine.cancel()  # a polite request: the worker stops fetching and waits for its jobs
        for task in (listener, stop):
            task.cancel()
        done, _ = await asyncio.wait({engine}, timeout=STOP_SECONDS + 5)
        if not done:
            log.warning("the job engine did not end; leaving it behind")
        elif not engine.cancelled() and (problem := engine.exception()) is not None:
            log.warning("the job engine ended and starts again: %s", str(problem).split("\n")[0])
        await asyncio.gather(listener, stop, return_exceptions=True)

    async def _engine(self) -> None:
        worker_app = app_for_worker(self._threads)
        async with worker_app.open_async():
            await worker_app.run_worker_async(
                name="postroom",
                concurrency=self._threads,
                fetch_job_polling_interval=POLL_SECONDS,
                shutdown_graceful_timeout=STOP_SECONDS,
                install_signal_handlers=False,
                delete_jobs="successful",
                task_middleware=[close_db_connections],
            )


def app_for_worker(threads: int) -> App:
    """Procrastinate's app on connections of its own.

    `with_connector` instead of the documented `replace_connector`: that one would also replace the connection jobs use
    to enqueue, and a wake-up would leave before, or without, the transaction that asked for it.
    """
    connector = PsycopgConnector(kwargs=_connection_parameters(), min_size=1, max_size=max(4, threads // 2))
    return django_app.with_connector(connector)


def _connection_parameters() -> dict[str, Any]:
    parameters = connection.get_connection_params()
    return {key: value for key, value in parameters.items() if key not in {"cursor_factory", "context"}}


async def _until_listener_is_lost() -> None:
    """Ends when a connection like the listener's breaks: Procrastinate's may die without a word then."""
    import psycopg

    with suppress(psycopg.Error):
        async with await psycopg.AsyncConnection.connect(**_connection_parameters(), autocommit=True) as probe:
            while True:
                await asyncio.sleep(PROBE_SECONDS)
                await probe.execute("select 1")


def sweep_until_stopped() -> None:
    """Wake what is due and was not woken, every few seconds, whatever happens to the database meanwhile."""
    from postroom.sync import jobs

    while not process.wait_for_stop(jobs.SWEEP_EVERY):
        try:
            close_old_connections()
            jobs.sweep()
        except Exception as problem:
            log.warning("a sweep failed, the next one follows: %s", str(problem).split("\n")[0])
            connections.close_all()


def work(*, threads: int | None = None) -> int:
    """Run a worker in this process until it is told to stop; returns the exit code."""
    from postroom.operations import watch

    process.give_way(NICE)
    watching = watch.start("worker", threads or settings.WORKER_THREADS)
    process.keep_what_is_loaded()
    asyncio.run(Worker(threads=threads).run())
    process.request_stop()
    watching.join(2)  # it says goodbye; the database may be gone
    if any(thread.name.startswith("job") for thread in threading.enumerate()):
        # A run that outlasted its time would hold the interpreter; its lease runs out by itself.
        logging.shutdown()
        os._exit(0)
    return 0
