"""The whole of `make chaos` in miniature. How fast it is says more about the machine than about us, so only what must
be true anywhere is asked: everything equal, workers killed, a database restarted, the endpoint never judged slow."""

import json
import subprocess
import sys
from pathlib import Path

from tests.platform.waiting import temporary_home

ROOT = Path(__file__).parents[2]

SIZES = {"minutes": 0.1, "mailboxes": 2, "messages": 60, "rate": 60, "workers": 2, "kill-every": 2, "seed": 3}


def test_nothing_is_lost_when_workers_are_killed_and_the_database_restarts() -> None:
    sizes = [f"--{name}={value}" for name, value in SIZES.items()]
    with temporary_home() as home:
        command = [sys.executable, "-m", "tests.chaos", *sizes, "--home", str(home)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.stdout, done.stderr[-3000:]
    figures = json.loads(done.stdout.splitlines()[-1])
    assert (figures["equal"], figures["differing"], figures["endpoint"]) == (2, 0, "normal"), done.stderr[-3000:]
    assert figures["kills"] >= 1 and figures["database_away_s"] > 0 and figures["notifications"] >= 200


def test_a_size_of_nothing_is_refused_in_a_line() -> None:
    command = [sys.executable, "-m", "tests.chaos", "--mailboxes", "0"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "--mailboxes must be more than 0" in done.stderr
