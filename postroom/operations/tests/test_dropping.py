"""The processes that take mail for drop addresses: they beat, are missed, and say goodbye like all others."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from postroom.lib.clock import Clock
from postroom.operations import beats, metrics, watch
from postroom.operations.alerts.evaluate import evaluate
from postroom.operations.alerts.words import words
from postroom.operations.doctor import work
from postroom.operations.doctor.findings import Finding, Installation, State
from postroom.operations.models import Alert, Process, Pulse
from postroom.workspaces.models import Membership

opened: list[datetime] = []


def open_since() -> datetime | None:
    """Instead of the drop box's own answer."""
    return min(opened, default=None)


@pytest.fixture
def clock(db: None, held: Clock, settings: Any) -> Clock:
    """Somebody has had an address for a minute."""
    settings.DROP_BOXES_OPEN_SINCE = f"{__name__}.open_since"
    opened[:] = [held.at - timedelta(minutes=1)]
    return held


def found() -> Finding:
    [finding] = work.drop_boxes(Installation(Path("/")))
    return finding


def kinds() -> list[tuple[str, int]]:
    return list(Alert.objects.filter(closed_at=None).values_list("kind", "level"))


def test_where_nobody_has_an_address_no_process_is_missed(clock: Clock, settings: Any) -> None:
    opened.clear()
    clock.advance(timedelta(days=1))
    assert evaluate()["raised"] == 0
    assert (found().state, found().found) == (State.NONE, "nobody has an address")
    settings.POSTROOM_DROPBOX_DOMAIN = ""
    assert (found().state, found().mend) == (State.NONE, "") and "POSTROOM_DROPBOX_DOMAIN" in found().found


def test_the_last_process_that_falls_silent_is_missed_until_another_runs(clock: Clock) -> None:
    beats.Beat("dropbox", 4).write()
    assert found().state is State.OK and "1 running on" in found().found and "just now" in found().found
    assert evaluate()["raised"] == 0
    clock.advance(timedelta(seconds=61))
    assert evaluate()["raised"] == 1
    assert kinds() == [("dropbox", Alert.Level.URGENT)]
    said = words(Alert.objects.get())
    assert said.title == "Drop boxes take no mail" and "seen 61 seconds ago" in said.text
    assert "postroom dropbox" in said.todo
    assert found().state is State.FAIL and "seen 61 seconds ago on" in found().found
    assert found().steps == ("postroom dropbox",)
    beats.Beat("dropbox", 4).write()
    assert evaluate() == {"raised": 0, "escalated": 0, "recovered": 1}
    assert found().state is State.OK


def test_one_of_several_that_falls_silent_is_less_urgent(clock: Clock) -> None:
    beats.Beat("dropbox", 4).write()
    Process.objects.update(host="north")
    clock.advance(timedelta(seconds=61))
    beats.Beat("dropbox", 4).write()
    evaluate()
    assert kinds() == [("dropbox", Alert.Level.WARNING)]
    assert words(Alert.objects.get()).title == "A drop box process is gone"
    assert found().state is State.WARN and "1 fell silent on north" in found().found


def test_a_first_start_and_a_stop_that_was_asked_for_have_ten_minutes(clock: Clock) -> None:
    assert evaluate()["raised"] == 0
    assert found().state is State.FAIL and "none was seen" in found().found
    clock.advance(timedelta(minutes=10))
    assert evaluate()["raised"] == 1
    beat = beats.Beat("dropbox", 4)
    beat.write()
    assert evaluate()["recovered"] == 1
    beat.goodbye()
    clock.advance(timedelta(minutes=9))
    assert evaluate()["raised"] == 0
    clock.advance(timedelta(minutes=2))
    assert evaluate()["raised"] == 1


def test_one_that_was_followed_is_not_missed_again_when_its_follower_stops(clock: Clock) -> None:
    beats.Beat("dropbox", 4).write()
    clock.advance(timedelta(minutes=2))
    follower = beats.Beat("dropbox", 4)
    follower.write()
    clock.advance(timedelta(hours=1))
    follower.write()
    assert beats.heard("dropbox").gone == []
    follower.goodbye()
    clock.advance(timedelta(minutes=5))
    assert evaluate()["raised"] == 0
    clock.advance(timedelta(minutes=6))
    assert evaluate()["raised"] == 1


def test_it_only_beats_and_its_stop_says_goodbye(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch.process, "wait_for_stop", lambda seconds: True)
    monkeypatch.setattr(watch, "close_old_connections", lambda: None)  # this one is the test's
    monkeypatch.setattr(watch.connections, "close_all", lambda: None)
    watch.until_stopped(beats.Beat("dropbox", 4), rounds=False)
    row = Process.objects.get()
    assert (row.kind, row.threads, row.stopped_at) == ("dropbox", 4, clock.at)
    assert not Pulse.objects.exists()


def test_operators_and_prometheus_see_it(clock: Clock, client: Client, member: Membership, settings: Any) -> None:
    beats.Beat("dropbox", 4).write()
    samples = [one for family in text_string_to_metric_families(metrics.render().decode()) for one in family.samples]
    told = {one.labels["kind"]: one.value for one in samples if one.name == "postroom_processes"}
    assert told == {"web": 0, "worker": 0, "dropbox": 1}
    settings.POSTROOM_OPERATORS = [member.address]
    client.force_login(member.user)
    assert "dropbox" in client.get("/operations/").content.decode()
