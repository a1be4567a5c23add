"""From a message as the provider told it to rows as we keep it: all the work that needs no database.

Cleaned strings, safe HTML, the new text, the keys of its conversation, the words to find it by. Runs beside the
storing of the page before, so it is half of what a backfill costs.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from dataclasses import replace as replaced
from datetime import UTC, datetime
from hashlib import blake2b, sha256
from typing import Any

from msgspec.structs import replace

from postroom.mail import html as mail_html
from postroom.mail import kinds, quotes
from postroom.mail.text import storable
from postroom.providers.contract import Address, RemoteAttachment, RemoteBody, RemoteMessage

MAX_SEARCHED = 200_000  # characters of new text that can be searched; PostgreSQL's limit is 1 MB of lexemes
MAX_PEOPLE_SEARCHED = 200
MAX_REFERENCES = 60
MAX_ADDRESS = 320


@dataclass(slots=True)
class Body:
    content_type: str
    html: str
    text: str
    new_text: str
    sha256: bytes


@dataclass(slots=True)
class Prepared:
    """One message, ready to be stored. In ``columns`` only what was told; ``None`` elsewhere means "not told"."""

    message: RemoteMessage
    columns: dict[str, Any]
    keys: list[bytes]  # of its conversation; its own Message-ID first
    participants: list[tuple[str, str]]  # (role, lower-cased address), each once
    people: list[tuple[str, str, bool]]  # (address, name, written to) of everybody but the mailbox itself
    body: Body | None
    searched: tuple[str, str, str]  # subject; people; new text and names of attachments
    attachments: tuple[RemoteAttachment, ...]

    @property
    def remote_id(self) -> str:
        return self.message.id

    @property
    def received(self) -> datetime:
        """When it arrived. Messages without a date are as old as what else is known of them, else as old as mail."""
        m = self.message
        return m.received or m.sent or m.modified or datetime(1970, 1, 1, tzinfo=UTC)


def prepare(message: RemoteMessage, *, own_addresses: frozenset[str]) -> Prepared:
    """Everything a row, a body and a search document need. ``own_addresses``: lower-cased, of the mailbox itself."""
    columns = _columns(message)
    if message.body is not None:
        columns["kind"] = kinds.kind_of(message, own_addresses)
    participants = list(_participants(message))
    body = _body(message.body) if message.body is not None else None
    return Prepared(
        message=message,
        columns=columns,
        keys=list(_keys(message)),
        participants=participants,
        people=list(_people(message, own_addresses)),
        body=body,
        searched=_searched(message, columns, body),
        attachments=message.attachments or (),
    )


def merged(before: Prepared, after: Prepared) -> Prepared:
    """Two words about one message: what the newer version says, and of the older what the newer leaves open. Without
    versions the later word is the newer."""
    at, then = before.columns["modified"], after.columns["modified"]
    if at is not None and then is not None and then < at:
        before, after = after, before
    whole = after if after.body is not None or before.body is None else before
    return replaced(
        whole,
        message=replace(before.message, **dict(_told(after.message))),
        columns={name: old if (new := after.columns[name]) is None else new for name, old in before.columns.items()},
        keys=list(dict.fromkeys([*after.keys, *before.keys])),
    )


def _told(message: RemoteMessage) -> Iterator[tuple[str, Any]]:
    return ((name, value) for name in message.__struct_fields__ if (value := getattr(message, name)) is not None)


def hashed(kind: str, text: str) -> bytes:
    return blake2b(f"{kind}:{text}".encode("utf-8", "surrogatepass"), digest_size=16).digest()


# --- columns -------------------------------------------------------------------------------------------------------


def _columns(m: RemoteMessage) -> dict[str, Any]:
    return {
        "change_key": m.change_key,
        "internet_message_id": _clean(m.internet_message_id),
        "in_reply_to": _clean(m.in_reply_to),
        "remote_conversation_id": m.conversation_id,
        "subject": _clean(m.subject),
        "from_name": _clean(m.from_.name) if m.from_ else None,
        "from_address": _clean(m.from_.address) if m.from_ else None,
        "sender": _pair(m.sender) if m.sender and m.from_ and m.sender.address != m.from_.address else None,
        "to": _pairs(m.to),
        "cc": _pairs(m.cc),
        "bcc": _pairs(m.bcc),
        "reply_to": _pairs(m.reply_to),
        "received": m.received,
        "sent": m.sent,
        "modified": m.modified,
        "is_read": m.is_read,
        "is_draft": m.is_draft,
        "flag": str(m.flag) if m.flag is not None else None,
        "categories": [storable(name)[:255] for name in m.categories] if m.categories is not None else None,
        "importance": m.importance,
        "has_attachments": m.has_attachments,
        "preview": _preview(m.preview),
        "kind": None,
    }


def _clean(text: str | None) -> str | None:
    return None if text is None else storable(text)


def _preview(text: str | None) -> str | None:
    return None if text is None else storable(" ".join(text.split()))[:300]


def _pair(address: Address) -> list[str]:
    return [storable(address.name), storable(address.address)]


def _pairs(addresses: Iterable[Address] | None) -> list[list[str]] | None:
    return None if addresses is None else [_pair(one) for one in addresses]


# --- conversation, people ------------------------------------------------------------------------------------------


def bare_id(text: str) -> str:
    """A Message-ID without what writers disagree about: angle brackets and white space."""
    return text.strip().strip("<>").strip()


def _keys(m: RemoteMessage) -> Iterator[bytes]:
    """Its own id first, then what it answers. Long lists of references keep their beginning and their end."""
    references = list(m.references or ())
    if len(references) > MAX_REFERENCES:
        references = [references[0], *references[1 - MAX_REFERENCES :]]
    seen = set()
    for text in (m.internet_message_id, m.in_reply_to, *references):
        bare = bare_id(text or "")
        if bare and bare not in seen:
            seen.add(bare)
            yield hashed("m", bare)


def _participants(m: RemoteMessage) -> Iterator[tuple[str, str]]:
    seen = set()
    for role, addresses in (("from", (m.from_, m.sender)), ("to", m.to), ("cc", m.cc), ("bcc", m.bcc)):
        for one in addresses or ():
            address = storable(one.address).strip().lower()[:MAX_ADDRESS] if one else ""
            if address and (role, address) not in seen:
                seen.add((role, address))
                yield role, address


def _people(m: RemoteMessage, own: frozenset[str]) -> Iterator[tuple[str, str, bool]]:
    """Whom this message was exchanged with: its author when it came in, its recipients when it was ours."""
    if m.is_draft or m.from_ is None:
        return
    ours = m.from_.address.lower() in own
    for one in (*(m.to or ()), *(m.cc or ()), *(m.bcc or ())) if ours else (m.from_,):
        address = storable(one.address).strip().lower()[:MAX_ADDRESS]
        if "@" in address and address not in own:
            yield address, storable(one.name).strip()[:200], ours


# --- body, words ---------------------------------------------------------------------------------------------------


def _body(body: RemoteBody) -> Body:
    digest = sha256(body.content.encode("utf-8", "surrogatepass")).digest()
    content = storable(body.content)
    if body.content_type == "html":
        html = mail_html.sanitise(content).html
        return Body("html", html, "", quotes.new_text(html, "html"), digest)
    return Body("text", "", content, quotes.new_text(content, "text"), digest)


def _searched(m: RemoteMessage, columns: dict[str, Any], body: Body | None) -> tuple[str, str, str]:
    everybody = [one for one in (m.from_, *(m.to or ()), *(m.cc or ()), *(m.bcc or ())) if one][:MAX_PEOPLE_SEARCHED]
    people = " ".join([f"{one.name} {one.address} {_PIECES.sub(' ', one.address)}" for one in everybody])
    files = " ".join([f"{a.name} {_PIECES.sub(' ', a.name)}" for a in m.attachments or () if not a.is_inline])
    text = body.new_text if body is not None else columns["preview"] or ""
    return (
        columns["subject"] or "",
        storable(people),
        f"{text[:MAX_SEARCHED]} {storable(files)[:4000]}",
    )


# The database takes "ana@fabrikam.example" and "offer-2026.pdf" for one word each; people look for parts of them.
_PIECES = re.compile(r"[\W_]+")
