"""The mailbox of the in-process provider, with mail, files, links and contacts; and a colleague's beside it."""

from collections.abc import Callable
from typing import Any

import pytest

from postroom.accounts.models import User
from postroom.mail import commands as mail
from postroom.mail.models import Conversation, Message
from postroom.mail.tests.conftest import box, connect, mailbox, member, settle
from postroom.mailboxes import lifecycle
from postroom.mailboxes.models import Mailbox
from postroom.providers.memory.mailbox import Box
from postroom.providers.registry import connector
from postroom.timeline import contacts
from postroom.workspaces.commands import add_member
from postroom.workspaces.models import Membership

__all__ = ["box", "connect", "mailbox", "member", "settle"]

COLLEAGUE = "ben@northwind.example"


@pytest.fixture(autouse=True)
def files(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def ben(member: Membership) -> Membership:
    return add_member(member.workspace, User.objects.create_user(COLLEAGUE, "Ben Okafor"), role="Admin")


@pytest.fixture
def lived_in(member: Membership, mailbox: Mailbox, box: Box, settle: Callable[[Mailbox], int]) -> Mailbox:
    """Adele's mailbox as after a while: mail with files, a contact made from it, a draft with a file."""
    for number in range(12):
        box.deliver(
            subject=f"Plan {number}", from_=f"ines{number % 3}@contoso.example", html=f"<p>Figures {number}</p>",
            files={f"plan{number}.txt": b"figures %d" % number}, has_attachments=True,
        )  # fmt: skip
    settle(mailbox)
    message = Message.objects.filter(mailbox=mailbox).earliest("pk")
    contacts.add(message.thread.conversation, message.from_address, by=member)
    draft = mail.compose(mailbox, member, answers=message, how="reply")
    mail.attach(draft, name="answer.txt", content_type="text/plain", chunks=[b"our figures"])
    return mailbox


@pytest.fixture
def colleagues(ben: Membership, lived_in: Mailbox, settle: Callable[[Mailbox], int]) -> Mailbox:
    """Ben's mailbox, which has a mail of Adele's as well and one of its own."""
    memory: Any = connector("memory")
    theirs = memory.mailbox(COLLEAGUE)
    same = Message.objects.filter(mailbox=lived_in).earliest("pk")
    theirs.deliver(
        subject=same.subject, from_=same.from_address, html="<p>Figures</p>",
        internet_message_id=same.internet_message_id,
    )  # fmt: skip
    theirs.deliver(subject="Only Ben's", from_="rita@fabrikam.example", html="<p>Hello</p>")
    made = lifecycle.connect(ben, "memory", memory.authority().grant(COLLEAGUE))
    lifecycle.choose_history(made, Mailbox.History.ALL)
    settle(made)
    assert Conversation.objects.filter(threads__mailbox=lived_in).filter(threads__mailbox=made).count() == 1
    return made
