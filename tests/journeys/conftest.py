"""What every journey needs: nothing of the last one still runs when the database is emptied for the next.

`POSTROOM_TEST_SLOW=6` gives every page a sixth of the processor and a slow line: what holds on a quick machine only
shows itself.
"""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connection
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.platform.waiting import eventually

PATIENCE = 30_000  # milliseconds a busy machine may take to show what is waited for; no test waits for nothing
expect.set_options(timeout=PATIENCE)
SLOW = int(os.environ.get("POSTROOM_TEST_SLOW", "1"))
LATENCY = 120  # milliseconds, of a slow line
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]

_BUSY = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'
"""


@pytest.fixture(autouse=True)
def _requests_have_ended(transactional_db: None) -> Iterator[None]:
    """A closed browser leaves requests behind that the server still works on; emptying tables under them deadlocks."""
    yield
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(_BUSY)
            if cursor.fetchone()[0] == 0:
                return
        time.sleep(0.02)


@contextmanager
def chromium(*more: str) -> Iterator[Browser]:
    """A running browser with these flags besides those of every journey."""
    executable = shutil.which("chromium") or shutil.which("google-chrome")
    if executable is None:
        pytest.skip("no Chromium on this machine (make setup-dev installs it)")
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # the browser's event loop runs in this thread
        browser = playwright.chromium.launch(executable_path=executable, args=[*FLAGS, *more])
        if SLOW > 1:
            patch.setattr(browser, "new_context", lambda once=browser.new_context, **options: _slowed(once(**options)))
        yield browser
        browser.close()


def _slowed(window: BrowserContext) -> BrowserContext:
    def slow(page: Page) -> None:
        session = window.new_cdp_session(page)
        session.send("Emulation.setCPUThrottlingRate", {"rate": SLOW})
        session.send("Network.enable")
        line = {"offline": False, "latency": LATENCY, "downloadThroughput": -1, "uploadThroughput": -1}
        session.send("Network.emulateNetworkConditions", line)

    window.on("page", slow)
    return window


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


_AT_WORK = "document.readyState === 'complete' && !document.querySelector('.htmx-request, .htmx-swapping')"


def at_work(page: Page) -> None:
    """The scripts of the page that is there now have run, and nothing it asked for is under way.

    Wanted after a click that leads to another page (`goto` and `reload` wait by themselves), once something of it is
    seen: a key pressed before its scripts listen is lost, for a test as for a person.
    """
    page.wait_for_load_state()
    eventually(lambda: page.evaluate(_AT_WORK), what="the page's scripts are at work")


def accessible(page: Page) -> None:
    """Axe finds nothing."""
    at_work(page)
    painted(page)
    found: list[dict[str, Any]] = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    problems = [f"{one['id']}: {node['target']}" for one in found for node in one["nodes"]]
    assert problems == [], page.url


def in_both_themes(page: Page) -> None:
    """Axe finds nothing in the dark, nor in the light, which stays."""
    for theme in ("dark", "light"):
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        accessible(page)


# Asked again and again, not awaited: Chromium never settles what an animation that was replaced promised.
_AT_REST = """() => document.getAnimations().every((one) =>
  one.playState !== "running" || one.effect?.getComputedTiming().endTime === Infinity)"""


def painted(page: Page) -> None:
    """Colours that are on their way (a dialog was just opened, another theme asked for) have arrived."""
    eventually(lambda: page.evaluate(_AT_REST), what="colours have arrived")
