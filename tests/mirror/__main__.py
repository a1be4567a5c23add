"""The whole proof of the mirror, on the processes that a user runs (see ``scripts/mirror``).

    python -m tests.mirror [--changes 2000] [--seed 1] [--each N] [--big 150000000] [--home DIR]

Brings up `postroom demo` in a temporary home, imports all the real threads into one mailbox and the odd mail into
another, connects both with everything, and compares `postroom mailbox dump` with the sandbox's dump: at rest, and
again after that many random changes by somebody else on a bad day (one call in ten fails, notifications get lost,
doubled and mixed up). Every odd message is opened. The last line has the figures; exits 1 on any difference.
"""

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from tests.mirror import corpus
from tests.mirror.faults import bad_day
from tests.mirror.other_side import OtherSide

REAL, ODD = "real@northwind.example", "odd@northwind.example"
SCOPES = ["Mail.ReadWrite", "Mail.Send"]
REST = 420  # seconds in which both sides have to be equal after the last change


@dataclass
class Figures:
    messages: int = 0
    odd: int = 0
    opened: int = 0
    not_opened: int = 0
    changes: int = 0
    faults: int = 0
    diff_lines: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def wrong(self) -> bool:
        return bool(self.diff_lines or self.not_opened or not self.messages)


@dataclass
class Demo:
    """A running demo and how to talk to it."""

    home: Path
    url: str
    sandbox: str
    http: httpx2.Client = field(default_factory=lambda: httpx2.Client(timeout=600))

    def postroom(self, *arguments: str) -> str:
        """One command of the installation. Raises RuntimeError when it fails."""
        command = [sys.executable, "-m", "postroom.config.cli", *arguments]
        done = subprocess.run(command, env=_environment(self.home), capture_output=True, text=True, timeout=3600)
        if done.returncode:
            raise RuntimeError(f"postroom {' '.join(arguments)}: {done.stderr or done.stdout}"[-2000:])
        return done.stdout

    def call(self, method: str, path: str, **options: Any) -> httpx2.Response:
        return self.http.request(method, self.sandbox + path, **options).raise_for_status()

    def new_mailbox(self, address: str) -> None:
        self.call("POST", "/sandbox/users", json={"address": address, "name": address.partition("@")[0].title()})

    def difference(self, address: str) -> list[str]:
        theirs = self.call("GET", f"/sandbox/mailboxes/{address}/dump").text.split("\n")[:-1]
        ours = self.postroom("mailbox", "dump", address).split("\n")[:-1]
        return [] if ours == theirs else sorted(set(ours) ^ set(theirs)) or ["order or number of equal lines"]


def _environment(home: Path) -> dict[str, str]:
    own = ("POSTROOM", "MICROSOFT", "DJANGO", "DATABASE_URL")
    return {**{k: v for k, v in os.environ.items() if not k.startswith(own)}, "POSTROOM_HOME": str(home)}


@contextmanager
def demo(given: Path | None) -> Iterator[Demo]:
    home = given or Path(tempfile.mkdtemp(prefix="postroom-mirror-"))
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o711)  # root's database server may enter too
    port, sandbox = _free_ports()
    command = [sys.executable, "-m", "postroom.config.cli", "demo", "--no-open"]
    command += ["--port", port, "--sandbox-port", sandbox]
    process = subprocess.Popen(
        command, env=_environment(home), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield Demo(home, _ready(process), f"http://127.0.0.1:{sandbox}")
    finally:
        process.terminate()
        process.wait(60)
        if given is None:
            shutil.rmtree(home, ignore_errors=True)


def _free_ports() -> list[str]:
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        return [str(one.getsockname()[1]), str(two.getsockname()[1])]


def _ready(process: subprocess.Popen[str]) -> str:
    said = []
    for line in process.stdout or ():
        said.append(line)
        if line.startswith("Postroom is ready: "):
            return line.split()[-1]
    raise RuntimeError("the demo did not start: " + "".join(said)[-2000:])


def _note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201


def history(demo: Demo, figures: Figures, each: int | None) -> None:
    """All the real threads in one mailbox, connected with everything."""
    demo.new_mailbox(REAL)
    mail = corpus.threads(each=each) if corpus.here() else corpus.generated(8_000)
    if not corpus.here():
        _note(f"{corpus.MISSING}: generated mail instead")
    for folder, mbox in mail:
        answer = demo.call("POST", f"/sandbox/mailboxes/{REAL}/import", params={"folder": folder}, content=mbox)
        figures.messages += answer.json()["imported"]
    began = time.monotonic()
    demo.postroom("mailbox", "connect", REAL, "--sandbox", "--since", "all")
    figures.seconds["history"] = round(time.monotonic() - began, 1)
    compare(demo, REAL, figures, "after history")


def a_bad_day(demo: Demo, figures: Figures, changes: int, seed: int) -> None:
    answer = demo.call("POST", "/sandbox/tokens", json={"user": REAL, "scopes": SCOPES, "minutes": 600})
    token = answer.json()["access_token"]
    rules = {"rules": bad_day(), "seed": seed, "except_token": token}
    demo.call("PUT", "/sandbox/faults", json=rules)
    other = OtherSide(demo.sandbox, token, REAL, seed)
    began = time.monotonic()
    other.steps(changes)
    figures.changes = sum(other.done.values())
    _note(f"  changes: {other.done}")
    figures.seconds["changes"] = round(time.monotonic() - began, 1)
    wait_for_rest(demo, REAL)  # while everything still fails now and then
    figures.seconds["rest"] = round(time.monotonic() - began - figures.seconds["changes"], 1)
    figures.faults = sum(rule["struck"] for rule in demo.call("GET", "/sandbox/faults").json()["rules"])
    demo.call("DELETE", "/sandbox/faults")
    compare(demo, REAL, figures, "after the bad day")


def wait_for_rest(demo: Demo, address: str) -> None:
    """Ask for a sync until both sides agree; the comparison that counts comes after."""
    deadline = time.monotonic() + REST
    while time.monotonic() < deadline:
        try:
            demo.postroom("mailbox", "sync", address)
        except RuntimeError as trouble:  # a sync that a fault hit; the next one follows
            _note(f"  {str(trouble).strip().splitlines()[-1][:200]}")
        if not demo.difference(address):
            return


def odd_mail(demo: Demo, figures: Figures, big: int) -> None:
    """Every odd, broken and hostile message in a mailbox of its own, each opened by a member."""
    demo.new_mailbox(ODD)
    torture = corpus.torture() if corpus.here() else iter(())
    for mail, folder in ((torture, "Torture"), (corpus.bad_input(big=big), "inbox")):
        for _, raw in mail:
            demo.call("POST", f"/sandbox/mailboxes/{ODD}/deliver", params={"folder": folder}, content=raw)
            figures.odd += 1
    began = time.monotonic()
    demo.postroom("mailbox", "connect", ODD, "--sandbox", "--since", "all")
    figures.seconds["odd"] = round(time.monotonic() - began, 1)
    compare(demo, ODD, figures, "odd mail")
    began = time.monotonic()
    figures.opened, figures.not_opened = _opened(demo)
    figures.seconds["opening"] = round(time.monotonic() - began, 1)


def _opened(demo: Demo) -> tuple[int, int]:
    """Open every thread and every body as a browser would; (pages opened, pages that failed)."""
    script = [sys.executable, "-m", "tests.mirror.opening", ODD]
    done = subprocess.run(script, env=_environment(demo.home), capture_output=True, text=True, timeout=3600)
    _note(done.stderr[-4000:].rstrip())
    if done.returncode:
        raise RuntimeError(f"opening failed: {done.stderr[-2000:]}")
    opened, failed = json.loads(done.stdout.splitlines()[-1])
    return opened, failed


def compare(demo: Demo, address: str, figures: Figures, when: str) -> None:
    found = demo.difference(address)
    figures.diff_lines += len(found)
    _note(f"{when}: {len(found)} lines differ; {figures}")
    for line in found[:10]:
        _note(f"  {line[:600]}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="mirror", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--changes", type=int, default=2_000, help="random remote changes (2000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--each", type=int, help="only so many messages of each source (all)")
    parser.add_argument("--big", type=int, default=150_000_000, help="bytes of the largest odd message (150 MB)")
    parser.add_argument("--home", type=Path, help="keep everything in this directory (temporary)")
    options = parser.parse_args()
    figures = Figures()
    with demo(options.home) as running:
        _note(f"ready: {running.url}, sandbox {running.sandbox}")
        odd_mail(running, figures, options.big)
        history(running, figures, options.each)
        a_bad_day(running, figures, options.changes, options.seed)
    print(json.dumps(asdict(figures)))  # noqa: T201
    return 1 if figures.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
