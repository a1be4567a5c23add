"""Real mail for the mirror's proofs, and the odd mail that nobody has in a corpus.

The corpus lies beside the checkout (`../shared/corpus`) and is no part of the project; without it generated mail
takes its place where that makes sense.
"""

import lzma
import re
import tarfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus"
MISSING = "the real mail of ../shared/corpus is not beside this checkout"
_START = re.compile(rb"^From ", re.MULTILINE)


def here() -> bool:
    return (CORPUS / "threads").is_dir()


def threads(*, each: int | None = None) -> Iterator[tuple[str, bytes]]:
    """(folder, mbox) of every source; only the first ``each`` messages of each."""
    for number, path in enumerate(sorted((CORPUS / "threads").glob("*.mbox.xz"))):
        name = path.name.partition(".")[0]
        folder = "inbox" if name.startswith("sa-") else f"Lists/{'Weit/Unten/' * (number % 2)}{name}"
        yield folder, _first(lzma.decompress(path.read_bytes()), each)


def _first(mbox: bytes, count: int | None) -> bytes:
    starts = [found.start() for found in _START.finditer(mbox)]
    return mbox if count is None or count >= len(starts) else mbox[: starts[count]]


def generated(count: int) -> Iterator[tuple[str, bytes]]:
    """(folder, mbox): ``count`` messages in threads of five, in three folders."""
    for place, folder in enumerate(("inbox", "Archive", "Kunden/Contoso 📁")):
        letters = (_letter(number) for number in range(place, count, 3))
        yield folder, b"".join(b"From x@contoso.example Mon Nov 16 10:00:00 2026\n" + raw + b"\n" for raw in letters)


def _letter(number: int) -> bytes:
    begun = number - number // 3 % 5 * 3
    answer = f"In-Reply-To: <g{begun}@contoso.example>\n" if begun != number else ""
    return (
        f"From: Zoë Lindqvist <zoe{number % 7}@contoso.example>\nTo: ada@northwind.example\n{answer}"
        f"Subject: {'Re: ' if answer else ''}Angebot {begun} für März\nMessage-ID: <g{number}@contoso.example>\n"
        f"Date: {1 + number % 28} Oct 2026 10:{number % 60:02}:00 +0000\n"
        f"Content-Type: text/html; charset=utf-8\n\n<p>Guten Tag, Nummer <b>{number}</b></p>\n"
    ).encode()


def torture() -> Iterator[tuple[str, bytes]]:
    """(name, raw message) of every odd single message."""
    with tarfile.open(CORPUS / "mime" / "mime-dev.tar.xz") as archive:
        for member in archive:
            stream = archive.extractfile(member) if member.name.endswith((".eml", ".mbox")) else None
            if stream is None:
                continue
            raw = stream.read()
            if member.name.endswith(".mbox"):
                starts = [found.start() for found in _START.finditer(raw)] + [len(raw)]
                for number, (start, end) in enumerate(pairwise(starts)):
                    yield f"{member.name}#{number}", raw[start:end]
            else:
                yield member.name, raw


def bad_input(*, big: int) -> Iterator[tuple[str, bytes]]:
    """(name, raw message) of what people, robots and attackers send. ``big``: bytes of the largest file."""
    for name, headers, body in _BAD:
        yield name, _message(name, headers, body)
    yield "nothing at all", b""
    yield "headers only", b"Subject: headers only\r\n"
    yield "ten thousand recipients", _message("many", b"Cc: " + _many(10_000), b"Hello, all of you")
    yield "big", _big(big)


def _message(name: str, headers: bytes, body: bytes) -> bytes:
    identity = name.replace(" ", "-").encode()
    given = headers.lower()
    lines = [b"Message-ID: <bad-" + identity + b"@outside.example>"]
    lines += [b"From: Mallory <mallory@outside.example>"] * (b"from:" not in given)
    lines += [b"To: ada@northwind.example"] * (b"to:" not in given)
    lines += [b"Subject: " + name.encode()] * (b"subject:" not in given)
    lines += [b"Date: Fri, 20 Nov 2026 10:00:00 +0000"] * (b"date:" not in given)
    return b"\r\n".join([*lines, *([headers] if headers else []), b"", body, b""])


def _many(count: int) -> bytes:
    return b",\r\n ".join(b"Person %d <person%d@outside.example>" % (n, n) for n in range(count))


def _big(size: int) -> bytes:
    line = b"QUJD" * 19 + b"\r\n"
    head = (
        b'Content-Type: multipart/mixed; boundary="b"\r\nMIME-Version: 1.0\r\nSubject: big\r\n'
        b"From: mallory@outside.example\r\nTo: ada@northwind.example\r\nMessage-ID: <bad-big@outside.example>\r\n"
        b"Date: Fri, 20 Nov 2026 10:00:00 +0000\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nsee file\r\n"
        b'--b\r\nContent-Type: application/zip; name="big.zip"\r\nContent-Transfer-Encoding: base64\r\n'
        b'Content-Disposition: attachment; filename="big.zip"\r\n\r\n'
    )
    return head + line * (size // len(line)) + b"--b--\r\n"


_HTML = b"Content-Type: text/html; charset=utf-8"
_DEEP = 20_000
_BAD: list[tuple[str, bytes, bytes]] = [
    ("nul bytes", b"Subject: nul \0 inside", b"before\0after\r\n"),
    ("encoded nul", b"Subject: =?utf-8?q?nul_=00_inside?=", b"x"),
    ("lone surrogate", b"Subject: =?utf-8?q?lone_=ED=A0=BD_surrogate?=", b"\xed\xa0\xbd\r\n"),
    ("lone surrogate of utf 16", b"Subject: =?utf-16-be?b?2D0=?=", b"x"),
    ("year 1970", b"Date: Thu, 01 Jan 1970 00:00:01 +0000", b"old"),
    ("year 2106", b"Date: Sun, 07 Feb 2106 06:28:16 +0000", b"new"),
    ("no such date", b"Date: Mon, 99 Foo 20266 99:99:99 +9999", b"when?"),
    ("no sender", b"From: ", b"who?"),
    ("sender without an address", b"From: <>", b"who?"),
    ("right to left", "Subject: مرحبا \u202egpj.exe\u202c".encode(), "‏שלום".encode()),
    ("unknown charset", b"Content-Type: text/plain; charset=klingon-7", b"\xff\xfe\xfd"),
    ("no end", b'Content-Type: multipart/mixed; boundary="x"', b"--x\r\nContent-Type: multipart/mixed; boundary=y"),
    ("subject of a megabyte", b"Subject: " + b"long " * 200_000, b"x"),
    ("deep html", _HTML, b"<div>" * _DEEP + b"deep" + b"</div>" * _DEEP),
    ("deep tables", _HTML, b"<table><tr><td>" * 3_000 + b"deep"),
    ("deep quotes", _HTML, b"<blockquote>" * 5_000 + b"deep"),
    ("deep quotes of text", b"", b">" * 100_000 + b" deep"),
    ("many tags", _HTML, b"<b>x</b><i>y</i>" * 100_000),
    ("one endless attribute", _HTML, b'<p title="' + b"a" * 1_000_000),
    ("endless style", _HTML, b"<style>" + b"a{color:red}" * 50_000 + b"</style><p style='" + b"a:b;" * 50_000 + b"'>x"),
    ("entities", _HTML, b"&lt;" * 200_000 + b"&#0;&#xD83D;&#x110000;&bogus;"),
    ("script", _HTML, b"<script>alert(1)</script><img src=x onerror=alert(1)><svg/onload=alert(1)><p>text</p>"),
    ("a line of a megabyte", b"", b"x" * 1_000_000),
    ("many line ends", b"", b"\r\n" * 300_000),
    ("percent and braces", b"Subject: %s %(a)s {} {0} \\ ' \" --", b"%s {{ x }} {% y %}"),
]
