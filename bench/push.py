"""From the local Microsoft sending a notification to the row on an open screen, in real processes and a real browser.

`postroom demo` in a home of its own, a connected mailbox, Chromium with the Inbox open. Mails are delivered one by one;
the sandbox's log tells when each notification was sent, a MutationObserver in the page when its row was there.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from bench import common
from postroom.lib.postgres import PostgresServer

MEMBER = "adele@northwind.example"
TARGET = (1_000, 2_000)  # milliseconds: median, 99th percentile
PATIENCE = 20.0  # seconds for one mail; also until push is on
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]
# Notes when a subject "Push 17 …" is first in a row of the list.
WATCH = r"""() => {
  window.seen = {};
  const look = () => {
    const now = Date.now();
    for (const one of document.querySelectorAll("#threads .row-subject")) {
      const found = /Push (\d+) of/.exec(one.textContent);
      if (found && !(found[1] in window.seen)) window.seen[found[1]] = now;
    }
  };
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true, characterData: true });
  look();
}"""


def run(size: int) -> Iterator[dict[str, Any]]:
    """One result. `size`: how many mails."""
    with common.home() as home, demo(home) as (web, sandbox):
        connect(home)
        with _inbox(web) as page:
            page.evaluate(WATCH)
            _until_push_is_on(sandbox)
            sent_at, seen_at, missed = _deliver(page, sandbox, size)
        waits = [seen_at[number] - sent_at[number] for number in sorted(seen_at.keys() & sent_at.keys())]
        yield _result(waits, missed)


@contextlib.contextmanager
def demo(home: Path) -> Iterator[tuple[str, str]]:
    """A running demo; gives the addresses of the web process and of the sandbox."""
    process = subprocess.Popen(
        [sys.executable, "-m", "postroom.config.cli", "demo", "--no-open", "--port", "0", "--sandbox-port", "0"],
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=common.ROOT,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        web = ""
        for line in process.stdout:
            common.note(f"  {line.rstrip()}")
            if line.startswith("Postroom is ready: "):
                web = line.split()[-1]
            if "The other side" in line:
                yield web, line.split()[-1].rstrip("/")
                return
        raise RuntimeError("the demo ended before it was ready")
    finally:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(60)
        PostgresServer(home).destroy()


def environment(home: Path) -> dict[str, str]:
    names = ("POSTROOM_", "MICROSOFT_", "DJANGO_", "DATABASE_URL")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(names)}
    return {**kept, "POSTROOM_HOME": str(home)}


def connect(home: Path) -> None:
    command = [sys.executable, "-m", "postroom.config.cli", "mailbox", "connect", MEMBER, "--sandbox", "--since", "30d"]
    subprocess.run(command, env=environment(home), cwd=common.ROOT, stdout=sys.stderr, timeout=300, check=True)


@contextlib.contextmanager
def _inbox(web: str) -> Iterator[Any]:
    """The Inbox in Chromium, signed in."""
    from playwright.sync_api import sync_playwright

    executable = shutil.which("chromium") or shutil.which("google-chrome")
    if executable is None:
        raise RuntimeError("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        page = browser.new_page()
        page.goto(f"{web}/demo/sign-in?as={MEMBER.partition('@')[0]}")
        page.goto(f"{web}/inbox/")
        page.wait_for_selector("#threads .row-subject")
        yield page
        browser.close()


def _until_push_is_on(sandbox: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not json.loads(common.call(sandbox, "GET", "/sandbox/subscriptions"))["value"]:
        if time.monotonic() > deadline:
            raise RuntimeError("Postroom did not subscribe to the mailbox")
        time.sleep(0.2)
    time.sleep(3)  # the page's stream is open, what connecting asked for is done


def _deliver(page: Any, sandbox: str, size: int) -> tuple[dict[int, float], dict[int, float], int]:
    """Milliseconds since 1970 at which each mail's notification was sent and its row was seen; how many never were."""
    pick, sent_at, missed = random.Random(1), dict[int, float](), 0
    last, _ = _sent(sandbox, 0)
    for number in range(1, size + 1):
        common.call(sandbox, "POST", f"/sandbox/mailboxes/{MEMBER}/deliver?folder=inbox", raw=_mail(number, size))
        missed += not _wait_for(page, number)
        last, times = _sent(sandbox, last)
        if times:
            sent_at[number] = min(times)
        if number % 50 == 0:
            common.note(f"  {number} mails")
        time.sleep(pick.uniform(0.05, 0.4))
    seen = {int(number): float(at) for number, at in page.evaluate("() => window.seen").items()}
    return sent_at, seen, missed


def _wait_for(page: Any, number: int) -> bool:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if page.evaluate(f"() => '{number}' in window.seen"):
            return True
        time.sleep(0.05)
    return False


def _sent(sandbox: str, since: int) -> tuple[int, list[float]]:
    """The last number of the sandbox's log of notifications, and when those after `since` were sent."""
    lines = common.call(sandbox, "GET", f"/sandbox/notifications?since={since}").splitlines()
    found = [json.loads(line) for line in lines]
    return max((one["n"] for one in found), default=since), [one["t"] * 1000 for one in found]


def _mail(number: int, size: int) -> bytes:
    mail = EmailMessage()
    mail["From"] = f"Ines Costa <ines{number % 20}@contoso.example>"
    mail["To"] = MEMBER
    mail["Subject"] = f"Push {number} of {size}"
    mail["Date"] = format_datetime(datetime.now(UTC) - timedelta(seconds=1))
    mail["Message-ID"] = f"<push-{number}-{os.getpid()}@contoso.example>"
    mail.set_content(f"The {number}. mail.\n\nBest regards\nInes")
    mail.add_alternative(f"<p>The {number}. mail.</p><p>Best regards<br>Ines</p>", subtype="html")
    return mail.as_bytes()


def _result(waits: Sequence[float], missed: int) -> dict[str, Any]:
    median, last = statistics.median(waits), common.percentile(waits, 0.99)
    return common.result(
        "push",
        f"{len(waits)} mails one by one, notification sent to row on an open Inbox; median milliseconds",
        round(median),
        p99=round(last),
        longest=round(max(waits)),
        missed=missed,
        targets={"median": TARGET[0], "p99": TARGET[1]},
        met=not missed and median < TARGET[0] and last < TARGET[1],
    )
