"""The doctor tells right from wrong, says what to do, and a broken check breaks nothing else."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from django.test import Client

from postroom.lib.clock import now
from postroom.mailboxes.models import Connection, Failure, Mailbox
from postroom.operations import beats
from postroom.operations.doctor import database, network, round, settings, work
from postroom.operations.doctor.findings import Finding, Installation, State, ok
from postroom.operations.views import doctor
from postroom.workspaces.models import FIRST_ROLES, Membership, Role

KEY = "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk="
HERE = Installation(Path("/nowhere"), "http://127.0.0.1:9", "app", True, None, "common", "http://127.0.0.1:8", "http://127.0.0.1:8", (KEY,))  # fmt: skip # noqa: E501


def states(found: Iterator[Finding]) -> dict[str, State]:
    return {one.key: one.state for one in found}


def answering(monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    def ask(method: str, url: str, **options: Any) -> httpx2.Response:
        made = answer(url)
        if isinstance(made, Exception):
            raise made
        return made

    monkeypatch.setattr(network, "_ask", ask)


def echo(url: str, **options: Any) -> httpx2.Response:
    [token] = parse_qs(urlsplit(url).query)["validationToken"]
    return httpx2.Response(200, text=token, **options)


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (echo, State.OK),
        (lambda url: echo(url, headers={"content-type": "text/html"}), State.FAIL),
        (lambda url: httpx2.Response(302, headers={"location": "/sign-in/"}), State.FAIL),
        (lambda url: httpx2.Response(200, text="<html>Checking your browser"), State.FAIL),
        (lambda url: httpx2.Response(403), State.FAIL),
        (lambda url: httpx2.ConnectError("refused"), State.FAIL),
    ],
)
def test_the_webhook_is_right_only_if_it_gives_the_decoded_token_back(
    monkeypatch: pytest.MonkeyPatch, answer: Any, state: State
) -> None:
    answering(monkeypatch, answer)
    assert states(network.webhook(HERE)) == {"webhook": state}


def test_the_webhook_of_this_very_product_passes_its_own_check(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    def ask(method: str, url: str, **options: Any) -> httpx2.Response:
        parts = urlsplit(url)
        made = Client().post(f"{parts.path}?{parts.query}", content_type="text/plain")
        return httpx2.Response(made.status_code, headers=dict(made.headers), content=made.content)

    monkeypatch.setattr(network, "_ask", ask)
    monkeypatch.setattr(network, "SLOW_SECONDS", 1e9)
    assert states(network.webhook(HERE)) == {"webhook": State.OK}


@pytest.mark.parametrize(
    ("url", "graph", "state"),
    [
        ("", "https://graph.microsoft.com", State.NONE),
        ("http://127.0.0.1:8000", "https://graph.microsoft.com", State.FAIL),
        ("http://crm.contoso.com", "http://127.0.0.1:8365", State.FAIL),
        ("https://crm.example.com", "https://graph.microsoft.com", State.FAIL),
    ],
)
def test_an_address_that_microsoft_cannot_post_to_is_not_even_tried(url: str, graph: str, state: State) -> None:
    found = list(network.webhook(Installation(Path("/"), public_url=url, graph_url=graph)))
    assert [one.state for one in found] == [state]


def test_entra_itself_tells_whether_the_redirect_uri_is_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    back = f"{HERE.redirect_uri}?error=login_required"
    answering(monkeypatch, lambda url: httpx2.Response(302, headers={"location": back}))
    assert states(network.redirect_uri(HERE)) == {"redirect": State.OK}
    answering(monkeypatch, lambda url: httpx2.Response(200, text="AADSTS50011: The redirect URI …"))
    [found] = network.redirect_uri(HERE)
    assert found.state is State.FAIL and "Redirect URIs" in found.steps[0]
    answering(monkeypatch, lambda url: httpx2.Response(200, text="<html>"))
    assert states(network.redirect_uri(HERE)) == {"redirect": State.WARN}


def test_a_clock_that_is_off_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    date = {"date": "Sat, 01 Jan 2000 00:00:00 GMT"}
    answering(monkeypatch, lambda url: httpx2.Response(200, headers=date, json={"issuer": "https://x"}))
    assert states(network.entra(HERE)) == {"entra": State.OK, "clock": State.FAIL}


def test_a_check_that_breaks_or_hangs_is_a_finding_and_the_others_go_on() -> None:
    import threading

    release = threading.Event()

    def breaks(here: Installation) -> Iterator[Finding]:
        raise RuntimeError("secret detail")
        yield

    def hangs(here: Installation) -> Iterator[Finding]:
        release.wait(5)
        yield ok("late", "Late", "")

    def works(here: Installation) -> Iterator[Finding]:
        yield ok("fine", "Fine", "")

    found = round.side_by_side([breaks, hangs, works], HERE, patience=0.05)
    release.set()
    assert [one.state for one in found][:2] == [State.FAIL, State.FAIL]
    assert "secret detail" not in str(found)
    assert round.in_turn([breaks, works], HERE)[1].key == "fine"


@pytest.mark.parametrize(("days", "state"), [(None, State.NONE), (90, State.OK), (30, State.WARN), (-1, State.FAIL)])
def test_the_secrets_days_are_counted(days: int | None, state: State) -> None:
    ends = now().date() + timedelta(days=days) if days is not None else None
    here = Installation(Path("/"), has_secret=True, secret_ends=ends, graph_url="http://127.0.0.1:1")
    assert states(settings.secret_days(here)) == {"secret_days": state}


def test_storage_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert states(settings.storage(Installation(tmp_path / "file"))) == {"storage": State.FAIL}
    assert states(settings.storage(Installation(tmp_path / "new")))["storage"] is not State.FAIL


def test_the_database_is_looked_at(db: None) -> None:
    found = {one.key: one for one in round.in_turn(database.CHECKS, HERE)}
    assert found["database"].found.startswith("PostgreSQL")
    assert found["migrations"].state is State.OK and found["database_clock"].state is State.OK


def test_no_worker_is_a_failure_and_one_is_enough(db: None) -> None:
    assert states(work.workers(HERE)) == {"workers": State.FAIL}
    beats.Beat("worker", 8).write()
    assert states(work.workers(HERE)) == {"workers": State.OK}


def test_rows_under_an_older_key_are_counted(mailbox: Mailbox) -> None:
    assert states(work.sealed(HERE)) == {"sealed": State.OK}
    Connection.objects.update(sealed_grant=b"\x01old!" + b"x" * 40)
    [found] = work.sealed(HERE)
    assert found.state is State.WARN and found.found.startswith("1 of 1") and found.steps == ("postroom rotate-keys",)


def test_a_connection_without_what_is_needed_is_named_with_the_scope(mailbox: Mailbox) -> None:
    Connection.objects.update(provider="microsoft", scopes=["User.Read"])
    found = list(work.permissions(HERE))
    assert found[0].state is State.FAIL and "Mail.ReadWrite" in found[0].found


def test_the_registration_refused_in_use_is_told_with_its_code(mailbox: Mailbox) -> None:
    Connection.objects.update(provider="microsoft", failure=Failure.OPERATOR, failure_code="AADSTS7000222")
    [found] = work.credentials(HERE)
    assert found.state is State.FAIL and "AADSTS7000222" in found.found


# --- the page ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def admin(client: Client, member: Membership) -> Client:
    client.force_login(member.user)
    return client


def test_the_page_shows_the_checks_to_admins_only(admin: Client, member: Membership) -> None:
    assert "This installation" in admin.get("/settings/doctor/").content.decode()
    member.role = Role.objects.create(workspace=member.workspace, name="Plain", permissions=FIRST_ROLES["Member"])
    member.save()
    page = admin.get("/settings/doctor/").content.decode()
    assert "This installation" not in page and "Explain an error" in page
    for part in doctor.PARTS:
        assert admin.get(f"/settings/doctor/checks/{part}/").status_code == 403


def test_what_takes_a_while_follows_the_page_each_part_by_itself(
    admin: Client, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    page = admin.get("/settings/doctor/").content.decode()
    assert "Mailboxes of" in page and "PostgreSQL" not in page
    for part, told in (("installation", "PostgreSQL"), ("work", "Workers")):
        assert f'hx-get="/settings/doctor/checks/{part}/"' in page
        with django_assert_max_num_queries(12):
            assert told in admin.get(f"/settings/doctor/checks/{part}/").content.decode()
    assert admin.get("/settings/doctor/checks/other/").status_code == 404


def test_where_operators_are_named_the_installation_is_theirs(admin: Client, settings: Any, member: Membership) -> None:
    settings.POSTROOM_OPERATORS = ["root@example.com"]
    assert "This installation" not in admin.get("/settings/doctor/").content.decode()
    assert admin.get("/settings/doctor/checks/work/").status_code == 404
    settings.POSTROOM_OPERATORS = [member.address]
    assert "This installation" in admin.get("/settings/doctor/").content.decode()


def test_a_pasted_error_is_explained_with_a_letter(admin: Client) -> None:
    answer = admin.post(
        "/settings/doctor/explanation/", {"text": "AADSTS50105: <b>x</b>"}, headers={"HX-Request": "true"}
    )
    page = answer.content.decode()
    assert "Not assigned" in page and "Users and groups" in page and "Letter to your IT" in page and "<b>x" not in page


def test_the_setup_shows_the_steps_and_judges_them_by_the_same_checks(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = admin.get("/settings/setup/").content.decode()
    assert "/mailboxes/connect/microsoft/callback" in page and "To do" not in page
    monkeypatch.setattr(round, "side_by_side", lambda checks, here: [ok("webhook", "Webhook", "answers")])
    judged = admin.get("/settings/setup/?checked=1", headers={"HX-Request": "true"}).content.decode()
    assert "Next:" in judged and "To do" in judged and "Done" in judged


def test_every_step_that_can_be_checked_names_findings_that_exist(db: None) -> None:
    from postroom.operations import setup
    from postroom.operations.doctor import here

    made = "".join(Path(module.__file__ or "").read_text() for module in (network, settings, work, database))
    for step in setup.steps(HERE, here.app_of(HERE)):
        assert all(f'"{key}"' in made or key in ("client_id", "client_secret") for key in step.checks), step.key
