"""What is done to a thread, here and at the provider, and Undo."""

import json
from collections.abc import Callable

from django.test import Client

from postroom.mail.models import Message, Thread
from postroom.mailboxes.models import Mailbox
from postroom.providers.memory.mailbox import Box

SCRIPT = {"HX-Request": "true"}


def _undo(answer: object) -> str:
    return str(json.loads(answer.headers["HX-Trigger"])["toast"]["undo_url"])  # type: ignore[attr-defined]


def test_archive_leaves_the_inbox_and_undo_brings_it_back(
    page: Client, deliver: Callable[..., Thread], box: Box, settle: Callable[[Mailbox], int], mailbox: Mailbox
) -> None:
    thread = deliver("Offer")
    answer = page.post(f"/inbox/threads/{thread.pk}/archive/", headers=SCRIPT)
    assert json.loads(answer.headers["HX-Trigger"])["thread:gone"] == {"thread": thread.pk}
    assert Message.objects.get().folder.role == "archive"
    assert "Offer" not in page.get("/inbox/").content.decode()
    page.post(_undo(answer), headers=SCRIPT)
    assert Message.objects.get().folder.role == "inbox"
    settle(mailbox)
    assert [one.folder_id for one in box.messages.values()] == ["inbox"]


def test_delete_moves_to_deleted_items_at_the_provider_too(
    page: Client, deliver: Callable[..., Thread], box: Box, settle: Callable[[Mailbox], int], mailbox: Mailbox
) -> None:
    thread = deliver("Offer")
    page.post(f"/inbox/threads/{thread.pk}/delete/", headers=SCRIPT)
    settle(mailbox)
    assert [one.folder_id for one in box.messages.values()] == ["deleted"]


def test_move_goes_only_to_folders_one_works_in(page: Client, deliver: Callable[..., Thread], mailbox: Mailbox) -> None:
    thread = deliver("Offer")
    junk = mailbox.folders.get(role="junk")
    assert "Move" not in page.get(f"/inbox/threads/{thread.pk}/folders/").content.decode()
    assert page.post(f"/inbox/threads/{thread.pk}/move/?folder=999999").status_code == 404
    page.post(f"/inbox/threads/{thread.pk}/move/?folder={junk.pk}")
    assert Message.objects.get().folder == junk


def test_unread_and_flag_are_undone(page: Client, deliver: Callable[..., Thread]) -> None:
    thread = deliver("Offer")
    page.get(f"/inbox/threads/{thread.pk}/")
    answer = page.post(f"/inbox/threads/{thread.pk}/unread/", headers=SCRIPT)
    assert not Message.objects.get().is_read
    page.post(_undo(answer), headers=SCRIPT)
    assert Message.objects.get().is_read
    answer = page.post(f"/inbox/threads/{thread.pk}/flag/", headers=SCRIPT)
    assert Message.objects.get().flag == "flagged"
    page.post(_undo(answer), headers=SCRIPT)
    assert Message.objects.get().flag == "none"


def test_undo_is_the_members_own(page: Client, colleague: Client, deliver: Callable[..., Thread]) -> None:
    thread = deliver("Offer")
    undo = _undo(page.post(f"/inbox/threads/{thread.pk}/archive/", headers=SCRIPT))
    assert colleague.post(undo).status_code == 404
    assert "too late" in colleague.post("/inbox/undo/broken/", headers=SCRIPT).headers["HX-Trigger"]
    assert Message.objects.get().folder.role == "archive"


def test_without_a_script_an_action_leads_back_to_the_list(page: Client, deliver: Callable[..., Thread]) -> None:
    thread = deliver("Offer")
    answer = page.post(f"/inbox/threads/{thread.pk}/archive/?close=/inbox/%3Ffilter%3Dunread")
    assert answer.headers["Location"] == "/inbox/?filter=unread"
    answer = page.post(f"/inbox/threads/{thread.pk}/flag/?close=https://elsewhere.example/")
    assert answer.headers["Location"] == "/inbox/"
