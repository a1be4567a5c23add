"""A conversation as its owner shows it to colleagues, and who can see one."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from postroom.audit import log
from postroom.audit.models import Access
from postroom.mail.models import Conversation, Thread
from postroom.mailboxes.models import Mailbox
from postroom.records.views import done, is_partial
from postroom.timeline import queries
from postroom.timeline.panel import tags
from postroom.timeline.sharing import commands, levels, showing
from postroom.timeline.sharing import who as seeing
from postroom.timeline.sharing.models import Level
from postroom.workspaces.access import MemberRequest, member_required

TOLD = {
    None: "Shown like the mailbox’s other mail.",
    Level.NOTHING: "Colleagues see nothing of this thread.",
    Level.METADATA: "Colleagues see who wrote and when.",
    Level.SUBJECT: "Colleagues see the subject, who wrote and when.",
    Level.EVERYTHING: "Colleagues can read this thread.",
}


@require_GET
@never_cache
@member_required
def shared(request: MemberRequest, pk: int) -> HttpResponse:
    """As much of a conversation as is shown to a member who may not use its mailbox; who may reads it as mail."""
    mine = Thread.objects.filter(conversation=pk, mailbox__in=levels.mailboxes_of(request.member))
    if (thread := mine.order_by("-last_at", "-pk").first()) is not None:
        return redirect("inbox:thread", pk=thread.pk)
    sight = levels.look(request.member, pk)
    if sight is None:
        raise Http404("No such conversation")
    items = showing.items(sight)
    if sight.may_read:
        read = log.by_mailbox(request.workspace.pk, pk, [(one.mailbox, one.number) for one in items])
        log.read(log.by(request), Access.What.THREAD, read, again=not is_partial(request))
    context = {
        "sight": sight,
        "items": items,
        "tags": tags(pk),
        "owners": showing.owners(sight),
        "subject": sight.subject,
    }
    return render(
        request, "timeline/sharing/part.html" if is_partial(request) else "timeline/sharing/page.html", context
    )


@require_GET
@member_required
def who(request: MemberRequest, pk: int) -> HttpResponse:
    """Who can see it and why; for those who may use a mailbox it lies in."""
    answer = seeing.explain(request.member, pk)
    if answer is None:
        raise Http404("No such conversation")
    context = {"conversation": pk, "answer": answer}
    return render(
        request, "timeline/sharing/who.html" if is_partial(request) else "timeline/sharing/who_page.html", context
    )


@require_POST
@member_required
def share(request: MemberRequest, pk: int) -> HttpResponse:
    """``level``: how much this thread shows on records, of the member's own mailboxes; empty: like their other mail."""
    conversation = _mine(request, pk)
    owned = Mailbox.objects.for_workspace(request.workspace).filter(owner=request.member, threads__conversation=pk)
    mailboxes = list(owned.filter(departure=None).distinct())
    chosen = request.POST.get("level", "")
    if not mailboxes or chosen not in ("", *(str(one.value) for one in Level)):
        raise Http404("Not yours to share")
    level = Level(int(chosen)) if chosen else None
    commands.set_thread(conversation, mailboxes, level, by=request.member)
    if is_partial(request):
        return done(text=TOLD[level], links_changed=True)
    return redirect("timeline:who", pk=pk)


def _mine(request: MemberRequest, pk: int) -> Conversation:
    found = queries.visible_conversation(request.member, pk)
    if found is None:
        raise Http404("No such conversation")
    return found
