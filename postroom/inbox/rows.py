"""Lines of a list of threads, ready to be drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from postroom.inbox.accounts import Accounts
from postroom.mail.categories import Colors
from postroom.mail.models import Thread
from postroom.mail.queries import Line
from postroom.timeline.panel import Tag

TAGS_SHOWN = 3


class Label(NamedTuple):
    """A tag that leads nowhere."""

    label: str
    module: str


class Face(NamedTuple):
    """Whose initials stand before a line; the address decides the colour."""

    name: str
    address: str


@dataclass(frozen=True)
class Row:
    """One line. ``thread`` is what actions are done to; ``id`` names its element."""

    thread: int
    href: str
    part: str
    who: str
    face: Face
    when: datetime
    subject: str
    snippet: str
    unread: bool
    current: bool
    count: int
    flagged: bool
    attachments: bool
    draft: bool = False
    tags: Sequence[Any] = field(default_factory=tuple)

    @property
    def key(self) -> str:
        return str(self.thread)


def face(people: Sequence[Any], ours: frozenset[str]) -> Face:
    """The last outsider who wrote, else the last who did."""
    known = [(name, address) for name, address in people if address or name]
    outside = [one for one in known if one[1].lower() not in ours]
    name, address = (outside or known or [("", "")])[-1]
    return Face(name or address or "Nobody", address)


def who(people: Sequence[Any], mine: frozenset[str]) -> str:
    """Those who wrote: others by their names, the member as "you", last; "Inês Ribeiro, you"."""
    names = [name or address for name, address in people if (address or name) and address.lower() not in mine]
    shown = list(dict.fromkeys(names))
    us = ["you"] if any(address.lower() in mine for _, address in people) else []
    if len(shown) + len(us) > 2:
        shown = [one if "@" in one else one.split()[0] for one in shown]
    return ", ".join([*shown[-3:], *us]) or "Nobody"


def sent_to(people: Sequence[Any]) -> str:
    """ "To Inês Ribeiro, Paul Meyer"."""
    names = [name or address for name, address in people[:3]]
    return f"To {', '.join(names)}" if names else "To nobody yet"


def tags(thread: Thread, records: Mapping[int, Sequence[Tag]], accounts: Accounts, colors: Colors) -> list[Label]:
    """What a line says about where its thread belongs: records first, then the shared mailbox, then categories."""
    found = [Label(tag.label, tag.module) for tag in records.get(thread.conversation_id, ()) if tag.module != "contact"]
    account = accounts.get(thread.mailbox_id)
    if account is not None and account.shared:
        found.append(Label(f"{account.address.partition('@')[0]}@", "shared"))
    return [*found[:TAGS_SHOWN], *chips(thread, colors)[:TAGS_SHOWN]]


def chips(thread: Thread, colors: Colors) -> list[Label]:
    """The categories of a thread's messages, in the colours of its mailbox; neutral where we know none."""
    known = colors.get(thread.mailbox_id, {})
    return [Label(name, module(known.get(name))) for name in sorted(thread.categories, key=str.casefold)]


def module(color: int | None) -> str:
    return "category" if color is None else f"category category-{color}"


def row(line: Line, *, href: str, part: str, current: bool, accounts: Accounts, labels: Sequence[Label]) -> Row:
    thread = line.thread
    return Row(
        thread=thread.pk,
        href=href,
        part=part,
        who=who(thread.people, accounts.mine),
        face=face(thread.people, accounts.ours),
        when=line.at,
        subject=thread.subject,
        snippet=thread.snippet,
        unread=line.unread > 0,
        current=current,
        count=thread.count,
        flagged=thread.flagged,
        attachments=thread.has_attachments,
        draft=thread.has_draft,
        tags=labels,
    )
