"""What happens in the same moment: contacts made twice, conversations that turn out to be one."""

from __future__ import annotations

from threading import Barrier, Thread

import pytest
from django.db import connection

from postroom.mailboxes.models import Mailbox
from postroom.records.models import Company, Person
from postroom.timeline import making
from postroom.timeline.matching import on_merged
from postroom.timeline.models import Policy, ThreadSharing
from postroom.timeline.sharing.models import Level
from postroom.timeline.team import snoozes
from postroom.timeline.tests.world import Page, build


@pytest.mark.django_db(transaction=True)
def test_mailboxes_that_hear_the_same_people_at_once_make_each_contact_once() -> None:
    world = build()
    Policy.objects.create(workspace=world.workspace, contacts="written")
    other = world.open_mailbox("bob@northwind.example", world.bob)
    heard = [f"{name}@fabrikam.example" for name in ("paul", "eve", "carl")] + ["ines@contoso.example"]
    pages: list[tuple[Mailbox, Page]] = []
    for box in (world.mailbox, other):
        order = heard if box is other else heard[::-1]
        pages.append((box, Page(new=[world.mail(box.address, one, mailbox=box).pk for one in order])))
    start, failed = Barrier(len(pages)), []

    def make(box: Mailbox, page: Page) -> None:
        try:
            start.wait(10)
            making.on_stored(box, page, fresh=True)
        except Exception as problem:
            failed.append(problem)
        finally:
            connection.close()

    threads = [Thread(target=make, args=one) for one in pages]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    assert not failed
    assert sorted(one.address for one in Person.objects.all()) == sorted(heard)
    assert sorted(one.name for one in Company.objects.all()) == ["Contoso", "Fabrikam"]


@pytest.mark.django_db
def test_conversations_that_become_one_show_what_the_stricter_showed() -> None:
    world = build()
    gone, kept, third = (world.conversation() for _ in range(3))
    for conversation, level in ((gone, Level.NOTHING), (kept, Level.EVERYTHING), (third, Level.SUBJECT)):
        ThreadSharing.objects.create(conversation=conversation, mailbox=world.mailbox, level=level)
    pairs = [(gone.pk, kept.pk), (third.pk, kept.pk)]
    on_merged(pairs)
    snoozes.on_merged(pairs)
    assert list(ThreadSharing.objects.values_list("conversation", "level")) == [(kept.pk, Level.NOTHING)]
