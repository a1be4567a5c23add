"""A process that runs a mailbox's lanes and is killed (SIGKILL) at a chosen moment of it.

Moments are counted: right before and right after every request to the provider and everything the database keeps
(each commit, each statement outside of a transaction). Started once, this module forks a child for every order it
reads, so that a run costs milliseconds and begins with nothing in memory.

    order:  {"mailbox": 1, "at": 1795266000.0, "die_at": 7}     (die_at 0: never)
    answer: {"killed": true, "moments": 7, "last": "after POST /v1.0/…/send"}
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

NAME = "dying worker"  # by which the database knows its connections


class Dying:
    """The process seen from the test."""

    def __init__(self, database: str, microsoft: dict[str, str]) -> None:
        environment = {**os.environ, "PGAPPNAME": NAME, "PROOF": json.dumps({"database": database, **microsoft})}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.proofs.dying"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, mailbox: int, *, at: datetime, die_at: int) -> dict[str, Any]:
        """One run at the (standing) time ``at``. Raises ``AssertionError`` when the process ended by itself."""
        assert self._process.stdin is not None and self._process.stdout is not None
        order = {"mailbox": mailbox, "at": at.timestamp(), "die_at": die_at}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the dying process ended"
        found: dict[str, Any] = json.loads(answer)
        assert "trouble" not in found, found
        return found

    def end(self) -> None:
        self._process.kill()
        self._process.wait(10)


# --- inside the process --------------------------------------------------------------------------------------------


def main() -> None:
    """Read orders until there are no more."""
    _set_up(json.loads(os.environ["PROOF"]))
    for line in sys.stdin:
        order = json.loads(line)
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            os.close(reader)
            _child(order, writer)
        os.close(writer)
        with os.fdopen(reader) as said:
            moments = said.read().splitlines()
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status)
        answer = {"killed": killed, "moments": len(moments), "last": moments[-1] if moments else ""}
        if not killed and os.waitstatus_to_exitcode(status):
            answer["trouble"] = moments[-1]
        print(json.dumps(answer), flush=True)  # noqa: T201


def _set_up(given: dict[str, str]) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "postroom.config.settings_test"
    import django

    django.setup()
    from django.conf import settings
    from django.db import connection

    connection.settings_dict["NAME"] = settings.DATABASES["default"]["NAME"] = given.pop("database")
    for name, value in given.items():
        os.environ[name] = value
        setattr(settings, name, value)
    from postroom.config import urls  # noqa: F401  # what a worker has loaded when work arrives
    from postroom.providers import registry
    from postroom.sync import lanes

    registry.connector("microsoft")
    lanes.wake = lambda *mailbox_ids: None


def _child(order: dict[str, Any], writer: int) -> None:
    from postroom.lib import clock
    from postroom.sync import runner

    count = 0

    def moment(what: str) -> None:
        nonlocal count
        count += 1
        os.write(writer, f"{what}\n".encode())
        if count == order["die_at"]:
            os.kill(os.getpid(), signal.SIGKILL)

    try:
        _watch(moment)
        with clock.frozen(datetime.fromtimestamp(order["at"], UTC)):
            runner.run_mailbox(order["mailbox"])
        os._exit(0)
    except BaseException as trouble:
        os.write(writer, f"{type(trouble).__name__}: {trouble}\n".encode())
        os._exit(1)


def _watch(moment: Callable[[str], None]) -> None:
    """Tell of every moment that matters."""
    import httpx2
    from django.db import connection
    from django.db.backends.base.base import BaseDatabaseWrapper

    send, commit = httpx2.HTTPTransport.handle_request, BaseDatabaseWrapper._commit

    def sending(transport: Any, request: Any) -> Any:
        what = f"{request.method} {request.url.path.rpartition('/')[2] or request.url.path}"
        moment(f"before {what}")
        response = send(transport, request)
        response.read()
        moment(f"after {what}")
        return response

    def committing(self: Any) -> Any:
        moment("before a commit")
        done = commit(self)
        moment("after a commit")
        return done

    def keeping(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        lasting = not connection.in_atomic_block and sql.lstrip()[:6].upper() in ("UPDATE", "INSERT", "DELETE")
        if lasting:
            moment(f"before {sql.split()[1]} alone")
        done = execute(sql, params, many, context)
        if lasting:
            moment(f"after {sql.split()[1]} alone")
        return done

    httpx2.HTTPTransport.handle_request = sending  # type: ignore[method-assign]
    BaseDatabaseWrapper._commit = committing  # type: ignore[method-assign]
    connection.execute_wrappers.append(keeping)


if __name__ == "__main__":
    main()
