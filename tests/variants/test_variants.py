"""The forty as the sandbox's people receive them, and as they leave for the rest of the world (product.md SE3)."""

from __future__ import annotations

from typing import Any

import pytest

from postroom.mail import commands
from postroom.mail.models import Composition
from tests.crash_matrix.office import ADDRESS, Office, office
from tests.variants.reading import wrong_with
from tests.variants.written import BEN, VARIANTS, Variant


def write(one: Office, variant: Variant) -> Composition:
    answers = None if variant.how == "new" else one.letter
    told: dict[str, Any] = (
        {} if variant.how in ("reply", "reply_all") else {"to": variant.to, "subject": variant.subject}
    )
    composition = commands.compose(one.mailbox, one.member, answers=answers, how=variant.how, **told)
    marks = []
    for name, content in variant.pictures.items():
        picture = commands.attach(composition, name=name, content_type="image/png", chunks=[content])
        commands.show_inside(picture)
        marks.append(picture.content_id)
    for name, content in variant.files.items():
        commands.attach(composition, name=name, content_type=variant.kind, chunks=[content])
    fields: dict[str, Any] = {"html": variant.html.format(*marks) if marks else variant.html}
    if variant.cc or variant.bcc:
        fields |= {"cc": [list(p) for p in variant.cc], "bcc": [list(p) for p in variant.bcc]}
    if variant.how == "forward":
        fields |= {"to": [list(p) for p in variant.to], "subject": f"Fw: {variant.subject}"}
    commands.save(composition, **fields)
    composition.refresh_from_db()
    commands.send(composition)
    return composition


def received(one: Office, composition: Composition) -> tuple[bytes, str]:
    """The message as Ben has it, and the conversation he has it in."""
    select = f"$filter=internetMessageId eq '{composition.internet_message_id}'&$select=id,conversationId"
    rows = one.graph(BEN, "GET", f"/messages?{select}")["value"]
    assert len(rows) == 1, rows
    return one.graph(BEN, "GET", f"/messages/{rows[0]['id']}/$value"), rows[0]["conversationId"]


def left(one: Office, composition: Composition) -> bytes:
    """The message as it left for other servers."""
    with one.sandbox.world.operation():
        gone = one.sandbox.world.transport.outgoing(one.sandbox.user(ADDRESS))
    raws = [raw for *_, raw in gone if composition.internet_message_id.encode() in raw.partition(b"\r\n\r\n")[0]]
    assert len(raws) == 1
    return raws[0]


def test_forty_variants_are_received_as_they_were_written(database: None) -> None:
    assert len(VARIANTS) == len({variant.name for variant in VARIANTS}) == 40
    with office() as one:
        written = [(variant, write(one, variant)) for variant in VARIANTS]
        for _, composition in written:
            one.send(composition)
        letter = one.graph(BEN, "GET", f"/messages?$filter=internetMessageId eq '{one.letter.internet_message_id}'")
        wrong = {}
        for variant, composition in written:
            composition.refresh_from_db()
            raw, conversation = received(one, composition)
            answers = "" if variant.how == "new" else one.letter.internet_message_id
            told: dict[str, Any] = {"message_id": composition.internet_message_id, "subject": composition.subject}
            found = wrong_with(raw, variant, **told, answers=answers)
            found += [f"outside: {x}" for x in wrong_with(left(one, composition), variant, **told, answers=answers)]
            if (conversation == letter["value"][0]["conversationId"]) != bool(answers):
                found.append("it is in the wrong conversation")
            if found:
                wrong[variant.name] = found
        assert not wrong


RECEIVED = (
    b"From: <ada@northwind.example>\r\n"
    b"To: Ben <ben@northwind.example>\r\nSubject: Offer\r\nMessage-ID: <1@x.example>\r\n"
    b"Date: Sat, 21 Nov 2026 12:00:00 +0000\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/alternative; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nDear Ben\r\n'
    b"--b\r\nContent-Type: text/html\r\n\r\n<p>Dear Ben</p>\r\n--b--\r\n"
)


@pytest.mark.parametrize(
    ("spoiled", "finding"),
    [
        ((b"Subject:", b"Bcc: <x@y.example>\r\nSubject:"), "hidden"),
        ((b"<1@x", b"<2@x"), "Message-ID"),
        ((b"Subject: Offer", b"Subject: Other"), "subject"),
        ((b"--b--", b""), "Defect"),
        ((b"Subject:", b"In-Reply-To: <3@x.example>\r\nSubject:"), "In-Reply-To"),
        ((b"Dear Ben\r\n--b\r", b"Dear B\xe9n\r\n--b\r"), "codec"),
        ((b"\r\n\r\n--b\r", b"\n\n--b\r"), "CRLF"),
    ],
)
def test_the_reader_sees_what_is_wrong(spoiled: tuple[bytes, bytes], finding: str) -> None:
    told = {"message_id": "<1@x.example>", "subject": "Offer"}
    assert wrong_with(RECEIVED, Variant("as written", words=("Dear Ben",)), **told) == []
    try:
        found = str(wrong_with(RECEIVED.replace(*spoiled), Variant("as written"), **told))
    except UnicodeDecodeError as refused:
        found = str(refused)
    assert finding in found
