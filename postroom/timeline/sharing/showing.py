"""The messages of a conversation as its owner shows it to colleagues."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse

from postroom.mail import content
from postroom.mail.models import Attachment, Message
from postroom.timeline.sharing.levels import Sight

MOST = 100  # messages of one conversation
NAMED = 4


@dataclass(frozen=True)
class Item:
    """A message; without ``frame_url`` only who wrote to whom, and when."""

    number: int
    mailbox: int
    who: str
    address: str
    to: str
    when: datetime
    snippet: str = ""
    open: bool = False
    frame_url: str = ""
    files: Sequence[dict[str, Any]] = ()

    @property
    def id(self) -> str:
        return f"message-{self.number}"


def items(sight: Sight) -> list[Item]:
    """Oldest first; of copies in several mailboxes one."""
    rows = list(sight.messages().select_related("mailbox").order_by("-received", "-pk")[:MOST])
    once = {row.internet_message_id or f"#{row.pk}": row for row in rows}
    shown = sorted(once.values(), key=lambda row: (row.received, row.pk))
    files: dict[int, list[Attachment]] = {}
    if sight.may_read:
        for one in Attachment.objects.filter(message__in=shown).order_by("pk"):
            if not (one.is_inline and one.content_id):
                files.setdefault(one.message_id, []).append(one)
    last = shown[-1].pk if shown else 0
    return [_item(row, files.get(row.pk, []), full=sight.may_read, open=row.pk == last) for row in shown]


def owners(sight: Sight) -> str:
    """Whose mailboxes it is shown from."""
    names = list(dict.fromkeys(one.mailbox.owner.name for one in sight.threads))
    return ", ".join(names[:NAMED])


def _item(row: Message, files: Sequence[Attachment], *, full: bool, open: bool) -> Item:
    return Item(
        number=row.pk,
        mailbox=row.mailbox_id,
        who=row.from_name or row.from_address or "Somebody",
        address=row.from_address,
        to=_to(row),
        when=row.received,
        snippet=row.preview if full else "",
        open=open,
        frame_url=reverse("mail:body", args=[row.pk]) if full else "",
        files=[_file(one) for one in files],
    )


def _to(row: Message) -> str:
    people = [*row.to, *row.cc]
    names = [name or address for name, address in people[:NAMED]]
    more = f" and {len(people) - NAMED:,} more" if len(people) > NAMED else ""
    return f"to {', '.join(names)}{more}" if names else ""


def _file(one: Attachment) -> dict[str, Any]:
    preview = content.preview_type(one)
    return {
        "name": content.file_name(one),
        "size": one.size,
        "href": reverse("mail:attachment", args=[one.pk]),
        "preview_url": reverse("mail:attachment-view", args=[one.pk]) if preview else "",
        "icon": "paperclip",
    }
