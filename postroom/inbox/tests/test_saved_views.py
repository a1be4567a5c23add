"""Views of the Inbox under a name (IN8): kept, shared, opened."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse

from postroom.accounts.models import User
from postroom.mail.tests.conftest import box, connect, mailbox, member, settle
from postroom.mailboxes.models import Mailbox
from postroom.records.models import SavedView
from postroom.workspaces.models import Membership

__all__ = ["box", "connect", "mailbox", "member", "settle"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(client: Client) -> Callable[[Membership], Client]:
    def signed_in(who: Membership) -> Client:
        client.force_login(who.user)
        return client

    return signed_in


def saved(client: Client, state: str, *, shared: bool = False) -> SavedView:
    told = {"place": "inbox", "state": state, "name": "To read", **({"shared": "on"} if shared else {})}
    assert client.post(reverse("records:view-new"), told).status_code == 302
    return SavedView.objects.get()


def test_chips_and_mailbox_are_kept_and_the_view_is_marked_where_it_is_open(
    member: Membership, mailbox: Mailbox, browser: Callable[[Membership], Client]
) -> None:
    client = browser(member)
    state = urlencode({"filter": "unread", "mailbox": mailbox.pk})
    assert "Save view" in client.get(f"/inbox/?{state}&shown=100").text
    view = saved(client, f"{state}&shown=100&nonsense=1")
    assert view.query == state
    (chip,) = client.get(f"/inbox/?{state}").context["listing"].views.chips
    assert (chip.href, chip.current) == (f"/inbox/?{state}", True)
    assert not client.get("/inbox/").context["listing"].views.chips[0].current


def test_a_colleague_who_cannot_read_the_mailbox_of_a_shared_view_is_told(
    member: Membership, mailbox: Mailbox, browser: Callable[[Membership], Client]
) -> None:
    view = saved(browser(member), f"mailbox={mailbox.pk}", shared=True)
    user = User.objects.create_user("ben@northwind.example", "Ben")
    ben = Membership.objects.create(workspace=member.workspace, user=user, role=member.role)
    (chip,) = browser(ben).get("/inbox/").context["listing"].views.chips
    assert chip.view == view
    assert "not yours to read" in browser(ben).get(chip.href).text
