"""From and its aliases, hints before sending, the reminder."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client

from postroom.inbox import hints, people_found
from postroom.inbox.accounts import accounts_of
from postroom.lib import clock
from postroom.mail import commands
from postroom.mail.models import Composition, Correspondent, Thread
from postroom.mail.sending import outgoing_of
from postroom.mailboxes.models import Mailbox
from postroom.providers.errors import Transient
from postroom.providers.memory.mailbox import Box
from postroom.providers.registry import connector
from postroom.timeline.team.models import Snooze
from postroom.workspaces.models import Membership


@pytest.fixture(autouse=True)
def _forgetful() -> None:
    cache.clear()


SCRIPT = {"HX-Request": "true"}
ALIAS = "sales@northwind.example"


@pytest.fixture
def aliases(mailbox: Mailbox) -> Mailbox:
    assert mailbox.connection is not None
    mailbox.connection.aliases = [ALIAS, mailbox.address.upper()]
    mailbox.connection.save()
    return mailbox


def begun(page: Client) -> str:
    return str(page.get("/compose/?to=ines@contoso.example").headers["Location"])


def test_a_message_goes_out_under_the_alias_that_was_chosen_and_the_choice_is_remembered(
    page: Client, aliases: Mailbox
) -> None:
    address = begun(page)
    assert f'value="{aliases.pk}:{ALIAS}"' in page.get(address).content.decode()
    page.post(f"{address}save/", {"from": f"{aliases.pk}:{ALIAS}", "text": "Hi"}, headers=SCRIPT)
    one = Composition.objects.get()
    sender = outgoing_of(one).from_
    assert one.from_address == ALIAS and sender is not None and sender.address == ALIAS
    assert f'value="{aliases.pk}:{ALIAS}"\n                selected' in page.get(address).content.decode().replace(
        '" selected', '"\n                selected'
    )
    page.post(f"{address}save/", {"from": str(aliases.pk)}, headers=SCRIPT)
    one = Composition.objects.get()
    assert one.from_address == aliases.address  # said, so that the draft at the provider loses the alias
    page.post(f"{address}save/", {"from": f"{aliases.pk}:{ALIAS}", "text": "Hi"}, headers=SCRIPT)
    begun(page)
    assert Composition.objects.latest("pk").from_address == ALIAS


def test_nobody_sends_under_an_address_that_is_not_theirs(page: Client, aliases: Mailbox) -> None:
    address = begun(page)
    page.post(f"{address}save/", {"from": f"{aliases.pk}:ceo@northwind.example"}, headers=SCRIPT)
    one = Composition.objects.get()
    assert one.from_address == "" and outgoing_of(one).from_ is None


def test_an_answer_comes_from_the_alias_that_was_written_to(
    page: Client, aliases: Mailbox, deliver: Callable[..., Thread]
) -> None:
    thread = deliver("Offer", to=[ALIAS])
    page.get(f"/inbox/threads/{thread.pk}/reply/?how=reply_all", headers=SCRIPT)
    one = Composition.objects.get()
    assert one.from_address == ALIAS
    assert ALIAS not in [address for _, address in (*one.to, *one.cc)]


def test_hints_name_those_outside_among_colleagues_and_a_large_audience(mailbox: Mailbox, member: Membership) -> None:
    known = accounts_of(member)

    def told(*to: str) -> list[str]:
        one = commands.compose(mailbox, member, to=[("", address) for address in to])
        return [hint.text for hint in hints.of(one, known)]

    domain = mailbox.address.partition("@")[2]
    assert told("ines@contoso.example") == told(f"ben@{domain}") == []
    assert told(f"ben@{domain}", "ines@contoso.example") == ["ines@contoso.example is outside of your organisation."]
    assert told(*(f"p{number}@{domain}" for number in range(30))) == [
        "30 people will read this and see each other's addresses. Bcc hides them."
    ]


def test_colleagues_who_are_away_are_named_once_the_provider_was_asked(
    page: Client, mailbox: Mailbox, box: Box
) -> None:
    connector("memory").mailbox("ben@northwind.example").away = "<p>Back on <b>Monday</b></p>"  # type: ignore[attr-defined]
    address = begun(page)
    saved = page.post(f"{address}save/", {"to": "Ben <ben@northwind.example>"}, headers=SCRIPT).content.decode()
    assert f"{address}tips/" in saved and "Back on" not in saved
    told = page.get(f"{address}tips/", headers=SCRIPT).content.decode()
    assert "Ben: away. “Back on Monday”" in told and "tips/" not in told
    again = page.post(f"{address}save/", {"subject": "x"}, headers=SCRIPT).content.decode()
    assert "Back on Monday" in again and f"{address}tips/" not in again
    assert box.calls.count("tips") == 1


def test_people_elsewhere_are_not_asked_about_and_trouble_keeps_nobody_from_writing(
    page: Client, mailbox: Mailbox, box: Box
) -> None:
    address = begun(page)
    saved = page.post(f"{address}save/", {"to": "ines@contoso.example"}, headers=SCRIPT).content.decode()
    assert "tips/" not in saved
    page.post(f"{address}save/", {"to": "ben@northwind.example"}, headers=SCRIPT)
    box.fail_next(Transient(), on="tips")
    assert page.get(f"{address}tips/", headers=SCRIPT).status_code == 200


def test_hints_come_with_every_save(page: Client, mailbox: Mailbox) -> None:
    domain = mailbox.address.partition("@")[2]
    typed = {"to": f"ben@{domain}, ines@contoso.example"}
    answer = page.post(f"{begun(page)}save/", typed, headers=SCRIPT).content.decode()
    assert "hx-swap-oob" in answer and "outside of your organisation" in answer and "composer-signature" not in answer


@pytest.mark.parametrize(
    "text", ["See the attached plan", "Anbei die Rechnung", "Le fichier ci-joint", "Adjunto el plan"]
)
def test_a_file_that_is_spoken_of_and_missing_stops_the_sending_once(page: Client, mailbox: Mailbox, text: str) -> None:
    address = begun(page)
    typed = {"to": "ines@contoso.example", "html": f"<div>{text}</div>"}
    answer = page.post(f"{address}send/", typed, headers=SCRIPT)
    assert answer.status_code == 422 and "no file is attached" in answer.content.decode()
    assert Composition.objects.get().state == "draft"
    page.post(f"{address}send/", {**typed, "as_it_is": "-file-"}, headers=SCRIPT)
    assert Composition.objects.get().state == "sending"


def test_what_is_only_quoted_misses_no_file(mailbox: Mailbox, member: Membership) -> None:
    html = "<div>Thanks</div><blockquote>The plan is attached</blockquote>"
    assert not hints.misses_file(commands.compose(mailbox, member, html=html))


def test_who_wants_a_reminder_has_the_conversation_back_unless_somebody_answers(
    page: Client, mailbox: Mailbox, settle: Callable[[Mailbox], int]
) -> None:
    address = begun(page)
    typed = {"to": "ines@contoso.example", "html": "Well?", "remind": "3"}
    page.post(f"{address}send/", typed, headers=SCRIPT)
    settle(mailbox)
    assert Composition.objects.get().state == "sent"
    snooze = Snooze.objects.get()
    assert snooze.unless_answered
    assert timedelta(days=2) < snooze.until - clock.now() < timedelta(days=4)


def test_without_a_wish_nobody_is_reminded(page: Client, mailbox: Mailbox, settle: Callable[[Mailbox], int]) -> None:
    page.post(f"{begun(page)}send/", {"to": "ines@contoso.example", "html": "x", "remind": "99"}, headers=SCRIPT)
    settle(mailbox)
    assert not Snooze.objects.exists()


def test_suggestions_name_those_first_whom_one_writes_with_often_and_lately(
    page: Client, mailbox: Mailbox, deliver: Callable[..., Thread], member: Membership
) -> None:
    for number, sender in enumerate(["anna@contoso.example", "anton@contoso.example", "anne@contoso.example"]):
        deliver(f"Mail {number}", from_=sender, minutes=number)
    told = Correspondent.objects.filter(workspace=member.workspace)
    told.filter(address="anton@contoso.example").update(sent=30, last_at=clock.now() - timedelta(days=1))
    told.filter(address="anna@contoso.example").update(sent=40, last_at=clock.now() - timedelta(days=400))
    told.filter(address="anne@contoso.example").update(sent=2, last_at=clock.now())
    named = [one.address.partition("@")[0] for one in people_found.suggest(member, "an")]
    assert named == ["anton", "anne", "anna"]
    assert [one.address for one in people_found.suggest(member, "contoso anton")] == []
