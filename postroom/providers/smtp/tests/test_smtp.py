"""Submission: what a server is told, and what its answers mean."""

import smtplib
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.providers import errors
from postroom.providers.contract import Address
from postroom.providers.errors import Malformed, ProviderError, Refused, SendingLimit, Transient
from postroom.providers.smtp import Sender, Server, Session, as_sent
from postroom.providers.smtp.replies import broken, reply
from postroom.providers.smtp.session import stuffed
from tests.platform.mail_server import MailServer, mail_server

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
ME = Sender(from_=Address("ada@x.example", "Ada Byron"), message_id="<1@x.example>", at=NOON)
DRAFT = (
    b"From: old@x.example\r\nTo: Ben <ben@y.example>\r\nBcc: hidden@z.example,\r\n more@z.example\r\nSubject: Offer\r\n"
    b"X-MS-Exchange-Organization: 1\r\nMessage-ID: <old@x>\r\nReferences: <0@y.example>\r\n <00@y.example>\r\n"
    b"Content-Type: text/plain\r\n\r\nbody\r\nBcc: in the text\r\n"
)


@pytest.fixture
def there() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


def opened(there: MailServer) -> Session:
    return Session(Server(host="127.0.0.1", port=there.port, security="none", username="ada", password="secret"))


# --- the text ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 7, 64, 100_000])
def test_a_draft_goes_out_under_our_own_headers_and_nobody_hidden_is_named(size: int) -> None:
    raw = b"".join(as_sent([DRAFT[at : at + size] for at in range(0, len(DRAFT), size)], ME))
    message = message_from_bytes(raw, policy=default)
    assert (str(message["From"]), message["Message-ID"], message["Date"].datetime) == (
        "Ada Byron <ada@x.example>",
        "<1@x.example>",
        NOON,
    )
    assert message["Bcc"] is None and b"hidden@" not in raw and b"more@" not in raw and b"X-MS" not in raw
    assert (
        message["References"].split() == ["<0@y.example>", "<00@y.example>"] and message["To"] == "Ben <ben@y.example>"
    )
    assert message.get_content() == "body\r\nBcc: in the text\r\n" and not message.defects


def test_an_address_of_the_servers_own_sends_answers_to_the_mailbox() -> None:
    told = Sender(
        from_=Address("crm@y.example", "Ada Özil"), reply_to=Address("ada@x.example"), message_id="<1@x>", at=NOON
    )
    message = message_from_bytes(b"".join(as_sent([DRAFT], told)), policy=default)
    assert message["From"].addresses[0].display_name == "Ada Özil"
    assert message["Reply-To"].addresses[0].addr_spec == "ada@x.example"


def test_what_has_no_end_of_headers_is_not_sent() -> None:
    with pytest.raises(Malformed):
        list(as_sent([b"Subject: x"] * 10, ME))


@given(st.lists(st.text("a.\r\n", max_size=12).map(str.encode), max_size=8))
def test_no_text_ends_a_message_early_however_it_is_cut(chunks: list[bytes]) -> None:
    whole = b"".join(chunks).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    sent = b"".join(stuffed(chunks))
    assert not sent or sent.endswith(b"\r\n")
    assert b"\r" not in sent.replace(b"\r\n", b"") and b"\n" not in sent.replace(b"\r\n", b"")
    lines = sent.split(b"\r\n")
    assert b"." not in lines
    undone = b"\n".join(line[1:] if line.startswith(b".") else line for line in lines)
    assert undone == (whole if whole.endswith(b"\n") or not whole else whole + b"\n")


# --- the conversation ----------------------------------------------------------------------------------------------


def test_a_message_is_handed_over_and_refused_recipients_are_named(there: MailServer) -> None:
    there.unknown.add("gone@y.example")
    with opened(there) as session:
        refused = session.begin("ada@x.example", ["ben@y.example", "gone@y.example"], size=100)
        session.finish([b"Subject: x\r\n\r\n", b".dot\r\n..two\r\nend"])
    assert refused == {"gone@y.example": "550 5.1.1 no such user here"}
    taken = there.messages[0]
    assert (taken.sender, taken.recipients) == ("ada@x.example", ["ben@y.example"])
    assert taken.content == b"Subject: x\r\n\r\n.dot\r\n..two\r\nend\r\n"


@pytest.mark.parametrize(("when", "maybe_done"), [("before", True), ("after", True)])
def test_a_connection_lost_at_the_end_leaves_the_outcome_open(there: MailServer, when: str, maybe_done: bool) -> None:
    there.break_off = when
    with pytest.raises(Transient) as lost, opened(there) as session:
        session.begin("ada@x.example", ["ben@y.example"], size=10)
        session.finish([b"Subject: x\r\n\r\n"])
    assert lost.value.maybe_done == maybe_done


@pytest.mark.parametrize(
    ("command", "answer", "error", "code"),
    [
        ("AUTH", "535 5.7.8 no", Transient, "smtp_auth"),
        ("MAIL", "550 5.7.1 not you", Refused, "smtp 550 5.7.1"),
        ("RCPT", "450 4.2.0 greylisted", Transient, "smtp 450 4.2.0"),
        ("MESSAGE", "554 5.7.1 spam", Refused, "smtp 554 5.7.1"),
        ("MESSAGE", "550 5.4.5 Daily sending quota exceeded", SendingLimit, "smtp 550 5.4.5"),
        ("DATA", "451 4.3.0 later", Transient, "smtp 451 4.3.0"),
    ],
)
def test_an_answer_means_one_thing(
    there: MailServer, command: str, answer: str, error: type[ProviderError], code: str
) -> None:
    there.replies[command] = answer
    with pytest.raises(error) as raised, opened(there) as session:
        session.begin("ada@x.example", ["ben@y.example"], size=10)
        session.finish([b"Subject: x\r\n\r\n"])
    assert raised.value.code == code
    assert not getattr(raised.value, "maybe_done", False) and not there.messages


def test_what_is_too_large_is_not_even_begun(there: MailServer) -> None:
    there.size = 1000
    with pytest.raises(Refused) as refused, opened(there) as session:
        session.begin("ada@x.example", ["ben@y.example"], size=1001)
    assert refused.value.code == "smtp_size"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("554 5.2.0 SubmissionQuotaExceededException", SendingLimit),
        ("550 5.4.5 Daily user sending limit exceeded", SendingLimit),
        ("454 Throttling failure: Daily message quota exceeded.", SendingLimit),
        ("554 5.2.2 mailbox full; QuotaExceededException", Refused),
        ("452 4.5.3 Too many recipients", Transient),
        ("432 4.3.2 STOREDRV; sender thread limit exceeded", Transient),
        ("421 4.7.0 closing", Transient),
        ("552 Too many recipients", Transient),
    ],
)
def test_a_limit_is_told_from_what_only_looks_like_one(words: str, error: type[ProviderError]) -> None:
    assert type(reply(int(words[:3]), words)) is error


def test_foreign_errors_are_ours_and_mistakes_are_nobodys() -> None:
    assert broken(smtplib.SMTPAuthenticationError(535, b"no")).code == "smtp_auth"
    assert broken(ssl.SSLError()).code == "smtp_tls" and broken(ConnectionRefusedError()).code == "smtp_unreachable"
    assert isinstance(broken(TimeoutError(), maybe_done=True), errors.Transient)
    with pytest.raises(KeyError):
        broken(KeyError())


def test_no_password_is_shown() -> None:
    assert "secret" not in repr(Server(host="h", port=1, username="u", password="secret"))
