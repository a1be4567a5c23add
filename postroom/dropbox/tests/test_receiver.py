"""SMTP and LMTP as honest and as lying programs speak them."""

from __future__ import annotations

import asyncio
import random
import ssl
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from postroom.dropbox.tests.conftest import Client, Desk
from postroom.dropbox.wire import Text, Wire

Connect = Callable[..., Client]
ENVELOPE = ("MAIL FROM:<ana@x.example>", "RCPT TO:<good@in.test>")
TEXT = b"Subject: x\r\n\r\nHello\r\n"


def through(client: Client, text: bytes, *, hello: str = "LHLO x") -> str:
    """Send one mail, politely; the answer to its text."""
    assert client.ask(hello).startswith("250-in.test")
    for line in ENVELOPE:
        assert client.ask(line).startswith("250 "), line
    assert client.ask("DATA").startswith("354")
    return client.ask(text)


def test_a_text_arrives_as_it_was_sent(connected: Connect, desk: Desk) -> None:
    lines = b"Subject: dots\r\n\r\n..one\r\n....three\r\n..\r\n" + b"x" * 70_000 + b"\r\nend \xff\x00\r\n"
    assert through(connected(), lines + b".\r\n") == "250 2.6.0 Taken"
    ((envelope, text),) = desk.taken
    assert text == lines.replace(b"\r\n.", b"\r\n")
    assert (envelope.sender, envelope.recipients) == ("ana@x.example", ["good@in.test"])


def test_every_way_to_cut_a_text_gives_the_same() -> None:
    lines = [b".", b"..", b"", b".x", b"..y", b"plain", b"", b".", b"\r.", b"z"]
    whole = b"".join((b"." if line[:1] == b"." else b"") + line + b"\r\n" for line in lines) + b".\r\nQUIT\r\n"
    for size in range(1, len(whole)):
        text, out = Text(), b""
        for at in range(0, len(whole), size):
            if text.rest is None:
                out += text.feed(whole[at : at + size])
        assert out == b"\r\n".join(lines) + b"\r\n" and text.size == len(out) and not text.is_bare
        assert text.rest is not None and b"QUIT\r\n".startswith(text.rest)


def test_lmtp_answers_for_each_recipient_and_smtp_once(connected: Connect, desk: Desk) -> None:
    for kind, hello, answers in (("lmtp", "LHLO x", 2), ("smtp", "EHLO x", 1)):
        client = connected(kind)
        client.ask(hello)
        client.say("MAIL FROM:<ana@x.example>", "RCPT TO:<good1@in.test>", "RCPT TO:<bad@in.test>")
        assert [client.hear()[:9] for _ in range(3)] == ["250 2.0.0", "250 2.0.0", "550 5.1.1"]
        assert client.ask("RCPT TO:<good2@in.test>", "DATA").startswith("250")
        assert client.hear().startswith("354")
        client.say(TEXT + b".\r\n", "NOOP")
        assert [client.hear()[:9] for _ in range(answers + 1)] == ["250 2.6.0"] * answers + ["250 2.0.0"]
    assert [envelope.recipients for envelope, _ in desk.taken] == [["good1@in.test", "good2@in.test"]] * 2


def test_everything_in_one_packet_is_understood(connected: Connect, desk: Desk) -> None:
    client = connected()
    client.say("LHLO x", *ENVELOPE, "DATA", TEXT + b".\r\n", *ENVELOPE, "DATA", b"second\r\n.\r\n", "QUIT")
    answers = [client.hear() for _ in range(10)]
    assert [one[:3] for one in answers] == ["250", "250", "250", "354", "250", "250", "250", "354", "250", "221"]
    assert client.hear() == "" and [text for _, text in desk.taken] == [TEXT, b"second\r\n"]


@pytest.mark.parametrize("end", [b"\n.\n", b"\r\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n", b"\n.\r"])
def test_no_other_end_of_a_text_lets_a_second_mail_in(end: bytes, connected: Connect, desk: Desk) -> None:
    smuggled = b"MAIL FROM:<eve@evil.example>\r\nRCPT TO:<good@in.test>\r\nDATA\r\nevil\r\n"
    client = connected("smtp")
    answer = through(client, TEXT + b"x" + end + smuggled + b".\r\n", hello="EHLO x")
    assert client.ask("NOOP") == "250 2.0.0 OK"
    assert len(desk.taken) == (1 if answer.startswith("250") else 0)
    assert answer.startswith("550 5.5.2") == (b"\n" in end.replace(b"\r\n", b""))
    assert not any(envelope.sender == "eve@evil.example" for envelope, _ in desk.taken)


def test_too_much_is_refused_and_the_connection_goes_on(connected: Connect, desk: Desk) -> None:
    client = connected(size=200_000, recipients=3, line=200)
    assert "SIZE 200000" in client.ask("LHLO x")
    assert client.ask("MAIL FROM:<a@x.example> SIZE=200001").startswith("552 5.3.4")
    assert client.ask("MAIL FROM:<a@x.example> SIZE=100 BODY=8BITMIME").startswith("250")
    answers = [client.ask("RCPT TO:<good@in.test>")[:9] for _ in range(4)]
    assert answers == ["250 2.0.0"] * 3 + ["452 4.5.3"]
    assert client.ask("DATA").startswith("354")
    client.say(b"0123456789012345678901234567890123456789\r\n" * 10_000 + b".\r\n")
    assert [client.hear()[:9] for _ in range(3)] == ["552 5.3.4"] * 3
    assert client.ask("NOOP " + "x" * 100_000).startswith("500 5.5.6")
    assert client.ask("NOOP").startswith("250") and desk.taken == []


def test_what_is_no_command_is_answered_and_after_many_the_connection_ends(connected: Connect) -> None:
    client = connected(mistakes=6)
    wrong = ["", "GET / HTTP/1.1", "MAIL FROM:<a@x.example>", "EHLO x", "RCPT TO:<good@in.test>", "DATA", "\xff\xfe"]
    answers = [client.ask(line)[:3] for line in wrong]
    assert answers == ["500", "500", "503", "500", "503", "503", "421"] and client.hear() == ""


@pytest.mark.parametrize(
    "line",
    ["MAIL FROM:", "MAIL FROM: <a@x", "MAIL FROM:<a b@x>", "MAIL FROM:<a@x> SIZE=x", "MAIL TO:<a@x>", "MAIL FROM:a@x.y",
     "MAIL FROM:<a@x.example\x00>", "MAIL FROM:<" + "a" * 400 + "@x>"],
)  # fmt: skip
def test_an_address_that_is_none_is_refused(line: str, connected: Connect) -> None:
    client = connected()
    client.ask("LHLO x")
    assert client.ask(line).startswith("501 5.5.4")
    assert client.ask("MAIL FROM:<>").startswith("250") and client.ask("RCPT TO:<>").startswith("501")


def test_trouble_of_ours_is_no_refusal(connected: Connect, desk: Desk) -> None:
    client = connected()
    client.ask("LHLO x")
    client.ask(ENVELOPE[0])
    desk.broken = True
    assert client.ask(ENVELOPE[1]).startswith("451 4.3.0")
    desk.broken = False
    client.ask(ENVELOPE[1])
    client.ask("DATA")
    desk.broken = True
    assert client.ask(TEXT + b".\r\n").startswith("451 4.3.0")
    desk.broken = False
    assert client.ask(*ENVELOPE[:1]).startswith("250")


def test_who_says_for_whom_it_speaks_is_believed_on_this_machine_until_the_next_mail(
    connected: Connect, desk: Desk
) -> None:
    client = connected()
    assert "XFORWARD" in client.ask("LHLO x")
    assert client.ask("XFORWARD NAME=mail.x.example ADDR=192.0.2.9", "XFORWARD HELO=a+20b").startswith("250")
    assert client.hear().startswith("250")
    for _ in range(2):
        client.say(*ENVELOPE, "DATA")
        assert [client.hear()[:3] for _ in range(3)] == ["250", "250", "354"]
        assert client.ask(TEXT + b".\r\n").startswith("250")
    assert [(one.peer, one.helo) for one, _ in desk.taken] == [("192.0.2.9", "a b"), ("127.0.0.1", "x")]


def test_a_client_that_says_nothing_is_left(connected: Connect) -> None:
    client = connected(idle=0.05)
    assert client.hear().startswith("421 4.4.2") and client.hear() == ""


def test_a_client_that_drips_its_text_is_left_and_nothing_of_it_stays(
    connected: Connect, desk: Desk, tmp_path: Path
) -> None:
    client = connected(text=0.05)
    client.ask("LHLO x")
    client.say(*ENVELOPE, "DATA")
    assert [client.hear()[:3] for _ in range(3)] == ["250", "250", "354"]
    client.say(b"Subject: slow\r\n")
    assert client.hear() == "" and desk.taken == []
    assert list(tmp_path.iterdir()) == []


def test_who_hangs_up_in_the_middle_leaves_nothing(connected: Connect, desk: Desk, tmp_path: Path) -> None:
    client = connected()
    client.ask("LHLO x")
    client.say(*ENVELOPE, "DATA", TEXT)
    assert [client.hear()[:3] for _ in range(3)] == ["250", "250", "354"]
    again = Client(client.port)  # type: ignore[attr-defined]
    client.socket.shutdown(1)
    assert client.hear() == ""
    assert again.hear().startswith("220") and desk.taken == []
    assert list(tmp_path.iterdir()) == []
    again.close()


@pytest.mark.parametrize("broken", [ConnectionResetError(), BrokenPipeError(), ssl.SSLError(1, "bad record mac")])
def test_a_connection_that_breaks_in_a_text_has_hung_up(broken: Exception) -> None:
    async def rest() -> bytes:
        reader = asyncio.StreamReader()
        reader.set_exception(broken)
        return await Wire(reader).chunk()

    assert asyncio.run(rest()) == b""


def test_connections_are_counted(connected: Connect) -> None:
    first = connected("smtp", from_one=1)
    second = Client(first.port)  # type: ignore[attr-defined]
    assert second.hear().startswith("421 4.7.0")
    assert first.ask("QUIT").startswith("221") and first.hear() == ""
    second.close()


def test_twenty_megabytes_of_three_octet_lines_need_no_memory(connected: Connect, tmp_path: Path) -> None:
    """What took a server of the usual make a gigabyte."""
    text, size, block = Text(), 0, b"x\r\n" * 21_845
    tracemalloc.start()
    for _ in range(305):
        size += len(text.feed(block))
    text.feed(b".\r\n")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert text.rest == b"" and size > 19_900_000 and peak < 2_000_000


def test_noise_does_no_harm(connected: Connect, desk: Desk) -> None:
    """Lines of all kinds, cut anywhere: the receiver stays up, and nothing is taken that was not sent to its end."""
    words = [b"LHLO x", b"MAIL FROM:<a@x.example>", b"RCPT TO:<good@in.test>", b"DATA", b".", b"..", b"RSET", b"QUIT",
             b"XFORWARD ADDR=1.2.3.4", b"\xff\x00", b"x" * 5000, b"", b"NOOP", b"VRFY x", b"BDAT 5",
             b"STARTTLS"]  # fmt: skip
    first = connected()
    rng = random.Random(12)
    for _ in range(60):
        client = Client(first.port)  # type: ignore[attr-defined]
        noise = b"".join(rng.choice(words) + rng.choice([b"\r\n", b"\r\n", b"\n", b"\r"]) for _ in range(30))
        client.say(noise)
        client.socket.shutdown(1)
        while client.hear():
            pass
        client.close()
    assert first.ask("LHLO x").startswith("250")
    assert first.ask("NOOP") == "250 2.0.0 OK"
