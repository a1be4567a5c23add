"""Push: subscriptions and what Microsoft posts to us. Source: graph.md 3.1-3.7."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from re import IGNORECASE, compile
from typing import Any, Literal, get_args

from msgspec import Raw, Struct, json

from postroom.lib import clock
from postroom.providers.contract import Notified, Subscribed, Unusable, Urgency
from postroom.providers.errors import Conflict, Malformed, NotFound, Unsupported
from postroom.providers.microsoft.client import Ask, segment
from postroom.providers.microsoft.decode import UNREADABLE, decode, decode_item
from postroom.providers.microsoft.mailbox import Mailbox

LIFETIME = timedelta(minutes=10_080 - 30)  # Microsoft allows under 7 days; half an hour for clocks that differ
CHANGES = "created,updated,deleted"
RESOURCE = "me/messages"

Kind = Literal["created", "updated", "deleted", ""]
Lifecycle = Literal["reauthorizationRequired", "subscriptionRemoved", "missed", ""]
KINDS: dict[str, Kind] = {kind.lower(): kind for kind in get_args(Kind)}
LIFECYCLES: dict[str, Lifecycle] = {event.lower(): event for event in get_args(Lifecycle)}


class WireSubscription(Struct, rename="camel"):
    id: str
    expiration_date_time: datetime | None = None
    resource: str | None = None
    notification_url: str | None = None


class _Subscriptions(Struct):
    value: list[WireSubscription]


class _ResourceData(Struct):
    id: str | None = None


class _Notification(Struct, rename="camel"):
    subscription_id: str
    client_state: str | None = None
    change_type: str | None = None
    resource: str | None = None
    resource_data: _ResourceData | None = None
    lifecycle_event: str | None = None


class _Post(Struct):
    value: list[Raw]


class Push(Mailbox):
    def subscribe(self, *, url: str, client_state: str, lifecycle_url: str) -> Subscribed:
        """A subscription to the whole mailbox. One of ours that is in the way is replaced: its address and state are
        unknown to us, and neither can be changed in place (graph.md 14.27, 14.28).

        Raises ``Unsupported`` for a shared mailbox: a delegated token may subscribe only to its own (graph.md 3.2).
        """
        if self._shared:
            raise Unsupported("shared mailboxes are polled: Microsoft pushes only to their own account")
        body = {
            "changeType": CHANGES,
            "notificationUrl": url,
            "lifecycleNotificationUrl": lifecycle_url,
            "resource": RESOURCE,
            "expirationDateTime": _expiry(),
            "clientState": client_state,
        }
        ask = Ask(path="/subscriptions", method="POST", body=body, safe=False)
        try:
            answer = self._graph.call(ask, urgency=Urgency.DELTA)
        except Conflict:
            self._remove_ours()
            answer = self._graph.call(ask, urgency=Urgency.DELTA)
        return _subscribed(decode(answer.body, WireSubscription, safe=False))

    def renew(self, subscription_id: str) -> Subscribed:
        """More life for a subscription; it also reauthorises it. Raises ``NotFound`` when it has to be made anew."""
        path = f"/subscriptions/{segment(subscription_id)}"
        ask = Ask(path=path, method="PATCH", body={"expirationDateTime": _expiry()})
        return _subscribed(decode(self._graph.call(ask, urgency=Urgency.DELTA).body, WireSubscription))

    def unsubscribe(self, subscription_id: str) -> None:
        """Nothing to do when it is gone already."""
        path = f"/subscriptions/{segment(subscription_id)}"
        with suppress(NotFound):
            self._graph.call(Ask(path=path, method="DELETE"), urgency=Urgency.DELTA)

    def _remove_ours(self) -> None:
        """Delete this account's subscriptions to its messages. Graph lists only those of our own app."""
        there = self._graph.get("/subscriptions", _Subscriptions, urgency=Urgency.DELTA).value
        for one in there:
            if OURS.fullmatch(one.resource or ""):
                self.unsubscribe(one.id)


OURS = compile(r"/?(me|users(/[^/]+|\('[^']+'\)))/messages", IGNORECASE)
MESSAGE = compile(r"/messages(?:/|\('|%28%27)([^/']+)", IGNORECASE)


def notified(body: bytes) -> list[Notified]:
    """The items of one POST; an item that cannot be read is left out, for delta will tell the same (graph.md 14.19)."""
    try:
        items = json.decode(body, type=_Post).value
    except UNREADABLE:
        raise Malformed("not a notification of Microsoft's") from None
    found = [decode_item(item, _Notification) for item in items]
    return [_notified(one) for one in found if not isinstance(one, Unusable)]


def _notified(wire: _Notification) -> Notified:
    named = MESSAGE.search(wire.resource or "")
    told = wire.resource_data.id if wire.resource_data else None
    return Notified(
        subscription_id=wire.subscription_id,
        client_state=wire.client_state or "",
        message_id=told or (named[1] if named else ""),
        change=KINDS.get((wire.change_type or "").lower(), ""),
        lifecycle=LIFECYCLES.get((wire.lifecycle_event or "").lower(), ""),
    )


def _expiry() -> str:
    return (clock.now() + LIFETIME).strftime("%Y-%m-%dT%H:%M:%SZ")


def _subscribed(wire: WireSubscription) -> Subscribed:
    expires: Any = wire.expiration_date_time or clock.now() + LIFETIME
    return Subscribed(id=wire.id, expires=expires if expires.tzinfo else expires.replace(tzinfo=UTC))
