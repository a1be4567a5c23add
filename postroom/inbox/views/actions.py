"""What a member does to one conversation or to many, each with Undo (IN4, IN8)."""

from collections.abc import Sequence

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST
from django_htmx.http import trigger_client_event

from postroom.inbox import doing, marking, queries
from postroom.inbox.accounts import accounts
from postroom.inbox.views.pages import is_partial
from postroom.mail import deeds
from postroom.mail.models import Deed, Message
from postroom.ui.toasts import toast
from postroom.workspaces.access import MemberRequest, member_required

AT_ONCE = 1000  # conversations of one request
READ_ONLY = "You can read this mailbox, but not change it."


@require_POST
@member_required
def act(request: MemberRequest, pk: int, action: str) -> HttpResponse:
    """``action`` is one of ``doing.ACTIONS``; ``?place=`` is the list the thread was opened from, ``?close=`` its
    address."""
    known = accounts(request)
    threads = queries.visible_threads(pk, known)
    if not threads or action not in doing.ACTIONS:
        raise Http404("No such thread or action")
    messages = queries.messages_in(threads[0].conversation_id, known.worked_in())
    if not messages:
        return toast(request, back(request), READ_ONLY, kind="warning")
    done = _do(request, action, [messages])
    response = _answered(request, done)
    if done.leaves and done.before and is_partial(request):
        response = trigger_client_event(response, "thread:gone", {"thread": threads[0].pk})
    return response


@require_POST
@member_required
def bulk(request: MemberRequest, action: str) -> HttpResponse:
    """The same to every conversation of ``thread`` (ids), of which those that may not be changed are left alone."""
    ids = {int(one) for one in request.POST.getlist("thread") if one.isdecimal() and len(one) < 18}
    if action not in doing.ACTIONS or len(ids) > AT_ONCE:
        raise Http404("No such action")
    conversations = queries.conversations_of(ids, accounts(request))
    if not conversations:
        return toast(request, back(request), READ_ONLY if ids else "Choose conversations first.", kind="warning")
    response = _answered(request, _do(request, action, conversations))
    return trigger_client_event(response, "selection:clear") if is_partial(request) else response


@require_POST
@member_required
def undo(request: MemberRequest, token: str) -> HttpResponse:
    """Put back what one action changed."""
    found = deeds.find(request.member, int(token)) if token.isdecimal() and len(token) < 18 else None
    return _undone(request, found)


@require_POST
@member_required
def undo_last(request: MemberRequest) -> HttpResponse:
    """Put back what the member did last, wherever that was."""
    return _undone(request, deeds.latest(request.member))


# --- parts -------------------------------------------------------------------------------------------------------


def _do(request: MemberRequest, action: str, conversations: Sequence[Sequence[Message]]) -> doing.Done:
    options = {**request.GET.dict(), **request.POST.dict()}
    place = options.get("place", "inbox")
    clean = {name: value.replace("\0", "") for name, value in options.items()}
    asked = doing.Asked(request.member, accounts(request), conversations, place, clean)
    try:
        return doing.ACTIONS[action](asked)
    except doing.NoSuchFolder:
        raise Http404("No such folder") from None


def _answered(request: MemberRequest, done: doing.Done) -> HttpResponse:
    deed = deeds.note(request.member, done.text, done.field, done.before) if done.before else None
    if deed is None:
        return toast(request, back(request), done.text, kind="info")
    marking.announce(Message.objects.filter(pk__in=done.before).select_related("mailbox"))
    response = back(request)
    if is_partial(request):
        response = changed(response)
    return toast(request, response, done.text, undo_url=reverse("inbox:undo", args=[deed.pk]))


def _undone(request: MemberRequest, deed: Deed | None) -> HttpResponse:
    if deed is None:
        return toast(request, back(request), "There is nothing left to undo.", kind="warning")
    undone = deeds.undo(deed, request.member, accounts(request).worked_in())
    marking.announce(undone.messages)
    response = back(request)
    if is_partial(request):
        response = changed(response)
    text = f"Undone: {deed.text}" if any(undone) else "It was changed again since, and stays as it is."
    return toast(request, response, text, kind="info")


def changed(response: HttpResponse) -> HttpResponse:
    """Lists and the open thread look again."""
    return trigger_client_event(trigger_client_event(response, "list:changed"), "thread:changed")


def back(request: MemberRequest) -> HttpResponse:
    """Where a browser without scripts goes on: to the list."""
    if is_partial(request):
        return HttpResponse(status=204)
    close = request.GET.get("close", "")
    safe = url_has_allowed_host_and_scheme(close, {request.get_host()}, require_https=request.is_secure())
    return HttpResponseRedirect(close if safe else reverse("inbox:list"))
