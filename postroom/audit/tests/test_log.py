"""The access log: what is written, that it stays, and when it goes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from postroom.accounts.models import User
from postroom.audit import log
from postroom.audit.log import Read, Reader
from postroom.audit.models import Access
from postroom.lib import clock
from postroom.workspaces.commands import add_member, create_workspace
from postroom.workspaces.models import Membership

pytestmark = pytest.mark.django_db
ADELE = Reader(who="adele@northwind.example", how="screen", member_id=1, address="192.0.2.7", agent="Firefox on Linux")


@pytest.fixture
def member() -> Membership:
    log.forget_looks()
    return add_member(create_workspace("Northwind"), User.objects.create_user("adele@northwind.example"), role="Admin")


def looked(member: Membership, *messages: int, mailbox: int = 5) -> Read:
    return Read(workspace_id=member.workspace_id, mailbox_id=mailbox, conversation_id=9, message_ids=messages)


def test_an_entry_says_who_what_when_from_where_and_how(member: Membership) -> None:
    with clock.frozen() as time:
        assert log.read(ADELE, "thread", [looked(member, 3, 4)]) == 1
    entry = Access.objects.get()
    assert (entry.who, entry.of_mailbox, entry.conversation_id, entry.message_ids) == (ADELE.who, 5, 9, [3, 4])
    assert (entry.at, entry.address, entry.agent) == (time.at, "192.0.2.7", "Firefox on Linux")
    assert (entry.what, entry.how) == ("thread", "screen")


def test_one_opened_thread_is_one_statement_whatever_it_holds(member: Membership, django_assert_num_queries) -> None:
    pairs = [(box, number) for box in (5, 6) for number in range(100 * box, 100 * box + 50)]
    with django_assert_num_queries(1):
        assert log.read(ADELE, "thread", log.by_mailbox(member.workspace_id, 9, pairs)) == 2


def test_the_frames_of_an_opened_thread_are_not_logged_once_more(member: Membership) -> None:
    with clock.frozen() as time:
        log.read(ADELE, "thread", [looked(member, 3, 4)])
        assert log.read(ADELE, "body", [looked(member, 3)], again=False) == 0
        assert log.read(ADELE, "body", [looked(member, 77)], again=False) == 1  # never opened as a thread
        time.advance(timedelta(minutes=11))
        assert log.read(ADELE, "body", [looked(member, 3)], again=False) == 1


@pytest.mark.parametrize("act", ["update audit_access set who = 'nobody'", "delete from audit_access"])
def test_the_database_refuses_to_change_or_delete_an_entry(member: Membership, act: str) -> None:
    log.read(ADELE, "thread", [looked(member, 3)])
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(act)
    assert Access.objects.get().who == ADELE.who


def test_entries_go_after_their_time_and_not_before(member: Membership, settings) -> None:
    settings.ACCESS_LOG_DAYS = 30
    with clock.frozen() as time:
        log.read(ADELE, "thread", [looked(member, 1)])
        time.advance(timedelta(days=20))
        log.read(ADELE, "thread", [looked(member, 2)])
        assert log.prune() == 0
        time.advance(timedelta(days=11))
        assert log.prune() == 1
    assert Access.objects.get().message_ids == [2]
    with pytest.raises(DatabaseError), transaction.atomic():
        Access.objects.all().delete()  # the door is shut again


def test_a_deleted_workspace_takes_its_log_with_it_and_no_other(member: Membership) -> None:
    other = create_workspace("Woodgrove")
    log.read(ADELE, "thread", [looked(member, 1), Read(workspace_id=other.pk, mailbox_id=8)])
    assert log.forget_workspace(member.workspace) == 1
    assert Access.objects.get().workspace_id == other.pk


def test_what_was_read_of_a_mailbox_is_no_remains_of_it(member: Membership) -> None:
    """A purge searches every table for what a deleted row left; that it was read stays true and is meant to stay."""
    names = {field.name for field in Access._meta.concrete_fields}
    assert not names & {"mailbox", "mailbox_id", "membership", "membership_id"}
