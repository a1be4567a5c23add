"""Folders made, renamed, moved and deleted by a member, here and at the provider."""

from collections.abc import Callable

import pytest
from django.test import Client

from postroom.mail.models import Folder, Message, Thread
from postroom.mailboxes.models import Mailbox
from postroom.providers.contract import RemoteFolder
from postroom.providers.errors import Refused, Transient
from postroom.providers.memory.mailbox import Box
from postroom.sync import mailbox_hooks
from postroom.sync.models import OutboxEntry

Settle = Callable[[Mailbox], int]


@pytest.fixture
def tree(mailbox: Mailbox, settle: Settle) -> str:
    """The address of the mailbox's folders, once they are here."""
    settle(mailbox)
    return f"/mail/{mailbox.pk}"


def _remote(box: Box, name: str) -> list[RemoteFolder]:
    return [one for one in box.folders.values() if one.name == name]


def _make(page: Client, tree: str, name: str, inside: Folder | None = None) -> Folder:
    page.post(f"{tree}/folders/new/" + (f"?inside={inside.pk}" if inside else ""), {"name": name})
    return Folder.objects.get(name=name)


def test_a_folder_is_made_inside_another_and_both_sides_agree(
    page: Client, tree: str, box: Box, mailbox: Mailbox, settle: Settle
) -> None:
    outer = _make(page, tree, "Customers")
    inner = _make(page, tree, "2026", outer)
    settle(mailbox)
    customers, year = _remote(box, "Customers")[0], _remote(box, "2026")[0]
    assert year.parent_id == customers.id
    inner.refresh_from_db()
    assert (inner.remote_id, inner.parent_id) == (year.id, outer.pk)
    mailbox_hooks.sync_now(mailbox)
    settle(mailbox)
    assert Folder.objects.filter(name__in=["Customers", "2026"]).count() == 2


def test_mail_moved_into_a_folder_that_is_not_made_yet_follows(
    page: Client, tree: str, box: Box, mailbox: Mailbox, settle: Settle, deliver: Callable[..., Thread]
) -> None:
    thread = deliver("Offer")
    box.fail_next(Transient(), on="create_folder")
    folder = _make(page, tree, "Customers")
    page.post(f"/inbox/threads/{thread.pk}/move/?folder={folder.pk}")
    settle(mailbox)
    made = _remote(box, "Customers")[0]
    assert [one.folder_id for one in box.messages.values()] == [made.id]
    assert Message.objects.get().folder.remote_id == made.id


def test_a_crash_after_making_a_folder_makes_no_second(
    page: Client, tree: str, box: Box, mailbox: Mailbox, settle: Settle
) -> None:
    box.fail_next(Transient(maybe_done=True), on="create_folder", after=True)
    _make(page, tree, "Customers")
    settle(mailbox)
    assert len(_remote(box, "Customers")) == 1
    assert Folder.objects.get(name="Customers").remote_id == _remote(box, "Customers")[0].id


def test_a_name_that_is_taken_is_said_at_once_or_taken_back_with_a_notice(
    page: Client, tree: str, box: Box, mailbox: Mailbox, settle: Settle
) -> None:
    folder = _make(page, tree, "Customers")
    settle(mailbox)
    answer = page.post(f"{tree}/folders/new/", {"name": "customers"})
    assert answer.status_code == 422 and "already" in answer.content.decode()
    box.folder("Offers")
    page.post(f"{tree}/{folder.pk}/rename/", {"name": "Offers"})
    settle(mailbox)
    folder.refresh_from_db()
    assert folder.name == "Customers"
    assert "Customers" in page.get("/inbox/notices/", headers={"HX-Request": "true"}).headers["HX-Trigger"]


def test_a_refused_folder_goes_and_its_mail_comes_back(
    page: Client, tree: str, box: Box, mailbox: Mailbox, settle: Settle, deliver: Callable[..., Thread]
) -> None:
    thread = deliver("Offer")
    box.fail_next(Refused(code="ErrorMaximumFolderCountReached"), on="create_folder")
    folder = _make(page, tree, "Customers")
    page.post(f"/inbox/threads/{thread.pk}/move/?folder={folder.pk}")
    settle(mailbox)
    assert not Folder.objects.filter(name="Customers").exists()
    assert Message.objects.get().folder.role == "inbox"


def test_rename_move_delete_and_undo_reach_the_provider(
    page: Client, tree: str, box: Box, mailbox: Mailbox, settle: Settle
) -> None:
    outer, folder = _make(page, tree, "Customers"), _make(page, tree, "Offers")
    settle(mailbox)
    page.post(f"{tree}/{folder.pk}/rename/", {"name": "Quotes"})
    page.post(f"{tree}/{folder.pk}/move/", {"to": outer.pk})
    settle(mailbox)
    assert _remote(box, "Quotes")[0].parent_id == _remote(box, "Customers")[0].id
    page.post(f"{tree}/{folder.pk}/delete/")
    settle(mailbox)
    assert _remote(box, "Quotes")[0].parent_id == "deleted"
    page.post(f"{tree}/{folder.pk}/move/?to={outer.pk}")
    settle(mailbox)
    mailbox_hooks.sync_now(mailbox)
    settle(mailbox)
    folder.refresh_from_db()
    assert (folder.name, folder.parent_id) == ("Quotes", outer.pk)
    assert not OutboxEntry.objects.exclude(state="done").exists()


def test_deleting_makes_room_for_a_name_in_deleted_items(
    page: Client, tree: str, box: Box, mailbox: Mailbox, settle: Settle
) -> None:
    box.folder("Offers", "deleted")
    folder = _make(page, tree, "Offers 1")
    page.post(f"{tree}/{folder.pk}/rename/", {"name": "Offers"})
    settle(mailbox)
    page.post(f"{tree}/{folder.pk}/delete/")
    settle(mailbox)
    assert sorted(one.name for one in box.folders.values() if one.parent_id == "deleted") == ["Offers", "Offers (2)"]


def test_folders_with_a_purpose_and_those_of_others_stay(
    page: Client, colleague: Client, tree: str, mailbox: Mailbox
) -> None:
    inbox = mailbox.folders.get(role="inbox")
    page.post(f"{tree}/{inbox.pk}/rename/", {"name": "Mine"})
    page.post(f"{tree}/{inbox.pk}/delete/")
    inbox.refresh_from_db()
    assert (inbox.name, inbox.parent_id) == ("Inbox", None)
    assert colleague.post(f"{tree}/folders/new/", {"name": "X"}).status_code == 404
    folder = _make(page, tree, "Customers")
    assert page.post(f"{tree}/{folder.pk}/move/", {"to": folder.pk}).status_code == 302
    folder.refresh_from_db()
    assert folder.parent_id is None
