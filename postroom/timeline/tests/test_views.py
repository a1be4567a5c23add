"""Linking by hand, the pane beside a conversation, contacts from mail."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from postroom.mail.models import Correspondent, Message
from postroom.records.candidates import commands as candidates
from postroom.records.companies import commands as companies
from postroom.records.deals import commands as deals
from postroom.records.models import Deal, Note, Person
from postroom.records.people import commands as people
from postroom.records.record import Record, about
from postroom.records.tasks import commands as tasks
from postroom.records.tickets import commands as tickets
from postroom.timeline.links import link
from postroom.timeline.models import Link
from postroom.timeline.panel import tags
from postroom.timeline.sharing.models import Origin
from postroom.timeline.tests.world import World, member
from postroom.timeline.urls import app_name, urlpatterns
from postroom.workspaces.commands import create_workspace
from postroom.workspaces.models import Membership

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
INES, ADELE = "ines@contoso.example", "adele@northwind.example"


@pytest.fixture
def mail(world: World) -> Message:
    message = world.mail(INES, ADELE)
    Correspondent.objects.filter(address=INES).update(name="Ribeiro, Inês")
    world.arrive(message)
    return message


@pytest.fixture
def deal(world: World) -> Deal:
    return deals.create(world.workspace, by=world.adele, name="Contoso renewal")


def sign_in(client: Client, who: Membership) -> Client:
    client.force_login(who.user)
    return client


def addresses(mail: Message, deal: Deal) -> Iterator[str]:
    possible = {"pk": mail.thread.conversation_id, "key": "deal", "record": deal.pk}
    for pattern in urlpatterns:
        if not str(pattern.pattern).startswith("conversations/"):
            continue
        wanted = {name: possible[name] for name in pattern.pattern.converters}
        yield reverse(f"{app_name}:{pattern.name}", kwargs=wanted)


@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_without_the_mail_reaches_any_address(
    world: World, mail: Message, deal: Deal, client: Client, method: str
) -> None:
    next_door = member(create_workspace("Woodgrove"), "edith@woodgrove.example", "Admin")
    for address in addresses(mail, deal):
        assert getattr(client, method)(address).url.startswith("/sign-in/")
        for stranger in (next_door, world.bob):  # another tenant, and a colleague who may not read the mailbox
            assert getattr(sign_in(Client(), stranger), method)(address).status_code in (404, 405), address
    assert not Link.objects.exists()


def test_a_record_of_the_next_workspace_cannot_be_linked(world: World, mail: Message, client: Client) -> None:
    next_door = member(create_workspace("Woodgrove"), "edith@woodgrove.example", "Admin")
    theirs = deals.create(next_door.workspace, by=None, name="Theirs")
    url = reverse("timeline:link", args=[mail.thread.conversation_id, "deal", theirs.pk])
    assert sign_in(client, world.adele).post(url).status_code == 404


def test_linking_and_unlinking_answer_with_the_way_back(
    world: World, mail: Message, deal: Deal, client: Client
) -> None:
    there = reverse("timeline:link", args=[mail.thread.conversation_id, "deal", deal.pk])
    back = reverse("timeline:unlink", args=[mail.thread.conversation_id, "deal", deal.pk])
    for url, undo in ((there, back), (back, there)):
        answer = sign_in(client, world.adele).post(url, headers=HTMX)
        told = json.loads(answer.headers["HX-Trigger"])
        assert told["toast"]["undo_url"] == undo and told["links:changed"]
    assert Link.objects.get(deal=deal).removed_at is not None


def test_without_a_script_linking_leads_back(world: World, mail: Message, deal: Deal, client: Client) -> None:
    url = reverse("timeline:link", args=[mail.thread.conversation_id, "deal", deal.pk])
    client = sign_in(client, world.adele)
    assert client.post(url, headers={"Referer": "http://testserver/inbox/"}).url == "http://testserver/inbox/"
    assert client.post(url, headers={"Referer": "http://elsewhere.example/"}).url == deal.get_absolute_url()


def test_a_stranger_in_the_pane_becomes_a_contact_in_one_click(world: World, mail: Message, client: Client) -> None:
    companies.create(world.workspace, by=None, name="Contoso", domains=["contoso.example"])
    client = sign_in(client, world.adele)
    pane = reverse("timeline:panel", args=[mail.thread.conversation_id])
    assert "Add contact" in client.get(pane, headers=HTMX).text
    client.post(reverse("timeline:add-contact", args=[mail.thread.conversation_id]), {"address": INES}, headers=HTMX)
    ines = Person.objects.get()
    assert (ines.name, ines.origin, ines.origin_mailbox) == ("Inês Ribeiro", "mail", world.mailbox.pk)
    assert ines.company.name == "Contoso"
    assert Link.objects.get(person=ines).conversation_id == mail.thread.conversation_id
    text = client.get(pane, headers=HTMX).text
    assert "Add contact" not in text and ines.get_absolute_url() in text


def test_adding_a_contact_twice_is_adding_it_once(world: World, mail: Message, client: Client) -> None:
    url = reverse("timeline:add-contact", args=[mail.thread.conversation_id])
    for _ in range(2):
        assert sign_in(client, world.adele).post(url, {"address": INES}, headers=HTMX).status_code == 204
    assert Person.objects.count() == Link.objects.count() == 1


@pytest.mark.parametrize("address", [ADELE, "nonsense", ""])
def test_an_own_mailbox_or_nonsense_becomes_no_contact(
    world: World, mail: Message, client: Client, address: str
) -> None:
    url = reverse("timeline:add-contact", args=[mail.thread.conversation_id])
    client = sign_in(client, world.adele)
    assert '"kind": "error"' in client.post(url, {"address": address}, headers=HTMX).headers["HX-Trigger"]
    assert client.post(url, {"address": address}).status_code == 422
    assert not Person.objects.exists()


def test_the_pane_shows_contact_company_deals_and_timeline(world: World, mail: Message, client: Client) -> None:
    contoso = companies.create(world.workspace, by=None, name="Contoso", domains=["contoso.example"])
    ines = people.create(world.workspace, by=world.adele, first_name="Inês", addresses=[INES])
    deals.create(world.workspace, by=None, name="Contoso renewal", people=[ines], company=contoso)
    pane = reverse("timeline:panel", args=[mail.thread.conversation_id])
    text = sign_in(client, world.adele).get(pane, headers=HTMX).text
    for said in ("Inês", contoso.get_absolute_url(), "Contoso renewal", "Qualified", mail.thread.subject, "Linked to"):
        assert said in text, said
    assert "<html" in client.get(pane).text


def test_the_pane_is_bounded_in_queries(world: World, mail: Message, client: Client) -> None:
    ines = people.create(world.workspace, by=world.adele, first_name="Inês", addresses=[INES])
    client = sign_in(client, world.adele)
    pane = reverse("timeline:panel", args=[mail.thread.conversation_id])

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(pane, headers=HTMX)
        return len(queries)

    deals.create(world.workspace, by=None, name="D", people=[ines])
    before = cost()
    for number in range(4):
        deals.create(world.workspace, by=None, name=f"D{number}", people=[ines])
        world.arrive(world.mail(INES, ADELE, hours=-number))
    assert cost() == before <= 40


def test_the_choices_leave_out_what_is_linked(world: World, mail: Message, deal: Deal, client: Client) -> None:
    client = sign_in(client, world.adele)
    url = reverse("timeline:choices", args=[mail.thread.conversation_id])
    assert "Contoso renewal" in client.get(url, {"q": "renew"}).text
    client.post(reverse("timeline:link", args=[mail.thread.conversation_id, "deal", deal.pk]))
    assert "Contoso renewal" not in client.get(url, {"q": "renew"}).text
    assert client.get(url).text.strip() == ""


def test_the_tags_of_a_conversation_lead_to_records_and_unlink(world: World, mail: Message) -> None:
    people.create(world.workspace, by=None, first_name="Inês", addresses=[INES])
    (tag,) = tags(mail.thread.conversation_id)
    assert (tag.label, tag.module) == ("Inês", "contact")
    assert tag.remove_url.endswith("/removal/")


def test_the_email_tab_shows_and_unlinks_threads(world: World, mail: Message, client: Client) -> None:
    ines = people.create(world.workspace, by=None, first_name="Inês", addresses=[INES])
    client = sign_in(client, world.adele)
    page = client.get(f"{ines.get_absolute_url()}?tab=email")
    unlink = reverse("timeline:unlink", args=[mail.thread.conversation_id, "contact", ines.pk])
    assert mail.thread.subject in page.text and unlink in page.text
    client.post(unlink)
    assert "No mail yet" in client.get(f"{ines.get_absolute_url()}?tab=email").text


def test_a_long_tab_goes_on_where_it_stopped(world: World, client: Client) -> None:
    ines = people.create(world.workspace, by=None, first_name="Inês", addresses=[INES])
    world.arrive(*(world.mail(INES, ADELE, hours=-n, subject=f"Subject {n}.") for n in range(35)))
    client = sign_in(client, world.adele)
    first = client.get(f"{ines.get_absolute_url()}?tab=email").text
    assert "Subject 19." in first and "Subject 20." not in first
    more = next(part.split('"')[0] for part in first.split('hx-get="') if "after=" in part.split('"')[0])
    second = client.get(more.replace("&amp;", "&")).text
    assert "Subject 20." in second and "Subject 19." not in second


MOST = 12  # statements of a screen (design.md section 5)


@pytest.fixture
def records(world: World) -> list[Record]:
    """One of each type, with all that can stand on their pages."""
    by = {"by": world.adele}
    old = [world.mail(INES, ADELE, hours=-number, subject="Long ago") for number in range(3)]
    box = world.mailbox.pk
    ines = people.create(
        world.workspace, **by, addresses=[INES], last_name="Ribeiro", origin="mail", origin_mailbox=box
    )  # type: ignore[arg-type]
    Origin.objects.create(person=ines, conversation=old[0].thread.conversation)
    made: list[Record] = [
        ines,
        companies.create(world.workspace, **by, name="Contoso", domains=["contoso.example"]),
        deals.create(world.workspace, **by, name="Renewal", people=[ines]),
        tickets.create(world.workspace, **by, name="Printer", requester=ines),
        candidates.create(world.workspace, **by, name="Ines Ribeiro", person=ines),
    ]
    mail = world.mail(INES, ADELE)
    world.arrive(mail)
    for one in made:
        link(mail.thread.conversation, one, by=world.adele)
        Note.objects.create(workspace=world.workspace, author=world.adele, text="Called", **about(one))
        tasks.create(world.workspace, by=world.adele, title="Call back", record=one)
    return made


@pytest.mark.parametrize("tab", ["timeline", "email"])
def test_the_page_of_a_record_asks_little_with_everything_on_it(
    world: World, records: list[Record], client: Client, tab: str
) -> None:
    sign_in(client, world.adele)
    for record in records:
        with CaptureQueriesContext(connection) as asked:
            page = client.get(record.get_absolute_url(), {"tab": tab}).content.decode()
        assert "Renewal terms" in page
        assert len(asked) <= MOST, f"{record.type.key}: {len(asked)}"
