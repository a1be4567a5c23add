"""`postroom demo` as an operator's hands would treat it: kills, busy ports, second copies, restarts."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.request import HTTPCookieProcessor, OpenerDirector, build_opener, urlopen

import psycopg
import pytest

from postroom.config.env import read_env_file
from postroom.lib.postgres import PostgresServer
from tests.platform.waiting import alive, eventually, processes_of, temporary_home

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

# The demo as it is, but for the sandbox: a stand-in that is up at once.
FAKE = "tests.platform.fake_sandbox"
RUN = """
import os, sys
from postroom.config import cli, demo
demo.sandbox_command = lambda options, port: [sys.executable, "-m", os.environ["FAKE"], "--port", str(port)]
sys.exit(cli.main(["demo", "--no-open", *sys.argv[1:]]))
"""


ENQUEUE = """
select procrastinate_defer_jobs_v1(array[row(
    'housekeeping', 'config.housekeeping', 0, null, null, '{"timestamp": 1}', now()
)::procrastinate_job_to_defer_v1])
"""


def start(home: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    keep = {
        name: value for name, value in os.environ.items() if not name.startswith(("POSTROOM", "MICROSOFT", "DJANGO"))
    }
    return subprocess.Popen(
        [sys.executable, "-c", RUN, *arguments],
        env={**keep, "POSTROOM_HOME": str(home), "PYTHONPATH": str(Path.cwd()), "FAKE": FAKE, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def ready(demo: subprocess.Popen[str]) -> str:
    """The address it says; everything it said before is in the error if it says none."""
    said = []
    for line in demo.stdout:
        said.append(line)
        if line.startswith("Postroom is ready: "):
            return line.split()[-1]
    raise AssertionError("".join(said))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with temporary_home() as path:
        yield path


@pytest.fixture(scope="module")
def ports() -> list[str]:
    return ["--port", str(free_port()), "--sandbox-port", str(free_port())]


@pytest.fixture(scope="class")
def demo(home: Path, ports: list[str]) -> Iterator[subprocess.Popen[str]]:
    process = start(home, *ports)
    ready(process)
    yield process
    process.terminate()
    process.wait(30)
    assert not processes_of(home)


def child(home: Path, marker: str) -> int:
    return next((pid for pid, command in processes_of(home).items() if marker in command), 0)


def page(url: str, opener: OpenerDirector | None = None) -> str:
    with (opener.open if opener else urlopen)(url, timeout=20) as response:
        return response.read().decode()


class TestWhileItRuns:
    """One demo for all of these: each leaves it running."""

    def test_one_command_ends_in_a_page_that_a_newcomer_can_use(
        self, demo: subprocess.Popen[str], ports: list[str]
    ) -> None:
        browser = build_opener(HTTPCookieProcessor(CookieJar()))
        url = f"http://127.0.0.1:{ports[1]}"
        assert "Adele Varga" in page(f"{url}/demo/sign-in?as=adele&next=/settings/members/", browser)
        members = page(f"{url}/settings/members/", browser)
        assert "theo@northwind.example" in members
        assert "woodgrove" not in members
        assert "support@" not in members

    @pytest.mark.parametrize(
        "marker", [" serve ", "cli worker", "-m tests.platform.fake_sandbox", "postgres_guard", "postgres -D"]
    )
    def test_a_killed_child_is_started_again(
        self, demo: subprocess.Popen[str], home: Path, ports: list[str], marker: str
    ) -> None:
        victim = child(home, marker)
        os.kill(victim, signal.SIGKILL)
        eventually(lambda: child(home, marker) not in {0, victim})

        def works() -> bool:
            with suppress(OSError):
                return page(f"http://127.0.0.1:{ports[1]}/healthz") == "ok\n"
            return False

        eventually(works)
        assert demo.poll() is None

    def test_the_worker_does_its_jobs_also_after_the_database_was_killed(
        self, demo: subprocess.Popen[str], home: Path
    ) -> None:
        dsn = PostgresServer(home).dsn()

        def job_is_done() -> bool:
            with suppress(psycopg.OperationalError), psycopg.connect(dsn, autocommit=True) as db:
                (number,) = db.execute(ENQUEUE).fetchone()
                return bool(
                    eventually(
                        lambda: (
                            not db.execute("select 1 from procrastinate_jobs where id = any(%s)", [number]).fetchone()
                        )
                    )
                )
            return False

        eventually(job_is_done)
        os.kill(child(home, "postgres -D"), signal.SIGKILL)
        eventually(job_is_done)

    def test_a_second_copy_says_where_the_first_one_is(
        self, demo: subprocess.Popen[str], home: Path, ports: list[str]
    ) -> None:
        second = start(home)
        said, _ = second.communicate(timeout=30)
        assert second.returncode == 2
        assert said.count("\n") == 1
        assert f"already running with {home}: see http://127.0.0.1:{ports[1]}" in said
        assert demo.poll() is None


def test_nothing_runs_on_when_the_demo_itself_is_killed_and_the_next_start_is_clean(
    home: Path, ports: list[str]
) -> None:
    first = start(home, *ports)
    ready(first)
    secret = read_env_file(home / "demo.env")["POSTROOM_SECRET_KEY"]
    first.kill()
    first.wait()
    eventually(lambda: not processes_of(home), what="children end with their parent")
    second = start(home, *ports)
    ready(second)
    assert read_env_file(home / "demo.env")["POSTROOM_SECRET_KEY"] == secret
    second.send_signal(signal.SIGINT)
    assert second.wait(30) == 0
    assert not processes_of(home)


def test_an_asked_port_that_is_taken_ends_with_one_line(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        refused = start(home, "--port", port)
        said, _ = refused.communicate(timeout=30)
    assert (refused.returncode, said) == (
        2,
        f"postroom: Port {port} cannot be used (Address already in use): choose another --port.\n",
    )
    assert not processes_of(home)


def test_the_usual_port_taken_means_another_one_and_a_word_about_it(home: Path, ports: list[str]) -> None:
    taken = socket.socket()
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    with suppress(OSError):  # then somebody else has it already, which is as good
        taken.bind(("127.0.0.1", 8000))
        taken.listen()
    process = start(home, *ports[2:])
    first = process.stdout.readline()
    url = ready(process)
    taken.close()
    assert first.startswith("Port 8000 is in use; taking ")
    assert page(f"{url}/healthz") == "ok\n"
    process.terminate()
    assert process.wait(30) == 0


def test_a_sandbox_that_does_not_start_is_named_with_its_log(home: Path, ports: list[str]) -> None:
    process = start(home, *ports, FAKE="no_such_sandbox")
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "The sandbox process does not come up" in said
    assert "No module named no_such_sandbox" in said
    assert not processes_of(home)


def test_fresh_forgets_everything(home: Path, ports: list[str]) -> None:
    secret = read_env_file(home / "demo.env")["POSTROOM_SECRET_KEY"]
    process = start(home, "--fresh", *ports)
    ready(process)
    assert read_env_file(home / "demo.env")["POSTROOM_SECRET_KEY"] != secret
    process.terminate()
    process.wait(30)
    assert not any(alive(pid) for pid in processes_of(home))
