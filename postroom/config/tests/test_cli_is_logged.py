"""What the command line gives out is in the access log, as the operator (product.md AD2)."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable

import pytest

from postroom.audit.models import Access
from postroom.config import mailbox_cli
from postroom.mail.tests.conftest import box, connect, mailbox, member, settle
from postroom.mailboxes.models import Mailbox
from postroom.providers.memory.mailbox import Box

__all__ = ["box", "connect", "mailbox", "member", "settle"]


def test_a_dump_and_a_search_with_hits_are_logged(
    mailbox: Mailbox, box: Box, settle: Callable[[Mailbox], int], capsys: pytest.CaptureFixture[str]
) -> None:
    box.deliver(subject="Zephyr", from_="tom@contoso.example", html="Zephyr")
    settle(mailbox)
    mailbox_cli.run(Namespace(action="dump", address=mailbox.address))
    mailbox_cli.run(Namespace(action="search", address=mailbox.address, query="Zephyr", limit=5))
    mailbox_cli.run(Namespace(action="search", address=mailbox.address, query="nothing-like-it", limit=5))
    rows = Access.objects.order_by("id").values_list("what", "how", "member_id")
    assert list(rows) == [("dump", "cli", None), ("search", "cli", None)]
    assert Access.objects.filter(who__startswith="operator ").count() == 2
