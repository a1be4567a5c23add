"""Folders that are switched off and on, and a history that is made longer later."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from postroom.lib.clock import now
from postroom.mail import folder_sync
from postroom.mail.checks import FolderCheck
from postroom.mail.folders import flat, folder_tree
from postroom.mail.models import Folder, Known, Message, MessageBody
from postroom.mail.sync import coverage
from postroom.mail.tests.test_sync import in_step, notify
from postroom.mailboxes import lifecycle
from postroom.mailboxes.models import Mailbox
from postroom.providers.contract import FolderRole
from postroom.providers.memory.mailbox import Box
from postroom.sync import mailbox_hooks
from postroom.sync.models import SyncState

Settle = Callable[..., int]
pytestmark = pytest.mark.django_db


@pytest.fixture
def customers(box: Box) -> str:
    folder = box.folder("Customers")
    for number in range(60):
        box.deliver(subject=f"Customer {number}", folder=folder)
    return folder


@pytest.fixture
def synced(mailbox: Mailbox, box: Box, customers: str, settle: Settle) -> Mailbox:
    for number in range(20):
        box.deliver(subject=f"Mail {number}")
    settle(mailbox)
    box.notifications()
    return mailbox


def switch(remote_id: str, *, on: bool) -> None:
    folder_sync.switch(Folder.objects.get(remote_id=remote_id), on=on)


def follow(mailbox: Mailbox, settle: Settle) -> None:
    mailbox_hooks.sync_now(mailbox)
    settle(mailbox)


def names(mailbox: Mailbox) -> list[str]:
    return [node.folder.name for node in flat(folder_tree(mailbox))]


def test_a_folder_switched_off_leaves_the_lists_and_keeps_its_mail(
    synced: Mailbox, box: Box, customers: str, settle: Settle
) -> None:
    switch(customers, on=False)
    late = box.deliver(subject="While off", folder=customers)
    notify(box)
    follow(synced, settle)
    assert "Customers" not in names(synced)
    assert Message.objects.filter(folder__remote_id=customers).count() == 60
    assert not Message.objects.filter(remote_id=late).exists()
    assert not SyncState.objects.filter(scope=customers).exists()


def test_switched_on_later_it_gets_what_came_and_loses_what_went(
    synced: Mailbox, box: Box, customers: str, settle: Settle
) -> None:
    rows = dict(Message.objects.values_list("remote_id", "pk"))
    switch(customers, on=False)
    gone, moved, read = [one.id for one in box.within(customers)][:3]
    box.delete(gone)
    box.move(moved, "archive")
    box.read(read)
    box.deliver(subject="While off", folder=customers)
    box.notifications()
    switch(customers, on=True)
    settle(synced)
    in_step(synced, box)
    assert "Customers" in names(synced)
    assert Message.objects.get(remote_id=read).pk == rows[read], "the row stayed, and all that hangs on it"


def test_a_folder_that_was_off_from_the_start_has_its_own_backfill(
    connect: Callable[..., Mailbox], box: Box, settle: Settle
) -> None:
    folder = box.folder("Archive 2019")
    mailbox = connect("")
    settle(mailbox)
    switch(folder, on=False)
    for number in range(700):
        box.deliver(subject=f"Old {number}", folder=folder, received=now() - timedelta(hours=number))
    for number in range(100):
        box.deliver(subject=f"New {number}")
    mailbox.refresh_from_db()
    lifecycle.choose_history(mailbox, Mailbox.History.ALL)
    settle(mailbox)
    assert Message.objects.count() == MessageBody.objects.count() == 100
    switch(folder, on=True)
    settle(mailbox)
    in_step(mailbox, box)


def test_mail_moved_out_of_a_folder_that_is_off_comes_along(
    synced: Mailbox, box: Box, customers: str, settle: Settle
) -> None:
    switch(customers, on=False)
    moved = box.within(customers)[0].id
    box.move(moved, "inbox")
    notify(box)
    follow(synced, settle)
    assert Message.objects.get(remote_id=moved).folder.remote_id == "inbox"


@pytest.mark.parametrize("role", ["inbox", "sent", "drafts"])
def test_inbox_sent_and_drafts_cannot_be_switched_off(synced: Mailbox, role: str) -> None:
    with pytest.raises(folder_sync.NotSwitchable):
        switch(role, on=False)
    assert Folder.objects.get(remote_id=role).synced


def test_what_lies_in_a_folder_that_is_off_moves_up_in_the_list(synced: Mailbox, box: Box, settle: Settle) -> None:
    parent = box.folder("Projects")
    box.folder("2026", parent)
    follow(synced, settle)
    switch(parent, on=False)
    tops = {node.folder.name for node in folder_tree(synced)}
    assert "2026" in tops
    assert "Projects" not in tops


def test_a_folder_that_is_off_is_not_compared(synced: Mailbox, customers: str, settle: Settle) -> None:
    switch(customers, on=False)
    coverage.check_now(synced)
    settle(synced)
    assert not FolderCheck.objects.filter(folder__remote_id=customers).exists()


def test_the_roles_that_stay_are_the_ones_people_write_from() -> None:
    assert {FolderRole.INBOX, FolderRole.SENT, FolderRole.DRAFTS} < folder_sync.ALWAYS


# --- a longer history ---------------------------------------------------------------------------------------------


def test_a_longer_history_pulls_only_what_is_older(connect: Callable[..., Mailbox], box: Box, settle: Settle) -> None:
    for days in range(400):
        box.deliver(received=now() - timedelta(days=days))
    mailbox = connect("30d")
    settle(mailbox)
    for history, least in (("90d", 2), ("12m", 6), ("all", 1)):
        box.calls.clear()
        mailbox.refresh_from_db()
        lifecycle.choose_history(mailbox, Mailbox.History(history))
        settle(mailbox)
        assert 1 <= box.calls.count("pull") <= least + 2, "nothing is pulled twice"
    in_step(mailbox, box)
    assert not Known.objects.exists()


def test_what_was_moved_while_a_longer_history_was_pulled_is_not_missed(
    connect: Callable[..., Mailbox], box: Box, settle: Settle
) -> None:
    for days in range(200):
        box.deliver(received=now() - timedelta(days=days))
    mailbox = connect("30d")
    settle(mailbox)
    hidden = list(Known.objects.values_list("remote_id", flat=True)[:5])
    newest_first = box.newest_first
    box.newest_first = lambda: [one for one in newest_first() if one.id not in hidden]  # type: ignore[method-assign]
    mailbox.refresh_from_db()
    lifecycle.choose_history(mailbox, Mailbox.History.ALL)
    settle(mailbox)
    in_step(mailbox, box)
    assert not Known.objects.exists()


def test_switching_locks_lanes_before_mail_as_the_engine_does(synced: Mailbox, customers: str) -> None:
    """The other way round a click and a run would wait for each other."""
    folder = Folder.objects.get(mailbox=synced, remote_id=customers)
    folder_sync.switch(folder, on=False)
    with CaptureQueriesContext(connection) as seen:
        folder_sync.switch(folder, on=True)
    asked = [query["sql"] for query in seen]
    lane = [at for at, sql in enumerate(asked) if "UPDATE sync_lane" in sql]
    mail = [at for at, sql in enumerate(asked) if 'UPDATE "mail_folder"' in sql]
    assert max(lane) < min(mail)
