"""A mail's text as the message the mirror of mail takes (``providers.contract.RemoteMessage``), with its files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import getaddresses, parsedate_to_datetime

from postroom.dropbox.mime import Part, parsed, words
from postroom.mail import html as mail_html
from postroom.mail.text import from_html, storable
from postroom.providers.contract import Address, RemoteAttachment, RemoteBody, RemoteMessage

MAX_PEOPLE = 10_000
MAX_REFERENCES = 100
MAX_HEADER = 500_000  # characters of a list of people
_ADDRESS = re.compile(r"[^\s<>,;:\"()\[\]]{1,64}@[^\s<>,;:\"()\[\]@]{1,255}")
_ID = re.compile(r"<[^<>\s]{1,990}>")


@dataclass
class Letter:
    """What a mail holds: texts to read, in order, and files."""

    root: Part
    texts: list[tuple[str, str]] = field(default_factory=list)  # (html | text, content)
    files: list[Part] = field(default_factory=list)

    @property
    def body(self) -> RemoteBody:
        """One text. Of several, all: the footers lists add, and what Apple writes between pictures."""
        if all(kind == "text" for kind, _ in self.texts):
            return RemoteBody("text", "\n".join(content for _, content in self.texts))
        return RemoteBody(
            "html",
            "\n".join(content if kind == "html" else mail_html.from_text(content) for kind, content in self.texts),
        )

    @property
    def messages(self) -> list[Part]:
        """Mails that came as files."""
        return [part for part in self.files if part.type == "message/rfc822"]

    def people(self, name: str) -> tuple[Address, ...]:
        return people(self.root.headers(name))

    @property
    def authors(self) -> tuple[Address, ...]:
        return self.people("from")

    @property
    def message_id(self) -> str:
        found = _ID.search(self.root.header("message-id"))
        return found[0] if found else self.root.header("message-id")[:990]

    @property
    def subject(self) -> str:
        return storable(self.root.header("subject"))

    @property
    def date(self) -> datetime | None:
        return date_of(self.root.header("date"))


def read(root: Part) -> Letter:
    """Sort the parts of a mail into what is read and what is saved."""
    letter = Letter(root)
    _sort(root, letter)
    return letter


def opened(part: Part) -> Letter:
    """The letter inside a message/rfc822 part."""
    return read(part.inner())


def message_of(letter: Letter, *, id_: str, folder_id: str, received: datetime) -> RemoteMessage:
    """As a provider would tell it. ``received``: when it reached us, for a mail that says nothing believable itself."""
    root, authors, sent = letter.root, letter.authors, letter.date
    at = sent if sent is not None and sent <= received else received
    references = _ID.findall(" ".join(root.headers("references")))[-MAX_REFERENCES:]
    answered = _ID.search(root.header("in-reply-to"))
    body = letter.body
    return RemoteMessage(
        id=id_,
        folder_id=folder_id,
        change_key=id_,
        internet_message_id=storable(letter.message_id),
        in_reply_to=storable(answered[0]) if answered else "",
        references=tuple(storable(one) for one in references),
        subject=letter.subject,
        from_=authors[0] if authors else None,
        sender=next(iter(letter.people("sender")), None),
        to=letter.people("to"),
        cc=letter.people("cc"),
        bcc=(),
        reply_to=letter.people("reply-to"),
        received=at,
        sent=at,
        modified=at,
        is_read=True,
        is_draft=False,
        categories=(),
        importance="normal",
        has_attachments=bool(letter.files),
        preview=storable(_preview(body)),
        body=body,
        attachments=tuple(_attachments(letter.files)),
        headers={name.lower(): root.header(name) for name in root.head},
    )


def _sort(part: Part, letter: Letter) -> None:
    kind = part.type
    if part.parts and kind == "multipart/alternative":
        _choose(part.parts, letter)
    elif part.parts:
        for one in part.parts:
            _sort(one, letter)
    elif part.is_text and part.disposition != "attachment" and not (part.name and letter.texts):
        letter.texts.append(("html" if kind == "text/html" else "text", part.text()))
    elif kind.startswith("multipart/"):  # without a usable boundary: whatever it is, it is read as text
        letter.texts.append(("text", part.text()))
    else:
        letter.files.append(part)


def _choose(parts: Sequence[Part], letter: Letter) -> None:
    """Of alternatives the last that we show, HTML before text; what is no text at all is kept as a file."""
    ways = [read(part) for part in parts]
    html = [way for way in ways if any(kind == "html" for kind, _ in way.texts)]
    chosen = next(reversed(html or [way for way in ways if way.texts]), None)
    if chosen is not None:
        letter.texts += chosen.texts
    letter.files += [file for way in ways if way is chosen or not way.texts for file in way.files]


def _attachments(files: Sequence[Part]) -> Iterator[RemoteAttachment]:
    for number, part in enumerate(files):
        content_id = part.header("content-id").strip("<> ")
        is_mail = part.type == "message/rfc822"
        yield RemoteAttachment(
            id=str(number),
            name=storable(part.name or (subject_of(part) if is_mail else "") or f"attachment-{number + 1}")[:500],
            content_type=storable(part.type)[:255],
            size=_size(part),
            is_inline=bool(content_id) and part.disposition != "attachment",
            content_id=storable(content_id)[:400],
            kind="item" if is_mail else "file",
        )


def subject_of(part: Part) -> str:
    return part.inner().header("subject")


def _size(part: Part) -> int:
    coded = str(part.head.get("content-transfer-encoding", "")).strip().lower() == "base64"
    return (part.end - part.start) * 3 // 4 if coded else part.end - part.start


def _preview(body: RemoteBody) -> str:
    if body.content_type == "text":
        return body.content[:300]
    return readable(body.content)[:300]


def readable(content: str) -> str:
    """What a person reads of a mail in HTML."""
    return from_html(mail_html.sanitise(storable(content)).html)


def people(headers: Sequence[str]) -> tuple[Address, ...]:
    """Everybody in headers of addresses. Names are decoded after the list was cut: a comma may be part of one."""
    lines = [line[:MAX_HEADER] for line in headers]
    try:
        found = [(name, address) for name, address in getaddresses(lines) if "@" in address]
    except (RecursionError, ValueError, IndexError):  # groups in groups in groups
        found = []
    if not found:  # a list that cannot be cut still names people
        found = [("", address) for line in lines for address in _ADDRESS.findall(line)]
    return tuple(
        Address(address=storable(address.strip()), name=storable(words(name)).strip()[:400])
        for name, address in found[:MAX_PEOPLE]
    )


def date_of(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


def read_octets(octets: bytes) -> Letter:
    """A mail in memory, for tests and small ones."""
    return read(parsed(octets))
