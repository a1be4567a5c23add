"""Every attack sample in Chromium: no script runs, nothing is asked for but the mail itself, nothing leaves its frame.

Each of the two fences has to hold alone: what was made safe is also shown without policy and sandbox, what was not is
shown behind them. Without both, the same ears hear a great deal: they are not deaf.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from django.conf import settings as configured
from django.test import Client
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from postroom.mail import content
from postroom.mail.models import Message
from postroom.mail.tests.attacks import ATTACKS, KINDS
from postroom.mail.tests.attacks.marks import HOST
from postroom.mail.tests.mailing import mail, mailbox, member, put, workspace
from postroom.mail.text import storable
from tests.journeys.attack_stage import FENCED, Heard, Stage, canary
from tests.journeys.conftest import chromium

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

AT_ONCE = 91
OPEN = "frame-ancestors 'self'"  # a policy that forbids a mail nothing
NAMES = list(ATTACKS)
Show = Callable[..., Heard]


@pytest.fixture(scope="module")
def attackers() -> Iterator[Any]:
    with canary() as server:
        yield server


@pytest.fixture(scope="module")
def browser(attackers: Any) -> Iterator[Browser]:
    hosts = f"--host-resolver-rules=MAP {HOST} 127.0.0.1:{attackers.server_address[1]}, MAP *.example ~NOTFOUND"
    with chromium(hosts) as running:
        yield running


@pytest.fixture
def show(browser: Browser, live_server: LiveServer) -> Iterator[Show]:
    """Stores samples as mail and shows each in its frame; what was heard. ``sandbox`` replaces that of the frame."""
    adele = member(workspace(), "adele@northwind.example")
    box = mailbox(adele)
    client = Client()
    client.force_login(adele.user)
    cookie = {"name": configured.SESSION_COOKIE_NAME, "value": client.cookies[configured.SESSION_COOKIE_NAME].value}
    stages: list[Stage] = []

    def shown(names: Sequence[str], *, sandbox: str = FENCED) -> Heard:
        put(box, [mail(NAMES.index(name), html=f"<p>before</p>{ATTACKS[name]}") for name in names])
        known = dict(Message.objects.values_list("remote_id", "pk"))
        rows = [(f"/mail/messages/{known[f'id{NAMES.index(name)}']}/body", name) for name in names]
        stages.append(Stage(browser, live_server.url, cookie, sandbox=sandbox))
        for start in range(0, len(rows), AT_ONCE):
            stages[-1].show(rows[start : start + AT_ONCE], start)
        return stages[-1].heard

    yield shown
    for stage in stages:
        stage.close()


def unclean(message: Message, *, pictures: bool = False) -> str:
    """The page of a message as if nobody had made it safe."""
    return content._document(storable(ATTACKS[NAMES[int(message.remote_id.removeprefix("id"))]]))


def test_no_sample_runs_loads_or_leaves_its_frame(show: Show, attackers: Any) -> None:
    before = attackers.connections
    heard = show(NAMES)
    assert heard == Heard(frames=len(NAMES)), heard
    assert attackers.connections == before


def test_what_was_made_safe_needs_neither_policy_nor_sandbox(
    show: Show, attackers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(content, "FRAME_POLICY", OPEN)
    before = attackers.connections
    heard = show([*KINDS["two readings"], *KINDS["our own steps"], *KINDS["styles"]], sandbox="")
    assert heard.nothing() and heard.frames > 190, heard
    assert attackers.connections == before


def test_policy_and_sandbox_hold_what_was_never_made_safe(
    show: Show, attackers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(content, "page", unclean)
    before = attackers.connections
    heard = show([*KINDS["scripts"], *list(KINDS["handlers"])[:60], *KINDS["hints"]])
    assert not heard.ran and not heard.opened and heard.frames > 100, heard
    assert heard.asked and attackers.connections == before  # wanted, and not let through
    assert len(heard.faults) > 45  # they are really there


def test_without_fences_the_ears_hear_scripts_requests_and_frames_that_leave(
    show: Show, attackers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(content, "page", unclean)
    monkeypatch.setattr(content, "FRAME_POLICY", OPEN)
    before = attackers.connections
    some = [*list(KINDS["handlers"])[:40], *KINDS["elements that load"], "script that goes elsewhere"]
    heard = show(some, sandbox="")
    assert len(set(heard.ran)) > 20, heard
    assert sum(HOST in address for address in heard.asked) > 20, heard
    assert "script that goes elsewhere" in heard.left and attackers.connections > before + 5, heard
