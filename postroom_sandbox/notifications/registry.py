"""The subscriptions of a world, and which of them a change concerns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..entra.shelf import Shelf
from .model import Subscription

if TYPE_CHECKING:
    from ..store.mailbox import Change
    from ..world import World


class Registry:
    """Subscriptions by id and by mailbox. Callers hold the world's lock."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._shelf = Shelf(world, "subscription", Subscription)
        self._by_user: dict[str, dict[str, Subscription]] = {}
        self._inside: dict[str, set[str]] = {}  # filtered subscription -> immutable ids that pass its filter now
        for subscription in self._shelf:
            self._by_user.setdefault(subscription.user_id, {})[subscription.id] = subscription

    def __iter__(self) -> Iterator[Subscription]:
        return iter(self._shelf)

    def get(self, subscription_id: str) -> Subscription | None:
        """A live subscription, or None."""
        subscription = self._shelf.get(subscription_id)
        if subscription and subscription.expires <= self._world.clock.timestamp():
            self.remove(subscription.id)
            return None
        return subscription

    def of_user(self, user_id: str) -> list[Subscription]:
        """The user's live subscriptions."""
        known = list(self._by_user.get(user_id, {}))
        return [subscription for key in known if (subscription := self.get(key))]

    def put(self, subscription: Subscription) -> None:
        """Keeps a new or changed subscription."""
        self._shelf.put(subscription.id, subscription)
        self._by_user.setdefault(subscription.user_id, {})[subscription.id] = subscription

    def remove(self, subscription_id: str) -> Subscription | None:
        """Takes it away; None when it was gone."""
        subscription = self._shelf.remove(subscription_id)
        if subscription:
            self._by_user.get(subscription.user_id, {}).pop(subscription_id, None)
            self._inside.pop(subscription_id, None)
        return subscription

    def concerned(self, change: Change) -> list[tuple[Subscription, str]]:
        """(subscription, change type it is told) for a committed change."""
        if change.mailbox_user_id not in self._by_user:
            return []
        told = []
        for subscription in self.of_user(change.mailbox_user_id):
            if subscription.what != "messages" or subscription.folder_id not in ("", change.folder_id):
                continue
            kind = self._seen_through_filter(subscription, change)
            if kind in subscription.change_types:
                told.append((subscription, kind))
        return told

    def _seen_through_filter(self, subscription: Subscription, change: Change) -> str:
        """The change type as a filtered subscription sees it (graph.md 3.2), "" for nothing."""
        if subscription.unread_only is None:
            return change.change_type
        inside = self._members(subscription, change)
        key = change.message_immutable_id
        before, now = key in inside, change.change_type != "deleted" and self._passes(subscription, change)
        inside.add(key) if now else inside.discard(key)
        if before and now:
            return "updated"
        return "created" if now else "deleted" if before else ""

    def _members(self, subscription: Subscription, change: Change) -> set[str]:
        """What passed the filter before this change. Built at first use, then without the changed message itself,
        whose state before is taken to be the other one when it was updated."""
        known = self._inside.get(subscription.id)
        if known is not None:
            return known
        user = self._world.users.get(subscription.user_id)
        assert user is not None
        mailbox = self._world.mailbox(user)
        passing = {mailbox.immutable_id(message) for message in mailbox if message.is_read != subscription.unread_only}
        if change.change_type == "updated":
            passing ^= {change.message_immutable_id}
        elif change.change_type == "created":
            passing.discard(change.message_immutable_id)
        else:
            passing.add(change.message_immutable_id)
        self._inside[subscription.id] = passing
        return passing

    def _passes(self, subscription: Subscription, change: Change) -> bool:
        user = self._world.users.get(subscription.user_id)
        message = self._world.mailbox(user).find(change.message_immutable_id) if user else None
        return message is not None and message.is_read != subscription.unread_only
