"""The address a message really went out under (product.md SE4): compared with the one that was asked for."""

from collections.abc import Callable
from typing import Any

import pytest

from postroom.mail import commands, outbound
from postroom.mail.models import Composition
from postroom.mail.ways import Returned
from postroom.mailboxes.models import Connection, Mailbox
from postroom.providers.contract import Address
from postroom.providers.memory.mailbox import Box
from postroom.providers.memory.source import MemoryMail
from postroom.workspaces.models import Membership

Settle = Callable[..., int]
ALIAS, OTHER = "offers@northwind.example", "sales@northwind.example"


@pytest.fixture
def letter(mailbox: Mailbox, member: Membership, settle: Settle) -> Composition:
    settle(mailbox)
    Connection.objects.update(aliases=[ALIAS])
    mailbox.refresh_from_db()
    to = [("", "ines@contoso.example")]
    return commands.compose(mailbox, member, to=to, subject="Offer", html="<p>Dear Ines</p>")


@pytest.fixture
def goes_out_as(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """What the provider makes of From and Sender as it takes a message."""

    def rewrite(**fields: Any) -> None:
        real = MemoryMail.send

        def send(self: MemoryMail, draft_id: str) -> None:
            with self._box("send") as box:
                box.change(draft_id, **fields)
            real(self, draft_id)

        monkeypatch.setattr(MemoryMail, "send", send)

    return rewrite


def told(one: Composition) -> str:
    one.refresh_from_db()
    return outbound.statuses([one])[one.pk].why


def test_an_alias_that_was_put_back_to_the_primary_address_is_said(
    letter: Composition, mailbox: Mailbox, box: Box, settle: Settle, goes_out_as: Callable[..., None]
) -> None:
    goes_out_as(from_=Address(mailbox.address), sender=Address(mailbox.address))
    commands.save(letter, from_address=ALIAS)
    commands.send(letter)
    settle(mailbox)
    assert told(letter) == f"Went out as {mailbox.address}: {mailbox.address} is not let send as {ALIAS}."


def test_sending_on_behalf_is_said(
    letter: Composition, mailbox: Mailbox, settle: Settle, goes_out_as: Callable[..., None]
) -> None:
    goes_out_as(from_=Address(OTHER), sender=Address(mailbox.address))
    commands.save(letter, from_address=OTHER)
    commands.send(letter)
    settle(mailbox)
    assert told(letter) == f"Went out as {OTHER}: everybody sees that {mailbox.address} sent it on its behalf."


@pytest.mark.parametrize("chosen", ["", ALIAS])
def test_what_went_out_as_was_asked_needs_no_word(
    letter: Composition, mailbox: Mailbox, settle: Settle, goes_out_as: Callable[..., None], chosen: str
) -> None:
    """Also when nothing was chosen and the provider prefers another address of the same account."""
    goes_out_as(from_=Address(ALIAS.upper()), sender=Address(ALIAS))
    commands.save(letter, from_address=chosen)
    commands.send(letter)
    settle(mailbox)
    assert told(letter) == "" and not Returned.objects.exists()
