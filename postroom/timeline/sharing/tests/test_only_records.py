"""Keep only mail that touches a record: what is kept, what is a number, and that nothing gets lost on the way."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from postroom.lib.clock import now
from postroom.mail import commands as mail
from postroom.mail import comparing, trace
from postroom.mail.models import Attachment, Correspondent, Folder, Known, Message, Thread
from postroom.mail.pens import PeopleList
from postroom.mail.sync import coverage
from postroom.mail.tests.conftest import box, connect, mailbox, member, settle
from postroom.mail.tests.mailing import mailbox as another_mailbox
from postroom.mail.tests.mailing import member as another_member
from postroom.mailboxes import lifecycle
from postroom.mailboxes.models import Mailbox
from postroom.providers.contract import Flag
from postroom.providers.memory.mailbox import Box
from postroom.providers.registry import connector
from postroom.records import commands as records
from postroom.records.companies import commands as companies
from postroom.records.models import Person
from postroom.records.people import commands as people
from postroom.sync import lanes, push
from postroom.sync.models import SyncState
from postroom.timeline import links
from postroom.timeline.models import Link, MailboxSharing, Policy
from postroom.timeline.sharing import commands, digests, only_records
from postroom.timeline.sharing.models import Rule
from postroom.timeline.team import commands as team
from postroom.workspaces.models import Membership

__all__ = ["box", "connect", "mailbox", "member", "settle"]
Settle = Callable[..., int]
Committed = Any
pytestmark = pytest.mark.django_db
INES, DOCTOR = "ines@contoso.example", "praxis@doctor.example"
PRIVATE = ("Zwiebelkuchen", "marzipan", "obsidian", DOCTOR, "doctor.example", "Dr Tamarind")


@pytest.fixture
def committed(django_capture_on_commit_callbacks: Any) -> Committed:
    return lambda: django_capture_on_commit_callbacks(execute=True)


@pytest.fixture
def narrow(member: Membership) -> Membership:
    """It is on from the beginning, and Inês is a contact."""
    Policy.objects.create(workspace=member.workspace, only_records=True)
    people.create(member.workspace, by=member, first_name="Inês", addresses=[INES])
    return member


def arrive(mailbox: Mailbox, box: Box, settle: Settle) -> None:
    """What the provider tells of, and then everything that is due."""
    for told in box.notifications():
        push.take(connector("memory").notified(told))
    settle(mailbox)


def private(box: Box, **fields: Any) -> str:
    return box.deliver(
        subject="Zwiebelkuchen", from_=DOCTOR, html="<p>marzipan</p>", files={"obsidian.pdf": b"1"}, **fields
    )


def shown(mailbox: Mailbox) -> list[str]:
    return sorted(Message.objects.filter(mailbox=mailbox).values_list("subject", flat=True))


def state(remote_id: str) -> str:
    return Known.State(Known.objects.get(remote_id=remote_id).state).name


def in_step(mailbox: Mailbox, box: Box) -> None:
    """Every mail of the provider's is here, as a message in its state or as a number in its folder; nothing else is."""
    here = {m.remote_id: m for m in Message.objects.filter(mailbox=mailbox).select_related("folder")}
    numbers = dict(Known.objects.filter(mailbox=mailbox).values_list("remote_id", "folder__remote_id"))
    assert here.keys() | numbers.keys() == box.messages.keys() and not here.keys() & numbers.keys()
    for one in box.messages.values():
        if one.id in numbers:
            assert numbers[one.id] == one.folder_id
        else:
            row = here[one.id]
            assert (row.folder.remote_id, row.is_read, row.flag) == (one.folder_id, one.is_read, str(one.flag))
    for folder in Folder.objects.filter(mailbox=mailbox):
        rows = Message.objects.filter(folder=folder)
        assert (folder.total, folder.unread) == (rows.count(), rows.filter(is_read=False).count())


def found_in_the_database(*words: str) -> list[tuple[str, str]]:
    """Tables that have one of these anywhere in a row: searched by value, so a table made later is searched too."""
    with connection.cursor() as cursor:
        cursor.execute("select table_name from information_schema.tables where table_schema = 'public'")
        tables = [row[0] for row in cursor.fetchall()]
        found = []
        for table in tables:
            for word in words:
                cursor.execute(f'select 1 from "{table}" t where t::text ilike %s limit 1', [f"%{word}%"])
                found += [(table, word)] if cursor.fetchone() else []
    return found


# --- off ---------------------------------------------------------------------------------------------------------


def test_while_it_is_off_everything_is_kept(mailbox: Mailbox, box: Box, settle: Settle) -> None:
    private(box)
    settle(mailbox)
    private(box)
    arrive(mailbox, box, settle)
    assert only_records.workspaces() == []
    assert only_records.round_of(mailbox.workspace_id) == 0
    assert shown(mailbox) == ["Zwiebelkuchen", "Zwiebelkuchen"] and not Known.objects.exists()
    assert found_in_the_database(DOCTOR) != []  # the search of these tests does find what is there


# --- on, as mail comes -------------------------------------------------------------------------------------------


def test_of_mail_that_touches_no_record_no_table_has_anything(
    narrow: Membership, connect: Callable[..., Mailbox], box: Box, settle: Settle
) -> None:
    first = private(box)
    box.deliver(subject="Offer", from_=INES, html="<p>Yours</p>")
    mailbox = connect()
    settle(mailbox)  # history
    later = private(box)
    box.deliver(subject="Again", from_=INES)
    arrive(mailbox, box, settle)  # news
    assert shown(mailbox) == ["Again", "Offer"]
    assert {state(first), state(later)} == {"COUNTED"}
    told = mailbox.lanes.get(activity="backfill").progress
    assert (told["done"], told["total"]) == (2, 2)  # what was looked at is done
    assert found_in_the_database(*PRIVATE) == []
    assert not Correspondent.objects.filter(domain="doctor.example").exists() and not Attachment.objects.exists()
    in_step(mailbox, box)


def test_a_folder_s_figures_agree_and_say_how_many_are_only_a_number(
    narrow: Membership, connect: Callable[..., Mailbox], box: Box, settle: Settle
) -> None:
    for _ in range(3):
        private(box)
    box.deliver(subject="Offer", from_=INES)
    mailbox = connect()
    settle(mailbox)
    coverage.check_now(mailbox)
    settle(mailbox)
    found = comparing.summary(mailbox)
    assert (found.words, found.theirs, found.ours, found.counted, found.noted) == ("100 %", 4, 4, 3, 0)
    assert found.repaired == 0 and shown(mailbox) == ["Offer"]
    in_step(mailbox, box)


def test_a_number_follows_its_mail_and_goes_with_it(
    narrow: Membership, connect: Callable[..., Mailbox], box: Box, settle: Settle
) -> None:
    read, moved, gone = private(box), private(box), private(box)
    mailbox = connect()
    settle(mailbox)
    box.notifications()
    box.read(read)
    box.flag(read, Flag.FLAGGED)
    box.move(moved, "archive")
    box.delete(gone)
    box.move(private(box), "deleted")
    arrive(mailbox, box, settle)
    in_step(mailbox, box)
    assert found_in_the_database(*PRIVATE) == []


def test_without_push_a_number_follows_too(
    narrow: Membership, connect: Callable[..., Mailbox], box: Box, settle: Settle, settings: Any
) -> None:
    settings.POSTROOM_PUBLIC_URL = ""
    moved, gone = private(box), private(box)
    mailbox = connect()
    settle(mailbox)
    box.read(moved)
    box.move(moved, "archive")
    box.delete(gone)
    settle(mailbox, ahead=timedelta(minutes=10))
    in_step(mailbox, box)


def test_a_dead_cursor_loses_no_number_and_pulls_none(
    narrow: Membership, connect: Callable[..., Mailbox], box: Box, settle: Settle
) -> None:
    ids = [private(box) for _ in range(5)]
    box.deliver(subject="Offer", from_=INES)
    mailbox = connect()
    settle(mailbox)
    box.expire_cursors()
    SyncState.objects.filter(mailbox=mailbox).update(due_at=now())
    lanes.want(mailbox.pk, "live")
    settle(mailbox)
    assert {state(one) for one in ids} == {"COUNTED"}
    in_step(mailbox, box)


def test_drafts_and_what_is_written_here_stay(
    narrow: Membership, connect: Callable[..., Mailbox], box: Box, settle: Settle
) -> None:
    mailbox = connect()
    settle(mailbox)
    box.deliver(subject="Begun in Outlook", from_=mailbox.address, to=[DOCTOR], folder="drafts", is_draft=True)
    arrive(mailbox, box, settle)
    written = mail.compose(mailbox, narrow)
    mail.save(written, to=[["", DOCTOR]], subject="Appointment", html="<p>Tuesday?</p>")
    mail.send(written)
    settle(mailbox, ahead=timedelta(minutes=2))
    arrive(mailbox, box, settle)
    written.refresh_from_db()
    assert written.sent_message is not None
    assert shown(mailbox) == ["Appointment", "Begun in Outlook"]
    assert written.sent_message.internet_message_id
    box.deliver(subject="Re: Appointment", from_=DOCTOR, in_reply_to=written.sent_message.internet_message_id)
    private(box)
    arrive(mailbox, box, settle)
    assert shown(mailbox) == ["Appointment", "Begun in Outlook", "Re: Appointment"]  # an answer to us belongs to it
    only_records.round_of(mailbox.workspace_id)
    assert shown(mailbox) == ["Appointment", "Begun in Outlook", "Re: Appointment"]


def test_what_becomes_a_contact_or_a_ticket_by_itself_is_kept(
    narrow: Membership, connect: Callable[..., Mailbox], box: Box, settle: Settle
) -> None:
    Policy.objects.update(contacts=Rule.EVERYONE)
    private(box)
    mailbox = connect()
    settle(mailbox)
    assert shown(mailbox) == ["Zwiebelkuchen"] and Person.objects.filter(addresses__address=DOCTOR).exists()
    Policy.objects.update(contacts=Rule.OFF)
    Mailbox.objects.update(purpose=Mailbox.Purpose.SUPPORT)
    mailbox.refresh_from_db()
    box.deliver(subject="My printer burns", from_="someone@elsewhere.example")
    arrive(mailbox, box, settle)
    assert shown(mailbox) == ["My printer burns", "Zwiebelkuchen"]


# --- a record comes to be ----------------------------------------------------------------------------------------


@pytest.fixture
def waiting(narrow: Membership, connect: Callable[..., Mailbox], box: Box, settle: Settle) -> Mailbox:
    """A mailbox with two private mails in one conversation, kept as numbers."""
    first = private(box, internet_message_id="<one@doctor.example>")
    box.read(first)
    box.deliver(subject="Re: Zwiebelkuchen", from_=DOCTOR, in_reply_to="<one@doctor.example>", to=["x@other.example"])
    mailbox = connect()
    settle(mailbox)
    assert shown(mailbox) == []
    return mailbox


def test_a_contact_brings_its_mail(
    waiting: Mailbox, narrow: Membership, box: Box, settle: Settle, committed: Committed
) -> None:
    with committed():
        person = people.create(narrow.workspace, by=narrow, last_name="Tamarind", addresses=[DOCTOR])
    settle(waiting)
    assert shown(waiting) == ["Re: Zwiebelkuchen", "Zwiebelkuchen"]
    assert Message.objects.get(subject="Zwiebelkuchen").is_read
    assert Link.objects.filter(person=person, removed_at=None).count() == 1
    assert Message.objects.filter(body__html__contains="marzipan").count() == 1
    in_step(waiting, box)


def test_a_company_brings_the_mail_of_its_domain(
    waiting: Mailbox, narrow: Membership, box: Box, settle: Settle, committed: Committed
) -> None:
    with committed():
        companies.create(narrow.workspace, by=narrow, name="Praxis", domains=["doctor.example"])
    settle(waiting)
    assert len(shown(waiting)) == 2
    in_step(waiting, box)


def test_an_address_added_later_and_somebody_in_copy_bring_the_whole_conversation(
    waiting: Mailbox, narrow: Membership, box: Box, settle: Settle, committed: Committed
) -> None:
    """Only one of the two mails went to this address; the other belongs to the same conversation."""
    with committed():
        people.change(Person.objects.get(), by=narrow, addresses=[INES, "x@other.example"])
    settle(waiting)
    assert len(shown(waiting)) == 2
    in_step(waiting, box)


def test_a_link_made_through_a_colleague_s_copy_brings_ours(
    waiting: Mailbox, narrow: Membership, box: Box, settle: Settle, committed: Committed
) -> None:
    conversation = Known.objects.exclude(conversation=None).first()
    assert conversation is not None and conversation.conversation is not None
    with committed():
        links.link(conversation.conversation, Person.objects.get(), by=narrow)
    settle(waiting)
    assert len(shown(waiting)) == 2
    in_step(waiting, box)


def test_mail_older_than_the_history_is_brought_too_if_it_was_here(
    narrow: Membership, connect: Callable[..., Mailbox], box: Box, settle: Settle, committed: Committed
) -> None:
    private(box, received=now() - timedelta(days=3))
    mailbox = connect("none")
    settle(mailbox)
    assert shown(mailbox) == [] and Known.objects.get().state == Known.State.COUNTED
    with committed():
        people.create(narrow.workspace, by=narrow, last_name="Tamarind", addresses=[DOCTOR])
    settle(mailbox)
    assert shown(mailbox) == ["Zwiebelkuchen"]


def test_what_a_lost_wake_up_left_the_next_round_finds(
    waiting: Mailbox, narrow: Membership, box: Box, settle: Settle, committed: Committed
) -> None:
    people.create(narrow.workspace, by=narrow, last_name="Tamarind", addresses=[DOCTOR])  # never told
    settle(waiting)
    assert shown(waiting) == []
    with committed():
        only_records.round_of(waiting.workspace_id)
    settle(waiting)
    assert len(shown(waiting)) == 2


def test_why_it_is_not_here_is_said(waiting: Mailbox, narrow: Membership) -> None:
    (answer,) = trace.ask(narrow, "Re: Zwiebelkuchen")
    (found,) = answer.traces
    assert "touches no record" in found.why and not found.outside and found.mend == ""


# --- and goes ----------------------------------------------------------------------------------------------------


def test_what_touches_no_record_any_more_goes_by_night(
    waiting: Mailbox, narrow: Membership, box: Box, settle: Settle, committed: Committed
) -> None:
    with committed():
        person = people.create(narrow.workspace, by=narrow, last_name="Tamarind", addresses=[DOCTOR])
    settle(waiting)
    records.delete(person)
    settle(waiting)
    assert len(shown(waiting)) == 2  # not at once
    assert only_records.round_of(waiting.workspace_id) == 2
    assert shown(waiting) == [] and not Thread.objects.exists()
    assert found_in_the_database("Zwiebelkuchen", "marzipan", "obsidian.pdf") == []
    in_step(waiting, box)


def test_what_was_unlinked_a_moment_ago_waits_for_undo(
    waiting: Mailbox, narrow: Membership, box: Box, settle: Settle, committed: Committed
) -> None:
    with committed():
        person = people.create(narrow.workspace, by=narrow, last_name="Tamarind", addresses=[DOCTOR])
    settle(waiting)
    links.unlink(Link.objects.get().conversation, person, by=narrow)
    assert only_records.round_of(waiting.workspace_id) == 0
    Link.objects.update(changed_at=now() - timedelta(hours=2))
    assert only_records.round_of(waiting.workspace_id) == 2  # although its address is a contact's


def test_what_colleagues_work_on_and_what_waits_to_go_out_stays(
    mailbox: Mailbox, member: Membership, box: Box, settle: Settle
) -> None:
    for subject in ("Commented", "Changed here", "Private"):
        box.deliver(subject=subject, from_=DOCTOR)
    settle(mailbox)
    said, changed = (Message.objects.get(subject=one) for one in ("Commented", "Changed here"))
    team.write(said.thread.conversation_id, "Mine", by=member)
    mail.mark_read([changed], member)
    only_records.decide(member.workspace, True)
    only_records.round_of(mailbox.workspace_id)
    assert shown(mailbox) == ["Changed here", "Commented"]
    settle(mailbox)
    only_records.round_of(mailbox.workspace_id)
    assert shown(mailbox) == ["Commented"]
    assert box.get(changed.remote_id).is_read  # what was changed here has arrived
    in_step(mailbox, box)


# --- on and off --------------------------------------------------------------------------------------------------


def test_turned_on_it_empties_and_turned_off_everything_comes_back(
    mailbox: Mailbox, member: Membership, box: Box, settle: Settle
) -> None:
    people.create(member.workspace, by=member, first_name="Inês", addresses=[INES])
    kept = box.deliver(subject="Offer", from_=INES)
    for _ in range(3):
        private(box)
    settle(mailbox)
    PeopleList.objects.create(mailbox=mailbox, people=[["Dr Tamarind", DOCTOR, ""]], asked_at=now())
    before = dict(box.messages)
    assert only_records.figures([mailbox]) == (4, 3, False, 0, 0)
    only_records.decide(member.workspace, True)
    assert only_records.round_of(mailbox.workspace_id) == 3
    assert [m.remote_id for m in Message.objects.all()] == [kept]
    assert found_in_the_database(*PRIVATE) == []
    assert only_records.figures([mailbox]) == (1, 0, False, 3, 0)
    settle(mailbox)
    in_step(mailbox, box)

    only_records.decide(member.workspace, False)
    only_records.round_of(mailbox.workspace_id)
    settle(mailbox)
    assert len(shown(mailbox)) == 4 and not Known.objects.exists()
    assert Correspondent.objects.get(address=DOCTOR).received == 3  # counted once, however often it came
    assert box.messages == before  # nothing was touched there
    in_step(mailbox, box)


def test_an_owner_may_be_stricter_for_one_mailbox(
    mailbox: Mailbox, member: Membership, box: Box, settle: Settle
) -> None:
    private(box)
    settle(mailbox)
    other = another_mailbox(another_member(member.workspace, "bob@northwind.example", "Admin"))
    only_records.decide(member.workspace, True, mailbox=mailbox)
    assert list(only_records.boxes(mailbox.workspace_id)) == [mailbox] and not only_records.is_on(other)
    only_records.round_of(mailbox.workspace_id)
    assert shown(mailbox) == [] and MailboxSharing.objects.get().only_records


def test_turned_on_during_the_history_nothing_is_lost(
    mailbox: Mailbox, member: Membership, box: Box, settle: Settle
) -> None:
    """Rows a listing left without their text are looked at once they have it."""
    for number in range(5):
        private(box)
        box.deliver(subject=f"Offer {number}", from_=INES)
    settle(mailbox)
    people.create(member.workspace, by=member, first_name="Inês", addresses=[INES])
    Message.objects.update(body_state=Message.BodyState.MISSING)
    assert only_records.figures([mailbox]) == (10, 0, False, 0, 10)
    only_records.decide(member.workspace, True)
    only_records.round_of(mailbox.workspace_id)
    lanes.want(mailbox.pk, "backfill")
    settle(mailbox)
    assert shown(mailbox) == [f"Offer {number}" for number in range(5)]
    in_step(mailbox, box)


def test_a_disconnected_mailbox_keeps_what_it_has(
    mailbox: Mailbox, member: Membership, box: Box, settle: Settle
) -> None:
    private(box)
    settle(mailbox)
    lifecycle.disconnect(mailbox, delete=False)
    only_records.decide(member.workspace, True)
    assert only_records.round_of(mailbox.workspace_id) == 0
    assert shown(mailbox) == ["Zwiebelkuchen"]


def test_digests_tell_nothing_without_the_workspace_s_key(member: Membership) -> None:
    mark = digests.marker(member.workspace_id)
    assert mark(DOCTOR) == digests.marker(member.workspace_id)(DOCTOR) != mark("@doctor.example")
    Policy.objects.update(sealed_key=b"")
    assert digests.marker(member.workspace_id)(DOCTOR) != mark(DOCTOR)
    commands.set_policy(member.workspace, given=0, most=3, contacts=Rule.OFF)  # type: ignore[arg-type]
    assert bytes(Policy.objects.get().sealed_key)  # saving the levels does not lose it


# --- anything, in any order ----------------------------------------------------------------------------------------

PEOPLE = [f"{name}@{name}.example" for name in ("ana", "ben", "cem", "dua")]


class Day:
    """A mailbox's day: what may happen, at random, told to Postroom or not."""

    def __init__(self, seed: int, box: Box, member: Membership, mailbox: Mailbox, committed: Committed) -> None:
        self.dice, self.box, self.member = random.Random(seed), box, member
        self.mailbox, self.committed = mailbox, committed

    def _some(self) -> str | None:
        return self.dice.choice(sorted(self.box.messages)) if self.box.messages else None

    def deliver(self) -> None:
        earlier = self.box.messages.get(self._some() or "")
        answers = {"in_reply_to": earlier.internet_message_id} if earlier and self.dice.random() < 0.4 else {}
        self.box.deliver(from_=self.dice.choice(PEOPLE), subject="Re: x" if answers else "x", **answers)

    def read(self) -> None:
        if one := self._some():
            self.box.read(one, self.dice.random() < 0.7)

    def move(self) -> None:
        if one := self._some():
            self.box.move(one, self.dice.choice(["inbox", "archive", "deleted"]))

    def delete(self) -> None:
        if one := self._some():
            self.box.delete(one)

    def forget(self) -> None:
        self.box.expire_cursors()
        SyncState.objects.filter(mailbox=self.mailbox).update(due_at=now())
        lanes.want(self.mailbox.pk, "live")

    def meet(self) -> None:
        address = self.dice.choice(PEOPLE)
        if not Person.objects.filter(addresses__address=address).exists():
            with self.committed():
                people.create(self.member.workspace, by=self.member, last_name=address[:3], addresses=[address])

    def part(self) -> None:
        if found := list(Person.objects.order_by("pk")):
            records.delete(self.dice.choice(found))

    def turn(self) -> None:
        only_records.decide(self.member.workspace, self.dice.random() < 0.6)

    def night(self) -> None:
        with self.committed():
            only_records.round_of(self.mailbox.workspace_id)


@pytest.mark.parametrize("seed", [3, 11, 29])
def test_whatever_happens_nothing_is_lost(
    seed: int, mailbox: Mailbox, member: Membership, box: Box, settle: Settle, committed: Committed
) -> None:
    day = Day(seed, box, member, mailbox, committed)
    only_records.decide(member.workspace, True)
    for number in range(60):
        deed = day.dice.choice(["deliver"] * 4 + ["read", "move", "delete", "forget", "meet", "part", "turn", "night"])
        getattr(day, deed)()
        if number % 3 == 0:
            arrive(mailbox, box, settle)
    only_records.decide(member.workspace, True)
    day.night()
    arrive(mailbox, box, settle)
    in_step(mailbox, box)
    ours = set(Person.objects.values_list("addresses__address", flat=True))
    heard = {row.pk: set(row.participants.values_list("address", flat=True)) for row in Message.objects.all()}
    threads = {row.thread_id: row.thread for row in Message.objects.select_related("thread")}
    for thread in threads.values():
        linked = Link.objects.filter(conversation=thread.conversation_id, removed_at=None).exists()
        assert linked or any(heard[pk] & ours for pk in thread.messages.values_list("pk", flat=True))
    only_records.decide(member.workspace, False)
    day.night()
    settle(mailbox)
    assert Message.objects.count() == len(box.messages) and not Known.objects.exists()
    in_step(mailbox, box)
