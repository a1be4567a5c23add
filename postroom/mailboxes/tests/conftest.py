"""The cast of these tests: Northwind's Adele (admin) and Ben (member), Gil (guest), and Zoe of another workspace."""

from collections.abc import Callable, Iterator

import pytest
from django.test import Client

from postroom.accounts.models import User
from postroom.mailboxes import grants
from postroom.mailboxes.models import Connection, Mailbox
from postroom.mailboxes.tests import recorder
from postroom.mailboxes.tests.fakes import FakeProvider, grant_of
from postroom.providers import registry
from postroom.workspaces.commands import add_member, create_workspace
from postroom.workspaces.models import Membership


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeProvider]:
    """A provider whose every answer the test decides; it answers to the name of the real one."""
    fake = FakeProvider()
    registry.connector.cache_clear()
    monkeypatch.setitem(registry.PROVIDERS, "microsoft", "postroom.mailboxes.tests.fakes:current")
    monkeypatch.setattr("postroom.mailboxes.tests.fakes.CURRENT", [fake])
    yield fake
    registry.connector.cache_clear()


@pytest.fixture
def adele(db: None) -> Membership:
    northwind = create_workspace("Northwind Traders")
    return add_member(northwind, User.objects.create_user("adele@northwind.example", "Adele Vance"), role="Admin")


@pytest.fixture
def ben(adele: Membership) -> Membership:
    return add_member(adele.workspace, User.objects.create_user("ben@northwind.example", "Ben Okafor"))


@pytest.fixture
def gil(adele: Membership) -> Membership:
    return add_member(adele.workspace, User.objects.create_user("gil@northwind.example", "Gil Guest"), role="Guest")


@pytest.fixture
def zoe(db: None) -> Membership:
    return add_member(create_workspace("Contoso"), User.objects.create_user("zoe@contoso.example", "Zoe"), role="Admin")


@pytest.fixture
def connection(adele: Membership, provider: FakeProvider) -> Connection:
    made = Connection.objects.create(
        workspace=adele.workspace,
        member=adele,
        provider="microsoft",
        account_key="tenant:adele",
        address="adele@northwind.example",
        name="Adele Vance",
    )
    grants.keep(made, grant_of("adele@northwind.example"))
    return made


@pytest.fixture
def mailbox(connection: Connection, adele: Membership) -> Mailbox:
    return Mailbox.objects.create(
        workspace=adele.workspace,
        connection=connection,
        owner=adele,
        provider="microsoft",
        address=connection.address,
        state=Mailbox.State.LIVE,
        history=Mailbox.History.DAYS_90,
    )


@pytest.fixture
def signed_in(client: Client) -> Callable[[Membership], Client]:
    def sign_in(member: Membership) -> Client:
        client.force_login(member.user)
        return client

    return sign_in


@pytest.fixture
def told() -> Iterator[list[str]]:
    """What the hooks were told, when the test's settings name the recorder."""
    recorder.TOLD.clear(), recorder.RESULT.clear(), recorder.CARD.clear(), recorder.TO_ERASE.clear()
    yield recorder.TOLD
    recorder.TOLD.clear(), recorder.RESULT.clear(), recorder.CARD.clear(), recorder.TO_ERASE.clear()
