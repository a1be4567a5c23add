"""Mail finds its records: on arrival, after a merge, when a record learns an address."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from postroom.mail.models import Conversation, Message, Thread
from postroom.records import merging
from postroom.records.companies import commands as companies
from postroom.records.models import Company, Person
from postroom.records.people import commands as people
from postroom.timeline import matching
from postroom.timeline.links import link, unlink
from postroom.timeline.mailbox_hooks import cards, count_linked
from postroom.timeline.matching import on_merged, on_stored
from postroom.timeline.models import Link, Reach
from postroom.timeline.tests.world import NOON, Page, World

pytestmark = pytest.mark.django_db
INES = "ines@contoso.example"
ADELE = "adele@northwind.example"


@pytest.fixture
def ines(world: World) -> Person:
    return people.create(world.workspace, by=world.adele, first_name="Inês", last_name="Ribeiro", addresses=[INES])


@pytest.fixture
def contoso(world: World) -> Company:
    return companies.create(world.workspace, by=world.adele, name="Contoso", domains=["contoso.example"])


def linked(record: Person | Company) -> set[int]:
    return set(record.links.filter(removed_at=None).values_list("conversation", flat=True))


@pytest.mark.parametrize("place", ["sender", "to", "cc"])
def test_arriving_mail_is_linked_to_the_contact_in_any_place(world: World, ines: Person, place: str) -> None:
    message = {
        "sender": lambda: world.mail(INES, ADELE),
        "to": lambda: world.mail(ADELE, INES),
        "cc": lambda: world.mail("paul@fabrikam.example", ADELE, cc=[INES]),
    }[place]()
    world.arrive(message)
    assert linked(ines) == {message.thread.conversation_id}


def test_a_blind_copy_links_nobody(world: World, ines: Person) -> None:
    world.arrive(world.mail(ADELE, "paul@fabrikam.example", bcc=[INES]))
    assert linked(ines) == set()


def test_mail_of_a_domain_is_linked_to_its_company(world: World, contoso: Company) -> None:
    message = world.mail("stranger@contoso.example", ADELE)
    world.arrive(message)
    assert linked(contoso) == {message.thread.conversation_id}


def test_mail_of_a_contact_elsewhere_is_linked_to_the_employer(world: World, contoso: Company) -> None:
    people.create(world.workspace, by=None, first_name="Ines", addresses=["ines@gmail.com"], company=contoso)
    message = world.mail("ines@gmail.com", ADELE)
    world.arrive(message)
    assert linked(contoso) == {message.thread.conversation_id}


def test_the_own_domain_and_the_own_mailboxes_link_nothing(world: World) -> None:
    ourselves = companies.create(world.workspace, by=None, name="Northwind", domains=["northwind.example"])
    colleague = people.create(world.workspace, by=None, first_name="Adele", addresses=[ADELE])
    world.arrive(world.mail("bob@northwind.example", ADELE))
    assert linked(ourselves) == linked(colleague) == set()


def test_the_next_workspace_has_no_part_in_it(world: World) -> None:
    woodgrove = build_next_door()
    theirs = people.create(woodgrove.workspace, by=None, first_name="Ines", addresses=[INES])
    world.arrive(world.mail(INES, ADELE))
    assert linked(theirs) == set()


def build_next_door() -> World:
    from postroom.timeline.tests import world as kit
    from postroom.workspaces.commands import create_workspace

    workspace = create_workspace("Woodgrove")
    edith = kit.member(workspace, "edith@woodgrove.example", "Admin")
    return kit.World(workspace, edith, edith, mailbox=None)  # type: ignore[arg-type]


def test_a_page_costs_one_query_with_nothing_to_link_and_two_otherwise(world: World, ines: Person) -> None:
    strangers = [world.mail(f"p{n}@fabrikam.example", ADELE).pk for n in range(100)]
    known = [world.mail(INES, ADELE).pk for _ in range(100)]
    for messages, most in ((strangers, 1), (known, 2)):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            on_stored(world.mailbox, Page(new=messages), fresh=True)
        assert len(queries) == most
    with CaptureQueriesContext(connection) as queries:
        on_stored(world.mailbox, Page(), fresh=True)
    assert len(queries) == 0


def test_a_page_seen_twice_changes_nothing(world: World, ines: Person) -> None:
    message = world.mail(INES, ADELE)
    world.arrive(message)
    before = list(Link.objects.values())
    world.arrive(message)
    assert list(Link.objects.values()) == before


def test_all_links_of_a_conversation_move_up_with_its_newest_mail(world: World, ines: Person, contoso: Company) -> None:
    first = world.mail(INES, ADELE)
    world.arrive(first)
    world.arrive(world.mail(ADELE, "paul@fabrikam.example", hours=3, conversation=first.thread.conversation))
    assert set(Link.objects.values_list("last_at", flat=True)) == {NOON + timedelta(hours=3)}


def test_older_mail_arriving_later_does_not_move_links_down(world: World, ines: Person) -> None:
    first = world.mail(INES, ADELE, hours=5)
    world.arrive(first)
    world.arrive(world.mail(INES, ADELE, hours=-50, conversation=first.thread.conversation))
    assert ines.links.get().last_at == NOON + timedelta(hours=5)


def test_what_was_unlinked_by_hand_stays_unlinked(world: World, ines: Person) -> None:
    first = world.mail(INES, ADELE)
    world.arrive(first)
    unlink(first.thread.conversation, ines, by=world.adele)
    world.arrive(world.mail(INES, ADELE, hours=1, conversation=first.thread.conversation))
    people.change(ines, by=None, addresses=[INES, "i.ribeiro@contoso.example"])
    people.change(ines, by=None, addresses=[INES])
    assert linked(ines) == set()


def test_what_was_linked_again_by_hand_is_back(world: World, ines: Person) -> None:
    first = world.mail(INES, ADELE)
    world.arrive(first)
    unlink(first.thread.conversation, ines, by=world.adele)
    link(first.thread.conversation, ines, by=world.adele)
    assert linked(ines) == {first.thread.conversation_id}
    assert ines.links.get().how == "manual"


def test_a_circular_is_linked_to_its_writer_only(world: World, ines: Person) -> None:
    crowd = [f"p{n}@fabrikam.example" for n in range(60)]
    reader = people.create(world.workspace, by=None, first_name="P", addresses=["p3@fabrikam.example"])
    world.arrive(world.mail(INES, *crowd))
    assert linked(ines) and not linked(reader)


# --- records that come after their mail ----------------------------------------------------------------------------


def test_a_new_contact_has_the_mail_that_came_before(world: World) -> None:
    message = world.mail(INES, ADELE)
    world.arrive(message)
    ines = people.create(world.workspace, by=None, first_name="Ines", addresses=[INES])
    assert linked(ines) == {message.thread.conversation_id}
    assert Reach.objects.get(person=ines).until is None


def test_a_new_company_has_the_mail_that_came_before(world: World) -> None:
    message = world.mail("stranger@contoso.example", ADELE)
    world.arrive(message)
    contoso = companies.create(world.workspace, by=None, name="Contoso", domains=["contoso.example"])
    assert linked(contoso) == {message.thread.conversation_id}


def test_a_corrected_address_takes_the_wrong_mail_away_but_not_what_was_linked_by_hand(world: World) -> None:
    wrong, right = world.mail("paul@fabrikam.example", ADELE), world.mail(INES, ADELE)
    by_hand = world.mail("nina@wingtip.example", ADELE)
    ines = people.create(world.workspace, by=None, first_name="Ines", addresses=["paul@fabrikam.example"])
    link(by_hand.thread.conversation, ines, by=world.adele)
    people.change(ines, by=None, addresses=[INES])
    assert linked(ines) == {right.thread.conversation_id, by_hand.thread.conversation_id}
    assert wrong.thread.conversation_id not in linked(ines)


def test_relinking_is_bounded_and_remembers_how_far_it_came(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "LOOKED_AT", 3)
    messages = [world.mail(INES, ADELE, hours=-n) for n in range(5)]
    ines = people.create(world.workspace, by=None, first_name="Ines", addresses=[INES])
    assert linked(ines) == {one.thread.conversation_id for one in messages[:3]}
    assert Reach.objects.get(person=ines).until == NOON - timedelta(hours=2)


def test_a_company_learns_the_mail_of_a_contact_who_joins_it(world: World, contoso: Company) -> None:
    message = world.mail("ines@gmail.com", ADELE)
    ines = people.create(world.workspace, by=None, first_name="Ines", addresses=["ines@gmail.com"])
    people.change(ines, by=None, company=contoso)
    assert linked(contoso) == {message.thread.conversation_id}


# --- what links survive --------------------------------------------------------------------------------------------


def test_links_survive_that_a_mailbox_is_emptied_and_synced_again(world: World, ines: Person) -> None:
    first = world.mail(INES, ADELE)
    other = world.mail("paul@fabrikam.example", ADELE)
    world.arrive(first, other)
    link(other.thread.conversation, ines, by=world.adele)
    unlink(first.thread.conversation, ines, by=world.adele)
    gone, kept = first.thread.conversation, other.thread.conversation
    Message.objects.all().delete()
    Thread.objects.all().delete()
    world.arrive(world.mail(INES, ADELE, conversation=gone), world.mail("paul@fabrikam.example", conversation=kept))
    assert linked(ines) == {kept.pk}


def test_a_merged_conversation_brings_its_links(world: World, ines: Person, contoso: Company) -> None:
    first, second = world.mail(INES, ADELE), world.mail("x@contoso.example", ADELE, hours=2)
    world.arrive(first, second)
    gone, kept = first.thread.conversation, second.thread.conversation
    on_merged([(gone.pk, kept.pk)])
    assert linked(ines) == {kept.pk}
    assert linked(contoso) == {kept.pk}
    assert not Link.objects.filter(conversation=gone).exists()
    assert set(Link.objects.values_list("last_at", flat=True)) == {NOON + timedelta(hours=2)}


@pytest.mark.parametrize("unlinked_is", ["gone", "kept"])
def test_in_a_merge_what_was_done_by_hand_wins(world: World, ines: Person, unlinked_is: str) -> None:
    first, second = world.mail(INES, ADELE), world.mail(INES, ADELE, hours=2)
    world.arrive(first, second)
    gone, kept = first.thread.conversation, second.thread.conversation
    unlink(gone if unlinked_is == "gone" else kept, ines, by=world.adele)
    on_merged([(gone.pk, kept.pk)])
    assert linked(ines) == set()
    assert ines.links.get().conversation == kept


def test_several_conversations_can_become_one(world: World, ines: Person) -> None:
    messages = [world.mail(INES, ADELE, hours=n) for n in range(4)]
    world.arrive(*messages)
    *gone, kept = [one.thread.conversation_id for one in messages]
    on_merged([(one, kept) for one in gone])
    assert linked(ines) == {kept}
    assert Conversation.objects.count() == 4  # removing them is the store's work


def test_the_card_of_a_mailbox_counts_its_linked_threads(world: World, ines: Person) -> None:
    first, second = world.mail(INES, ADELE), world.mail(INES, ADELE)
    world.arrive(first, second, world.mail("paul@fabrikam.example", ADELE))
    unlink(second.thread.conversation, ines, by=world.adele)
    mailbox = world.mailbox
    assert count_linked([mailbox.pk])[mailbox.pk] == cards([mailbox])[mailbox.pk]["linked"] == 1


def test_a_merged_contact_brings_its_conversations_and_what_was_done_by_hand_wins(world: World) -> None:
    kept = people.create(world.workspace, by=None, first_name="Ines", addresses=["ines@contoso.example"])
    gone = people.create(world.workspace, by=None, first_name="Ines", addresses=["i@home.example"])
    only_gone, both = (
        world.mail("i@home.example", "adele@northwind.example"),
        world.mail("ines@contoso.example", "i@home.example"),
    )
    world.arrive(only_gone, both)
    unlink(both.thread.conversation, gone, by=world.adele)
    merging.merge(kept, gone, by=world.adele)
    found = {link.conversation_id: link.removed_at is None for link in Link.objects.filter(person=kept)}
    assert found == {only_gone.thread.conversation_id: True, both.thread.conversation_id: False}
