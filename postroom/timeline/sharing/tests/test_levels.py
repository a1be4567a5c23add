"""How much a colleague sees of mail in a mailbox that is not theirs."""

from __future__ import annotations

import pytest

from postroom.mail.models import Message
from postroom.records.deals import commands as deals
from postroom.records.models import Deal, Person
from postroom.records.people import commands as people
from postroom.timeline import links, queries
from postroom.timeline.models import Link
from postroom.timeline.sharing import levels
from postroom.timeline.sharing.models import Level, MailboxSharing, NeverLog, Policy, ThreadSharing
from postroom.timeline.tests.world import World, build

pytestmark = pytest.mark.django_db
INES, ADELE = "ines@contoso.example", "adele@northwind.example"


@pytest.fixture
def world(db: None) -> World:
    return build()


@pytest.fixture
def ines(world: World) -> Person:
    return people.create(world.workspace, by=world.adele, first_name="Inês", addresses=[INES])


@pytest.fixture
def mail(world: World, ines: Person) -> Message:
    message = world.mail(INES, ADELE, subject="Salary of Paul")
    world.arrive(message)
    return message


def seen(world: World, ines: Person) -> list[tuple[int, str]]:
    return [(line.level, line.title) for line in queries.threads(ines, world.bob).items]


def test_mail_of_a_private_mailbox_is_on_nobody_elses_screen(world: World, ines: Person, mail: Message) -> None:
    assert [line.title for line in queries.threads(ines, world.adele).items] == ["Salary of Paul"]
    assert seen(world, ines) == [] and queries.last_contact([ines], world.bob) == {}
    assert levels.look(world.bob, mail.thread.conversation_id) is None
    assert not levels.opens(world.bob, mail)


@pytest.mark.parametrize(
    ("level", "title"),
    [(Level.METADATA, "Subject not shared"), (Level.SUBJECT, "Salary of Paul"), (Level.EVERYTHING, "Salary of Paul")],
)
def test_the_owner_of_a_mailbox_decides_how_much_colleagues_see(
    world: World, ines: Person, mail: Message, level: Level, title: str
) -> None:
    MailboxSharing.objects.create(mailbox=world.mailbox, level=level)
    assert seen(world, ines) == [(level, title)]
    line = queries.threads(ines, world.bob).items[0]
    assert line.thread.pk is None and line.url == f"/conversations/{mail.thread.conversation_id}/"
    assert [entry.line.title for entry in queries.entries(ines, world.bob).items if entry.line] == [title]
    assert queries.last_contact([ines], world.bob)
    sight = levels.look(world.bob, mail.thread.conversation_id)
    assert sight is not None and sight.level == level
    assert levels.opens(world.bob, mail) == (level == Level.EVERYTHING)


def test_the_workspace_beats_the_mailbox_and_the_thread_what_its_mailbox_shows(
    world: World, ines: Person, mail: Message
) -> None:
    policy = Policy.objects.create(workspace=world.workspace, given=Level.METADATA)
    assert [level for level, _ in seen(world, ines)] == [Level.METADATA]  # the owner decided nothing
    MailboxSharing.objects.create(mailbox=world.mailbox, level=Level.EVERYTHING)
    assert [level for level, _ in seen(world, ines)] == [Level.EVERYTHING]
    own = ThreadSharing.objects.create(
        conversation=mail.thread.conversation, mailbox=world.mailbox, level=Level.NOTHING
    )
    assert seen(world, ines) == []
    own.level = Level.EVERYTHING
    own.save()
    policy.most = Level.SUBJECT
    policy.save()
    assert [level for level, _ in seen(world, ines)] == [Level.SUBJECT]
    assert not levels.opens(world.bob, mail)


def test_only_what_is_on_a_record_is_shown(world: World, ines: Person, mail: Message) -> None:
    MailboxSharing.objects.create(mailbox=world.mailbox, level=Level.EVERYTHING)
    links.unlink(mail.thread.conversation, ines, by=world.adele)
    assert seen(world, ines) == []
    assert levels.look(world.bob, mail.thread.conversation_id) is None and not levels.opens(world.bob, mail)


def test_a_deal_rolls_up_its_contacts_mail_as_far_as_it_is_shown(world: World, ines: Person, mail: Message) -> None:
    deal = deals.create(world.workspace, by=None, name="Renewal", people=[ines])
    assert isinstance(deal, Deal) and not queries.threads(deal, world.bob).items
    MailboxSharing.objects.create(mailbox=world.mailbox, level=Level.METADATA)
    assert [line.title for line in queries.threads(deal, world.bob).items] == ["Subject not shared"]


def test_of_copies_the_one_that_shows_most_is_shown(world: World, ines: Person, mail: Message) -> None:
    other = world.open_mailbox("carl@northwind.example", world.adele)
    world.arrive(world.mail(INES, ADELE, conversation=mail.thread.conversation, mailbox=other, subject="Salary, again"))
    MailboxSharing.objects.create(mailbox=world.mailbox, level=Level.METADATA)
    MailboxSharing.objects.create(mailbox=other, level=Level.SUBJECT)
    assert seen(world, ines) == [(Level.SUBJECT, "Salary, again")]


def test_what_is_not_sent_yet_is_nobody_elses_business(world: World, ines: Person, mail: Message) -> None:
    MailboxSharing.objects.create(mailbox=world.mailbox, level=Level.EVERYTHING)
    draft = world.mail(ADELE, INES, conversation=mail.thread.conversation, hours=1, subject="Angry words")
    Message.objects.filter(pk=draft.pk).update(is_draft=True)
    draft.refresh_from_db()
    draft.thread.subject, draft.thread.snippet, draft.thread.has_draft = "Angry words", "You are all", True
    draft.thread.save()
    assert seen(world, ines) == [(Level.EVERYTHING, "Salary of Paul")]
    assert queries.threads(ines, world.bob).items[0].thread.snippet == ""
    sight = levels.look(world.bob, mail.thread.conversation_id)
    assert sight is not None and sight.subject == "Salary of Paul" and list(sight.messages()) == [mail]
    assert not levels.opens(world.bob, draft)


@pytest.mark.parametrize("what", [INES, "contoso.example", "example"])
def test_mail_that_is_never_logged_is_on_no_record(world: World, ines: Person, mail: Message, what: str) -> None:
    MailboxSharing.objects.create(mailbox=world.mailbox, level=Level.EVERYTHING)
    NeverLog.objects.create(workspace=world.workspace, what=what)
    assert seen(world, ines) == [] and not levels.opens(world.bob, mail)
    Link.objects.all().delete()
    world.arrive(world.mail(INES, ADELE))
    assert not Link.objects.exists()
    assert queries.threads(ines, world.adele).items == []


def test_who_left_the_workspace_shows_nothing_any_more(world: World, ines: Person, mail: Message) -> None:
    MailboxSharing.objects.create(mailbox=world.mailbox, level=Level.EVERYTHING)
    world.adele.removed_at = world.adele.created_at
    world.adele.save()
    assert seen(world, ines) == [] and not levels.opens(world.bob, mail)


def test_the_next_workspace_sees_nothing_at_all(world: World, ines: Person, mail: Message) -> None:
    from postroom.timeline.tests.world import member
    from postroom.workspaces.commands import create_workspace

    edith = member(create_workspace("Woodgrove"), "edith@woodgrove.example", "Admin")
    MailboxSharing.objects.create(mailbox=world.mailbox, level=Level.EVERYTHING)
    assert levels.look(edith, mail.thread.conversation_id) is None and not levels.opens(edith, mail)
