"""Working on mail together: assign, snooze, comment, who is here (IN4). Whoever may read a thread may do all of it; for
everybody else there is none of it (404)."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import trigger_client_event

from postroom.inbox import marking, queries, returning, working
from postroom.inbox.accounts import accounts, looked_into
from postroom.inbox.views.actions import AT_ONCE, back, changed
from postroom.inbox.views.pages import is_partial
from postroom.lib.clock import now
from postroom.mail.models import Thread
from postroom.timeline.models import Comment
from postroom.timeline.team import commands, readers, snoozes, undoing
from postroom.timeline.team import queries as team
from postroom.ui.toasts import toast
from postroom.workspaces.access import MemberRequest, member_required
from postroom.workspaces.models import Membership

# --- assign ------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@member_required
def assign(request: MemberRequest, pk: int) -> HttpResponse:
    """The menu of colleagues; POST with ``to`` (a member, or nothing) gives them the conversation."""
    conversation = _thread(request, pk).conversation_id
    if request.method == "POST":
        return _assigned(request, [conversation])
    current = team.marks([conversation], {})[conversation].assignee
    return _people(request, conversation, url=reverse("inbox:assign", args=[pk]), current=current)


@require_POST
@member_required
def assign_all(request: MemberRequest) -> HttpResponse:
    """The same for every conversation of ``thread`` (ids)."""
    return _assigned(request, _chosen(request), clear=True)


@require_GET
@member_required
def choose_assignee(request: MemberRequest) -> HttpResponse:
    """Colleagues for what is chosen in a list; who may not read some of it is told so when they are chosen."""
    return _people(request, None, url=reverse("inbox:bulk-assign"), bulk=True)


def _people(
    request: MemberRequest, conversation: int | None, *, url: str, current: Membership | None = None, bulk: bool = False
) -> HttpResponse:
    if conversation is None:
        may_not: list[Membership] = []
        rows = Membership.objects.for_workspace(request.workspace).filter(user__is_active=True)
        may = sorted(rows.select_related("user"), key=lambda one: one.name.casefold())
    else:
        may, may_not = readers.sort_out(request.workspace.pk, conversation)
    first = sorted(may, key=lambda one: one.pk != request.member.pk)
    context = {"people": first, "others": may_not, "current": current, "bulk": bulk, "url": url, "kept": _kept(request)}
    return render(request, "inbox/assign_menu.html", context)


def _assigned(request: MemberRequest, conversations: Sequence[int], *, clear: bool = False) -> HttpResponse:
    to = _member(request, _told(request, "to"))
    if not conversations:
        return toast(request, back(request), "Choose conversations first.", kind="warning")
    try:
        before = commands.assign(conversations, to, by=request.member)
    except commands.CannotRead as problem:
        return toast(request, back(request), str(problem), kind="warning")
    name = "you" if to == request.member else to.name if to else "nobody"
    text = _sentence(f"Assigned to {name}", before)
    deed = undoing.note(request.member, text, undoing.ASSIGNED, before, to.pk if to else None)
    return _done(request, text if before else f"It is assigned to {name} already.", deed, clear=clear)


# --- snooze ------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@member_required
def snooze(request: MemberRequest, pk: int) -> HttpResponse:
    """The menu of moments; POST with ``preset`` or ``until`` puts the conversation to sleep for this member."""
    thread = _thread(request, pk)
    if request.method == "POST":
        return _snoozed(request, [thread.conversation_id], thread=thread)
    asleep = thread.conversation_id in snoozes.standing([thread.conversation_id], request.member)
    return _moments(
        request,
        reverse("inbox:snooze", args=[pk]),
        wake=reverse("inbox:wake", args=[pk]) if asleep else "",
        theirs=returning.presets(thread, accounts(request)),
    )


@require_POST
@member_required
def snooze_all(request: MemberRequest) -> HttpResponse:
    return _snoozed(request, _chosen(request))


@require_GET
@member_required
def choose_moment(request: MemberRequest) -> HttpResponse:
    return _moments(request, reverse("inbox:bulk-snooze"), bulk=True)


@require_POST
@member_required
def wake(request: MemberRequest, pk: int) -> HttpResponse:
    """Bring it back now."""
    before = snoozes.wake([_thread(request, pk).conversation_id], request.member)
    deed = undoing.note(
        request.member, "Brought back", undoing.SNOOZED, {k: v and list(v) for k, v in before.items()}, None
    )
    return _done(request, "Brought back to the Inbox." if before else "It is awake.", deed)


def _moments(
    request: MemberRequest, url: str, *, wake: str = "", bulk: bool = False, theirs: Sequence[snoozes.Preset] = ()
) -> HttpResponse:
    presets = [(one, working.clock(one.until)) for one in snoozes.presets()]
    context = {
        "plain": [one for one in presets if not one[0].unless_answered],
        "answered": [one for one in presets if one[0].unless_answered],
        "theirs": [(one, "" if one.writes else working.clock(one.until)) for one in theirs],
        "least": f"{timezone.localtime(now()):%Y-%m-%dT%H:%M}",
        "url": url,
        "kept": _kept(request),
        "bulk": bulk,
        "wake": wake,
    }
    return render(request, "inbox/snooze_menu.html", context)


def _snoozed(request: MemberRequest, conversations: Sequence[int], *, thread: Thread | None = None) -> HttpResponse:
    offered = [*snoozes.presets(), *(returning.presets(thread, accounts(request)) if thread else ())]
    preset = next((one for one in offered if one.key == _told(request, "preset")), None)
    until = preset.until if preset else snoozes.moment(_told(request, "until"))
    if not conversations:
        return toast(request, back(request), "Choose conversations first.", kind="warning")
    if until is None or until <= now():
        return toast(request, back(request), "Choose a moment that is still to come.", kind="warning")
    unless = preset.unless_answered if preset else bool(_told(request, "unless"))
    writes = preset.writes if preset else ""
    before = snoozes.snooze(conversations, request.member, until=until, unless_answered=unless, writes=writes)
    moment = f"{preset.label}" if preset and writes else f"{working.when(until)}{' or an answer' if unless else ''}"
    text = _sentence(f"Snoozed until {moment}", before)
    after = list(snoozes.Wake(until.isoformat(), unless, writes))
    kept = {one: was and list(was) for one, was in before.items()}
    deed = undoing.note(request.member, text, undoing.SNOOZED, kept, after)
    response = _done(request, text if before else "It sleeps until then already.", deed, clear=thread is None)
    leaves = thread is not None and request.GET.get("place") == "inbox" and "work=" not in request.GET.get("close", "")
    if leaves and before and thread is not None and is_partial(request):
        response = trigger_client_event(response, "thread:gone", {"thread": thread.pk})
    return response


# --- comments ----------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@member_required
def comments(request: MemberRequest, pk: int) -> HttpResponse:
    """The box for a comment; POST with ``text`` says it."""
    thread = _thread(request, pk)
    url = reverse("inbox:comments", args=[pk])
    if request.method == "GET":
        return _box(request, thread, url)
    text = request.POST.get("text", "")
    try:
        commands.write(thread.conversation_id, text, by=request.member)
    except (commands.CannotRead, commands.NothingSaid) as problem:
        return _box(request, thread, url, text=text, error=str(problem))
    return _said(request, thread)


@require_http_methods(["GET", "POST"])
@member_required
def comment(request: MemberRequest, pk: int, comment: int) -> HttpResponse:
    """The same for a comment of one's own that is changed."""
    thread, row = _own(request, pk, comment)
    url = reverse("inbox:comment", args=[pk, comment])
    if request.method == "GET":
        return _box(request, thread, url, text=row.text, editing=True)
    text = request.POST.get("text", "")
    try:
        commands.edit(row, text, by=request.member)
    except (commands.CannotRead, commands.NothingSaid) as problem:
        return _box(request, thread, url, text=text, error=str(problem), editing=True)
    return _said(request, thread)


@require_POST
@member_required
def delete_comment(request: MemberRequest, pk: int, comment: int) -> HttpResponse:
    """Take it away; Undo (``?back=1``) brings it back for an hour."""
    thread, row = _own(request, pk, comment)
    returns = bool(request.GET.get("back"))
    commands.delete(row, deleted=not returns)
    response = changed(HttpResponse(status=204)) if is_partial(request) else _to(thread)
    if returns:
        return toast(request, response, "The comment is back.", kind="info")
    again = reverse("inbox:comment-delete", args=[pk, comment]) + "?back=1"
    return toast(request, response, "Comment deleted.", undo_url=again)


def _box(
    request: MemberRequest, thread: Thread, url: str, *, text: str = "", error: str = "", editing: bool = False
) -> HttpResponse:
    may, may_not = readers.sort_out(request.workspace.pk, thread.conversation_id)
    context = {
        "thread": thread, "url": url, "text": text, "error": error, "editing": editing,
        "people": [one for one in may if one != request.member], "others": may_not, "active": "inbox",
    }  # fmt: skip
    template = "inbox/comment_box.html" if is_partial(request) else "inbox/comment_page.html"
    return render(request, template, context, status=422 if error else 200)


def _said(request: MemberRequest, thread: Thread) -> HttpResponse:
    if not is_partial(request):
        return _to(thread)
    return trigger_client_event(changed(HttpResponse("")), "comment:said")


def _own(request: MemberRequest, pk: int, comment: int) -> tuple[Thread, Comment]:
    thread = _thread(request, pk)
    row = Comment.objects.filter(pk=comment, conversation=thread.conversation_id, author=request.member).first()
    if row is None:
        raise Http404("No such comment")
    return thread, row


# --- presence ----------------------------------------------------------------------------------------------------


@require_POST
@member_required
def here(request: MemberRequest, pk: int) -> HttpResponse:
    """The member has it open (``?opened``: just now, so it is read); the answer is who else has."""
    known, conversation = accounts(request), _thread(request, pk).conversation_id
    if "opened" in request.GET:
        marking.opened(request.member, known, conversation)
        if not is_partial(request):
            return back(request)  # a button says so where there are no scripts
    looked_into(known.readable)
    commands.is_here(conversation, request.member)
    return render(request, "inbox/here.html", {"here": team.here(conversation, besides=request.member)})


# --- parts -------------------------------------------------------------------------------------------------------


def _thread(request: MemberRequest, pk: int) -> Thread:
    threads = queries.visible_threads(pk, accounts(request))
    if not threads:
        raise Http404("No such thread")
    return threads[0]


def _chosen(request: MemberRequest) -> list[int]:
    """The conversations of ``thread`` (ids) that the member may read."""
    ids = {int(one) for one in request.POST.getlist("thread") if one.isdecimal() and len(one) < 18}
    if len(ids) > AT_ONCE:
        raise Http404("Too many")
    rows = Thread.objects.filter(pk__in=ids, mailbox__in=accounts(request).ids)
    return sorted(set(rows.values_list("conversation", flat=True)))


def _member(request: MemberRequest, text: str) -> Membership | None:
    """Raises ``Http404`` for who is no colleague."""
    if not text:
        return None
    rows = Membership.objects.for_workspace(request.workspace).select_related("user")
    found = rows.filter(pk=int(text)).first() if text.isdecimal() and len(text) < 18 else None
    if found is None:
        raise Http404("No such member")
    return found


def _told(request: MemberRequest, name: str) -> str:
    return request.POST.get(name, request.GET.get(name, ""))


def _kept(request: MemberRequest) -> str:
    given = request.GET.copy()
    for name in set(given) - {"place", "close"}:
        given.pop(name)
    return given.urlencode()


def _sentence(words: str, before: Mapping[int, Any] | Collection[int]) -> str:
    return f"{words}." if len(before) <= 1 else f"{words}: {len(before):,} conversations."


def _done(request: MemberRequest, text: str, deed: Any, *, clear: bool = False) -> HttpResponse:
    response = back(request)
    if is_partial(request):
        response = changed(response)
        response = trigger_client_event(response, "selection:clear") if clear else response
    if deed is None:
        return toast(request, response, text, kind="info")
    return toast(request, response, text, undo_url=reverse("inbox:undo", args=[deed.pk]))


def _to(thread: Thread) -> HttpResponse:
    return redirect("inbox:thread", pk=thread.pk)
