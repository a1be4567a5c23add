"""A shared mailbox over HTTP: probed before it is added, polled, lost and found again, given to another delegate."""

from datetime import timedelta

import pytest

from postroom.accounts.models import User
from postroom.mail.models import Message, Thread
from postroom.mailboxes import failures, lifecycle, shared
from postroom.mailboxes.models import Connection, Mailbox
from postroom.sync.models import SyncState
from postroom.workspaces.commands import add_member
from tests.proofs.together import ADDRESS, COLLEAGUE, Together

SUPPORT = "support@northwind.example"


@pytest.fixture
def exchange(both: Together) -> Together:
    """Exchange lets Ada open support@, with three mails in it; Ben may not."""
    both.sandbox.user(SUPPORT, "Support", kind="shared", delegates=[ADDRESS])
    for number in range(3):
        deliver(both, number)
    return both


def deliver(both: Together, number: int) -> None:
    letter = (
        f"From: Rita Moss <rita{number}@fabrikam.example>\r\nTo: {SUPPORT}\r\nSubject: Case {number}\r\n"
        f"Message-ID: <case-{number}@fabrikam.example>\r\n\r\nPlease help with case {number}.\r\n"
    )
    answer = both.http.post(f"/sandbox/mailboxes/{SUPPORT}/deliver", content=letter.encode())
    answer.raise_for_status()


def access(both: Together, *people: str) -> None:
    body = {"delegates": list(people), "send_as": list(people)}
    both.http.put(f"/sandbox/mailboxes/{SUPPORT}/access", json=body).raise_for_status()


def connection(both: Together, address: str) -> Connection:
    found = both.connect(address, "none").connection
    assert found is not None
    return found


def added(both: Together) -> Mailbox:
    made = shared.add(both.member, connection(both, ADDRESS), SUPPORT)
    lifecycle.choose_history(made, Mailbox.History.ALL)
    both.settle(made)
    return made


def test_it_is_synced_like_any_other_and_nobody_subscribes_to_it(exchange: Together) -> None:
    made = added(exchange)
    assert exchange.difference(made) == [] and Message.objects.filter(mailbox=made).count() == 3
    assert not made.subscriptions.exists()
    deliver(exchange, 3)
    exchange.settle(made, ahead=timedelta(minutes=20))  # nothing is pushed: the next look finds it
    assert exchange.difference(made) == []
    assert Message.objects.filter(mailbox=made).count() == 4


@pytest.mark.parametrize(
    ("address", "reason"),
    [("nobody@northwind.example", "no_mailbox"), (COLLEAGUE, "no_access"), ("info@elsewhere.example", "no_mailbox")],
)
def test_what_exchange_does_not_allow_is_not_added(exchange: Together, address: str, reason: str) -> None:
    lender = connection(exchange, ADDRESS)
    with pytest.raises(shared.SharedRefused) as refused:
        shared.add(exchange.member, lender, address)
    assert refused.value.reason == reason and refused.value.code
    assert not Mailbox.objects.filter(kind="shared").exists()


def test_access_that_is_withdrawn_shows_within_a_cycle_and_comes_back_by_itself(exchange: Together) -> None:
    made = added(exchange)
    access(exchange)
    exchange.settle(made, ahead=timedelta(minutes=20))
    made.refresh_from_db()
    assert made.failure == "access_lost"
    told = failures.advice(made, provider="Microsoft")
    assert told is not None and "no longer lets Ada Byron open this mailbox (ErrorAccessDenied)" in told.happened
    deliver(exchange, 4)
    access(exchange, ADDRESS)
    exchange.settle(made, ahead=timedelta(minutes=11))
    made.refresh_from_db()
    assert made.failure == "" and exchange.difference(made) == []


def test_another_delegate_goes_on_where_the_first_one_stopped(exchange: Together) -> None:
    made = added(exchange)
    ben = add_member(exchange.member.workspace, User.objects.create_user(COLLEAGUE, "Ben Okafor"))
    rows = dict(Message.objects.filter(mailbox=made).values_list("pk", "remote_id"))
    threads = set(Thread.objects.filter(mailbox=made).values_list("pk", "conversation"))
    own = Mailbox.objects.get(address=ADDRESS)
    lifecycle.disconnect(own, delete=True)
    made.refresh_from_db()
    assert (made.state, made.failure, made.connection) == ("live", "no_delegate", None)
    deliver(exchange, 5)
    exchange.settle(made)
    assert Message.objects.filter(mailbox=made).count() == 3  # nothing runs without a delegate, and nothing goes
    bens = connection(exchange, COLLEAGUE)
    with pytest.raises(shared.SharedRefused, match="no_access"):
        shared.delegate(made, ben, bens)
    access(exchange, COLLEAGUE)
    before = exchange.mark()
    made = shared.delegate(made, ben, bens)
    exchange.settle(made)
    assert exchange.difference(made) == []
    kept = dict(Message.objects.filter(mailbox=made, pk__in=rows).values_list("pk", "remote_id"))
    assert kept == rows and threads <= set(Thread.objects.filter(mailbox=made).values_list("pk", "conversation"))
    assert not SyncState.objects.filter(mailbox=made, phase="relisting").exists()
    listed = [
        row for row in exchange.requests(before) if "messages/delta" in row["url"] and "$deltatoken" in row["url"]
    ]
    assert listed, "the cursors of the first delegate were followed on"
