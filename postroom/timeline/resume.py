"""A candidate's resume: the documents they sent, newest first, the first one shown. Nothing is stored for it."""

from __future__ import annotations

from typing import NamedTuple

from django.db.models import Q
from django.template.loader import render_to_string

from postroom.mail import content
from postroom.mail.models import Attachment
from postroom.records.extensions import Panel, add_panel
from postroom.records.models import Candidate
from postroom.records.record import Record
from postroom.timeline import queries
from postroom.workspaces.access import MemberRequest
from postroom.workspaces.models import Membership

ENDINGS = (".pdf", ".doc", ".docx", ".odt", ".rtf", ".pages")
MOST = 30


class Document(NamedTuple):
    """One document; `shown_as` is the type a browser shows it as, empty where it can only be saved."""

    attachment: Attachment
    shown_as: str


def documents(candidate: Candidate, member: Membership) -> list[Document]:
    """What came from the candidate's addresses, in mail the member may read."""
    addresses = candidate.person.address_list() if candidate.person else []
    if not addresses:
        return []
    named = Q()
    for ending in ENDINGS:
        named |= Q(name__iendswith=ending)
    rows = Attachment.objects.filter(
        named,
        is_inline=False,
        message__mailbox__in=queries.visible_mailboxes(member),
        message__participants__role="from",
        message__participants__address__in=addresses,
    ).select_related("message__thread")
    found: dict[tuple[str, int], Document] = {}
    for row in rows.order_by("-message__received", "id")[:MOST]:
        found.setdefault((row.name, row.size), Document(row, content.preview_type(row)))  # a copy in each mailbox
    return list(found.values())


def panel(request: MemberRequest, record: Record) -> str:
    assert isinstance(record, Candidate)
    found = documents(record, request.member)
    wanted = request.GET.get("document", "")
    chosen = next((one for one in found if str(one.attachment.pk) == wanted), None)
    first = chosen or next((one for one in found if one.shown_as), None)
    context = {"record": record, "documents": found, "shown": first}
    return render_to_string("timeline/resume.html", context, request)


def register() -> None:
    """Called when Django starts."""
    styles = ("timeline/timeline.css",)
    add_panel(Panel("resume", "Resume", panel, types=frozenset({"candidate"}), weight=7, styles=styles))
