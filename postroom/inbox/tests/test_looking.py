"""Every way of looking into a mailbox is noted, so that mail nobody pushes is asked for often (product.md SY11)."""

from collections.abc import Callable

import pytest
from django.test import Client

from postroom.mail.models import Thread
from postroom.mailboxes.models import Mailbox

WAYS = {
    "the list": ("/inbox/", ""),
    "more of the list": ("/inbox/", "threads"),
    "a thread": ("/inbox/threads/{pk}/here/", "here"),
}


@pytest.mark.parametrize("way", WAYS)
def test_looking_is_noted(page: Client, colleague: Client, deliver: Callable[..., Thread], way: str) -> None:
    thread = deliver("Offer")
    path, part = WAYS[way]
    headers = {"HX-Request": "true", "HX-Target": part} if part else {}
    Mailbox.objects.update(viewed_at=None)
    ask = "post" if part == "here" else "get"
    getattr(colleague, ask)(path.format(pk=thread.pk), headers=headers)
    assert Mailbox.objects.get().viewed_at is None  # who may not read it is nobody who looks
    getattr(page, ask)(path.format(pk=thread.pk), headers=headers)
    assert Mailbox.objects.get().viewed_at is not None
