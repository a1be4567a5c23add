"""What a member is told: the list of notices."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from postroom.inbox.accounts import accounts
from postroom.mail.models import Thread
from postroom.timeline.models import Notice
from postroom.timeline.team import notices
from postroom.workspaces.access import MemberRequest, member_required

WORDS = {
    Notice.Kind.MENTION: ("at-sign", "mentioned you in"),
    Notice.Kind.ASSIGNED: ("user-check", "assigned you"),
    Notice.Kind.COMMENT: ("message-square", "commented on"),
    Notice.Kind.WOKE: ("alarm-clock", "Back from a snooze:"),
}


@require_GET
@member_required
def told(request: MemberRequest) -> HttpResponse:
    """The newest first."""
    rows = notices.newest(request.member)
    threads = Thread.objects.filter(
        conversation__in={row.conversation_id for row in rows}, mailbox__in=accounts(request).ids
    )
    subjects = dict(threads.order_by("last_at").values_list("conversation", "subject"))
    context = {
        "rows": [(row, *WORDS[Notice.Kind(row.kind)], subjects.get(row.conversation_id, "")) for row in rows],
        "unread": any(row.read_at is None for row in rows),
        "active": "told",
    }
    return render(request, "inbox/told.html", context)


@require_GET
@member_required
def open_one(request: MemberRequest, pk: int) -> HttpResponse:
    """Leads to the conversation, which reads all that was told of it."""
    notice = notices.of(request.member).filter(pk=pk).first()
    if notice is None:
        raise Http404("No such notice")
    rows = Thread.objects.filter(conversation=notice.conversation_id, mailbox__in=accounts(request).ids)
    thread = rows.order_by("-last_at").first()
    if thread is None:
        raise Http404("No such thread")
    notices.read(request.member, conversation=notice.conversation_id)
    place = f"#comment-{notice.comment_id}" if notice.comment_id else ""
    return redirect(reverse("inbox:thread", args=[thread.pk]) + place)


@require_POST
@member_required
def read_all(request: MemberRequest) -> HttpResponse:
    notices.read(request.member)
    return redirect("inbox:told")
