"""The page of a shared conversation, "Who can see this", and Settings > Privacy."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from postroom.mail.models import Message
from postroom.mailboxes.models import Mailbox
from postroom.records.models import Company, Person
from postroom.records.people import commands as people
from postroom.timeline import links, making
from postroom.timeline.models import Link
from postroom.timeline.sharing import commands, levels, who
from postroom.timeline.sharing.models import Level, MailboxSharing, NeverLog, NoContact, Origin, Policy, ThreadSharing
from postroom.timeline.tests.world import Page, World, build
from postroom.workspaces.models import Membership

pytestmark = pytest.mark.django_db
INES, ADELE = "ines@contoso.example", "adele@northwind.example"
HTMX = {"HX-Request": "true"}


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


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Who is told of which topic: (topic, payload, members)."""
    heard: list[Any] = []

    def publish(workspace: int, topic: str, payload: Any, *, members: Any = None) -> None:
        heard.append((topic, dict(payload), None if members is None else set(members)))

    monkeypatch.setattr(commands, "publish", publish)
    return heard


def browser(who: Membership) -> Client:
    client = Client()
    client.force_login(who.user)
    return client


def page(conversation: int) -> str:
    return reverse("timeline:shared", args=[conversation])


@pytest.mark.parametrize(
    ("level", "says", "says_not"),
    [
        (Level.METADATA, [INES], ["Salary", "mail-frame"]),
        (Level.SUBJECT, [INES, "Salary of Paul"], ["mail-frame"]),
        (Level.EVERYTHING, [INES, "Salary of Paul", "mail-frame"], []),
    ],
)
def test_a_colleague_opens_from_a_record_what_its_owner_shows(
    world: World, mail: Message, level: Level, says: list[str], says_not: list[str]
) -> None:
    bob, address = browser(world.bob), page(mail.thread.conversation_id)
    assert bob.get(address).status_code == 404
    MailboxSharing.objects.create(mailbox=world.mailbox, level=level)
    html = bob.get(address).content.decode()
    assert all(one in html for one in says) and not any(one in html for one in says_not)
    for name in ("body", "original"):
        status = bob.get(reverse(f"mail:{name}", args=[mail.pk])).status_code
        assert (status == 404) == (level < Level.EVERYTHING), name


def test_who_may_use_the_mailbox_reads_it_as_mail(world: World, mail: Message) -> None:
    answer = browser(world.adele).get(page(mail.thread.conversation_id))
    assert answer.headers["Location"] == reverse("inbox:thread", args=[mail.thread_id])


def test_whoever_is_shown_all_of_a_mail_still_works_on_none_of_it(world: World, mail: Message) -> None:
    MailboxSharing.objects.create(mailbox=world.mailbox, level=Level.EVERYTHING)
    bob, conversation = browser(world.bob), mail.thread.conversation_id
    for name in ("panel", "choices", "add-contact", "who", "share"):
        address = reverse(f"timeline:{name}", args=[conversation])
        assert bob.post(address).status_code in (404, 405) and bob.get(address).status_code in (404, 405), name
    assert bob.get(reverse("inbox:thread", args=[mail.thread_id])).status_code == 404
    assert bob.get(reverse("inbox:reply", args=[mail.thread_id])).status_code == 404


def test_the_owner_changes_a_thread_and_it_counts_at_once(world: World, mail: Message, told: list[Any]) -> None:
    adele, bob, conversation = browser(world.adele), browser(world.bob), mail.thread.conversation_id
    address = reverse("timeline:share", args=[conversation])
    assert adele.post(address, {"level": str(Level.EVERYTHING.value)}, headers=HTMX).status_code == 204
    assert told[-1] == ("links", {"conversation": [conversation]}, None)
    assert bob.get(page(conversation)).status_code == 200
    adele.post(address, {"level": str(Level.NOTHING.value)})
    assert told[-1][2] is None  # those who saw it until now have to hear it, too
    assert bob.get(page(conversation)).status_code == 404
    adele.post(address, {"level": ""})
    assert not ThreadSharing.objects.exists()
    assert adele.post(address, {"level": "9"}).status_code == 404


def test_of_links_of_private_mail_only_its_readers_hear(
    world: World, ines: Person, mail: Message, told: list[Any]
) -> None:
    links.unlink(mail.thread.conversation, ines, by=world.adele)
    assert told == [("links", {"conversation": [mail.thread.conversation_id]}, {world.adele.pk})]
    MailboxSharing.objects.create(mailbox=world.mailbox, level=Level.METADATA)
    links.link(mail.thread.conversation, ines, by=world.adele)
    assert told[-1] == ("links", {"conversation": [mail.thread.conversation_id]}, None)


def test_who_can_see_it_and_why_in_plain_words(world: World, mail: Message) -> None:
    conversation = mail.thread.conversation_id

    def said(by: Membership = world.adele) -> str:
        return browser(by).get(reverse("timeline:who", args=[conversation]), headers=HTMX).content.decode()

    assert "Only you can read this" in said() and "They see nothing of it." in said() and "Inês" in said()
    Policy.objects.create(workspace=world.workspace, given=Level.METADATA, most=Level.SUBJECT)
    assert "what the workspace decided counts" in said() and "who wrote and when" in said()
    assert "nobody show more than" in said() and 'value="3"' not in said()
    world.mailbox.visibility = Mailbox.Visibility.MEMBERS
    world.mailbox.save()
    world.mailbox.members.add(world.bob)
    assert "You and 1 colleague can read this" in said()
    assert "shared with them by name" in said(world.bob) and "menu-item" not in said(world.bob)  # the owner decides
    commands.never_log(world.workspace, "contoso.example", mailbox=None, by=world.adele)
    Link.objects.filter(removed_at=None).update(how="manual")
    assert "is never logged" in said() or "on no record" in said()
    Mailbox.objects.update(visibility="workspace")
    assert "Everyone in the workspace can read this" in said()


def test_what_is_said_and_what_is_shown_agree(world: World, mail: Message) -> None:
    policy = Policy.objects.create(workspace=world.workspace, given=Level.METADATA)
    box, conversation = world.mailbox, mail.thread.conversation
    for most, every, own in product([Level.NOTHING, Level.SUBJECT, Level.EVERYTHING], [None, *Level], [None, *Level]):
        policy.most = most
        policy.save()
        commands.set_mailbox(box, level=every, contacts="")
        commands.set_thread(conversation, [box], own, by=world.adele)
        decided = {} if every is None else {box.pk: every}, {} if own is None else {box.pk: own}
        sight = levels.look(world.bob, conversation.pk)
        assert (sight.level if sight else Level.NOTHING) == who.level_of(box, policy, *decided), (most, every, own)


def test_no_screen_of_privacy_asks_much_of_the_database(world: World, mail: Message) -> None:
    MailboxSharing.objects.create(mailbox=world.mailbox, level=Level.EVERYTHING)
    conversation = mail.thread.conversation_id
    for by, address in (
        (world.bob, page(conversation)),
        (world.adele, reverse("timeline:who", args=[conversation])),
        (world.adele, reverse("timeline:privacy")),
        (world.adele, reverse("timeline:privacy-only-records")),
    ):
        client = browser(by)
        with CaptureQueriesContext(connection) as asked:
            assert client.get(address).status_code == 200
        assert len(asked) <= 12, address


# --- settings ----------------------------------------------------------------------------------------------------


def test_an_owner_decides_for_their_mailbox_and_an_admin_for_the_workspace(world: World, mail: Message) -> None:
    adele, bob = browser(world.adele), browser(world.bob)
    theirs = world.open_mailbox("bob@northwind.example", world.bob)
    box = {"level": "2", "contacts": "written"}
    assert bob.post(reverse("timeline:privacy-mailbox", args=[theirs.pk]), box).status_code == 302
    assert MailboxSharing.objects.get().level == Level.SUBJECT
    assert (
        adele.post(reverse("timeline:privacy-mailbox", args=[theirs.pk]), box).status_code == 404
    )  # not even an admin
    workspace = {"given": "3", "most": "1", "contacts": "off"}
    assert bob.post(reverse("timeline:privacy-workspace"), workspace).status_code == 403
    assert adele.post(reverse("timeline:privacy-workspace"), workspace).status_code == 302
    policy = Policy.objects.get()
    assert (policy.given, policy.most) == (Level.METADATA, Level.METADATA)  # no more than the most
    assert "Where an owner decided nothing" in bob.get(reverse("timeline:privacy")).content.decode()
    assert adele.get(reverse("timeline:privacy")).status_code == 200


def test_never_logging_takes_mail_off_its_records_and_back(world: World, ines: Person, mail: Message) -> None:
    adele, bob, never = browser(world.adele), browser(world.bob), reverse("timeline:privacy-never")
    assert Link.objects.count() == 1
    assert bob.post(never, {"what": INES}).status_code == 404  # everybody's list is an admin's
    assert adele.post(never, {"what": " @Contoso.Example "}).status_code == 302
    entry = NeverLog.objects.get()
    assert entry.what == "contoso.example" and not Link.objects.exists()
    answer = adele.post(never, {"what": "not an address"})
    assert answer.status_code == 422 and "neither an address nor a domain" in answer.content.decode()
    remove = reverse("timeline:privacy-log-again", args=[entry.pk])
    assert bob.post(remove).status_code == 404
    assert adele.post(remove).status_code == 302
    assert Link.objects.get().person == ines and not NeverLog.objects.exists()


def test_what_one_mailbox_never_logs_others_still_do(world: World, ines: Person, mail: Message) -> None:
    other = world.open_mailbox("bob@northwind.example", world.bob)
    bobs = world.mail(INES, "bob@northwind.example", mailbox=other)
    world.arrive(bobs)
    adele = browser(world.adele)
    assert adele.post(reverse("timeline:privacy-never"), {"what": INES, "mailbox": other.pk}).status_code == 404
    adele.post(reverse("timeline:privacy-never"), {"what": INES, "mailbox": world.mailbox.pk})
    assert [one.conversation_id for one in Link.objects.all()] == [bobs.thread.conversation_id]


# --- contacts from mail ------------------------------------------------------------------------------------------

PAUL = "paul@fabrikam.example"


def arrive(world: World, *messages: Message) -> None:
    making.on_stored(world.mailbox, Page(new=[one.pk for one in messages]), fresh=True)


def names() -> list[str]:
    return sorted(one.address for one in Person.objects.all())


@pytest.mark.parametrize(
    ("rule", "made"), [("off", []), ("written", [PAUL]), ("everyone", ["eve@fourth.example", PAUL])]
)
def test_the_rule_says_who_in_mail_becomes_a_contact(world: World, rule: str, made: list[str]) -> None:
    Policy.objects.create(workspace=world.workspace, contacts=rule)
    arrive(world, world.mail(ADELE, PAUL), world.mail("eve@fourth.example", ADELE))
    assert names() == made
    assert sorted(one.name for one in Company.objects.all()) == sorted(one.split("@")[1][:-8].title() for one in made)


def test_a_mailboxs_rule_wins_over_the_workspaces(world: World) -> None:
    Policy.objects.create(workspace=world.workspace, contacts="everyone")
    MailboxSharing.objects.create(mailbox=world.mailbox, contacts="off")
    arrive(world, world.mail(ADELE, PAUL))
    assert names() == []


def test_no_contact_of_ourselves_robots_lists_or_what_is_never_logged(world: World) -> None:
    Policy.objects.create(workspace=world.workspace, contacts="everyone")
    NeverLog.objects.create(workspace=world.workspace, what="lawyers.example")
    bulk = world.mail("editor@news.example", ADELE)
    Message.objects.filter(pk=bulk.pk).update(kind="bulk")
    arrive(
        world,
        bulk,
        world.mail("no-reply@shop.example", ADELE),
        world.mail("carl@northwind.example", ADELE),
        world.mail("me@lawyers.example", ADELE),
        world.mail(ADELE, "everybody@northwind.example", "bob@northwind.example"),
    )
    assert names() == []


def test_a_contact_says_which_mailbox_and_mail_it_came_from_and_can_be_taken_away_for_good(world: World) -> None:
    Policy.objects.create(workspace=world.workspace, contacts="written")
    message = world.mail(ADELE, PAUL)
    arrive(world, message)
    paul = Person.objects.get()
    assert (paul.origin, paul.origin_mailbox, paul.owner) == ("mail", world.mailbox.pk, world.adele)
    assert Origin.objects.get().conversation == message.thread.conversation
    tab = f"{paul.get_absolute_url()}?tab=email"
    html = browser(world.adele).get(tab).content.decode()
    assert f"Made a contact by mail in {ADELE}" in html and page(message.thread.conversation_id) in html
    assert page(message.thread.conversation_id) not in browser(world.bob).get(tab).content.decode()
    browser(world.adele).post(reverse("timeline:no-contact", args=[paul.pk]))
    arrive(world, world.mail(ADELE, PAUL))
    assert names() == []
    browser(world.adele).post(reverse("timeline:privacy-contact-again", args=[NoContact.objects.get().pk]))
    arrive(world, world.mail(ADELE, PAUL))
    assert names() == [PAUL]


def test_two_mailboxes_that_hear_somebody_make_one_contact(world: World) -> None:
    Policy.objects.create(workspace=world.workspace, contacts="written")
    arrive(world, world.mail(ADELE, PAUL), world.mail(ADELE, PAUL))
    stranger = making.Stranger(PAUL, "", world.mail(ADELE, PAUL).thread.conversation_id)
    with pytest.raises(Exception, match="belongs to"):  # what the slower of two finds
        making.make(world.mailbox, stranger)
    assert names() == [PAUL] and Company.objects.count() == 1


def test_what_is_kept_is_asked_with_figures_and_decided_by_who_may(world: World, mail: Message) -> None:
    adele, bob = browser(world.adele), browser(world.bob)
    every, theirs = (
        reverse("timeline:privacy-only-records"),
        reverse("timeline:privacy-only-records-in", args=[world.mailbox.pk]),
    )
    assert bob.get(every).status_code == 403 and bob.get(theirs).status_code == 404
    world.arrive(world.mail("doctor@praxis.example", ADELE, subject="Private"))
    Message.objects.update(body_state=Message.BodyState.STORED)
    page = adele.get(theirs).content.decode()
    assert "<strong>1</strong> of 2 messages here touches no record" in " ".join(page.split())
    assert not Policy.objects.filter(only_records=True).exists()  # a look decides nothing
    assert adele.post(theirs, {"on": "1"}).status_code == 302
    assert MailboxSharing.objects.get(mailbox=world.mailbox).only_records
    assert "Keep all mail" in adele.get(theirs).content.decode()
    adele.post(theirs, {"on": ""})
    assert not MailboxSharing.objects.get(mailbox=world.mailbox).only_records
    adele.post(every, {"on": "1"})
    assert Policy.objects.get().only_records and adele.get(theirs).status_code == 404
    assert "as the workspace" in adele.get(reverse("timeline:privacy")).content.decode()
