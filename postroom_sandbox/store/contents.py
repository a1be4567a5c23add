"""What messages say, stored as ready-made JSON.

A content belongs to any number of messages (the same mail in twelve mailboxes is stored once) and does not change,
except a draft's, which belongs to that draft alone. `summary` is the inside of a JSON object with every property that
follows from the content but the body; a page of messages is made by joining such pieces (see `graph.represent`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from postroom_sandbox.clock import iso, parse_iso, seconds_of
from postroom_sandbox.database import Database
from postroom_sandbox.mime import Address, Attachment, Parsed, headers_of, parse_message
from postroom_sandbox.mime.message import CANCELLED, MESSAGE, REQUEST, RESPONSE
from postroom_sandbox.text import without_scripts

SCHEMA = """
CREATE TABLE IF NOT EXISTS contents (
  id INTEGER PRIMARY KEY, summary BLOB NOT NULL, sha256 TEXT NOT NULL, origin BLOB NOT NULL, raw_hash BLOB);
CREATE INDEX IF NOT EXISTS contents_raw ON contents (raw_hash) WHERE raw_hash IS NOT NULL;
CREATE TABLE IF NOT EXISTS bodies (id INTEGER PRIMARY KEY, html BLOB NOT NULL, text BLOB);
CREATE TABLE IF NOT EXISTS raws (id INTEGER PRIMARY KEY, raw BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS attachments (
  content INTEGER NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL, content_type TEXT NOT NULL,
  size INTEGER NOT NULL, is_inline INTEGER NOT NULL, content_id TEXT NOT NULL, kind TEXT NOT NULL, data BLOB,
  PRIMARY KEY (content, number));
"""
MEETING_TYPES = {REQUEST: "meetingRequest", RESPONSE: "meetingAccepted", CANCELLED: "meetingCancelled"}
_LISTS = {"toRecipients": "to", "ccRecipients": "cc", "bccRecipients": "bcc", "replyTo": "reply_to"}
_encode = msgspec.json.Encoder().encode
_IN_CHUNKS = 500


class Origin(msgspec.Struct):
    """What a mailbox must know of a content to file it: threading, dates, hints."""

    message_id: str
    references: list[str] = []
    thread_index: bytes = b""
    sent: int | None = None
    has_attachments: bool = False
    bulk: bool = False
    kind: str = MESSAGE
    categories: list[str] = []
    headers: list[tuple[str, str]] = []


@dataclass(frozen=True, slots=True)
class AttachmentInfo:
    """An attachment without its bytes."""

    number: int
    name: str
    content_type: str
    size: int
    is_inline: bool
    content_id: str
    kind: str


def recipient(person: Address) -> dict[str, Any]:
    """A person as Graph writes one."""
    return {"emailAddress": {"name": person[0] or person[1], "address": person[1]}}


def address_of(value: dict[str, Any] | None) -> Address | None:
    """A Graph recipient as (name, address), or None."""
    box = (value or {}).get("emailAddress") or {}
    address = str(box.get("address") or "")
    name = str(box.get("name") or address)
    return (name, address) if address or name else None


def _origin(parsed: Parsed, *, headers: bool) -> Origin:
    return Origin(
        message_id=parsed.internet_message_id,
        references=parsed.references[-200:],
        thread_index=parsed.thread_index,
        sent=parsed.sent,
        has_attachments=parsed.has_attachments,
        bulk=parsed.bulk,
        kind=parsed.kind,
        categories=parsed.categories,
        headers=parsed.headers if headers else [],
    )


def _summary(parsed: Parsed) -> bytes:
    value: dict[str, Any] = {
        "sentDateTime": iso(parsed.sent or 0),
        "internetMessageId": parsed.internet_message_id,
        "subject": parsed.subject,
        "bodyPreview": parsed.body_preview,
        "importance": parsed.importance,
        "isDeliveryReceiptRequested": None,
        "isReadReceiptRequested": parsed.read_receipt,
    }
    if parsed.from_ or parsed.sender:
        value["sender"] = recipient(parsed.sender or parsed.from_ or ("", ""))
        value["from"] = recipient(parsed.from_ or parsed.sender or ("", ""))
    value |= {name: [recipient(person) for person in getattr(parsed, field)] for name, field in _LISTS.items()}
    if parsed.kind != MESSAGE:
        value["meetingMessageType"] = MEETING_TYPES[parsed.kind]
    return _encode(value)[1:-1]


class Contents:
    """The store of everything said."""

    def __init__(self, database: Database) -> None:
        self._db = database
        database.declare(SCHEMA)
        row = database.query_one("SELECT max(id) FROM contents")
        self._last = (row and row[0]) or 0

    # -- writing

    def add_raw(self, raw: bytes, *, fallback_sent: int) -> tuple[int, Origin]:
        """Stores MIME (once for the same bytes); `fallback_sent` stands in for a missing Date."""
        digest = hashlib.sha256(raw).digest()
        row = self._db.query_one("SELECT id, origin FROM contents WHERE raw_hash = ?", (digest,))
        if row:
            return row[0], msgspec.msgpack.decode(row[1], type=Origin)
        parsed = parse_message(raw)
        if parsed.sent is None:
            parsed.sent = fallback_sent
        content, origin = self._insert(parsed, raw_hash=digest, headers=False)
        self._db.execute("INSERT INTO raws VALUES (?, ?)", (content, raw))
        return content, origin

    def add(self, parsed: Parsed) -> tuple[int, Origin]:
        """Stores a message written through Graph."""
        return self._insert(parsed, raw_hash=None, headers=True)

    def replace(self, content: int, parsed: Parsed) -> Origin:
        """Rewrites a draft's content but not its attachments."""
        origin = _origin(parsed, headers=True)
        self._db.execute("DELETE FROM raws WHERE id = ?", (content,))
        self._write(content, parsed, origin, None)
        return origin

    def amended(self, content: int, changes: dict[str, Any]) -> int:
        """A copy of a content with some summary properties changed (graph.md 2.5: those writable on any message)."""
        row = self._db.query_one("SELECT summary, sha256, origin FROM contents WHERE id = ?", (content,))
        assert row is not None
        summary = _encode(msgspec.json.decode(b"{" + row[0] + b"}") | changes)[1:-1]
        new = self._next()
        self._db.execute("INSERT INTO contents VALUES (?,?,?,?,NULL)", (new, summary, row[1], row[2]))
        self._clone(content, new)
        return new

    def duplicate(self, content: int) -> int:
        """A copy of its own, for a copied draft."""
        return self.amended(content, {})

    def _clone(self, content: int, new: int) -> None:
        for table in ("bodies", "raws"):
            columns = "html, text" if table == "bodies" else "raw"
            self._db.execute(f"INSERT INTO {table} SELECT ?, {columns} FROM {table} WHERE id = ?", (new, content))  # noqa: S608
        columns = "number, name, content_type, size, is_inline, content_id, kind, data"
        sql = f"INSERT INTO attachments SELECT ?, {columns} FROM attachments WHERE content = ?"  # noqa: S608
        self._db.execute(sql, (new, content))

    def _next(self) -> int:
        self._last += 1
        return self._last

    def _insert(self, parsed: Parsed, *, raw_hash: bytes | None, headers: bool) -> tuple[int, Origin]:
        content = self._next()
        origin = _origin(parsed, headers=headers)
        self._write(content, parsed, origin, raw_hash)
        for number, item in enumerate(parsed.attachments, start=1):
            self._attach(content, number, item, keep_data=raw_hash is None)
        return content, origin

    def _write(self, content: int, parsed: Parsed, origin: Origin, raw_hash: bytes | None) -> None:
        html = without_scripts(parsed.html)
        sha256 = hashlib.sha256(html.encode()).hexdigest()
        packed = msgspec.msgpack.encode(origin)
        row = (content, _summary(parsed), sha256, packed, raw_hash)
        self._db.execute("INSERT OR REPLACE INTO contents VALUES (?,?,?,?,?)", row)
        text = None if parsed.text is None else _encode(parsed.text)
        self._db.execute("INSERT OR REPLACE INTO bodies VALUES (?,?,?)", (content, _encode(html), text))

    def _attach(self, content: int, number: int, item: Attachment, *, keep_data: bool) -> None:
        row = (content, number, item.name, item.content_type, len(item.content), item.is_inline, item.content_id)
        data = item.content if keep_data else None
        self._db.execute("INSERT INTO attachments VALUES (?,?,?,?,?,?,?,?,?)", (*row, item.kind, data))

    # -- reading

    def summaries(self, contents: Iterable[int]) -> dict[int, bytes]:
        """The summaries of some contents."""
        return self._column("SELECT id, summary FROM contents WHERE id IN ", contents)

    def html(self, contents: Iterable[int]) -> dict[int, bytes]:
        """HTML bodies as JSON strings."""
        return self._column("SELECT id, html FROM bodies WHERE id IN ", contents)

    def texts(self, contents: Iterable[int]) -> dict[int, bytes | None]:
        """Original plain text bodies as JSON strings; None for those written as HTML."""
        return self._column("SELECT id, text FROM bodies WHERE id IN ", contents)

    def sha256(self, contents: Iterable[int]) -> dict[int, str]:
        """The checksum of the body a client gets."""
        return self._column("SELECT id, sha256 FROM contents WHERE id IN ", contents)

    def origin(self, content: int) -> Origin:
        """What a mailbox knows of it."""
        row = self._db.query_one("SELECT origin FROM contents WHERE id = ?", (content,))
        assert row is not None
        return msgspec.msgpack.decode(row[0], type=Origin)

    def raw(self, content: int) -> bytes | None:
        """The MIME it came as, or None when it was written through Graph."""
        row = self._db.query_one("SELECT raw FROM raws WHERE id = ?", (content,))
        return row[0] if row else None

    def headers(self, content: int) -> list[tuple[str, str]]:
        """Its internet headers."""
        raw = self.raw(content)
        return headers_of(raw) if raw is not None else self.origin(content).headers

    def load(self, content: int, *, attachments: bool = True) -> Parsed:
        """The whole content, to edit or to send."""
        summary = msgspec.json.decode(b"{" + self.summaries([content])[content] + b"}")
        html, text, origin = self.html([content])[content], self.texts([content])[content], self.origin(content)
        parsed = Parsed(
            subject=summary["subject"],
            sender=address_of(summary.get("sender")),
            from_=address_of(summary.get("from")),
            internet_message_id=summary["internetMessageId"],
            references=origin.references,
            sent=seconds_of(parse_iso(summary["sentDateTime"])),
            importance=summary["importance"],
            html=msgspec.json.decode(html),
            text=None if text is None else msgspec.json.decode(text),
            body_preview=summary["bodyPreview"],
            headers=origin.headers,
            thread_index=origin.thread_index,
            kind=origin.kind,
            read_receipt=bool(summary["isReadReceiptRequested"]),
            bulk=origin.bulk,
            categories=origin.categories,
        )
        for name, field in _LISTS.items():
            setattr(parsed, field, [person for item in summary[name] if (person := address_of(item))])
        if attachments:
            infos = self.attachments(content)
            parsed.attachments = [self.attachment(content, info) for info in infos]
        return parsed

    def _column(self, sql: str, contents: Iterable[int]) -> dict[int, Any]:
        found: dict[int, Any] = {}
        wanted = list(contents)
        for at in range(0, len(wanted), _IN_CHUNKS):
            chunk = wanted[at : at + _IN_CHUNKS]
            marks = ",".join("?" * len(chunk))
            found.update(self._db.query(f"{sql}({marks})", chunk))
        return found

    # -- attachments

    def attachments(self, content: int) -> list[AttachmentInfo]:
        """The attachments of a content, in order."""
        columns = "number, name, content_type, size, is_inline, content_id, kind"
        sql = f"SELECT {columns} FROM attachments WHERE content = ? ORDER BY number"  # noqa: S608
        return [AttachmentInfo(*row) for row in self._db.query(sql, (content,))]

    def attachment(self, content: int, info: AttachmentInfo) -> Attachment:
        """One attachment with its bytes; those of received mail are read from its MIME again."""
        data = self.attachment_data(content, info.number)
        fields: Sequence[Any] = (info.is_inline, info.content_id, info.kind)
        return Attachment(info.name, info.content_type, data, *fields)

    def attachment_data(self, content: int, number: int) -> bytes:
        """The bytes of one attachment."""
        sql = "SELECT data FROM attachments WHERE content = ? AND number = ?"
        row = self._db.query_one(sql, (content, number))
        if row and row[0] is not None:
            return bytes(row[0])
        found = parse_message(self.raw(content) or b"").attachments
        return found[number - 1].content if number <= len(found) else b""

    def attach(self, content: int, item: Attachment) -> int:
        """Adds an attachment to a draft's content; returns its number."""
        row = self._db.query_one("SELECT max(number) FROM attachments WHERE content = ?", (content,))
        number = ((row and row[0]) or 0) + 1
        self._attach(content, number, item, keep_data=True)
        return number

    def detach(self, content: int, number: int) -> None:
        """Removes an attachment from a draft's content."""
        self._db.execute("DELETE FROM attachments WHERE content = ? AND number = ?", (content, number))
