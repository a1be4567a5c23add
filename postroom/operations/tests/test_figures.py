"""The operator page and /metrics: right figures, no content, a bounded number of queries, and nobody else's."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from postroom.lib.clock import Clock
from postroom.mailboxes.models import Failure, Mailbox
from postroom.operations import beats, figures, metrics
from postroom.operations.counters import Counters
from postroom.operations.models import Process
from postroom.providers.budget import budget_of
from postroom.providers.contract import Urgency
from postroom.sync.models import Activity, Lane
from postroom.workspaces.models import Membership

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "self-hosting.md"


@pytest.fixture
def operator(client: Client, member: Membership, settings: Any) -> Client:
    settings.POSTROOM_OPERATORS = [member.address]
    client.force_login(member.user)
    return client


def sample(name: str, **labels: str) -> float:
    found = [
        one.value
        for family in text_string_to_metric_families(metrics.render().decode())
        for one in family.samples
        if one.name == name and labels.items() <= one.labels.items()
    ]
    assert found, name
    return found[0]


def test_the_page_exists_for_operators_only(operator: Client, settings: Any) -> None:
    assert operator.get("/operations/").status_code == 200
    settings.POSTROOM_OPERATORS = ["somebody@else.example"]
    assert operator.get("/operations/").status_code == 404
    settings.POSTROOM_OPERATORS = []
    assert operator.get("/operations/").status_code == 404


def test_the_page_names_no_address_and_no_mail(operator: Client, mailbox: Mailbox) -> None:
    Mailbox.objects.update(failure=Failure.REVOKED, failure_detail="AADSTS50173", failure_reference="7FAB-3KQM")
    page = operator.get("/operations/", headers={"HX-Request": "true"}).content.decode()
    assert "AADSTS50173" in page and "7FAB-3KQM" in page
    assert mailbox.address not in page


def test_waiting_is_measured_by_lane(mailbox: Mailbox, held: Clock) -> None:
    Lane.objects.update(due_at=None)
    Lane.objects.filter(activity=Activity.OUTBOX).update(due_at=held.at - timedelta(seconds=90))
    found = {row["activity"]: row for row in figures.lanes()}
    assert (found["outbox"]["due"], found["outbox"]["longest"]) == (1, 90.0)
    assert found["live"]["due"] == 0
    Mailbox.objects.update(failure=Failure.REVOKED)  # waits for a person, not for us
    assert figures.lanes()[0]["due"] == 0


def test_the_busiest_mailboxes_are_those_of_living_processes(mailbox: Mailbox, held: Clock) -> None:
    with budget_of(f"memory:{mailbox.address}").place(Urgency.USER, requests=20):
        pass
    beat = beats.Beat("worker", 8)
    beat.write()
    assert figures.busiest()[0]["id"] == mailbox.pk and figures.busiest()[0]["requests"] >= 20
    held.advance(timedelta(minutes=2))
    assert figures.busiest() == []


def test_ten_times_the_mailboxes_cost_no_query_more(
    operator: Client, member: Membership, held: Clock, django_assert_max_num_queries: Any
) -> None:
    made = Mailbox.objects.bulk_create(
        Mailbox(
            workspace=member.workspace, owner=member, provider="memory", address=f"m{number}@x.example", state="live",
            failure=Failure.REVOKED if number % 3 else "", failure_detail=f"AADSTS{50000 + number % 40}",
        )
        for number in range(300)
    )  # fmt: skip
    Lane.objects.bulk_create(Lane(mailbox=one, activity="live", priority=1, due_at=held.at) for one in made)
    with django_assert_max_num_queries(32):
        assert operator.get("/operations/", headers={"HX-Request": "true"}).status_code == 200


def test_metrics_are_for_this_machine_or_for_the_token(client: Client, db: None, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    here = {"HTTP_HOST": "127.0.0.1:8000", "REMOTE_ADDR": "127.0.0.1"}
    assert client.get("/metrics", **here).status_code == 200
    assert client.get("/metrics", **{**here, "REMOTE_ADDR": "10.0.0.7"}).status_code == 404
    assert client.get("/metrics", **{**here, "HTTP_HOST": "crm.northwind.com"}).status_code == 404
    assert client.get("/metrics", **here, HTTP_X_FORWARDED_FOR="127.0.0.1").status_code == 404
    settings.POSTROOM_METRICS_TOKEN = "let-me-in"
    assert client.get("/metrics", **here).status_code == 404
    assert client.get("/metrics", HTTP_AUTHORIZATION="Bearer let-me-in").status_code == 200


def test_counters_of_every_process_come_out_at_any_of_them(mailbox: Mailbox) -> None:
    Process.objects.create(
        kind="web", host="a", pid=1, threads=8, version="1",
        counters={"page:2xx": 5, "page_seconds:count": 5, "page_seconds:sum": 0.5, "page_seconds:le:0.1": 4},
    )  # fmt: skip
    assert sample("postroom_pages_total", status="2xx") == 5
    assert sample("postroom_page_seconds_bucket", le="0.1") == 4
    assert sample("postroom_page_seconds_bucket", le="+Inf") == 5
    assert sample("postroom_mailboxes", health="working") == 1
    assert mailbox.address not in metrics.render().decode()


def test_every_metric_is_in_the_documents_and_nothing_else_is(mailbox: Mailbox, settings: Any) -> None:
    from datetime import date

    settings.MICROSOFT_CLIENT_SECRET_EXPIRES = date(2027, 1, 1)
    made = {family.name for family in text_string_to_metric_families(metrics.render().decode())}
    lines = [line for line in DOCUMENT.read_text().splitlines() if line.startswith("| `postroom_")]
    told = {line.split("`")[1].split("{")[0].removesuffix("_total") for line in lines}
    assert told == made


def test_an_instance_is_ready_when_its_tables_are(client: Client, db: None) -> None:
    assert client.get("/readyz").content == b"ready\n"


def test_durations_fall_into_every_bucket_they_fit() -> None:
    made = Counters()
    made.observe("x", 0.15)
    made.observe("x", 5)
    known = made.snapshot()
    assert known["x:count"] == 2 and known["x:le:0.2"] == 1 and known["x:le:10.0"] == 2 and "x:le:0.1" not in known


def test_every_answer_has_a_number(client: Client, db: None) -> None:
    assert len(client.get("/healthz").headers["X-Request-ID"]) == 9
