"""The tabs mail adds to a record's page: its timeline and its threads (product.md CR2, CR7)."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.template.loader import render_to_string
from django.urls import reverse

from postroom.mail.outbound import returns
from postroom.mail.queries import Page
from postroom.mailboxes.models import Mailbox
from postroom.records.extensions import Panel, add_panel, set_last_contact, set_unreachable
from postroom.records.models import Person
from postroom.records.record import Record
from postroom.timeline import queries
from postroom.timeline.models import Origin
from postroom.timeline.sharing import levels
from postroom.workspaces.access import MemberRequest
from postroom.workspaces.models import Membership, Permission

STYLES = ("timeline/timeline.css",)
AT_ONCE = 20  # what a window shows; the next come when they are scrolled to
EMPTY = {
    "contact": "Mail from and to the addresses of this contact appears here by itself.",
    "company": "Mail with anybody at the domains of this company appears here by itself.",
    "deal": "The mail of the deal's contacts appears here by itself, and threads linked to it by hand.",
    "ticket": "The mail that opened the ticket and every answer to it appear here by themselves.",
    "candidate": "Mail from and to the candidate's addresses appears here by itself.",
}


class Made(NamedTuple):
    """Where a contact came from: the mailbox's address, and where the mail is read, each empty when it is not there."""

    mailbox: str
    url: str


def timeline(request: MemberRequest, record: Record) -> str:
    boxes = queries.boxes_of(request.member)
    page = queries.entries(record, request.member, request.GET.get("after", ""), limit=AT_ONCE, boxes=boxes)
    return _render(request, "timeline/entries.html", record, page, boxes)


def email(request: MemberRequest, record: Record) -> str:
    boxes = queries.boxes_of(request.member)
    page = queries.threads(record, request.member, request.GET.get("after", ""), limit=AT_ONCE, boxes=boxes)
    made = made_from(record, request.member) if not request.GET.get("after") else None
    may = request.member.may(Permission.DELETE_RECORDS)
    return _render(request, "timeline/threads.html", record, page, boxes, made=made, may_delete=may)


def made_from(record: Record, member: Membership) -> Made | None:
    """For a contact that came from mail: the mailbox, and the mail as far as the member may see it (CR4)."""
    if not isinstance(record, Person) or record.origin != Person.Origin.MAIL:
        return None
    box = Mailbox.objects.for_workspace(record.workspace_id).filter(pk=record.origin_mailbox or 0).first()
    row = Origin.objects.filter(person=record).values_list("conversation", flat=True).first()
    seen = row is not None and (queries.visible_conversation(member, row) or levels.look(member, row))
    return Made(box.address if box else "", reverse("timeline:shared", args=[row]) if seen else "")


def _render(
    request: MemberRequest, template: str, record: Record, page: Page[Any], boxes: queries.Boxes, **extra: Any
) -> str:
    more = f"{record.get_absolute_url()}?tab={'email' if 'threads' in template else 'timeline'}&after={page.next}"
    context = {
        **extra,
        "record": record,
        "items": page.items,
        "more": more if page.next else "",
        "going_on": bool(request.GET.get("after")),
        "empty": EMPTY[record.key],
        "ours": set(boxes.ours),
    }
    return render_to_string(template, context, request)


def register() -> None:
    """Called when Django starts."""
    add_panel(Panel("timeline", "Timeline", timeline, weight=10, styles=STYLES))
    add_panel(Panel("email", "Email", email, weight=20, styles=STYLES))
    set_last_contact(queries.last_contact, queries.last_mail, queries.newest_mail)
    set_unreachable(returns.unreachable)
