"""What every journey needs: nothing of the last one still runs when the database is emptied for the next."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connection
from playwright.sync_api import Browser, Page, expect, sync_playwright

PATIENCE = 30_000  # milliseconds a busy machine may take to show what is waited for; no test waits for nothing
expect.set_options(timeout=PATIENCE)
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
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


def accessible(page: Page) -> None:
    """Axe finds nothing."""
    painted(page)
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    assert [f"{one['id']}: {node['target']}" for one in found for node in one["nodes"]] == []


def painted(page: Page) -> None:
    """Colours that are on their way (another theme was just asked for) have arrived."""
    page.evaluate(
        "Promise.all(document.getAnimations().filter((one) => one instanceof CSSTransition)"
        ".map((one) => one.finished.catch(() => 0))).then(() => null)"
    )
