"""Why is this mail not here? Asked of the mailboxes the member may read (product.md SY15)."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_POST

from postroom.mail import trace
from postroom.mailboxes.access import mailboxes_visible_to, may_manage
from postroom.workspaces.access import MemberRequest, member_required

LONGEST = 998  # of a header's line


@require_GET
@member_required
def why(request: MemberRequest) -> HttpResponse:
    """The question (``q``: words of a subject, or a Message-ID; ``mailbox``: only there) and its answer."""
    words = request.GET.get("q", "").replace("\x00", "").strip()[:LONGEST]
    words = words.encode("utf-8", "replace").decode()
    mine = list(mailboxes_visible_to(request.member))
    chosen = next((one for one in mine if str(one.pk) == request.GET.get("mailbox", "")), None)
    answers = trace.ask(request.member, words, mailbox=chosen.pk if chosen else None) if words else []
    manageable = {one.pk for one in mine if may_manage(request.member, one)}
    context = {
        "active": "outlook",
        "words": words,
        "chosen": chosen,
        "answers": answers,
        "found": sum(len(one.traces) for one in answers),
        "by_id": trace.is_message_id(words),
        "manageable": manageable,
        "choices": [
            {"value": "", "label": "All mailboxes you read"},
            *({"value": str(one.pk), "label": one.address, "selected": one == chosen} for one in mine),
        ],
    }
    return render(request, "mail/why.html", context)


@require_POST
@member_required
def fetch(request: MemberRequest) -> HttpResponse:
    """Have one message fetched now."""
    mailbox = trace.fetch(request.member, request.POST.get("token", ""))
    if mailbox is None:
        raise Http404("No such message")
    messages.success(request, "It is being fetched; it is here within seconds.")
    words = request.POST.get("q", "")[:LONGEST].encode("utf-8", "replace").decode()
    return redirect(f"{reverse('mail:why')}?{urlencode({'q': words, 'mailbox': str(mailbox.pk)})}")
