"""A notification whose row has an earlier number than one that is committed already."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from postroom.mail.models import Message
from postroom.mail.sync import live
from postroom.mailboxes.models import Mailbox
from postroom.providers.memory.mailbox import Box
from postroom.sync import lanes
from postroom.sync.contract import Run
from postroom.sync.models import Activity, Notification

Settle = Callable[..., int]
pytestmark = pytest.mark.django_db


def test_what_is_committed_late_is_not_thrown_away_unread(
    mailbox: Mailbox, box: Box, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two web processes: the first takes number 10, the second 11 and is done sooner; a run reads 11 only."""
    offers = box.folder("Offers")
    settle(mailbox)
    late, early = box.deliver(subject="Late", folder=offers), box.deliver(subject="Early")
    box.notifications()
    ten = Notification.objects.create(mailbox=mailbox, remote_id=late, change="created")
    Notification.objects.create(mailbox=mailbox, remote_id=early, change="created")
    Notification.objects.filter(pk=ten.pk).delete()
    asked, ask = [], live.ask

    def meanwhile(run: Run, ids: Sequence[str], **how: Any) -> Any:
        if not asked:
            Notification.objects.create(pk=ten.pk, mailbox=mailbox, remote_id=late, change="created")
            lanes.want(mailbox.pk, Activity.LIVE)
        asked.append(list(ids))
        return ask(run, ids, **how)

    monkeypatch.setattr(live, "ask", meanwhile)
    lanes.want(mailbox.pk, Activity.LIVE)
    settle(mailbox, ahead=timedelta(seconds=10))
    assert asked == [[early], [late]]
    assert Message.objects.filter(subject="Late").exists()
    assert not Notification.objects.exists()
