"""The right pane beside an open conversation: who it is with, and the records it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from postroom.lib.paths import path_to
from postroom.mail.models import Conversation, Message
from postroom.records.deals.screen import DEALS
from postroom.records.models import Deal, Person
from postroom.records.record import Record, RecordType
from postroom.timeline import queries
from postroom.timeline.contacts import known_as
from postroom.timeline.queries import Boxes
from postroom.workspaces.models import Membership

MOST_DEALS = 5
MOST_ENTRIES = 6


@dataclass(frozen=True)
class Tag:
    """A record of a conversation as a chip: `module` is its colour, `remove_url` unlinks it."""

    label: str
    module: str
    href: str
    remove_url: str


def tags(conversation_id: int) -> list[Tag]:
    """The records a conversation is linked to, deals first."""
    return tags_of([conversation_id]).get(conversation_id, [])


def tags_of(conversations: list[int]) -> dict[int, list[Tag]]:
    """The same for the lines of a list, in one query."""
    found = queries.names_of(conversations)
    return {conversation: [_tag(conversation, *one) for one in named] for conversation, named in found.items()}


def _tag(conversation: int, kind: RecordType, pk: int, name: str) -> Tag:
    remove = path_to("timeline:unlink", conversation, kind.key, pk)
    return Tag(name, kind.key, path_to(f"records:{kind.key}", pk), remove)


def render(request: HttpRequest, conversation: Conversation, boxes: Boxes, address: str = "") -> SafeString:
    """The pane's inside. Its own requests keep it fresh (`GET timeline:panel`)."""
    member: Membership = request.member  # type: ignore[attr-defined]
    return render_to_string("timeline/panel.html", context(member, conversation, boxes, address), request)


def context(member: Membership, conversation: Conversation, boxes: Boxes, address: str = "") -> dict[str, Any]:
    """What the pane shows; without an address, of whoever outside the workspace wrote last in it. ``boxes``: the
    member's (``queries.boxes_of``)."""
    ours = set(boxes.ours)
    address = (address or other_side(conversation, boxes)).lower()
    person = _person(member, address)
    links = queries.links_of([conversation.pk]).get(conversation.pk, [])
    return {
        "conversation": conversation,
        "address": address,
        "name": person.name if person else known_as(member, address, boxes.mine) or address,
        "person": person,
        "company": person.company if person else None,
        "deals": _deals(person, [link.record for link in links]),
        "tags": [_tag(conversation.pk, link.record_type, link.record.pk, link.record.name) for link in links],
        "is_ours": address in ours,
        "ours": ours,
        "entries": queries.entries(person, member, limit=MOST_ENTRIES, boxes=boxes).items if person else [],
    }


def other_side(conversation: Conversation, boxes: Boxes) -> str:
    """The address of who wrote last in a conversation and is not one of us; else whom we wrote to."""
    ours = set(boxes.ours)
    seen = Message.objects.filter(thread__conversation=conversation, mailbox__in=boxes.mine).order_by(
        "-received", "-id"
    )
    for message in seen.only("from_address", "to", "cc")[:20]:
        everybody = [message.from_address, *(address for _, address in [*message.to, *message.cc])]
        if found := next((one for one in everybody if one and one.lower() not in ours), ""):
            return found
    return ""


def _person(member: Membership, address: str) -> Person | None:
    people = Person.objects.for_workspace(member.workspace_id).filter(addresses__address=address)
    return people.select_related("company", "owner__user").prefetch_related("addresses").first()


def _deals(person: Person | None, linked: list[Record]) -> list[Deal]:
    """The deals of the conversation, then the contact's others; open ones first."""
    here = [one.pk for one in linked if isinstance(one, Deal)]
    wanted = Q(pk__in=here) | (Q(pk__in=person.deals.values("pk")) if person else Q())
    rows = DEALS.whole(Deal.objects.filter(wanted)) if here or person else []
    return sorted(rows, key=lambda deal: (deal.pk not in here, deal.stage.outcome != "open", -deal.pk))[:MOST_DEALS]
