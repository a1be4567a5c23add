"""Notifications of the in-process provider: one JSON list per POST."""

from datetime import datetime, timedelta

from msgspec import DecodeError, json

from postroom.lib import clock
from postroom.providers.contract import Notified, Subscribed
from postroom.providers.errors import Malformed, NotFound

LIFE = timedelta(days=7)


class Subscriptions:
    """The subscriptions of one mailbox, and what was posted to them and not fetched yet."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._states: dict[str, str] = {}
        self._expires: dict[str, datetime] = {}
        self._posted: list[Notified] = []
        self._number = 0

    @property
    def living(self) -> list[str]:
        """Those that have not run out."""
        return [identifier for identifier in self._states if self._expires[identifier] > clock.now()]

    def add(self, client_state: str) -> Subscribed:
        """Replaces the one before: a mailbox has one."""
        self._number += 1
        identifier = f"s{self._number}:{self._address}"[:120]
        self._states = {identifier: client_state}
        return self.renew(identifier)

    def renew(self, identifier: str) -> Subscribed:
        at = clock.now()
        if identifier not in self._states or self._expires.get(identifier, at) < at:
            raise NotFound(f"no subscription {identifier}")
        self._expires[identifier] = at + LIFE
        return Subscribed(id=identifier, expires=self._expires[identifier])

    def remove(self, identifier: str) -> None:
        self._states.pop(identifier, None)

    def post(self, **told: str) -> None:
        """Tell every living subscription ``told`` (fields of ``Notified``)."""
        for identifier in self.living:
            state = self._states[identifier]
            self._posted.append(Notified(subscription_id=identifier, client_state=state, **told))  # type: ignore[arg-type]

    def end(self) -> None:
        """The provider ends them all, and says so to whoever had them (graph.md 3: ``subscriptionRemoved``)."""
        self.post(lifecycle="subscriptionRemoved")
        self._states.clear()

    def fetch(self) -> list[bytes]:
        """The bodies posted since the last look, each item in a POST of its own."""
        posted, self._posted = self._posted, []
        return [json.encode([item]) for item in posted]


def notified(body: bytes) -> list[Notified]:
    try:
        return json.decode(body, type=list[Notified])
    except (DecodeError, UnicodeDecodeError):
        raise Malformed("not a notification of this provider") from None
