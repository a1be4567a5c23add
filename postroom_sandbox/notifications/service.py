"""Subscriptions at work: from a change in a mailbox to an item for a webhook, and the accidents on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..entra import entra
from ..users import User
from .courier import REORDER_BY, Courier
from .model import LIFECYCLE_EVENTS, Subscription
from .registry import Registry

if TYPE_CHECKING:
    from ..store.mailbox import Change
    from ..world import World

WARN_BEFORE = 3600.0  # seconds before its end at which a subscription's owner is asked to reauthorise


class Notifications:
    """One per world: registers itself for changes and for what happens to accounts."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.registry = Registry(world)
        self.courier = Courier(world, lost=self._undelivered, every=self._watch)
        world.on_change(self.on_change)
        entra(world).on_password_or_revoke.append(self.account_changed)

    # -- changes

    def on_change(self, change: Change) -> None:
        """Called for every committed change; hands items to the courier and returns."""
        told = self.registry.concerned(change)
        if not told:
            return
        user = self.world.users.get(change.mailbox_user_id)
        address = user.address if user else ""
        for subscription, kind in told:
            self._notify(subscription, _item(subscription, change, kind), address)

    def _notify(self, subscription: Subscription, item: dict[str, Any], address: str) -> None:
        fault = self.world.faults.for_notification(mailbox=address, path=subscription.notification_url)
        if fault.drop:
            return
        delay = fault.delay_ms / 1000 + (REORDER_BY if fault.reorder else 0.0)
        for _ in range(2 if fault.duplicate else 1):
            self.courier.hand_over(subscription.notification_url, item, delay=delay)

    # -- lifecycle

    def lifecycle(self, subscription: Subscription, event: str) -> bool:
        """Tells the subscription's lifecycle URL; False when it has none."""
        if not subscription.lifecycle_url:
            return False
        item = {
            "subscriptionId": subscription.id,
            "subscriptionExpirationDateTime": subscription.expiry_text,
            "tenantId": subscription.tenant_id,
            "clientState": subscription.client_state,
            "lifecycleEvent": event,
        }
        self.courier.hand_over(subscription.lifecycle_url, item, kind="lifecycle")
        return True

    def account_changed(self, user_id: str) -> None:
        """Password changed or sessions revoked: the subscriptions are removed, and their owner is told."""
        for subscription in self.registry.of_user(user_id):
            self.registry.remove(subscription.id)
            self.lifecycle(subscription, "subscriptionRemoved")

    def drop(self, user_id: str) -> int:
        """The subscriptions vanish and nobody is told; how many."""
        return sum(self.registry.remove(item.id) is not None for item in self.registry.of_user(user_id))

    def send_lifecycle(self, user_id: str, event: str) -> int:
        """Sends the event for all the user's subscriptions (`subscriptionRemoved` removes them); how many were told."""
        if event not in LIFECYCLE_EVENTS:
            raise ValueError(f"the event must be one of {', '.join(LIFECYCLE_EVENTS)}, not {event!r}")
        told = 0
        for subscription in self.registry.of_user(user_id):
            if event == "subscriptionRemoved":
                self.registry.remove(subscription.id)
            told += self.lifecycle(subscription, event)
        return told

    def warn_expiring(self) -> int:
        """Asks the owners of subscriptions that end within the hour to reauthorise, once each; how many were told."""
        told = 0
        for subscription in list(self.registry):
            left = subscription.expires - self.world.clock.timestamp()
            if 0 < left < WARN_BEFORE and not subscription.warned and subscription.lifecycle_url:
                subscription.warned = True
                self.registry.put(subscription)
                told += self.lifecycle(subscription, "reauthorizationRequired")
        return told

    def _undelivered(self, items: list[dict[str, Any]]) -> None:
        """Called by the courier: notifications that will never arrive become one `missed` per subscription."""
        with self.world.operation():
            for key in dict.fromkeys(str(item["subscriptionId"]) for item in items):
                subscription = self.registry.get(key)
                if subscription:
                    self.lifecycle(subscription, "missed")

    def _watch(self) -> None:
        with self.world.operation():
            self.warn_expiring()


def _item(subscription: Subscription, change: Change, kind: str) -> dict[str, Any]:
    message_id = change.message_immutable_id if subscription.immutable_ids else change.message_default_id
    path = f"Users/{change.mailbox_user_id}/Messages/{message_id}"
    return {
        "subscriptionId": subscription.id,
        "subscriptionExpirationDateTime": subscription.expiry_text,
        "changeType": kind,
        "resource": path,
        "resourceData": {
            "@odata.type": "#Microsoft.Graph.Message",
            "@odata.id": path,
            "@odata.etag": change.etag,
            "id": message_id,
        },
        "clientState": subscription.client_state,
        "tenantId": subscription.tenant_id,
    }


def notifications(world: World) -> Notifications:
    """The world's notifications, made at first use."""
    service = vars(world).get("_notifications_service")
    if not isinstance(service, Notifications):
        service = Notifications(world)
        vars(world)["_notifications_service"] = service
    return service


def drop_subscriptions(world: World, user: User) -> int:
    """The user's subscriptions vanish silently; how many."""
    return notifications(world).drop(user.id)


def send_lifecycle(world: World, user: User, event: str) -> int:
    """Sends a lifecycle notification for each of the user's subscriptions. Raises ValueError for another event."""
    return notifications(world).send_lifecycle(user.id, event)
