"""Disconnecting with deletion leaves no row and no file of that mailbox, and everything of others untouched (MA3)."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection as database

from postroom.files.models import Blob
from postroom.lib import erasing
from postroom.mail.dump import dump
from postroom.mail.models import Attachment, Conversation, Correspondent, Message
from postroom.mailboxes import departure, hooks, lifecycle
from postroom.mailboxes.models import Connection, Departure, Mailbox
from postroom.providers.memory.mailbox import Box
from postroom.providers.registry import connector
from postroom.records.models import Person
from postroom.timeline.models import Link
from postroom.workspaces.models import Membership

pytestmark = pytest.mark.django_db


def rows_with(text: str) -> dict[str, int]:
    """How many rows of each table hold a text in any column: every table there is, as the database writes them."""
    found = Counter[str]()
    with database.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            table = model._meta.db_table
            if not model._meta.managed:
                continue
            cursor.execute(f'select count(*) from "{table}" as t where strpos(lower(t::text), %s) > 0', [text.lower()])
            if count := cursor.fetchone()[0]:
                found[table] = count
    return dict(found)


def stored_files() -> int:
    return sum(1 for one in settings.MEDIA_ROOT.rglob("*") if one.is_file())


def test_no_row_no_token_and_no_file_is_left(lived_in: Mailbox, member: Membership) -> None:
    number, address = lived_in.pk, lived_in.address
    assert stored_files() > 0 and Attachment.objects.count() == 12
    lifecycle.disconnect(lived_in, delete=True)
    assert erasing.mentions(number, Mailbox) == {}
    assert set(rows_with(address)) <= {"accounts_user", "procrastinate_jobs"}  # the person stays a member
    assert not Connection.objects.exists() and not Message.objects.exists() and not Conversation.objects.exists()
    assert not Correspondent.objects.exists() and not Departure.objects.exists()
    assert (Blob.objects.count(), Link.objects.count()) == (0, 0)


def test_the_subscription_is_ended_at_the_provider_and_no_mail_is_deleted_there(lived_in: Mailbox, box: Box) -> None:
    there = len(box.messages)
    lifecycle.disconnect(lived_in, delete=True)
    assert len(box.messages) == there and not list(box.subscriptions.living)


@pytest.mark.parametrize("with_contacts", [False, True])
def test_contacts_stay_unless_they_are_to_go(lived_in: Mailbox, with_contacts: bool) -> None:
    counted = {one.what: one.number for one in hooks.holds(lived_in)}
    assert counted["contacts"] == Person.objects.count() == 1
    lifecycle.disconnect(lived_in, delete=True, contacts=with_contacts)
    assert Person.objects.count() == (0 if with_contacts else 1)
    assert not Person.objects.filter(origin_mailbox__isnull=False).exists()


def test_what_is_said_to_go_is_what_goes(lived_in: Mailbox, colleagues: Mailbox) -> None:
    told = {one.what: one.number for one in hooks.holds(lived_in)}
    links = Link.objects.count()
    shared = Conversation.objects.filter(threads__mailbox=colleagues)
    lifecycle.disconnect(lived_in, delete=True)
    assert told["messages"] == 12 and told["attachments"] == 12 and told["drafts"] == 1
    assert links - Link.objects.count() == told["links to records"]
    assert set(Link.objects.values_list("conversation", flat=True)) <= set(shared.values_list("pk", flat=True))


def test_everything_of_others_is_untouched_and_shared_conversations_keep_their_links(
    lived_in: Mailbox, colleagues: Mailbox
) -> None:
    before, known = list(dump(colleagues)), set(Conversation.objects.filter(threads__mailbox=colleagues))
    links = Link.objects.filter(conversation__in=known, removed_at=None).count()
    lifecycle.disconnect(lived_in, delete=True)
    assert list(dump(colleagues)) == before
    assert set(Conversation.objects.all()) == known
    assert Link.objects.filter(conversation__in=known, removed_at=None).count() == links > 0


def test_a_deletion_that_is_killed_after_any_step_goes_on(
    lived_in: Mailbox, colleagues: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("postroom.mail.erasing.AT_ONCE", 5)
    lifecycle.disconnect(lived_in, delete=True, at_once=False)
    steps = 0
    while departure.step(lived_in.pk):
        steps += 1
        assert Departure.objects.get().shown <= Departure.objects.get().total
    assert steps > 5 and erasing.mentions(lived_in.pk, Mailbox) == {}
    assert list(Mailbox.objects.all()) == [colleagues]


def test_links_come_back_after_reconnecting(
    lived_in: Mailbox, colleagues: Mailbox, member: Membership, settle: Callable[[Mailbox], int]
) -> None:
    kept = Link.objects.get(conversation__threads__mailbox=colleagues, removed_at=None, how="manual")
    lifecycle.disconnect(lived_in, delete=True)
    memory: Any = connector("memory")
    again = lifecycle.connect(member, "memory", memory.authority().grant("adele@northwind.example"))
    lifecycle.choose_history(again, Mailbox.History.ALL)
    settle(again)
    assert kept.conversation.threads.filter(mailbox=again).exists()
    assert Message.objects.filter(mailbox=again).count() == 12
