"""What somebody who gets a message sees, read by the standard library: structure, headers, text, files, leaks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import getaddresses
from html import unescape

from tests.variants.written import HIDDEN, Variant

MOST_OF_A_LINE = 998
ONCE = ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "In-Reply-To", "References")
_TAGS = re.compile(r"<[^>]*>")


def wrong_with(raw: bytes, variant: Variant, *, message_id: str, subject: str, answers: str = "") -> list[str]:
    """What is not as it has to be in one received message. ``answers``: the Message-ID of what it answers."""
    message = message_from_bytes(raw, _class=EmailMessage, policy=SMTP)  # type: ignore[arg-type, call-overload]
    wrong = [*_lines(raw), *_headers(message, message_id, subject, answers), *_people(message, raw, variant)]
    return [*wrong, *_structure(message), *_text(message, variant), *_files(message, variant, forward=bool(answers))]


def _lines(raw: bytes) -> Iterator[str]:
    if b"\n" in raw.replace(b"\r\n", b"") or b"\r" in raw.replace(b"\r\n", b""):
        yield "a line does not end in CRLF"
    if any(len(line) > MOST_OF_A_LINE for line in raw.split(b"\r\n")):
        yield "a line is too long"
    if not raw.partition(b"\r\n\r\n")[0].isascii():
        yield "a header is not ASCII"


def _headers(message: EmailMessage, message_id: str, subject: str, answers: str) -> Iterator[str]:
    for name in ONCE:
        if len(message.get_all(name, [])) > 1:
            yield f"{name} is there twice"
    if str(message["Message-ID"]).strip() != message_id:
        yield f"Message-ID is {message['Message-ID']}"
    if _one_line(str(message["Subject"] or "")) != _one_line(subject):
        yield f"the subject is {message['Subject']!r}, not {subject!r}"
    if message["Date"] is None or message["Date"].datetime.tzinfo is None:
        yield "Date has no time zone"
    if (str(message["In-Reply-To"] or "").strip()) != answers:
        yield f"In-Reply-To is {message['In-Reply-To']}"
    if answers and answers not in str(message["References"]).split():
        yield f"References are {message['References']}"


def _people(message: EmailMessage, raw: bytes, variant: Variant) -> Iterator[str]:
    if message["Bcc"] is not None or HIDDEN.encode() in raw:
        yield "who was hidden is to be seen"
    for header, expected in (("To", variant.to), ("Cc", variant.cc)):
        if variant.how in ("reply", "reply_all"):
            continue
        found = getaddresses([str(value) for value in message.get_all(header, [])])
        if [address for _, address in found] != [address for _, address in expected]:
            yield f"{header} is {found}"
        if any(name not in ("", shown, address) for (name, address), (shown, _) in zip(expected, found, strict=False)):
            yield f"{header} has the names {[name for name, _ in found]}"


def _structure(message: EmailMessage) -> Iterator[str]:
    for part in message.walk():
        if part.defects:
            yield f"{part.get_content_type()}: {part.defects}"
        if part.is_multipart() or part.get_content_maintype() == "message":
            continue
        if part.get("Content-Transfer-Encoding", "7bit").lower() not in ("7bit", "base64", "quoted-printable"):
            yield f"{part.get_content_type()} is sent as {part['Content-Transfer-Encoding']}"
        if part.get_content_type() in ("text/html", "text/plain") and not part.get_filename():
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            content.decode(part.get_content_charset() or "ascii")


def _text(message: EmailMessage, variant: Variant) -> Iterator[str]:
    body = message.get_body(("html",))
    if body is None:
        yield "there is no HTML"
        return
    html = str(body.get_content())
    shown = _one_line(unescape(_TAGS.sub(" ", html)))
    yield from (f"the text has no {word[:40]!r}" for word in variant.words if _one_line(word) not in shown)
    plain = message.get_body(("plain",))
    if plain is None:
        yield "there is no plain text"
    elif variant.words and not any(_one_line(word)[:60] in _one_line(plain.get_content()) for word in variant.words):
        yield "the plain text says something else"


def _files(message: EmailMessage, variant: Variant, *, forward: bool) -> Iterator[str]:
    body = message.get_body(("html",))
    html = str(body.get_content()) if body else ""
    inside, beside = {}, {}
    for part in message.walk():
        name = part.get_filename()
        if name is None or part.is_multipart():
            continue
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        if part.get_content_disposition() == "inline":
            mark = str(part["Content-ID"] or "").strip().strip("<>")
            if f"cid:{mark}" not in html:
                yield f"no text shows the picture {name} ({mark})"
            inside[mark] = content
        else:
            beside[name] = content
    expected = {**variant.files, **({"plan.txt": b"plan"} if forward and variant.how == "forward" else {})}
    if beside != expected:
        yield f"the files are {sorted(beside)}, not {sorted(expected)}"
    if sorted(inside.values()) != sorted(variant.pictures.values()):
        yield f"there are {len(inside)} pictures in the text"
    if inside and not _is_related(message):
        yield "pictures of the text are not related to it"


def _is_related(message: EmailMessage) -> bool:
    """Every picture with a Content-ID is in one multipart/related with the text."""
    holders = [part for part in message.walk() if part.get_content_type() == "multipart/related"]
    return len(holders) == 1 and holders[0].get_body(("html",)) is not None


def _one_line(text: str) -> str:
    return " ".join(text.split())
