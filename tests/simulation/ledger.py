"""What a history remembers of itself, for the questions at rest: who changed what last, what was sent and linked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Said:
    """A change made in Postroom."""

    value: Any
    at: datetime
    order: int


@dataclass
class Ledger:
    """Keys are (address of the mailbox, provider's id of the message)."""

    said: dict[tuple[str, str, str], Said] = field(default_factory=dict)  # … and the field
    touched: dict[tuple[str, str], Said] = field(default_factory=dict)  # last changed by others
    rows: dict[tuple[str, str], int] = field(default_factory=dict)  # the row that showed it
    links: dict[tuple[str, str], set[int]] = field(default_factory=dict)  # people linked to its conversation by hand
    sent: list[int] = field(default_factory=list)  # compositions handed over
    _order: int = 0

    def say(self, address: str, remote_id: str, fields: dict[str, Any], at: datetime) -> None:
        self._order += 1
        for name, value in fields.items():
            self.said[address, remote_id, name] = Said(value, at, self._order)

    def take_back(self, address: str, remote_id: str, names: Iterable[str]) -> None:
        """Changes that were undone before anybody heard of them were none."""
        for name in names:
            self.said.pop((address, remote_id, name), None)

    def touch(self, address: str, remote_id: str, at: datetime) -> None:
        self._order += 1
        self.touched[address, remote_id] = Said(None, at, self._order)

    def last_said(self) -> list[tuple[str, str, str, Any]]:
        """Local changes after which nobody else touched the message, by order and by both clocks."""
        found = []
        for (address, remote_id, name), said in self.said.items():
            other = self.touched.get((address, remote_id))
            if other is None or (other.order < said.order and other.at <= said.at):
                found.append((address, remote_id, name, said.value))
        return found
