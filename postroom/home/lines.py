"""A line of Home, and how times come out of the query of ``work``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from postroom.ui import words


@dataclass(frozen=True)
class Label:
    """A tag of a line."""

    label: str
    module: str = "neutral"


@dataclass(frozen=True)
class Line:
    """``title`` leads to ``href``. ``when`` is what the clock says of it, in ``tone`` (bad, warn or empty); ``moment``
    makes it stay fresh. ``name`` and ``address``: whose initials stand before it, else ``icon``; ``tick``: where it is
    ticked off."""

    key: str
    title: str
    href: str
    note: str = ""
    when: str = ""
    moment: datetime | None = None
    tone: str = ""
    icon: str = ""
    name: str = ""
    address: str = ""
    tags: Sequence[Label] = ()
    tick: str = ""

    @property
    def facts(self) -> list[str]:
        """Its tags and what the clock says, as text: for a mail, where nothing stays fresh."""
        clock = f"{self.when} {words.ago(self.moment) if self.moment else ''}".strip()
        return [*(tag.label for tag in self.tags), *([clock] if clock else [])]


def at_moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def on_day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
