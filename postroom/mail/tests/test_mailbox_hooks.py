"""What the card of a mailbox and the question before it is deleted say of its mail."""

from collections.abc import Callable

from postroom.mail.mailbox_hooks import cards, holds
from postroom.mailboxes.models import Mailbox
from postroom.providers.memory.mailbox import Box


def test_what_deleting_would_remove_is_counted(mailbox: Mailbox, box: Box, settle: Callable[[Mailbox], int]) -> None:
    assert [(one.what, one.number) for one in holds(mailbox)] == [
        ("messages", 0), ("conversations", 0), ("attachments", 0), ("drafts", 0),
    ]  # fmt: skip
    for number in range(2):
        box.deliver(subject=f"Offer {number}", files={"prices.csv": b"1,2,3"}, has_attachments=True)
    settle(mailbox)
    told = {one.what: (one.number, one.detail) for one in holds(mailbox)}
    assert told["messages"][0] == told["conversations"][0] == told["attachments"][0] == 2
    assert "bytes" in told["attachments"][1]


def test_each_card_has_its_own_figures(mailbox: Mailbox, box: Box, settle: Callable[[Mailbox], int]) -> None:
    box.deliver(subject="Offer")
    settle(mailbox)
    other = Mailbox.objects.get(pk=mailbox.pk)
    other.pk, other.address = None, "other@northwind.example"
    other.save()
    found = cards([mailbox, other])
    assert (found[mailbox.pk]["messages"], found[other.pk]["messages"]) == (1, 0)
    assert found[mailbox.pk]["folders"] > found[other.pk]["folders"] == 0
