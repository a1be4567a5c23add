"""Every pair of a change here and a change there, in both orders, whatever the provider answers: both sides end equal.

The later change of a field stands (product.md SY9); a passing trouble takes nothing back; a refusal takes back exactly
what it refused, and says so.
"""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from itertools import product
from typing import Any, NamedTuple

import pytest

from postroom.lib import clock
from postroom.mail import commands, outbox
from postroom.mail.models import Folder, Message
from postroom.mailboxes.models import Connection, Mailbox
from postroom.providers.contract import Applied, Flag
from postroom.providers.errors import (
    AccessLost,
    Conflict,
    NotFound,
    ProviderError,
    ReauthNeeded,
    Refused,
    Throttled,
    Transient,
)
from postroom.providers.memory.mailbox import Box
from postroom.providers.memory.source import MemoryMail
from postroom.providers.registry import connector
from postroom.sync import mailbox_hooks, push
from postroom.sync.models import OutboxEntry
from postroom.workspaces.models import Membership

Settle = Callable[..., int]
LATER = timedelta(minutes=1)


class Field(NamedTuple):
    """A field, what is set here, what is set there at the same time (None: nothing else is possible), and before."""

    name: str
    before: Any
    here: Any
    there: Any
    other: dict[str, Any]  # another field that changes there


FIELDS = [
    Field("is_read", False, True, True, {"flag": Flag.FLAGGED}),
    Field("flag", "none", "flagged", "complete", {"is_read": True}),
    Field("categories", [], ["Red category"], ["Blue category"], {"is_read": True}),
    Field("folder", "inbox", "archive", "junk", {"categories": ("Blue category",)}),
]
REMOTE = ["nothing", "the same field", "another field", "gone for good"]
ORDERS = ["here first", "there first"]


class Answer(NamedTuple):
    error: ProviderError | None
    times: int = 1
    after: bool = False
    refuses: bool = False


ANSWERS = {
    "200": Answer(None),
    "429": Answer(Throttled(retry_after=20)),
    "429, six times": Answer(Throttled(retry_after=20), times=6),
    "503, six times": Answer(Transient(status=503), times=6),
    "reset before": Answer(Transient(maybe_done=True)),
    "reset after": Answer(Transient(maybe_done=True), after=True),
    "412": Answer(Conflict(status=412)),
    "409, without end": Answer(Conflict(status=409), times=1000, refuses=True),
    "403": Answer(AccessLost(reason="access"), times=1000, refuses=True),
    "400": Answer(Refused(code="ErrorInvalidRequest", status=400), times=1000, refuses=True),
    "404 of something that exists": Answer(NotFound(status=404), times=1000, refuses=True),
}


class Case(NamedTuple):
    """One message of the table."""

    answer: str
    change: str
    order: str
    remote_id: str

    @property
    def acts_first(self) -> str:
        return self.order.partition(" ")[0]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Answer]:
    """What the provider answers to changes of a message, by its id; filled by the test."""
    told: dict[str, Answer] = {}
    given: Counter[str] = Counter()
    real = MemoryMail._apply

    def apply(self: MemoryMail, box: Box, change: Any) -> Applied:
        answer = told.get(change.id, ANSWERS["200"])
        if answer.error is None or given[change.id] >= answer.times:
            return real(self, box, change)
        given[change.id] += 1
        if answer.after:
            real(self, box, change)
        return Applied(change.id, refused=answer.error)

    monkeypatch.setattr(MemoryMail, "_apply", apply)
    return told


def _later() -> None:
    assert isinstance(clock._read, clock.Clock), "settle holds the clock"
    clock._read.advance(LATER)


def _there(box: Box, message: Message, field: Field, change: str) -> None:
    if change == "gone for good":
        box.delete(message.remote_id)
    elif change == "another field":
        box.change(message.remote_id, **field.other)
    elif change == "the same field":
        _set(box, message.remote_id, field.name, field.there)


_AS: dict[str, Callable[[Any], Any]] = {"is_read": bool, "flag": Flag, "categories": tuple}


def _set(box: Box, remote_id: str, name: str, value: Any) -> None:
    if name == "folder":
        box.move(remote_id, value)
    else:
        box.change(remote_id, **{name: _AS[name](value)})


def _value(message: Message, name: str) -> Any:
    return message.folder.remote_id if name == "folder" else getattr(message, name)


def _remote(box: Box, remote_id: str) -> dict[str, Any]:
    one = box.messages[remote_id]
    told = {"is_read": one.is_read, "flag": str(one.flag), "folder": one.folder_id}
    return {**told, "categories": list(one.categories or ())}


def _rest(box: Box, mailbox: Mailbox, settle: Settle) -> None:
    for body in box.notifications():
        push.take(connector("memory").notified(body))
    settle(mailbox, ahead=timedelta(hours=3))
    mailbox_hooks.sync_now(mailbox)
    settle(mailbox)


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_both_sides_end_equal_and_the_later_change_stands(
    field: Field, box: Box, mailbox: Mailbox, member: Membership, settle: Settle, answers: dict[str, Answer]
) -> None:
    cases = [
        Case(answer, change, order, box.deliver(subject=f"{answer}; {change}; {order}"))
        for answer, change, order in product(ANSWERS, REMOTE, ORDERS)
    ]
    _rest(box, mailbox, settle)
    answers.update({case.remote_id: ANSWERS[case.answer] for case in cases})
    for moment in ("first", "second"):
        for case in cases:
            message = Message.objects.select_related("mailbox").get(remote_id=case.remote_id)
            if (case.acts_first == "here") == (moment == "first"):
                outbox.note([message], {field.name: field.here}, member_id=member.pk)
            else:
                _there(box, message, field, case.change)
        _later()
    _rest(box, mailbox, settle)
    assert not OutboxEntry.objects.filter(state__in=OutboxEntry.OPEN).exists()
    wrong = [f"{case}: {problem}" for case in cases if (problem := _wrong(field, case, box))]
    assert wrong == []


def _wrong(field: Field, case: Case, box: Box) -> str:
    """What is not as it should be at rest; empty when all is."""
    message = Message.objects.select_related("folder").filter(remote_id=case.remote_id).first()
    if case.change == "gone for good":
        return "still here" if message else ""
    assert message is not None
    there, refuses = _remote(box, case.remote_id), ANSWERS[case.answer].refuses
    ours = {name: _value(message, name) for name in there}
    if ours != there:
        return f"here {ours}, there {there}"
    theirs = case.change == "the same field" and (case.acts_first == "here" or refuses)
    wanted = field.there if theirs else field.before if refuses else field.here
    return "" if there[field.name] == wanted else f"{there[field.name]} instead of {wanted}"


# --- what the table does not say -----------------------------------------------------------------------------------


def test_read_and_unread_within_a_moment_asks_nothing_of_the_provider(
    box: Box, mailbox: Mailbox, member: Membership, settle: Settle
) -> None:
    box.deliver()
    _rest(box, mailbox, settle)
    message = Message.objects.get()
    box.calls.clear()
    commands.mark_read([message], member)
    commands.mark_read([message], member, read=False)
    settle(mailbox)
    assert "apply" not in box.calls and not OutboxEntry.objects.exists()


def test_several_hundred_at_once_go_out_in_batches_of_twenty_and_in_a_fixed_number_of_queries(
    box: Box, mailbox: Mailbox, member: Membership, settle: Settle, django_assert_max_num_queries: Any
) -> None:
    for number in range(300):
        box.deliver(subject=f"Mail {number}")
    _rest(box, mailbox, settle)
    messages = list(Message.objects.select_related("mailbox"))
    box.calls.clear()
    with django_assert_max_num_queries(60):
        commands.mark_read(messages, member)
    settle(mailbox)
    assert box.calls.count("apply") == 15
    assert all(one.is_read for one in box.messages.values())


def test_what_waits_for_its_turn_holds_nobody_else_up(
    box: Box, mailbox: Mailbox, member: Membership, settle: Settle
) -> None:
    for number in range(250):
        box.deliver(subject=f"Mail {number}")
    _rest(box, mailbox, settle)
    *many, one = Message.objects.select_related("mailbox").order_by("pk")
    commands.mark_read(many, member)
    OutboxEntry.objects.update(due_at=clock.now() + timedelta(hours=2), attempts=3)
    commands.mark_read([one], member)
    settle(mailbox)
    assert box.messages[one.remote_id].is_read


def test_a_refusal_does_not_take_back_what_was_changed_since(
    box: Box, mailbox: Mailbox, member: Membership, settle: Settle, answers: dict[str, Answer]
) -> None:
    remote_id = box.deliver()
    _rest(box, mailbox, settle)
    message = Message.objects.get()
    commands.set_flag([message], member, flag="flagged")
    OutboxEntry.objects.update(state="working")  # it is on its way
    commands.set_flag([message], member, flag="complete")
    answers[remote_id] = Answer(Refused(code="No"), times=1)
    settle(mailbox)
    assert str(box.messages[remote_id].flag) == Message.objects.get().flag == "complete"


def test_one_message_that_spoils_a_request_does_not_spoil_the_others(
    box: Box, mailbox: Mailbox, member: Membership, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [box.deliver(subject=f"Mail {number}") for number in range(5)]
    _rest(box, mailbox, settle)
    real = MemoryMail.apply

    def apply(self: MemoryMail, changes: Any) -> list[Applied]:
        if any(change.id == ids[3] for change in changes):
            raise Refused("bad request", code="BadRequest", status=400)
        return real(self, changes)

    monkeypatch.setattr(MemoryMail, "apply", apply)
    commands.mark_read(list(Message.objects.select_related("mailbox")), member)
    settle(mailbox)
    assert [box.messages[one].is_read for one in ids] == [True, True, True, False, True]
    assert not Message.objects.get(remote_id=ids[3]).is_read
    assert OutboxEntry.objects.get(state="failed").reason == "BadRequest"


def test_changes_wait_for_a_new_sign_in_and_then_go_out_in_order(
    box: Box, mailbox: Mailbox, member: Membership, settle: Settle
) -> None:
    remote_id = box.deliver()
    _rest(box, mailbox, settle)
    message = Message.objects.get()
    box.fail_next(ReauthNeeded(reason="revoked"), on="apply")
    commands.mark_read([message], member)
    settle(mailbox)
    commands.move([message], member, to=Folder.objects.get(role="archive"))
    settle(mailbox)
    assert outbox.late().filter(mailbox=mailbox).count() == 2
    Mailbox.objects.update(failure="", failure_detail="")
    Connection.objects.update(failure="")
    mailbox_hooks.reconnected(mailbox)
    settle(mailbox)
    assert (box.messages[remote_id].is_read, box.messages[remote_id].folder_id) == (True, "archive")
    assert not outbox.late().filter(mailbox=mailbox).exists()


def test_a_later_change_counts_by_its_own_time_although_it_joined_an_earlier_one(
    box: Box, mailbox: Mailbox, member: Membership, settle: Settle
) -> None:
    remote_id = box.deliver()
    _rest(box, mailbox, settle)
    message = Message.objects.get()
    commands.set_flag([message], member, flag="flagged")
    _later()
    box.change(remote_id, flag=Flag.COMPLETE, categories=("Red category",))
    _later()
    commands.set_categories([message], member, add=["Blue category"])
    _rest(box, mailbox, settle)
    assert str(box.messages[remote_id].flag) == "complete"
    assert box.messages[remote_id].categories == ("Blue category",)
