"""The suite's database: an embedded server in `var/test`, and for every run (and xdist worker) a database of its own.

Migrations run once per state of the code, into a template; each run copies it, which takes milliseconds. Several runs
at the same time, of the same or of different code, do not disturb each other.
"""

from __future__ import annotations

import fcntl
import gc
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

ROOT = Path(__file__).parent
KEPT_TEMPLATES = 4
WORKSPACES_OF_A_RUN = 1_000_000
_TEMPLATE_LOCK = 7_276_001  # an advisory lock, so that two runs do not build one template twice


def _schema_digest(apps: list[str]) -> str:
    """Changes whenever migrating an empty database could end differently."""
    digest = hashlib.sha256(" ".join([*apps, version("django"), version("procrastinate")]).encode())
    for path in sorted((ROOT / "postroom").rglob("*")):
        is_schema = path.suffix == ".sql" or path.parent.name == "migrations" or path.name.startswith("models")
        if is_schema and path.suffix in {".py", ".sql"}:
            digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _claim_slot(folder: Path) -> tuple[int, int]:
    """A number no other running process has, and the lock that holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1000):
        lock = os.open(folder / f"{number}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
        else:
            return number, lock
    raise RuntimeError("a thousand test runs at once?")


def _build_template(admin: psycopg.Connection[Any], name: str) -> None:
    """Migrate an empty database and keep it as `name`, unless that exists."""
    from django.core.management import call_command
    from django.db import connection

    admin.execute("select pg_advisory_lock(%s)", [_TEMPLATE_LOCK])
    try:
        if admin.execute("select 1 from pg_database where datname = %s", [name]).fetchone():
            return
        scratch = f"{name}_new"
        admin.execute(SQL("drop database if exists {} with (force)").format(Identifier(scratch)))
        admin.execute(SQL("create database {} template template0").format(Identifier(scratch)))
        connection.close()
        connection.settings_dict["NAME"] = scratch
        call_command("migrate", verbosity=0)
        call_command("migrate", verbosity=0, run_syncdb=True)  # packages whose first migration is still to be written
        connection.close()
        admin.execute(SQL("alter database {} rename to {}").format(Identifier(scratch), Identifier(name)))
        _drop_old_templates(admin)
    finally:
        admin.execute("select pg_advisory_unlock(%s)", [_TEMPLATE_LOCK])


def _drop_old_templates(admin: psycopg.Connection[Any]) -> None:
    rows = admin.execute("select datname from pg_database where datname like 'template_%%' order by oid desc")
    ours = [name for (name,) in rows.fetchall() if name not in {"template0", "template1"}]
    for name in ours[KEPT_TEMPLATES:]:
        admin.execute(SQL("drop database if exists {}").format(Identifier(name)))


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: Any) -> Iterator[None]:
    """Replaces pytest-django's own: see the module's docstring."""
    with django_db_blocker.unblock():
        own = database_of_our_own()
        own.__enter__()
    yield
    with django_db_blocker.unblock():
        own.__exit__(None, None, None)


@contextmanager
def database_of_our_own() -> Iterator[str]:
    """A fresh database that Django's connection leads to while the block runs; its name."""
    from django.conf import settings
    from django.db import connection

    from postroom.lib.postgres import PostgresServer

    server = PostgresServer(settings.POSTROOM_HOME, durable=False)
    if settings.POSTROOM_EMBEDDED:
        server.start()
    slot, lock = _claim_slot(Path(settings.POSTROOM_HOME) / "slots")
    database, template = f"test_{slot}", f"template_{_schema_digest(settings.INSTALLED_APPS)}"
    known = connection.get_connection_params()
    target = {key: known[key] for key in ("host", "port", "user", "password") if known.get(key)}
    with psycopg.connect(**target, dbname="postgres", autocommit=True) as admin:
        _build_template(admin, template)
        admin.execute(SQL("drop database if exists {} with (force)").format(Identifier(database)))
        copy = SQL("create database {} template {} strategy file_copy")
        admin.execute(copy.format(Identifier(database), Identifier(template)))
        connection.settings_dict["NAME"] = settings.DATABASES["default"]["NAME"] = database
        with connection.cursor() as cursor:  # files lie under their workspace's number: no two runs share one
            cursor.execute(
                "SELECT setval(pg_get_serial_sequence('workspaces_workspace', 'id'), %s, false)",
                [slot * WORKSPACES_OF_A_RUN + 1],
            )
        yield database
        connection.close()
        admin.execute(SQL("drop database if exists {} with (force)").format(Identifier(database)))
    os.close(lock)
    server.stop(wait=0)


@pytest.fixture(autouse=True)
def _every_test_has_an_allowance_of_its_own() -> None:
    """Hundreds of tests talk to one mailbox of the in-process provider; together they would use up its ten minutes."""
    from postroom.providers import budget

    budget.forget()


EMPTYING_ATTEMPTS = 5


def _is_superuser(connection: Any) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        return bool(cursor.fetchone()[0])


@pytest.fixture(autouse=True, scope="session")
def _tables_are_emptied_quickly_and_patiently() -> Iterator[None]:
    """How a test that needs real transactions leaves the database: a hundred tables emptied, of which few have rows.

    Quickly: TRUNCATE makes every table and index a new file, which takes half a second; taking the rows away takes a
    hundredth of it. Both lock all tables, so that nothing comes in between. (A role that is no superuser truncates.)

    Patiently: a page closed at the end of a test may leave a request that the server only now begins to read. Emptying
    the tables between two of its queries is a deadlock, which the database solves by refusing one of them: if that is
    the emptying, it is done again.
    """
    from django.db import OperationalError
    from django.db.backends.postgresql.operations import DatabaseOperations

    truncating, once = DatabaseOperations.sql_flush, DatabaseOperations.execute_sql_flush

    def quickly(self: Any, style: Any, tables: list[str], **options: Any) -> list[str]:
        if not tables or not _is_superuser(self.connection):
            return truncating(self, style, tables, **options)
        names = [self.quote_name(table) for table in tables]
        return [
            f"LOCK TABLE {', '.join(names)} IN ACCESS EXCLUSIVE MODE",
            "SET LOCAL session_replication_role = replica",  # no triggers, so in any order
            "; ".join(f"DELETE FROM {name}" for name in names),  # noqa: S608  # names of our own tables
        ]

    def patiently(self: Any, statements: Any) -> None:
        for _ in range(EMPTYING_ATTEMPTS - 1):
            try:
                return once(self, statements)
            except OperationalError as refused:
                if not isinstance(refused.__cause__, psycopg.errors.DeadlockDetected):
                    raise
        return once(self, statements)

    patch = pytest.MonkeyPatch()
    patch.setattr(DatabaseOperations, "sql_flush", quickly)
    patch.setattr(DatabaseOperations, "execute_sql_flush", patiently)
    yield
    patch.undo()


_WITH_FOREIGN_PROCESSES = (ROOT / "tests/journeys", ROOT / "tests/platform", ROOT / "tests/proofs")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What drives browsers and other programs may have one accident and is tried again.

    No more than two in a run (`--max-suite-reruns`), and each is told with its traceback: it is a bug, ours or the
    test's, that is still to be explained.
    """
    for item in items:
        if any(item.path.is_relative_to(one) for one in _WITH_FOREIGN_PROCESSES):
            item.add_marker(pytest.mark.flaky(reruns=1))


def pytest_collection_finish() -> None:
    """What was imported and collected is there to stay: millions of objects, and looking through all of them for
    garbage again and again took more time than most of the tests."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    gc.enable()


_NO_REASON = {"", "unconditional skip", "<Skipped instance>"}


def pytest_configure(config: pytest.Config) -> None:
    gc.disable()  # until everything is collected
    config.pluginmanager.register(_SkipWatch(), "skips without a reason")


class _SkipWatch:
    """A test that skips must say why; one that does not fails the run."""

    def __init__(self) -> None:
        self._found: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and isinstance(report.longrepr, tuple):
            reason = report.longrepr[2].removeprefix("Skipped").removeprefix(":").strip()
            if reason in _NO_REASON:
                self._found.append(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._found and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        for nodeid in self._found:
            terminalreporter.write_line(f"SKIPPED WITHOUT A REASON {nodeid}", red=True)
