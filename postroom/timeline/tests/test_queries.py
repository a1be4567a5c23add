"""What a record shows of mail: by link, else by address, as the reader sees it, page by page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from postroom.lib import clock, pages
from postroom.mail.queries import Page
from postroom.records import lists
from postroom.records.companies import commands as companies
from postroom.records.deals import commands as deals
from postroom.records.models import Company, Deal, Person
from postroom.records.notes import commands as notes
from postroom.records.people import commands as people
from postroom.records.tasks import commands as tasks
from postroom.timeline import matching, queries
from postroom.timeline.links import link, unlink
from postroom.timeline.models import Link, Reach
from postroom.timeline.tests.world import NOON, World, member
from postroom.workspaces.models import Membership

pytestmark = pytest.mark.django_db
INES, PAUL, ADELE = "ines@contoso.example", "paul@contoso.example", "adele@northwind.example"


@pytest.fixture
def ines(world: World) -> Person:
    with clock.frozen(NOON - timedelta(days=900)):
        return people.create(world.workspace, by=world.adele, first_name="Inês", last_name="Ribeiro", addresses=[INES])


def walk(read: Callable[[str], Page[object]]) -> list[object]:
    """All pages one after the other."""
    found: list[object] = []
    cursor = ""
    for _ in range(100):
        page = read(cursor)
        found += page.items
        if not page.next:
            return found
        cursor = page.next
    raise AssertionError("this never ends")


def shown(record: Person | Company | Deal, reader: Membership, limit: int = 30) -> list[int]:
    return [line.conversation for line in walk(lambda at: queries.threads(record, reader, at, limit=limit))]  # type: ignore[attr-defined]


def test_a_contact_shows_its_threads_newest_first(world: World, ines: Person) -> None:
    old, new = world.mail(INES, ADELE, hours=-5), world.mail(ADELE, INES)
    world.arrive(old, new)
    assert shown(ines, world.adele) == [new.thread.conversation_id, old.thread.conversation_id]


def test_mail_that_was_never_matched_is_found_by_address(world: World, ines: Person) -> None:
    message = world.mail(INES, ADELE)  # arrived while matching was not looking
    line = queries.threads(ines, world.adele).items[0]
    assert (line.conversation, line.linked) == (message.thread.conversation_id, False)


def test_a_record_without_any_matching_shows_its_mail_by_address(world: World, ines: Person) -> None:
    contoso = companies.create(world.workspace, by=None, name="Contoso", domains=["contoso.example"])
    Reach.objects.all().delete()
    message = world.mail(INES, ADELE)
    for record in (ines, contoso):
        assert shown(record, world.adele) == [message.thread.conversation_id]


def test_what_was_unlinked_is_not_found_by_address_either(world: World, ines: Person) -> None:
    message = world.mail(INES, ADELE)
    unlink(message.thread.conversation, ines, by=world.adele)
    assert shown(ines, world.adele) == []


def test_what_was_linked_by_hand_is_shown_without_an_address(world: World, ines: Person) -> None:
    message = world.mail("nina@wingtip.example", ADELE)
    link(message.thread.conversation, ines, by=world.adele)
    assert shown(ines, world.adele) == [message.thread.conversation_id]


def test_a_deal_shows_the_threads_of_its_contacts_and_its_own(world: World, ines: Person) -> None:
    deal = deals.create(world.workspace, by=None, name="Renewal", people=[ines])
    by_contact, by_hand = world.mail(INES, ADELE), world.mail("nina@wingtip.example", ADELE, hours=-1)
    world.arrive(by_contact, by_hand)
    link(by_hand.thread.conversation, deal, by=world.adele)
    assert shown(deal, world.adele) == [by_contact.thread.conversation_id, by_hand.thread.conversation_id]


def test_a_thread_unlinked_from_a_deal_stays_on_its_contact(world: World, ines: Person) -> None:
    deal = deals.create(world.workspace, by=None, name="Renewal", people=[ines])
    message = world.mail(INES, ADELE)
    world.arrive(message)
    unlink(message.thread.conversation, deal, by=world.adele)
    assert shown(deal, world.adele) == []
    assert shown(ines, world.adele) == [message.thread.conversation_id]


def test_mail_of_a_mailbox_the_reader_may_not_read_is_not_there(world: World, ines: Person) -> None:
    world.arrive(world.mail(INES, ADELE))
    assert shown(ines, world.bob) == []
    assert [entry.kind for entry in queries.entries(ines, world.bob).items] == ["event"]


def test_a_colleagues_copy_is_the_same_conversation(world: World, ines: Person) -> None:
    bobs = world.open_mailbox("bob@northwind.example", world.bob)
    mine = world.mail(INES, ADELE)
    theirs = world.mail(INES, "bob@northwind.example", conversation=mine.thread.conversation, mailbox=bobs)
    world.arrive(mine)
    world.arrive(theirs)
    assert Link.objects.count() == 1
    for reader, thread in ((world.adele, mine.thread), (world.bob, theirs.thread)):
        assert [line.thread for line in queries.threads(ines, reader).items] == [thread]


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_pages_join_without_gap_or_double(world: World, ines: Person, limit: int) -> None:
    linked = [world.mail(INES, ADELE, hours=-(n // 2)) for n in range(7)]  # pairs with the same time
    world.arrive(*linked)
    unmatched = [world.mail(INES, ADELE, hours=-n - 0.5) for n in range(4)]
    every = {one.thread.conversation_id for one in [*linked, *unmatched]}
    seen = shown(ines, world.adele, limit)
    assert len(seen) == len(set(seen)) and set(seen) == every


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_pages_join_beyond_the_reach_of_matching(world: World, limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "LOOKED_AT", 3)
    monkeypatch.setattr(queries, "LOOKED_AT", 2)
    same = world.conversation()
    messages = [world.mail(INES, ADELE, hours=-n, conversation=same if 4 <= n < 9 else None) for n in range(12)]
    with clock.frozen(NOON - timedelta(days=900)):
        ines = people.create(world.workspace, by=None, first_name="Ines", addresses=[INES])
    assert Reach.objects.get(person=ines).until is not None
    seen = shown(ines, world.adele, limit)
    assert seen == list(dict.fromkeys(one.thread.conversation_id for one in messages))
    entries = walk(lambda at: queries.entries(ines, world.adele, at, limit=limit))
    assert [one.id for one in entries if one.kind == "mail"] == seen  # type: ignore[attr-defined]


def test_many_mails_of_one_moment_do_not_hold_the_pages_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "LOOKED_AT", 2)
    monkeypatch.setattr(queries, "LOOKED_AT", 2)
    for _ in range(6):
        world.mail(INES, ADELE)
    last = world.mail(INES, ADELE, hours=-1)
    ines = people.create(world.workspace, by=None, first_name="Ines", addresses=[INES])
    assert last.thread.conversation_id in shown(ines, world.adele, limit=2)


@pytest.mark.parametrize("limit", [1, 2, 3, 30])
def test_the_timeline_tells_mail_changes_notes_and_tasks_in_order(world: World, ines: Person, limit: int) -> None:
    world.arrive(*(world.mail(INES, ADELE, hours=-n) for n in range(3)))
    with clock.frozen(NOON - timedelta(minutes=30)):
        people.change(ines, by=world.adele, job_title="Buyer")
    with clock.frozen(NOON - timedelta(minutes=20)):
        notes.write(ines, "Call before noon", by=world.adele)
    with clock.frozen(NOON - timedelta(minutes=10)):
        tasks.create(world.workspace, title="Send the offer", record=ines, by=world.adele)
    found = walk(lambda at: queries.entries(ines, world.adele, at, limit=limit))
    assert [one.kind for one in found] == ["mail", "task", "note", "event", "mail", "mail", "event"]  # type: ignore[attr-defined]
    assert len({(one.kind, one.id) for one in found}) == len(found)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "text", ["", "nonsense", "W10", "WyIwMDAxLTAxLTAxVDAwOjAwOjAwIiwgMF0", "WyI5OTk5LTEyLTMxIiwgLTVd"]
)
def test_a_broken_cursor_does_no_harm(world: World, ines: Person, text: str) -> None:
    world.arrive(world.mail(INES, ADELE))
    queries.threads(ines, world.adele, text)
    queries.entries(ines, world.adele, text)


@given(kind=st.sampled_from(["event", "note", "mail"]), number=st.integers(1, 10**12), other=st.integers(1, 10**12))
def test_a_place_in_the_timeline_says_for_every_kind_what_comes_after(kind: str, number: int, other: int) -> None:
    place = queries._position(queries.Entry(NOON, kind, number))
    for name in ("event", "note", "mail"):
        below = other < queries._for_kind(place, name).id
        assert below == (queries._position(queries.Entry(NOON, name, other)) < place)


def test_a_page_costs_the_same_however_much_mail_there_is(world: World, ines: Person) -> None:
    deal = deals.create(world.workspace, by=None, name="Renewal", people=[ines])

    def cost() -> list[int]:
        counts = []
        for record in (ines, deal):
            for read in (queries.threads, queries.entries):
                with CaptureQueriesContext(connection) as captured:
                    read(record, world.adele)
                counts.append(len(captured))
        return counts

    world.arrive(world.mail(INES, ADELE))
    before = cost()
    world.arrive(*(world.mail(INES, ADELE, hours=-n) for n in range(40)))
    assert cost() == before
    assert max(before) <= 9


def test_the_last_contact_of_records_is_one_query(world: World, ines: Person) -> None:
    paul = people.create(world.workspace, by=None, first_name="Paul", addresses=[PAUL])
    world.arrive(world.mail(INES, ADELE, hours=-3), world.mail(INES, ADELE))
    with CaptureQueriesContext(connection) as captured:
        assert queries.last_contact([ines, paul], world.adele) == {ines.pk: NOON}
    assert len(captured) == 1
    assert queries.last_contact([ines, paul], world.bob) == {}  # who may not read the mailbox


def test_contacts_are_sorted_by_the_last_mail_that_one_may_see(world: World, ines: Person, client: Client) -> None:
    paul = people.create(world.workspace, by=None, first_name="Paul", addresses=[PAUL])
    silent = people.create(world.workspace, by=None, first_name="Silent")
    world.arrive(world.mail(INES, ADELE, hours=-3), world.mail(PAUL, ADELE))

    def order(who: Membership, way: str) -> list[int]:
        client.force_login(who.user)
        page = client.get(f"/contacts/?sort=mail&way={way}")
        return [line.record.pk for line in page.context["lines"]]

    assert order(world.adele, "down") == [paul.pk, ines.pk, silent.pk]
    assert order(world.adele, "up") == [ines.pk, paul.pk, silent.pk]  # who never had mail comes last both ways
    assert order(world.bob, "up") == sorted([ines.pk, paul.pk, silent.pk])  # of whose mail there is none for him


@pytest.mark.parametrize(("looked_at", "enough"), [(1, 300), (3, 300), (5_000, 300), (5_000, 4)])
def test_the_order_by_last_mail_is_the_same_however_few_links_are_looked_at(
    world: World, ines: Person, client: Client, monkeypatch: pytest.MonkeyPatch, looked_at: int, enough: int
) -> None:
    monkeypatch.setattr(queries, "NEWEST", looked_at)
    monkeypatch.setattr(queries, "ENOUGH", enough)
    monkeypatch.setattr(lists, "PAGE", 2)
    paul = people.create(world.workspace, by=None, first_name="Paul", addresses=[PAUL])
    others = [
        people.create(world.workspace, by=None, first_name=f"Other {n}", addresses=[f"other{n}@fabrikam.example"])
        for n in range(3)
    ]
    silent = people.create(world.workspace, by=None, first_name="Silent")
    world.arrive(world.mail(INES, ADELE, hours=-9), world.mail(PAUL, ADELE), world.mail(PAUL, ADELE, hours=-1))
    world.arrive(*(world.mail(f"other{n}@fabrikam.example", ADELE, hours=-2 - n) for n in range(3)))

    def order(who: Membership) -> list[int]:
        client.force_login(who.user)
        found, address = [], "?sort=mail"
        while address:
            page = client.get(f"/contacts/{address}").context
            found += [line.record.pk for line in page["lines"]]
            address = page["more"]
        return found

    assert order(world.adele) == [paul.pk, *(one.pk for one in others), ines.pk, silent.pk]
    broken = pages.token(Link(last_at=NOON, how="x"), ("how", "how"))
    assert client.get(f"/contacts/?sort=mail&after={broken}").context["lines"][0].record == paul
    assert order(world.bob) == sorted((ines.pk, paul.pk, silent.pk, *(one.pk for one in others)), reverse=True)


def test_the_records_of_a_conversation_are_deals_first(world: World, ines: Person) -> None:
    deal = deals.create(world.workspace, by=None, name="Renewal")
    message = world.mail(INES, ADELE)
    world.arrive(message)
    link(message.thread.conversation, deal, by=world.adele)
    found = queries.links_of([message.thread.conversation_id])[message.thread.conversation_id]
    assert [one.record for one in found] == [deal, ines]


def test_a_conversation_of_nobodys_mailbox_is_not_visible(world: World) -> None:
    message = world.mail(INES, ADELE)
    assert queries.visible_conversation(world.adele, message.thread.conversation_id)
    assert queries.visible_conversation(world.bob, message.thread.conversation_id) is None
    guest = member(world.workspace, "guest@northwind.example", "Guest")
    assert queries.visible_conversation(guest, message.thread.conversation_id) is None
