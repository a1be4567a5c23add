"""A subscription: what is watched, for whom, and where the news goes (graph.md 3.1-3.3)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from ..http import ApiError

MAX_MINUTES = 10_080
MIN_MINUTES = 45
MAX_PER_MAILBOX = 1_000
CHANGE_TYPES = ("created", "updated", "deleted")
LIFECYCLE_EVENTS = ("reauthorizationRequired", "subscriptionRemoved", "missed")
_READ_FILTER = re.compile(r"isread eq (true|false)", re.IGNORECASE)
_PATH = re.compile(
    r"""(?:(?P<me>me)|users(?:/(?P<user>[^/]+)|\('(?P<quoted>[^']+)'\)))
        (?:/mailfolders(?:/(?P<folder>[^/]+)|\('(?P<in>[^']+)'\)))?
        /(?P<what>messages|events|contacts)""",
    re.IGNORECASE | re.VERBOSE,
)
# the scopes of which the token needs one (graph.md 3.2)
SCOPES = {
    "messages": ("Mail.ReadBasic", "Mail.Read", "Mail.ReadWrite"),
    "events": ("Calendars.Read", "Calendars.ReadWrite"),
    "contacts": ("Contacts.Read", "Contacts.ReadWrite"),
}


class Subscription(msgspec.Struct, kw_only=True):
    """One registration. Times are Unix seconds; `folder_id` empty = the whole mailbox.

    `unread_only`: None without a filter, else whether `isRead eq false` (True) or `isRead eq true` (False) is asked.
    """

    id: str
    user_id: str
    client_id: str
    tenant_id: str
    resource: str
    what: str
    folder_id: str
    change_types: list[str]
    notification_url: str
    lifecycle_url: str
    client_state: str | None
    expires: float
    immutable_ids: bool
    unread_only: bool | None = None
    warned: bool = False

    @property
    def expiry_text(self) -> str:
        """The expiry as Graph writes it."""
        return f"{datetime.fromtimestamp(self.expires, UTC):%Y-%m-%dT%H:%M:%S.%f}0Z"

    @property
    def same_as(self) -> tuple[str, str, str, tuple[str, ...]]:
        """What makes two subscriptions duplicates: app, user, resource, change types."""
        return self.client_id, self.user_id, self.resource.strip("/").lower(), tuple(sorted(self.change_types))

    def as_json(self) -> dict[str, Any]:
        """The resource as Graph shows it."""
        return {
            "id": self.id,
            "resource": self.resource,
            "applicationId": self.client_id,
            "changeType": ",".join(self.change_types),
            "clientState": self.client_state,
            "notificationUrl": self.notification_url,
            "notificationQueryOptions": None,
            "lifecycleNotificationUrl": self.lifecycle_url or None,
            "expirationDateTime": self.expiry_text,
            "creatorId": self.user_id,
            "includeResourceData": None,
            "latestSupportedTlsVersion": "v1_2",
            "encryptionCertificate": None,
            "encryptionCertificateId": None,
            "notificationUrlAppId": None,
        }


@dataclass(frozen=True, slots=True)
class Watched:
    """A parsed `resource`. `user` is "me", an id or an address; `folder` an id, a well-known name or ""."""

    user: str
    what: str
    folder: str
    unread_only: bool | None


def parse_resource(text: str) -> Watched:
    """Reads a resource path (graph.md 3.2). Raises ApiError 400."""
    parts = urlsplit(text if text.startswith("/") else f"/{text}")
    found = _PATH.fullmatch(parts.path.strip("/"))
    if not found:
        raise bad(f"The resource '{text}' cannot be subscribed to.")
    what = found["what"].lower()
    folder = found["folder"] or found["in"] or ""
    user = "me" if found["me"] else found["user"] or found["quoted"]
    query = {key.lower(): values[0] for key, values in parse_qs(parts.query).items()}
    unknown = set(query) - {"$select", "$filter"}
    if unknown or (folder and what != "messages"):
        raise bad(f"The resource '{text}' cannot be subscribed to.")
    return Watched(user, what, folder, _read_filter(query.get("$filter", "")))


def _read_filter(text: str) -> bool | None:
    if not text:
        return None
    found = _READ_FILTER.fullmatch(text.strip())
    if not found:
        raise bad(f"The filter '{text}' is not supported for notifications.")
    return found[1].lower() == "false"


def parse_change_types(text: str) -> list[str]:
    """`created,updated` as a list, each once, in Graph's order. Raises ApiError 400."""
    asked = {part.strip().lower() for part in text.split(",")}
    if not asked or asked - set(CHANGE_TYPES):
        raise bad(f"The change type '{text}' is not valid.")
    return [name for name in CHANGE_TYPES if name in asked]


def bad(message: str) -> ApiError:
    """400 as the subscription service says it."""
    return ApiError(400, "InvalidRequest", message)
