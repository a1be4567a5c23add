"""A folder that the provider denies for a moment, or gives back, is followed again."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from postroom.lib import clock
from postroom.lib.clock import now
from postroom.mail.models import Message
from postroom.mailboxes.models import Mailbox
from postroom.providers.errors import NotFound
from postroom.providers.memory.mailbox import Box
from postroom.providers.memory.source import MemoryMail
from postroom.sync import lanes, mailbox_hooks
from postroom.sync.models import SyncState

Settle = Callable[..., int]
pytestmark = pytest.mark.django_db


def test_a_folder_that_is_denied_once_is_not_forgotten(
    mailbox: Mailbox, box: Box, settle: Settle, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Graph says 404 of what is there now and then; a folder nobody follows loses mail and looks healthy."""
    settings.POSTROOM_PUBLIC_URL = ""
    settle(mailbox)
    spine, denied = MemoryMail.spine, []

    def deny_once(self: MemoryMail, scope: str, *args: Any, **options: Any) -> Any:
        if not denied:
            denied.append(scope)
            raise NotFound("a moment's weakness")
        return spine(self, scope, *args, **options)

    monkeypatch.setattr(MemoryMail, "spine", deny_once)
    mailbox_hooks.sync_now(mailbox)
    settle(mailbox)
    assert denied
    box.deliver(subject="News", folder=denied[0])
    assert isinstance(clock._read, clock.Clock)
    clock._read.advance(timedelta(hours=2))
    settle(mailbox)
    assert Message.objects.filter(subject="News").exists()


def test_a_folder_that_was_gone_with_mail_that_was_kept_is_followed_when_it_is_back(
    mailbox: Mailbox, box: Box, settle: Settle, settings: Any
) -> None:
    settings.POSTROOM_PUBLIC_URL = ""
    offers = box.folder("Offers")
    settle(mailbox)
    SyncState.objects.filter(mailbox=mailbox, scope=offers).delete()  # as when it left the tree and its row stayed
    SyncState.objects.filter(mailbox=mailbox, scope="").update(cursor="", due_at=now())  # and now it is named again
    mailbox_hooks.sync_now(mailbox)
    settle(mailbox)
    assert SyncState.objects.get(mailbox=mailbox, scope=offers).phase == "following"


def test_what_is_no_folder_at_all_is_not_asked_for_for_ever(
    mailbox: Mailbox, box: Box, settle: Settle, settings: Any
) -> None:
    """Left behind by whatever mistake: the tree, read anew as it was denied, knows it no more than the provider."""
    settings.POSTROOM_PUBLIC_URL = ""
    settle(mailbox)
    SyncState.objects.create(mailbox=mailbox, resource="mail", scope="new:none")
    mailbox_hooks.sync_now(mailbox)
    lanes.want(mailbox.pk, "backfill")
    settle(mailbox)
    settle(mailbox)
    assert not SyncState.objects.filter(scope="new:none").exists()
    assert SyncState.objects.get(mailbox=mailbox, scope="inbox").phase == "following"
