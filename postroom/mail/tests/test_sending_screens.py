"""Settings > Sending: who sees what, and that a server is kept, tried and forgotten."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from postroom.accounts.models import User
from postroom.mail.outbound import limits
from postroom.mail.ways import Allowance, MailServer
from postroom.mailboxes.models import Mailbox
from postroom.providers.errors import SendingLimit
from postroom.workspaces.commands import add_member
from postroom.workspaces.models import Membership, Role
from tests.platform.mail_server import MailServer as Relay
from tests.platform.mail_server import mail_server

pytestmark = pytest.mark.django_db
HERE = "mail:sending"


@pytest.fixture
def relay(settings: Any) -> Iterator[Relay]:
    settings.POSTROOM_MAIL_HOSTS = ["127.0.0.1"]
    with mail_server() as server:
        yield server


@pytest.fixture
def admin(client: Client, member: Membership) -> Client:
    client.force_login(member.user)
    return client


@pytest.fixture
def colleague(member: Membership) -> Client:
    Role.objects.get_or_create(workspace=member.workspace, name="Member", defaults={"permissions": []})
    other = add_member(member.workspace, User.objects.create_user("mara@northwind.example", "Mara"), role="Member")
    client = Client()
    client.force_login(other.user)
    return client


def typed(relay: Relay, **more: object) -> dict[str, object]:
    told = {"host": "127.0.0.1", "port": relay.port, "security": "none", "domains": "northwind.example, @b.example"}
    return {**told, "steps_in": "on", **more}


def page(client: Client) -> str:
    answer = client.get(reverse(HERE))
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_a_server_is_kept_and_tried_at_once(admin: Client, member: Membership, relay: Relay) -> None:
    answer = admin.post(reverse(HERE), typed(relay), follow=True)
    assert "answers and takes the sign-in" in answer.content.decode()
    row = MailServer.objects.get(workspace=member.workspace)
    assert row.domains == ["northwind.example", "b.example"] and row.steps_in and row.tested_at and not row.failure
    assert "northwind.example, b.example" in page(admin)
    admin.post(reverse("mail:sending-forget"))
    assert not MailServer.objects.exists()


def test_one_that_does_not_answer_is_kept_and_says_why(admin: Client, relay: Relay) -> None:
    relay.replies["EHLO"] = relay.replies["HELO"] = "421 4.3.2 closed today"
    answer = admin.post(reverse(HERE), typed(relay), follow=True)
    assert "does not work yet" in answer.content.decode()
    del relay.replies["EHLO"]
    answer = admin.post(reverse("mail:sending-test"), follow=True)
    assert "answers and takes the sign-in" in answer.content.decode()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"host": "http://x"}, "no name of a server"),
        ({"port": "0"}, "greater than or equal to 1"),
        ({"domains": "x"}, "is no domain"),
        ({"domains": ""}, "Name the domains"),
        ({"username": "ada", "password": "p"}, "encrypted connection"),
    ],
)
def test_what_cannot_be_is_said_beside_the_field(admin: Client, relay: Relay, wrong: dict[str, str], says: str) -> None:
    answer = admin.post(reverse(HERE), typed(relay, **wrong))
    assert answer.status_code == 422 and says in answer.content.decode()
    assert not MailServer.objects.exists()


def test_no_password_is_ever_shown_again(admin: Client, relay: Relay) -> None:
    told = typed(relay, security="tls", username="ada", password="correct horse")
    answer = admin.post(reverse(HERE), told, follow=True)
    assert "correct horse" not in answer.content.decode() and "correct horse" not in page(admin)


def test_what_a_mailbox_may_send_is_shown_and_set(
    admin: Client, mailbox: Mailbox, settle: Callable[..., int], relay: Relay
) -> None:
    settle(mailbox)
    assert "0 recipients in the last 24 hours" in page(admin) and "Sends" in page(admin)
    admin.post(reverse("mail:allowance", args=[mailbox.pk]), {"route": "own", "daily": "200"})
    assert "0 of 200 recipients" in page(admin)
    limits.reached(mailbox, SendingLimit(code="ErrorExceededMessageLimit", retry_after=86400))
    assert "messages are held" in page(admin)
    admin.post(reverse(HERE), typed(relay))
    assert "sends through 127.0.0.1" in page(admin)
    admin.post(reverse("mail:allowance", args=[mailbox.pk]), {"route": "own", "daily": "many"})
    assert Allowance.objects.get().daily == 200


def test_members_see_their_own_mailboxes_and_change_nothing(
    colleague: Client, mailbox: Mailbox, member: Membership, relay: Relay
) -> None:
    assert mailbox.address not in page(colleague) and "sending-server" not in page(colleague)
    assert colleague.post(reverse(HERE), typed(relay)).status_code == 404
    for name, args in (("sending-test", []), ("sending-forget", []), ("allowance", [mailbox.pk])):
        assert colleague.post(reverse(f"mail:{name}", args=args)).status_code in (403, 404)
    assert not MailServer.objects.exists()
