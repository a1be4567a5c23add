"""The `O365` package does a day's work on the sandbox, unmodified but for host and token."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from O365 import Account, MSGraphProtocol
from O365.utils.token import MemoryTokenBackend

from postroom_sandbox.testing import Sandbox

from .contract import require_schema, violations
from .mail import ADA, BOB, deliver_thread, send_everything, webhook


class _Protocol(MSGraphProtocol):
    """Microsoft's protocol at another host."""


def _account(sandbox: Sandbox, address: str = ADA) -> Account:
    protocol = type("Local", (_Protocol,), {"_protocol_url": f"{sandbox.url}/"})()
    account = Account(
        ("client", "secret"), protocol=protocol, token_backend=MemoryTokenBackend(), request_retries=0
    )  # fmt: skip
    session = account.con.get_session()
    session.headers["Authorization"] = f"Bearer {sandbox.token(address)}"
    account.con.session = session
    return account


@pytest.fixture(autouse=True)
def _obeys_the_schema(sandbox: Sandbox) -> Any:
    require_schema()
    sandbox.user(ADA, "Ada Love")
    sandbox.user(BOB, "Bob Stone")
    yield
    assert violations(sandbox) == []


def test_reading_pages_filtering_and_searching(sandbox: Sandbox) -> None:
    deliver_thread(sandbox, ADA, count=25)
    mailbox = _account(sandbox).mailbox()
    inbox = mailbox.inbox_folder()
    assert len(list(inbox.get_messages(limit=25, batch=10))) == 25
    assert [m.subject for m in mailbox.get_messages(limit=2)] == ["Plan", "Plan"]
    build = mailbox.new_query()
    query = build.contains("from", "carol@outside.example")
    assert len(list(inbox.get_messages(query=query, limit=5))) == 5
    unread = build.equals("is_read", False)
    assert len(list(inbox.get_messages(query=unread, limit=50))) == 25
    search = build.search("number")
    assert len(list(inbox.get_messages(query=search, limit=3))) == 3
    ordered = inbox.get_messages(limit=3, order_by="receivedDateTime asc")
    assert len(list(ordered)) == 3
    selected = build.select("subject", "from")
    assert next(iter(inbox.get_messages(query=selected, limit=1))).subject == "Plan"


def test_folders_are_found_made_renamed_moved_copied_and_deleted(sandbox: Sandbox) -> None:
    mailbox = _account(sandbox).mailbox()
    assert {folder.name for folder in mailbox.get_folders()} >= {"Inbox", "Drafts"}
    for name in ("junkemail", "sentitems", "archive", "drafts"):
        assert mailbox.get_folder(folder_id=name).refresh_folder()
    made = mailbox.create_child_folder("Deals")
    child = made.create_child_folder("Won")
    assert made.update_folder_name("Closed deals")
    assert mailbox.get_folder(folder_name="Closed deals").folder_id == made.folder_id
    assert child.get_parent_folder().folder_id == made.folder_id
    assert child.move_folder(mailbox.archive_folder())
    with suppress(ValueError):  # O365 copies, then trips over its own result
        made.copy_folder(mailbox.archive_folder())
    assert "Closed deals" in {folder.name for folder in mailbox.get_folder(folder_id="archive").get_folders()}
    assert made.delete()
    assert mailbox.get_folder(folder_id=child.folder_id).name == "Won"


def test_writing_answering_and_forwarding(sandbox: Sandbox) -> None:
    deliver_thread(sandbox, ADA, count=1)
    mailbox = _account(sandbox).mailbox()
    received = next(iter(mailbox.get_messages(limit=1)))
    reply = received.reply()
    reply.to.clear()
    reply.to.add(BOB)
    reply.body = "Yes!"
    assert reply.send()
    forward = received.forward()
    forward.to.add(BOB)
    assert forward.send()
    new = mailbox.new_message()
    new.to.add([("Bob Stone", BOB)])
    new.subject, new.body = "Hello", "<b>Bold</b>"
    new.importance = "high"
    assert new.send()
    send_everything(sandbox)
    theirs = list(_account(sandbox, BOB).mailbox().inbox_folder().get_messages())
    assert {m.subject for m in theirs} == {"RE: Plan", "FW: Plan", "Hello"}
    assert len(list(mailbox.sent_folder().get_messages())) == 3


def test_state_of_single_messages(sandbox: Sandbox) -> None:
    deliver_thread(sandbox, ADA, count=1)
    mailbox = _account(sandbox).mailbox()
    message = next(iter(mailbox.get_messages(limit=1)))
    assert message.mark_as_read() and message.mark_as_unread()
    message.flag.set_flagged()
    message.add_category("Customer")
    assert message.save_message()
    again = mailbox.get_message(object_id=message.object_id)
    assert again.flag.is_flagged and again.categories == ["Customer"]
    assert again.get_mime_content().startswith(b"From: Carol")
    copied = again.copy(mailbox.archive_folder())
    assert copied.object_id != again.object_id
    assert again.move(mailbox.archive_folder())
    assert len(list(mailbox.archive_folder().get_messages())) == 2
    assert copied.delete()


def test_drafts_are_saved_changed_and_sent(sandbox: Sandbox) -> None:
    mailbox = _account(sandbox).mailbox()
    draft = mailbox.new_message()
    draft.subject, draft.body = "Draft", "<p>first</p>"
    draft.to.add(BOB)
    assert draft.save_draft()
    draft.subject = "Draft, second version"
    assert draft.save_draft()
    stored = next(iter(mailbox.drafts_folder().get_messages()))
    assert stored.subject == "Draft, second version" and stored.is_draft
    assert draft.send()
    send_everything(sandbox)
    assert next(iter(mailbox.sent_folder().get_messages())).subject == "Draft, second version"


def test_small_and_large_attachments(sandbox: Sandbox, tmp_path: Path) -> None:
    small, large = tmp_path / "small.txt", tmp_path / "large.bin"
    small.write_bytes(b"small")
    large.write_bytes(bytes(range(256)) * 4096 * 4)
    mailbox = _account(sandbox).mailbox()
    draft = mailbox.new_message()
    draft.subject = "Files"
    draft.to.add(BOB)
    assert draft.save_draft()
    draft.attachments.add([str(small), str(large)])
    assert draft.save_draft()  # what is large goes through an upload session
    assert draft.send()
    send_everything(sandbox)
    theirs = next(iter(_account(sandbox, BOB).mailbox().get_messages(limit=1, download_attachments=True)))
    assert sorted((item.name, item.size) for item in theirs.attachments) == [
        ("large.bin", large.stat().st_size),
        ("small.txt", 5),
    ]


def test_categories_and_settings(sandbox: Sandbox) -> None:
    account = _account(sandbox)
    categories = account.outlook_categories()
    made = categories.create_category("Partner", color="yellow")
    assert "Partner" in {item.name for item in categories.get_categories()}
    assert made.update_color("teal")
    assert made.delete()
    settings = account.mailbox().get_settings()
    assert settings.timezone == "UTC"


def test_subscriptions_are_made_renewed_and_deleted(sandbox: Sandbox) -> None:
    account = _account(sandbox)
    subscriptions = account.subscriptions()
    with webhook() as address:
        made = subscriptions.create_subscription(
            notification_url=address,
            resource="/me/messages",
            change_type="created,updated",
            expiration_minutes=120,
        )
        number = made["id"]
        assert subscriptions.get_subscription(number)["resource"] == "/me/messages"
        assert [item["id"] for item in subscriptions.list_subscriptions()] == [number]
        assert subscriptions.renew_subscription(number, expiration_minutes=600)
        assert subscriptions.delete_subscription(number)
