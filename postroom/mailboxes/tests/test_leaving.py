"""Disconnecting: what is kept, what is deleted in steps, who has to confirm what, and what shared mailboxes do."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from postroom.lib import erasing
from postroom.mailboxes import access, departure, lifecycle
from postroom.mailboxes.models import Connection, Departure, Mailbox
from postroom.mailboxes.tests import recorder
from postroom.mailboxes.tests.fakes import FakeProvider, grant_of
from postroom.workspaces.models import Membership

SignIn = Callable[[Membership], Client]
LIST = "/settings/integrations/outlook/"
HTMX: dict[str, Any] = {"headers": {"HX-Request": "true"}}
ADDRESS = "adele@northwind.example"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def hooked(settings: Settings, told: list[str]) -> None:
    settings.MAILBOX_HOOKS = ["postroom.mailboxes.tests.recorder"]


@pytest.fixture
def client(adele: Membership, provider: FakeProvider) -> Client:
    """Adele's browser."""
    browser = Client()
    browser.force_login(adele.user)
    return browser


@pytest.fixture
def support(mailbox: Mailbox) -> Mailbox:
    """A shared mailbox that borrows Adele's connection."""
    return Mailbox.objects.create(
        workspace=mailbox.workspace,
        connection=mailbox.connection,
        owner=mailbox.owner,
        delegate=mailbox.owner,
        provider="microsoft",
        kind="shared",
        address="support@northwind.example",
        state="live",
        history="90d",
        visibility="workspace",
    )


def leave(client: Client, mailbox: Mailbox, mail: str, address: str = ADDRESS) -> Any:
    return client.post(f"/mailboxes/{mailbox.pk}/disconnect/", {"mail": mail, "address": address}, **HTMX)


def test_kept_mail_stays_with_the_mailbox_and_the_grant_goes(client: Client, mailbox: Mailbox, told: list[str]) -> None:
    leave(client, mailbox, "keep")
    mailbox.refresh_from_db()
    assert (mailbox.state, mailbox.connection, Connection.objects.count()) == ("disconnected", None, 0)
    assert told == ["disconnecting adele@northwind.example keep"]
    assert "Connect again" in client.get(LIST).content.decode()


@pytest.mark.parametrize("mail", ["delete", "contacts"])
def test_deleting_wants_the_address_typed(client: Client, mailbox: Mailbox, told: list[str], mail: str) -> None:
    for typed in ("", "adele", "ben@northwind.example"):
        answer = leave(client, mailbox, mail, typed)
        assert answer.status_code == 422 and "to confirm" in answer.content.decode()
    assert told == [] and not Departure.objects.exists()


def test_the_dialog_counts_what_would_go_and_says_what_microsoft_does_not_do(client: Client, mailbox: Mailbox) -> None:
    dialog = client.get(f"/mailboxes/{mailbox.pk}/disconnect/", **HTMX).content.decode()
    assert "61,204" in dialog and "conversations" in dialog and "<html" not in dialog
    assert "https://myapps.microsoft.com/" in dialog and "Nothing is deleted in Outlook" in dialog
    assert "<html" in client.get(f"/mailboxes/{mailbox.pk}/disconnect/").content.decode()


def test_deleting_is_done_in_steps_that_can_be_watched(client: Client, mailbox: Mailbox, adele: Membership) -> None:
    recorder.TO_ERASE[:] = [500, 300, 7]
    assert leave(client, mailbox, "delete", " Adele@Northwind.example ")["HX-Redirect"] == LIST
    assert not Connection.objects.exists()
    assert not access.mailboxes_visible_to(adele).exists() and not access.mailboxes_manageable_by(adele).exists()
    assert "Deleting the mail of adele@northwind.example" in client.get(LIST).content.decode()
    assert departure.step(mailbox.pk) is True
    assert Departure.objects.get().done == 500
    assert 'value="500"' in client.get("/mailboxes/departures/").content.decode()
    departure.finish(mailbox.pk)
    assert not Mailbox.objects.exists() and erasing.mentions(mailbox.pk, Mailbox) == {}
    assert "Deleting" not in client.get("/mailboxes/departures/").content.decode()


def test_a_deletion_that_was_interrupted_goes_on_by_itself(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder.TO_ERASE[:] = [5, 5]
    lifecycle.disconnect(mailbox, delete=True, at_once=False)
    departure.finish(mailbox.pk, stopping=iter([False, True]).__next__)  # the worker is asked to end after one step
    assert recorder.TO_ERASE == [5] and Departure.objects.exists()
    woken: list[int] = []
    monkeypatch.setattr(departure, "wake", woken.append)
    assert departure.resume() == 1 and woken == [mailbox.pk]
    departure.finish(woken[0])
    assert not Mailbox.objects.exists()


def test_the_address_can_be_connected_again_while_the_old_mail_is_still_being_deleted(
    mailbox: Mailbox, adele: Membership, provider: FakeProvider
) -> None:
    recorder.TO_ERASE[:] = [5]
    lifecycle.disconnect(mailbox, delete=True, at_once=False)
    fresh = lifecycle.connect(adele, "microsoft", grant_of(ADDRESS))
    assert fresh.pk != mailbox.pk and fresh.address == ADDRESS
    departure.finish(mailbox.pk)
    assert list(Mailbox.objects.all()) == [fresh]


def test_only_who_may_manage_a_mailbox_watches_its_deletion(
    mailbox: Mailbox, ben: Membership, zoe: Membership, signed_in: SignIn
) -> None:
    recorder.TO_ERASE[:] = [5]
    lifecycle.disconnect(mailbox, delete=True, at_once=False)
    for stranger in (ben, zoe):
        assert ADDRESS not in signed_in(stranger).get("/mailboxes/departures/").content.decode()


def test_kept_mail_can_be_deleted_later(client: Client, mailbox: Mailbox) -> None:
    leave(client, mailbox, "keep")
    leave(client, mailbox, "delete")
    departure.finish(mailbox.pk)
    assert not Mailbox.objects.exists()


def test_a_shared_mailbox_waits_for_another_delegate(
    client: Client, mailbox: Mailbox, support: Mailbox, told: list[str]
) -> None:
    assert support.address in client.get(f"/mailboxes/{mailbox.pk}/disconnect/").content.decode()
    leave(client, mailbox, "delete")
    departure.finish(mailbox.pk)
    support.refresh_from_db()
    assert (support.state, support.failure, support.connection) == ("live", "no_delegate", None)
    assert told == [f"disconnecting {ADDRESS} delete", "delegate lost support@northwind.example"]
    page = client.get(LIST).content.decode()
    assert "Its delegate Adele Vance is disconnected." in page and "Choose another delegate" in page


def test_a_shared_mailbox_leaves_without_its_delegate(client: Client, mailbox: Mailbox, support: Mailbox) -> None:
    leave(client, support, "keep", support.address)
    support.refresh_from_db(), mailbox.refresh_from_db()
    assert (support.state, support.connection) == ("disconnected", None)
    assert mailbox.connection is not None and mailbox.connection.sealed_grant
