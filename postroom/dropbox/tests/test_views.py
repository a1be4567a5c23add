"""Settings > Drop box."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from postroom.audit.models import Access
from postroom.dropbox import addresses
from postroom.dropbox.models import DropBox, Dropped, Sender
from postroom.dropbox.tests.conftest import written
from postroom.files import storage
from postroom.mail.models import Message
from postroom.timeline.tests.world import World
from postroom.workspaces.models import Membership

PAGE = "/settings/drop-box/"


def browser(who: Membership) -> Client:
    client = Client()
    client.force_login(who.user)
    return client


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def test_a_member_opens_changes_and_closes_their_address(world: World) -> None:
    client = browser(world.bob)
    assert b"Make my address" in client.get(PAGE).content
    client.post(reverse("dropbox:open"))
    first = addresses.address_of(DropBox.objects.get())
    assert first in client.get(PAGE).content.decode()
    client.post(reverse("dropbox:open"))
    second = addresses.address_of(DropBox.objects.get())
    page = client.get(PAGE).content.decode()
    assert second in page and first not in page and "Not used yet" in page
    client.post(reverse("dropbox:close"))
    assert second not in client.get(PAGE).content.decode()


def test_further_addresses_are_the_members_own_to_name(world: World, drop: DropBox) -> None:
    client = browser(world.adele)
    assert client.post(reverse("dropbox:senders"), {"address": "nobody"}).status_code == 422
    client.post(reverse("dropbox:senders"), {"address": "Adele@home.example"})
    sender = Sender.objects.get()
    assert sender.address == "adele@home.example" and b"not proved yet" in client.get(PAGE).content
    assert browser(world.bob).post(reverse("dropbox:remove-sender", args=[sender.pk])).status_code == 404
    client.post(reverse("dropbox:remove-sender", args=[sender.pk]))
    assert not Sender.objects.exists()


@pytest.mark.parametrize("answer", ["file", "discard"])
def test_what_waits_is_filed_or_discarded_by_its_member(
    answer: str, world: World, dropped: Callable[..., Dropped]
) -> None:
    row = dropped(written(subject="Odd one"), peer="198.51.100.66")
    client = browser(world.adele)
    page = client.get(PAGE).content.decode()
    assert "Odd one" in page and "Nothing proves" in page and "SPF fail" in page
    client.post(reverse(f"dropbox:{answer}", args=[row.pk]))
    row.refresh_from_db()
    assert row.state == {"file": "filed", "discard": "discarded"}[answer]
    assert Message.objects.count() == (1 if answer == "file" else 0)
    assert b"Nothing proves" not in client.get(PAGE).content
    assert client.post(reverse(f"dropbox:{answer}", args=[row.pk])).status_code == 404


def test_what_waits_is_shown_as_it_came_to_its_member_alone(
    world: World, drop: DropBox, dropped: Callable[..., Dropped]
) -> None:
    raw = bytes(written(subject="Odd one", text="<script>alert(1)</script>\n"))
    row = dropped(raw, peer="198.51.100.66")
    address = reverse("dropbox:original", args=[row.pk])
    client = browser(world.adele)
    assert f'href="{address}"' in client.get(PAGE).content.decode()
    shown, saved = client.get(address), client.get(f"{address}?save=1")
    assert body(shown) == body(saved) == raw
    assert (shown["Content-Type"], saved["Content-Type"]) == ("text/plain; charset=utf-8", "message/rfc822")
    assert shown["X-Content-Type-Options"] == "nosniff" and "sandbox" in shown["Content-Security-Policy"]
    assert shown["Content-Disposition"].startswith("inline") and saved["Content-Disposition"].startswith("attachment")
    mailbox = DropBox.objects.get(pk=drop.pk).mailbox
    logged = Access.objects.filter(what=Access.What.ORIGINAL, of_mailbox=mailbox.pk if mailbox else 0)
    assert sorted(logged.values_list("how", flat=True)) == ["download", "screen"]
    client.post(reverse("dropbox:discard", args=[row.pk]))
    assert client.get(address).status_code == 404


def test_who_may_file_for_others_does_not_read_it_for_them(world: World, dropped: Callable[..., Dropped]) -> None:
    row = dropped(written(subject="Odd one"), peer="198.51.100.66")
    Dropped.objects.update(box=addresses.open_box(world.bob))
    address = reverse("dropbox:original", args=[row.pk])
    page = browser(world.adele).get(PAGE).content.decode()
    assert "Odd one" in page and address not in page
    assert browser(world.adele).get(address).status_code == 404
    assert browser(world.bob).get(address).status_code == 200
    assert not Access.objects.filter(member_id=world.adele.pk).exists()


def test_a_text_the_storage_has_lost_is_not_there(world: World, dropped: Callable[..., Dropped]) -> None:
    row = dropped(written(subject="Odd one"), peer="198.51.100.66")
    assert row.raw is not None
    storage.path(row.raw).unlink()
    assert browser(world.adele).get(reverse("dropbox:original", args=[row.pk])).status_code == 404


def test_who_manages_the_workspace_sees_what_waits_for_others_and_nobody_else_does(
    world: World, dropped: Callable[..., Dropped]
) -> None:
    bob = addresses.open_box(world.bob)
    row = dropped(written(subject="Odd one"), peer="198.51.100.66")
    Dropped.objects.update(box=bob)
    assert "Odd one" in browser(world.adele).get(PAGE).content.decode()
    Dropped.objects.update(box=addresses.of(world.adele))
    assert "Odd one" not in browser(world.bob).get(PAGE).content.decode()
    assert browser(world.bob).post(reverse("dropbox:file", args=[row.pk])).status_code == 404


def test_the_mailbox_of_what_was_filed_is_nobodys_to_set_up(world: World, dropped: Callable[..., Dropped]) -> None:
    row = dropped(written())
    assert row.message is not None
    client = browser(world.adele)
    assert "drop-box@" not in client.get(reverse("mailboxes:list")).content.decode()
    assert client.get(reverse("mailboxes:settings", args=[row.message.mailbox_id])).status_code == 404
    assert client.get(reverse("inbox:thread", args=[row.message.thread_id])).status_code == 200


def test_the_page_asks_no_more_the_more_waits(world: World, dropped: Callable[..., Dropped]) -> None:
    client, asked = browser(world.adele), []
    for many in (1, 4):
        for _ in range(many):
            dropped(written(), peer="198.51.100.66")
            dropped(written())
        addresses.add_sender(DropBox.objects.get(), f"adele@home{many}.example")
        with CaptureQueriesContext(connection) as queries:
            assert client.get(PAGE).status_code == 200
        asked.append(len(queries))
    assert asked[0] == asked[1] <= 30
