from __future__ import annotations

import lzma
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postroom_sandbox.control.mbox import split_mbox
from postroom_sandbox.mime import Parsed, build_message, parse_message
from postroom_sandbox.mime.headers import addresses, parameters, timestamp
from postroom_sandbox.mime.parts import MAX_DEPTH
from postroom_sandbox.mime.words import decode, decode_words, from_base64

CORPUS = Path(__file__).resolve().parents[4] / "shared" / "corpus"


def subject(value: bytes) -> str:
    return parse_message(b"Subject: " + value + b"\r\n\r\n").subject


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"plain", "plain"),
        (b"=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        (b"=?utf-8?B?4oKs?= =?utf-8?B?IA==?= x", "€  x"),
        (b"=?utf-8?B?4oI=?=\r\n =?utf-8?B?rA==?=", "€"),
        (b"=?gb2312?B?xOO6ww==?=", "你好"),
        (b"=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本"),
        (b"=?nonsense?q?a=E4?=", "aä"),
        (b"raw \xe4 latin", "raw ä latin"),
        ("roh ü".encode(), "roh ü"),
        (b"nul\x00byte", "nul\ufffdbyte"),
        (b"=?utf-8?q?nul=00?=", "nul\ufffd"),
        (b"=?utf-7?q?+2AA-?=", "\ufffd"),
        (b"folded\r\n  line", "folded  line"),
        (b"=?utf-8?b?broken", "=?utf-8?b?broken"),
    ],
)
def test_subjects_in_every_encoding(raw: bytes, expected: str) -> None:
    assert subject(raw) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a@b.example", [("a@b.example", "a@b.example")]),
        ("Ann <a@b.example>, c@d.example", [("Ann", "a@b.example"), ("c@d.example", "c@d.example")]),
        ('"Doe, Jane" <j@d.example>', [("Doe, Jane", "j@d.example")]),
        ("j@d.example (Jane Doe)", [("Jane Doe", "j@d.example")]),
        ("Team: a@b.example, c@d.example;", [("a@b.example", "a@b.example"), ("c@d.example", "c@d.example")]),
        ("undisclosed-recipients:;", []),
        ("=?utf-8?q?J=C3=BCrgen?= <j@d.example>", [("Jürgen", "j@d.example")]),
        ("Just A Name", [("Just A Name", "Just A Name")]),
        ("", []),
        ("<>", []),
        ('"unclosed <a@b.example>', [("unclosed<a@b.example>", "unclosed<a@b.example>")]),
    ],
)  # fmt: skip
def test_address_lists(value: str, expected: list[tuple[str, str]]) -> None:
    assert addresses(value) == expected


def test_ten_thousand_recipients_and_deep_nonsense_are_quick() -> None:
    many = ", ".join(f"Person {number} <p{number}@x.example>" for number in range(10_000))
    started = time.process_time()
    assert len(addresses(many)) == 10_000
    addresses("(" * 100_000)
    addresses('"' * 100_000)
    addresses("<" * 100_000)
    addresses("a:" * 50_000)
    assert time.process_time() - started < 5


def test_rfc2231_names_and_broken_parameters() -> None:
    assert parameters("a/b; name*0*=utf-8''%E2%82; name*1*=%AC.pdf")[1] == {"name": "€.pdf"}
    assert parameters('a/b; name="x;y.txt"; other') == ("a/b", {"name": "x;y.txt"})
    assert parameters("a/b; name==?utf-8?q?=C3=A4?=")[1] == {"name": "ä"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Thu, 01 Jan 1970 00:00:00 +0000", 0),
        ("Sun, 07 Feb 2106 06:28:16 +0000", 2**32),
        ("Fri, 20 Nov 2026 10:00:00 -0500", 1_795_186_800),
        ("yesterday", None),
        ("", None),
        ("Mon, 99 Foo 99999 99:99:99", None),
    ],
)
def test_dates(value: str, expected: int | None) -> None:
    assert timestamp(value) == expected


def test_html_wins_over_text_and_inline_pictures_are_inline() -> None:
    raw = (
        b'Content-Type: multipart/related; boundary="r"\r\n\r\n--r\r\n'
        b'Content-Type: multipart/alternative; boundary="a"\r\n'
        b"\r\n--a\r\nContent-Type: text/plain\r\n\r\nplain\r\n--a\r\nContent-Type: text/html\r\n\r\n"
        b'<p>rich <img src="cid:logo"></p>\r\n--a--\r\n--r\r\nContent-Type: image/png\r\nContent-ID: <logo>\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\nAAEC\r\n--r--\r\n"
    )
    parsed = parse_message(raw)
    assert "rich" in parsed.html and parsed.text is None and parsed.body_preview == "rich"
    (logo,) = parsed.attachments
    assert (logo.is_inline, logo.content, parsed.has_attachments) == (True, b"\x00\x01\x02", False)


def test_list_footers_join_the_body() -> None:
    raw = b'Content-Type: multipart/mixed; boundary="m"\r\n\r\n--m\r\n\r\nhello\r\n--m\r\n\r\nfooter\r\n--m--\r\n'
    parsed = parse_message(raw)
    assert parsed.text == "hello\nfooter" and not parsed.attachments


def test_bracketless_references_count() -> None:
    parsed = parse_message(b"In-Reply-To: a@b.example\r\nReferences: <r@x> junk\r\n\r\n")
    assert parsed.references == ["<r@x>", "<a@b.example>"]


def test_meeting_requests_are_recognised() -> None:
    raw = b'Content-Type: multipart/alternative; boundary="a"\r\n\r\n--a\r\n\r\ncome\r\n--a\r\n'
    raw += b"Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\n--a--\r\n"
    parsed = parse_message(raw)
    assert parsed.kind == "request" and not parsed.attachments


@pytest.mark.parametrize("raw", [b"", b"\r\n", b"no headers at all", b"\x00" * 1000, b"From x\nSubject: a\r\rb"])
def test_hardly_a_message_is_still_one(raw: bytes) -> None:
    assert parse_message(raw).internet_message_id.endswith("@missing-id.invalid>")


def test_nesting_is_bounded() -> None:
    depth = MAX_DEPTH * 5
    raw = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(depth))
    assert parse_message(raw + b"\r\nend").attachments == []
    wide = b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + b"--b\r\nContent-Type: a/b\r\n\r\nx\r\n" * 20_000
    assert len(parse_message(wide).attachments) <= 3_000


def test_damaged_base64_keeps_what_is_whole() -> None:
    assert from_base64(b"aGVs bG8\n*=") == b"hello"
    assert from_base64(b"A") == b""


def test_codecs_that_are_no_charsets_are_refused() -> None:
    for name in ("hex", "idna", "punycode", "unicode_escape", "rot13", "zip"):
        assert decode(b"abc", name) == "abc"


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=2_000))
def test_any_bytes_become_a_message_that_can_be_written_again(raw: bytes) -> None:
    parsed = parse_message(raw)
    parsed.subject.encode()
    parsed.html.encode()
    assert parse_message(build_message(parsed)).html is not None


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300), st.text(max_size=60), st.text(max_size=300))
def test_what_is_built_is_read_back(title: str, name: str, body: str) -> None:
    clean = " ".join(title.replace("\x00", " ").split()).encode("utf-8", "replace").decode()
    person = " ".join(name.split()).encode("utf-8", "replace").decode()
    text = body.encode("utf-8", "replace").decode().replace("\x00", "\ufffd").replace("\r\n", "\n").replace("\r", "\n")
    message = Parsed(subject=clean, from_=(person, "a@b.example"), internet_message_id="<1@x>", text=text, sent=0)
    again = parse_message(build_message(message))
    assert again.subject == clean
    assert again.text == text
    assert again.from_ is not None and again.from_[1] == "a@b.example"


def test_words_are_decoded_without_loss() -> None:
    assert decode_words("=?utf-8?q?a?= b =?utf-8?q?c?=") == "a b c"


def _torture() -> Iterator[bytes]:
    with tarfile.open(CORPUS / "mime" / "mime-dev.tar.xz") as archive:
        for member in archive:
            stream = archive.extractfile(member) if member.name.endswith((".eml", ".mbox")) else None
            if stream is not None:
                yield stream.read()


def test_the_torture_set_is_read_and_written_without_loss() -> None:
    if not CORPUS.exists():
        pytest.skip("no ../shared")
    for raw in _torture():
        parsed = parse_message(raw)
        again = parse_message(build_message(parsed))
        assert again.subject.split() == parsed.subject.split()
        assert sorted(a.content for a in again.attachments) == sorted(a.content for a in parsed.attachments)


def test_real_threads_are_split_as_their_manifest_says() -> None:
    if not CORPUS.exists():
        pytest.skip("no ../shared")
    data = lzma.decompress((CORPUS / "threads" / "asf-httpd-users-2020-07.mbox.xz").read_bytes())
    assert len(list(split_mbox(data))) == 108
