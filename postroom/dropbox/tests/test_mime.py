"""Mail as broken as it comes: read as far as it goes, in bounded memory, and never an error."""

from __future__ import annotations

import mmap
import random
import tarfile
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from postroom.dropbox import forwards
from postroom.dropbox.letter import Letter, message_of, people, read, read_octets
from postroom.dropbox.mime import MAX_DEPTH, MAX_PARTS, decoded, parsed, words
from postroom.mail.prepare import prepare
from postroom.providers.contract import RemoteMessage

CORPUS = Path(__file__).resolve().parents[4] / "shared" / "corpus"
NOW = datetime(2026, 11, 21, tzinfo=UTC)
PLAIN = b"From: Ana <ana@x.example>\r\nTo: ben@y.example\r\nSubject: x\r\nMessage-ID: <1@x>\r\n\r\nHello\r\n"


def told(letter: Letter) -> RemoteMessage:
    """All of the way but the database."""
    message = message_of(letter, id_="m", folder_id="filed", received=NOW)
    row = prepare(message, own_addresses=frozenset({"ana@x.example"}))
    texts = [*row.searched, *(address for _, address in row.participants), *(one.name for one in row.attachments)]
    texts += [value for value in row.columns.values() if isinstance(value, str)]
    for text in texts:
        assert "\0" not in text
        text.encode()
    for part in letter.files:
        part.content()
    forwards.understand(letter, own={"ana@x.example"}, drop={"in.x.example"}, sender="ana@x.example")
    return message


def torture() -> Iterator[tuple[str, bytes]]:
    with tarfile.open(CORPUS / "mime" / "mime-dev.tar.xz") as archive:
        for member in archive:
            if member.name.endswith(".eml") and (file := archive.extractfile(member)):
                yield member.name, file.read()


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real mail is not here")
def test_the_whole_torture_set_is_read() -> None:
    count = 0
    for name, raw in torture():
        assert told(read_octets(raw)) is not None, name
        count += 1
    assert count > 100


def test_what_is_cut_mixed_or_dirty_is_read_as_far_as_it_goes() -> None:
    """Six hundred ruins of one good mail."""
    good = _mixed()
    rng = random.Random(5)
    for _ in range(600):
        raw = bytearray(good)
        for _ in range(rng.randrange(1, 12)):
            at = rng.randrange(len(raw))
            cut = rng.randrange(1, 30)
            raw[at : at + cut] = rng.choice(
                [b"", b"\0\xff\xfe", b"\r\n\r\n", b"--b\r\n", raw[at : at + cut] * 2, b"=?x?b?"]
            )
        told(read_octets(bytes(raw)))


def _mixed() -> bytes:
    return (
        b'From: "Ana, A." <ana@x.example>\r\nTo: =?utf-8?b?QmVuIEPDtg==?= <ben@y.example>, c@z.example\r\n'
        b"Subject: =?iso-8859-1?q?Gr=FC?=\r\n =?iso-8859-1?q?=DFe?= und mehr\r\nMessage-ID: <1@x>\r\n"
        b"References: <0@x>\r\n <00@x>\r\n"
        b"Date: Thu, 12 Nov 2026 10:30:00 +0100\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"preamble\r\n--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe\r\n--c\r\n"
        b"Content-Type: text/html; charset=iso-8859-1\r\n\r\n"
        b"<p>Gr\xfc\xdfe \x80</p>\r\n--c--\r\n--b\r\nContent-Type: application/pdf; name*=utf-8''Gr%C3%BC.pdf\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\nZmlndXJlcw\r\n--b\r\n"
        b"Content-Type: message/rfc822\r\n\r\n" + PLAIN + b"--b--\r\n"
    )  # fmt: skip


def test_a_good_mail_is_read_whole() -> None:
    letter = read_octets(_mixed())
    message = told(letter)
    assert message.subject == "Grüße und mehr" and message.references == ("<0@x>", "<00@x>")
    assert [(one.name, one.address) for one in message.to or ()] == [("Ben Cö", "ben@y.example"), ("", "c@z.example")]
    assert message.from_ is not None and message.from_.name == "Ana, A."
    assert message.sent == datetime(2026, 11, 12, 9, 30, tzinfo=UTC)
    assert message.body is not None and message.body.content.strip() == "<p>Grüße €</p>"
    assert [(one.name, one.kind) for one in message.attachments or ()] == [("Grü.pdf", "file"), ("x", "item")]
    assert letter.files[0].content() == b"figures"
    assert letter.messages[0].inner().header("from") == "Ana <ana@x.example>"


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (b"", ""),
        (b"\r\n\r\n", "\n"),
        (b"no header at all", ""),
        (b"Subject: x\n\nunix\n", "unix\n"),
        (b"Subject: x\r\n\r\nbare\nand not\r\n", "bare\nand not\n"),
        (b"Content-Type: multipart/mixed\r\n\r\nno boundary\r\n", "no boundary\n"),
        (b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nend missing", "end missing"),
        (b"Content-Type: text/plain; charset=nonsense\r\n\r\n\xc3\xbc", "ü"),
        (b"Content-Type: text/plain; charset=utf-8\r\n\r\n\xfc", "ü"),
        (b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n!SGVs*bG8", "Hello"),
    ],
)
def test_odd_forms_are_read(raw: bytes, body: str) -> None:
    message = told(read_octets(raw))
    assert message.body is not None and message.body.content == body


def test_words_are_read_as_they_were_meant() -> None:
    assert words("=?utf-8?q?Gr=C3?= =?utf-8?q?=BC?=n") == "Grün"
    assert words("=?utf-8?b?broken") == "=?utf-8?b?broken" and words("=?x-no?q?=FC?= x") == "ü x"
    assert (
        decoded("größer".encode("cp1252"), "us-ascii") == "größer"
        and decoded(b"+ADw-script+AD4-", "utf-7") != "<script>"
    )
    assert [one.address for one in people(["broken <a@x.example>, , <>, b@y.example;"])] == [
        "a@x.example",
        "b@y.example",
    ]


def test_parts_and_depth_have_an_end() -> None:
    many = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 5_000
    assert sum(1 for _ in parsed(many).walk()) <= MAX_PARTS + 1
    deep = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(200))
    assert sum(1 for _ in parsed(deep).walk()) <= MAX_DEPTH + 1
    told(read_octets(deep + b"\r\nx"))


def test_millions_of_lines_need_little_memory(tmp_path: Path) -> None:
    """An attachment of seven million short lines is not looked at line by line."""
    file = tmp_path / "long"
    with file.open("wb") as out:
        out.write(
            b"From: ana@x.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHello\r\n--b\r\n"
        )
        out.write(b"Content-Type: application/x\r\nContent-Disposition: attachment; filename=x\r\n\r\n")
        for _ in range(20):
            out.write(b"x\r\n" * 350_000)
        out.write(b"--b--\r\n")
    with file.open("rb") as raw, mmap.mmap(raw.fileno(), 0, access=mmap.ACCESS_READ) as octets:
        tracemalloc.start()
        letter = read(parsed(octets))
        message = message_of(letter, id_="m", folder_id="f", received=NOW)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert message.body is not None and message.body.content == "Hello"
    assert peak < 2_000_000 and (message.attachments or ())[0].size > 20_000_000
