"""What happens to records is told to open screens, by id, once, and an import without naming anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from postroom.records import commands, news
from postroom.records.candidates import commands as candidates
from postroom.records.companies import commands as companies
from postroom.records.deals import commands as deals
from postroom.records.notes import commands as notes
from postroom.records.people import commands as people
from postroom.records.tasks import commands as tasks
from postroom.records.tickets import commands as tickets
from postroom.workspaces.models import Membership, Workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Callable[[], set[tuple[str, Any]]]:
    """What was told since it was last asked: topics with ids, or with "all"."""
    heard: set[tuple[str, Any]] = set()

    def publish(workspace_id: int, topic: str, payload: dict[str, Any], **more: Any) -> None:
        heard.add((topic, payload.get("id", "all")))

    monkeypatch.setattr(news, "publish", publish)

    def since() -> set[tuple[str, Any]]:
        found = set(heard)
        heard.clear()
        return found

    return since


def test_every_deed_tells_of_its_record(
    northwind: Workspace, alice: Membership, told: Callable[[], set[tuple[str, Any]]]
) -> None:
    deal = deals.create(northwind, by=alice, name="Renewal")
    here = {("deals", deal.pk)}
    assert told() == here
    deals.change(deal, by=alice, name="Renewal 2027")
    assert told() == here
    deals.move(deal, to=deal.stage.pipeline.stages.all()[1], by=alice)
    assert told() == here
    note = notes.write(deal, "Call", by=alice)
    assert told() == here
    notes.rewrite(note, "Called")
    assert told() == here
    notes.delete(note)
    assert told() == here
    task = tasks.create(northwind, by=alice, title="Call", record=deal)
    assert told() == here
    tasks.finish(task, done=True)
    assert told() == here
    tasks.delete(task)
    assert told() == here
    commands.delete(deal)
    assert told() == here


def test_what_follows_in_other_records_is_told_too(
    northwind: Workspace, alice: Membership, told: Callable[[], set[tuple[str, Any]]]
) -> None:
    contoso = companies.create(northwind, by=alice, name="Contoso")
    people.create(northwind, by=alice, first_name="Inês", company=contoso)
    told()
    companies.change(contoso, by=alice, name="Contoso Ltd")
    assert told() == {("companies", contoso.pk), ("contacts", "all")}
    paul = candidates.create(northwind, by=alice, name="Paul")
    told()
    candidates.judge(paul, by=alice, verdict="yes", marks={})
    assert told() == {("candidates", paul.pk)}
    one, two = (tickets.create(northwind, by=alice, name=name) for name in ("One", "Two"))
    told()
    tickets.merge(one, two, by=alice)
    assert told() == {("tickets", one.pk), ("tickets", two.pk)}


def test_a_task_of_no_record_is_news_of_none(
    northwind: Workspace, alice: Membership, told: Callable[[], set[tuple[str, Any]]]
) -> None:
    tasks.create(northwind, by=alice, title="Water the plants")
    assert told() == set()


def test_what_happens_together_is_told_once(
    northwind: Workspace, alice: Membership, told: Callable[[], set[tuple[str, Any]]]
) -> None:
    with news.together():
        for number in range(5):
            deals.create(northwind, by=alice, name=f"Deal {number}")
        assert told() == set()
    assert told() == {("deals", "all")}
