"""Who looks is noted once a minute, and wakes what was asked seldom."""

from datetime import timedelta
from typing import Any

import pytest

from postroom.lib import clock
from postroom.mailboxes.models import Mailbox
from postroom.sync import viewing
from postroom.sync.models import Activity, Lane, Subscription, SyncState
from postroom.sync.schedule import LOOKED_AT_WITHIN
from postroom.workspaces.models import Membership

pytestmark = pytest.mark.django_db


@pytest.fixture
def followed(mailbox: Mailbox) -> Mailbox:
    due = clock.now() + timedelta(minutes=5)
    SyncState.objects.create(mailbox=mailbox, resource="mail", scope="inbox", phase="following", due_at=due)
    return mailbox


def viewed_at(mailbox: Mailbox) -> Any:
    return Mailbox.objects.values_list("viewed_at", flat=True).get(pk=mailbox.pk)


def is_wanted(mailbox: Mailbox) -> bool:
    return Lane.objects.get(mailbox=mailbox, activity=Activity.LIVE).wanted > 0


def test_a_look_is_noted_at_most_once_a_minute(mailbox: Mailbox) -> None:
    with clock.frozen() as held:
        viewing.looked_into([mailbox.pk])
        first = viewed_at(mailbox)
        held.advance(timedelta(seconds=59))
        viewing.looked_into([mailbox.pk])
        assert viewed_at(mailbox) == first
        held.advance(timedelta(seconds=2))
        viewing.looked_into([mailbox.pk])
        assert viewed_at(mailbox) == held.at


def test_a_polled_mailbox_that_was_left_alone_is_asked_at_once(followed: Mailbox) -> None:
    viewing.looked_into([followed.pk])
    assert is_wanted(followed)
    assert SyncState.objects.get().due_at <= clock.now()


def test_one_that_is_polled_quickly_already_is_not_asked_besides(followed: Mailbox) -> None:
    Mailbox.objects.update(viewed_at=clock.now() - LOOKED_AT_WITHIN / 2)
    viewing.looked_into([followed.pk])
    assert not is_wanted(followed)


def test_a_mailbox_with_push_needs_no_asking(followed: Mailbox) -> None:
    Subscription.objects.create(
        mailbox=followed, remote_id="s", client_state="x", expires_at=clock.now() + timedelta(days=1)
    )
    viewing.looked_into([followed.pk])
    assert not is_wanted(followed) and viewed_at(followed)


def test_an_open_screen_counts_for_what_its_member_may_read(followed: Mailbox, member: Membership) -> None:
    other = Membership.objects.create(
        workspace=member.workspace, user=type(member.user).objects.create_user("b@northwind.example"), role=member.role
    )
    viewing.is_here(other)
    assert viewed_at(followed) is None
    viewing.is_here(member)
    assert viewed_at(followed) is not None


def test_noting_nothing_costs_nothing(mailbox: Mailbox, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        viewing.looked_into([])
