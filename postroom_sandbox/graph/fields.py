"""Values from request bodies, checked one by one: wrong ones are a 400 in Graph's words."""

from __future__ import annotations

import json
from typing import Any

from postroom_sandbox.graph.call import bad_request
from postroom_sandbox.http import ApiError
from postroom_sandbox.mime import Address
from postroom_sandbox.store.contents import address_of

LOCKED = ("subject", "body", "internetMessageId", "replyTo")  # writable only while a draft (graph.md 2.5)
MAX_HEADERS = 5
_IGNORED = {
    "id", "changeKey", "createdDateTime", "lastModifiedDateTime", "receivedDateTime", "sentDateTime", "hasAttachments",
    "parentFolderId", "conversationId", "conversationIndex", "isDraft", "webLink", "bodyPreview", "uniqueBody",
    "extensions", "multiValueExtendedProperties",
}  # fmt: skip
_WRITABLE = {
    *LOCKED, "toRecipients", "ccRecipients", "bccRecipients", "from", "sender", "importance", "isRead", "categories",
    "flag", "inferenceClassification", "isReadReceiptRequested", "isDeliveryReceiptRequested", "attachments",
    "internetMessageHeaders", "singleValueExtendedProperties",
}  # fmt: skip
IMPORTANCE = ("low", "normal", "high")


def unreadable(detail: str) -> ApiError:
    """400 for a body whose shape is wrong."""
    return bad_request(detail, "RequestBodyRead")


def check_names(body: dict[str, Any]) -> None:
    """Raises `ApiError` 400 for properties a message does not have; read-only ones are dropped in silence."""
    for name in list(body):
        if name in _IGNORED:
            del body[name]
        elif name not in _WRITABLE and "@odata." not in name:
            raise unreadable(
                f"The property '{name}' does not exist on type 'microsoft.graph.message'. Make sure to only use"
                " property names that are defined by the type."
            )


def text(value: Any, name: str) -> str:
    """A string; lone surrogates become U+FFFD, as .NET writes them."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise unreadable(f"Cannot convert the value of '{name}' to the expected target type 'Edm.String'.")
    if not value.isascii():
        return str(value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"))
    return value


def one_of(value: Any, name: str, words: tuple[str, ...]) -> str:
    """An enumeration member in any letter case."""
    found = str(value).lower()
    known = {word.lower(): word for word in words}
    if found not in known:
        raise bad_request(f"Requested value '{value}' was not found for '{name}'.", "ErrorInvalidRequest")
    return known[found]


def person(value: Any, name: str) -> Address | None:
    """A recipient object."""
    if value is None:
        return None
    if not isinstance(value, dict) or not isinstance(value.get("emailAddress") or {}, dict):
        raise unreadable(f"'{name}' must be a recipient with an emailAddress.")
    box = value.get("emailAddress") or {}
    shown = {key: text(box.get(key), f"{name}/emailAddress/{key}") for key in ("name", "address")}
    return address_of({"emailAddress": shown})


def people(value: Any, name: str) -> list[Address]:
    """A list of recipients."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise unreadable(f"'{name}' must be a collection of recipients.")
    return [found for item in value if (found := person(item, name))]


def body_of(value: Any) -> tuple[str, str]:
    """(contentType, content) of an itemBody."""
    if not isinstance(value, dict):
        raise unreadable("'body' must be an itemBody.")
    kind = one_of(value.get("contentType", "text"), "contentType", ("text", "html"))
    return kind, text(value.get("content"), "body/content")


def internet_headers(value: Any) -> list[tuple[str, str]]:
    """`internetMessageHeaders`: only `x-` names, at most five (graph.md 2.1)."""
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise unreadable("'internetMessageHeaders' must be a collection of headers.")
    headers = [(text(item.get("name"), "name"), text(item.get("value"), "value")) for item in value]
    for name, _ in headers:
        if not name.lower().startswith("x-"):
            message = f"The internet message header name '{name}' should start with 'x-' or 'X-'."
            raise bad_request(message, "InvalidInternetMessageHeader")
    if len(headers) > MAX_HEADERS:
        message = f"Maximum number of headers in one message should be less than or equal to {MAX_HEADERS}."
        raise bad_request(message, "InvalidInternetMessageHeaderCollection")
    return headers


def shown(value: Any) -> str:
    """A value for an error message, short."""
    return json.dumps(value, ensure_ascii=False)[:80]
