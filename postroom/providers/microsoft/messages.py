"""A message of Graph's and the same message in our words. Source: graph.md 2.1, 2.10, 2.11.

Absent is not null: in a delta row an absent property was not told and becomes ``None``; a null one was told and is
empty (graph.md 2.12, sparse updates).
"""

from datetime import UTC, datetime
from re import compile
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType, field, structs

from postroom.providers.contract import Address, Flag, RemoteAttachment, RemoteBody, RemoteMessage
from postroom.providers.microsoft.client import path_of

# Our private property on messages we send. The name is compared case-sensitively, the value is not (graph.md 2.11).
MARKER = "String {8d1f8f0e-5f0b-4c57-9f0c-6a3f4f0c2b71} Name PostroomMarker"

STATE = (
    "subject,from,toRecipients,receivedDateTime,sentDateTime,lastModifiedDateTime,isRead,isDraft,flag,categories,"
    "importance,hasAttachments,internetMessageId,conversationId,parentFolderId,bodyPreview,changeKey"
)
WHOLE = STATE + ",sender,ccRecipients,bccRecipients,replyTo,body,internetMessageHeaders"
ATTACHMENTS = "attachments($select=id,name,contentType,size,isInline,microsoft.graph.fileAttachment/contentId)"
WITH_MARKER = f"{ATTACHMENTS},singleValueExtendedProperties($filter=id eq '{MARKER}')"

STATE_QUERY = path_of(select=STATE)
WHOLE_QUERY = path_of(select=WHOLE, expand=ATTACHMENTS)

# Headers that tell what kind of mail it is (newsletter, automatic answer, bounce); the others are not kept.
KIND_HEADERS = frozenset(
    {
        "auto-submitted", "content-class", "content-type", "feedback-id", "list-id", "list-post", "list-unsubscribe",
        "precedence", "return-path", "x-auto-response-suppress", "x-autoreply", "x-autorespond", "x-campaign",
        "x-campaignid", "x-failed-recipients", "x-mailing-list", "x-ms-exchange-message-is-ndr",
        "delivered-to", "x-mailer", "x-ms-exchange-inbox-rules-loop",
    }
)  # fmt: skip

_KEPT_HEADERS = KIND_HEADERS | {"in-reply-to", "references"}

FLAGS = {"flagged": Flag.FLAGGED, "complete": Flag.COMPLETE}
FLAG_STATUS = {Flag.NONE: "notFlagged", Flag.FLAGGED: "flagged", Flag.COMPLETE: "complete"}
_MEETING = "graph.eventmessage"  # and eventMessageRequest, eventMessageResponse (graph.md 2.1, derived types)
ATTACHMENT_KINDS: dict[str, Literal["file", "item", "reference"]] = {
    "#microsoft.graph.itemattachment": "item",
    "#microsoft.graph.referenceattachment": "reference",
}


class WireAddress(Struct):
    name: str | None = None
    address: str | None = None


class WireRecipient(Struct, rename="camel"):
    email_address: WireAddress | None = None


class WireBody(Struct, rename="camel"):
    content_type: str = "html"
    content: str | None = None


class WireFlag(Struct, rename="camel"):
    flag_status: str | None = None


class WireHeader(Struct):
    name: str = ""
    value: str | None = None


class WireProperty(Struct):
    id: str
    value: str | None = None


class WireAttachment(Struct, rename="camel"):
    id: str
    kind: str = field(name="@odata.type", default="")
    name: str | None = None
    content_type: str | None = None
    size: int | None = None
    is_inline: bool | None = None
    content_id: str | None = None


class WireMessage(Struct, rename="camel"):
    id: str
    type: str = field(name="@odata.type", default="")
    removed: Any = field(name="@removed", default=UNSET)
    etag: str | None = field(name="@odata.etag", default=None)
    change_key: str | None = None
    parent_folder_id: str | None = None
    internet_message_id: str | UnsetType | None = UNSET
    conversation_id: str | UnsetType | None = UNSET
    subject: str | UnsetType | None = UNSET
    from_: WireRecipient | UnsetType | None = field(name="from", default=UNSET)
    sender: WireRecipient | UnsetType | None = UNSET
    to_recipients: list[WireRecipient] | UnsetType | None = UNSET
    cc_recipients: list[WireRecipient] | UnsetType | None = UNSET
    bcc_recipients: list[WireRecipient] | UnsetType | None = UNSET
    reply_to: list[WireRecipient] | UnsetType | None = UNSET
    received: datetime | None = field(name="receivedDateTime", default=None)
    sent: datetime | None = field(name="sentDateTime", default=None)
    modified: datetime | None = field(name="lastModifiedDateTime", default=None)
    is_read: bool | None = None
    is_draft: bool | None = None
    flag: WireFlag | None = None
    categories: list[str] | None = None
    importance: str | None = None
    has_attachments: bool | None = None
    body_preview: str | UnsetType | None = UNSET
    body: WireBody | UnsetType | None = UNSET
    attachments: list[WireAttachment] | UnsetType = UNSET
    internet_message_headers: list[WireHeader] | UnsetType | None = UNSET
    properties: list[WireProperty] | UnsetType = field(name="singleValueExtendedProperties", default=UNSET)


def text(value: str | UnsetType | None) -> str | None:
    """A text for people and for columns: ``None`` when not told, NUL (which no database column holds) as U+FFFD.

    The body is the exception: its ``content`` stays exactly as delivered, NUL included, because ``sha256`` is taken
    over it. Who stores it has to deal with NUL.
    """
    if value is UNSET or isinstance(value, UnsetType):
        return None
    value = value or ""
    return value.replace("\x00", "\ufffd") if "\x00" in value else value


# Of a whole message nothing is "not told": what was asked for and left out (a draft's sender, say) is empty.
EMPTY: dict[str, Any] = {
    "subject": "",
    "preview": "",
    "internet_message_id": "",
    "from_": Address(""),
    "sender": Address(""),
    "to": (),
    "cc": (),
    "bcc": (),
    "reply_to": (),
    "categories": (),
    "flag": Flag.NONE,
    "importance": "normal",
    "body": RemoteBody("text", ""),
    "attachments": (),
    "in_reply_to": "",
    "references": (),
    "headers": {},
    "meeting": False,
}


def whole_message(wire: WireMessage) -> RemoteMessage:
    """``wire``, which was asked for with ``WHOLE``, in our words."""
    found = message(wire)
    missing = {name: value for name, value in EMPTY.items() if getattr(found, name) is None}
    return structs.replace(found, **missing) if missing else found


def message(wire: WireMessage) -> RemoteMessage:
    """``wire`` in our words; what it does not tell stays ``None``."""
    in_reply_to, references, headers = _headers(wire.internet_message_headers)
    return RemoteMessage(
        id=wire.id,
        folder_id=wire.parent_folder_id,
        change_key=wire.change_key or _change_key(wire.etag),
        internet_message_id=text(wire.internet_message_id),
        conversation_id=text(wire.conversation_id),
        in_reply_to=in_reply_to,
        references=references,
        subject=text(wire.subject),
        from_=_person(wire.from_),
        sender=_person(wire.sender),
        to=_people(wire.to_recipients),
        cc=_people(wire.cc_recipients),
        bcc=_people(wire.bcc_recipients),
        reply_to=_people(wire.reply_to),
        received=_utc(wire.received),
        sent=_utc(wire.sent),
        modified=_utc(wire.modified),
        is_read=wire.is_read,
        is_draft=wire.is_draft,
        flag=None if wire.flag is None else FLAGS.get((wire.flag.flag_status or "").lower(), Flag.NONE),
        categories=None if wire.categories is None else tuple(text(name) or "" for name in wire.categories),
        importance=_importance(wire.importance),
        has_attachments=wire.has_attachments,
        preview=text(wire.body_preview),
        body=_body(wire.body),
        attachments=None if isinstance(wire.attachments, UnsetType) else tuple(map(attachment, wire.attachments)),
        headers=headers,
        meeting=_MEETING in wire.type.lower() or None,
        marker=_marker(wire.properties),
    )


def attachment(wire: WireAttachment) -> RemoteAttachment:
    return RemoteAttachment(
        id=wire.id,
        name=text(wire.name) or "",
        content_type=text(wire.content_type) or "application/octet-stream",
        size=wire.size or 0,
        is_inline=bool(wire.is_inline),
        content_id=(text(wire.content_id) or "").strip("<>"),
        kind=ATTACHMENT_KINDS.get(wire.kind.lower(), "file"),
    )


def _change_key(etag: str | None) -> str | None:
    return etag.removeprefix('W/"').removesuffix('"') if etag else None


def _utc(when: datetime | None) -> datetime | None:
    if when is None or when.tzinfo is UTC:
        return when
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)


def _person(wire: WireRecipient | UnsetType | None) -> Address | None:
    if isinstance(wire, UnsetType):
        return None
    found = (wire and wire.email_address) or WireAddress()
    return Address(text(found.address) or "", text(found.name) or "")


def _people(wires: list[WireRecipient] | UnsetType | None) -> tuple[Address, ...] | None:
    if isinstance(wires, UnsetType):
        return None
    return tuple(person for wire in wires or () if (person := _person(wire)) and (person.address or person.name))


def _importance(word: str | None) -> Literal["low", "normal", "high"] | None:
    match (word or "").lower():
        case "":
            return None
        case "low" | "high" as told:
            return told
        case _:
            return "normal"


def _body(wire: WireBody | UnsetType | None) -> RemoteBody | None:
    if isinstance(wire, UnsetType):
        return None
    if wire is None:
        return RemoteBody("text", "")
    return RemoteBody("text" if wire.content_type.lower() == "text" else "html", wire.content or "")


MESSAGE_ID = compile(r"<[^<>\s]+>")


def _headers(
    wires: list[WireHeader] | UnsetType | None,
) -> tuple[str | None, tuple[str, ...] | None, dict[str, str] | None]:
    """(In-Reply-To, References, headers of kind). A repeated header keeps its first value."""
    if isinstance(wires, UnsetType):
        return None, None, None
    found: dict[str, str] = {}
    for wire in wires or ():  # some mails have a hundred
        if (name := wire.name.lower()) in _KEPT_HEADERS and name not in found:
            found[name] = text(wire.value) or ""
    answered = MESSAGE_ID.search(found.get("in-reply-to", ""))
    references = tuple(MESSAGE_ID.findall(found.get("references", "")))
    return answered[0] if answered else "", references, {n: v for n, v in found.items() if n in KIND_HEADERS}


def _marker(wires: list[WireProperty] | UnsetType) -> str | None:
    if isinstance(wires, UnsetType):
        return None
    return next((wire.value or "" for wire in wires if wire.id.lower() == MARKER.lower()), "")
