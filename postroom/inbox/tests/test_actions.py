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
    page.post(f"/inbox/threads/{thread.pk}/here/?opened=1")
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
    for token in (undo, "/inbox/undo/broken/", "/inbox/undo/"):
        assert "nothing left" in colleague.post(token, headers=SCRIPT).headers["HX-Trigger"]
    assert Message.objects.get().folder.role == "archive"


def test_without_a_script_an_action_leads_back_to_the_list(page: Client, deliver: Callable[..., Thread]) -> None:
    thread = deliver("Offer")
    answer = page.post(f"/inbox/threads/{thread.pk}/archive/?close=/inbox/%3Ffilter%3Dunread")
    assert answer.headers["Location"] == "/inbox/?filter=unread"
    answer = page.post(f"/inbox/threads/{thread.pk}/flag/?close=https://elsewhere.example/")
    assert answer.headers["Location"] == "/inbox/"


def _threads(deliver: Callable[..., Thread], many: int) -> list[Thread]:
    return [deliver(f"Mail {number}", minutes=number) for number in range(many)]


def _folders(box: Box) -> list[str | None]:
    return [one.folder_id for one in box.messages.values()]


def test_several_are_archived_at_once_and_one_undo_brings_all_back_after_they_went_out(
    page: Client, deliver: Callable[..., Thread], box: Box, settle: Callable[[Mailbox], int], mailbox: Mailbox
) -> None:
    threads = _threads(deliver, 4)
    ids = [one.pk for one in threads[:3]]
    answer = page.post("/inbox/bulk/archive/", {"thread": ids, "place": "inbox"}, headers=SCRIPT)
    assert "Archived: 3 conversations." in answer.headers["HX-Trigger"]
    settle(mailbox)
    assert _folders(box) == ["archive"] * 3 + ["inbox"]
    page.post("/inbox/undo/", headers=SCRIPT)
    settle(mailbox)
    assert _folders(box) == ["inbox"] * 4
    assert "nothing left" in page.post("/inbox/undo/", headers=SCRIPT).headers["HX-Trigger"]


def test_undo_leaves_alone_what_was_changed_again_since(page: Client, deliver: Callable[..., Thread]) -> None:
    first, second = _threads(deliver, 2)
    undo = _undo(page.post("/inbox/bulk/delete/", {"thread": [first.pk, second.pk]}, headers=SCRIPT))
    bin_ = Message.objects.get(subject="Mail 0").folder_id
    page.post(f"/inbox/threads/{first.pk}/junk/?place={bin_}", headers=SCRIPT)
    page.post(undo, headers=SCRIPT)
    roles = dict(Message.objects.values_list("subject", "folder__role"))
    assert roles == {"Mail 0": "junk", "Mail 1": "inbox"}


def test_a_colleague_changes_nothing_in_bulk(page: Client, colleague: Client, deliver: Callable[..., Thread]) -> None:
    thread = deliver("Offer")
    colleague.post("/inbox/bulk/archive/", {"thread": [thread.pk]}, headers=SCRIPT)
    assert Message.objects.get().folder.role == "inbox"
    assert page.post("/inbox/bulk/explode/", {"thread": [thread.pk]}).status_code == 404


def test_junk_and_not_junk_and_complete(
    page: Client, deliver: Callable[..., Thread], box: Box, settle: Callable[[Mailbox], int], mailbox: Mailbox
) -> None:
    thread = deliver("Offer")
    page.post(f"/inbox/threads/{thread.pk}/junk/", headers=SCRIPT)
    settle(mailbox)
    assert _folders(box) == ["junk"]
    page.post(f"/inbox/threads/{thread.pk}/not-junk/?place={mailbox.folders.get(role='junk').pk}", headers=SCRIPT)
    undo = _undo(page.post(f"/inbox/threads/{thread.pk}/complete/", headers=SCRIPT))
    settle(mailbox)
    assert [(one.folder_id, str(one.flag)) for one in box.messages.values()] == [("inbox", "complete")]
    page.post(undo, headers=SCRIPT)
    settle(mailbox)
    assert [str(one.flag) for one in box.messages.values()] == ["none"]


def test_a_mailbox_without_an_archive_gets_one(
    page: Client, deliver: Callable[..., Thread], box: Box, settle: Callable[[Mailbox], int], mailbox: Mailbox
) -> None:
    thread = deliver("Offer")
    del box.folders["archive"]
    mailbox.folders.filter(role="archive").delete()
    undo = _undo(page.post(f"/inbox/threads/{thread.pk}/archive/", headers=SCRIPT))
    assert Message.objects.get().folder.name == "Archive"
    settle(mailbox)
    made = next(one for one in box.folders.values() if one.name == "Archive")
    assert _folders(box) == [made.id]
    assert Message.objects.get().folder.remote_id == made.id
    page.post(undo, headers=SCRIPT)
    settle(mailbox)
    assert _folders(box) == ["inbox"]


def test_a_category_is_made_given_shown_and_taken_again(
    page: Client, deliver: Callable[..., Thread], box: Box, settle: Callable[[Mailbox], int], mailbox: Mailbox
) -> None:
    box.category("Blue category", 7)
    thread = deliver("Offer")
    url = f"/inbox/threads/{thread.pk}/category/"
    assert "Blue category" in page.get(f"/inbox/threads/{thread.pk}/categories/").content.decode()
    page.post(url, {"add": "Renewal", "color": "4"}, headers=SCRIPT)
    page.post(f"{url}?add=blue category", headers=SCRIPT)
    settle(mailbox)
    assert [one.categories for one in box.messages.values()] == [("Renewal", "Blue category")]
    assert box.categories["renewal"].color == 4
    shown = page.get("/inbox/").content.decode()
    assert "tag-category category-4" in shown and "tag-category category-7" in shown
    undo = _undo(page.post(f"{url}?remove=Renewal", headers=SCRIPT))
    settle(mailbox)
    assert [one.categories for one in box.messages.values()] == [("Blue category",)]
    page.post(undo, headers=SCRIPT)
    settle(mailbox)
    assert set(box.messages[Message.objects.get().remote_id].categories or ()) == {"Renewal", "Blue category"}


def test_without_the_permission_categories_are_names_without_colours(
    page: Client, deliver: Callable[..., Thread], box: Box, settle: Callable[[Mailbox], int], mailbox: Mailbox
) -> None:
    mailbox.connection.scopes = ["mail", "send"]  # type: ignore[union-attr]
    mailbox.connection.save()  # type: ignore[union-attr]
    thread = deliver("Offer", categories=("Theirs",))
    assert "permission" in page.get(f"/inbox/threads/{thread.pk}/categories/").content.decode()
    page.post(f"/inbox/threads/{thread.pk}/category/", {"add": "Ours", "color": "4"}, headers=SCRIPT)
    settle(mailbox)
    assert [one.categories for one in box.messages.values()] == [("Theirs", "Ours")]
    assert "create_category" not in box.calls
    assert "tag-category category-4" not in page.get("/inbox/").content.decode()
