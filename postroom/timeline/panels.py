"""The tabs mail adds to a record's page: its timeline and its threads (product.md CR2, CR7)."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.db.models import OuterRef, Subquery
from django.template.loader import render_to_string
from django.urls import reverse

from postroom.mail.outbound import returns
from postroom.mail.queries import Page
from postroom.mailboxes.models import Mailbox
from postroom.records.extensions import Panel, add_panel, set_came_back, set_last_contact
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
    boxes = queries.boxes_for(record, request.member)
    page = queries.entries(record, request.member, request.GET.get("after", ""), limit=AT_ONCE, boxes=boxes)
    return _render(request, "timeline/entries.html", record, page, boxes)


def email(request: MemberRequest, record: Record) -> str:
    boxes = queries.boxes_for(record, request.member)
    page = queries.threads(record, request.member, request.GET.get("after", ""), limit=AT_ONCE, boxes=boxes)
    made = made_from(record, request.member, boxes) if not request.GET.get("after") else None
    may = request.member.may(Permission.DELETE_RECORDS)
    return _render(request, "timeline/threads.html", record, page, boxes, made=made, may_delete=may)


def _email_facts(model: type[Record], member: Membership) -> dict[str, Any]:
    """What the tab reads with the record; of a contact also where it came from."""
    if model is not Person:
        return queries.facts(model, member)
    box = Mailbox.objects.for_workspace(member.workspace_id).filter(pk=OuterRef("origin_mailbox"))
    came = Origin.objects.filter(person=OuterRef("pk"))
    return {
        **queries.facts(model, member),
        "origin_address": Subquery(box.values("address")[:1]),
        "origin_mail": Subquery(came.order_by("pk").values("conversation")[:1]),
    }


def made_from(record: Record, member: Membership, boxes: queries.Boxes) -> Made | None:
    """For a contact that came from mail: the mailbox, and the mail as far as the member may see it (CR4)."""
    if not isinstance(record, Person) or record.origin != Person.Origin.MAIL:
        return None
    told = vars(record)  # with what the tab reads besides
    mail = told["origin_mail"]
    seen = mail is not None and (queries.visible_conversation(member, mail, boxes) or levels.look(member, mail))
    return Made(told["origin_address"] or "", reverse("timeline:shared", args=[mail]) if seen else "")


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
    add_panel(Panel("timeline", "Timeline", timeline, weight=10, styles=STYLES, facts=queries.facts))
    add_panel(Panel("email", "Email", email, weight=20, styles=STYLES, facts=_email_facts))
    set_last_contact(queries.last_contact, queries.last_mail, queries.newest_mail)
    set_came_back(returns.came_back)
