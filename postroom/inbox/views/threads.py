"""One thread, opened from the Inbox or from a folder, and the reply box in it."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from postroom.audit import log
from postroom.audit.models import Access
from postroom.inbox import composing, listing, queries, writing
from postroom.inbox.accounts import Accounts, accounts
from postroom.inbox.reading import Reading, read
from postroom.inbox.views.lists import account_of, around
from postroom.inbox.views.pages import is_partial, thread_page, thread_part, wants, wants_thread
from postroom.mail.folders import flat, folder_tree
from postroom.mail.models import Thread
from postroom.timeline import panel
from postroom.timeline.team import commands as team
from postroom.timeline.team import notices
from postroom.workspaces.access import MemberRequest, member_required


@require_GET
@member_required
def in_inbox(request: MemberRequest, pk: int) -> HttpResponse:
    """A thread beside the Inbox."""
    known, threads = _visible(request, pk)
    close = _close(request, "inbox:list")
    reading = _open(request, threads, known, place="inbox", close=close)
    if wants_thread(request):
        return thread_part(request, reading)
    return thread_page(request, listing.to_come("Inbox", close, open=pk), reading, active="inbox")


@require_GET
@member_required
def in_folder(request: MemberRequest, mailbox: int, folder: int, pk: int) -> HttpResponse:
    """A thread beside the folder it was found in."""
    account = account_of(request, mailbox)
    known, threads = _visible(request, pk)
    close = _close(request, "inbox:folder", mailbox, folder)
    beside = None if wants_thread(request) else around(account, folder)
    reading = _open(request, threads, known, place=str(folder), close=close)
    if beside is None:
        return thread_part(request, reading)
    shown = listing.to_come(beside["folder"].name, close, open=pk, folder=beside["folder"])
    return thread_page(request, shown, reading, **beside)


@require_GET
@member_required
def reply(request: MemberRequest, pk: int) -> HttpResponse:
    """The reply box: ``?how=`` reply, reply_all or forward, ``?message=`` (the last that arrived without). A page of
    its own where there are no scripts."""
    known, how = accounts(request), request.GET.get("how", "reply")
    message = queries.answerable(pk, known, _number(request, "message"))
    if message is None:
        raise Http404("Nothing to answer")
    conversation = message.thread.conversation_id
    pairs = [(message.mailbox_id, message.pk)]  # an answer quotes it, and a forward takes it away
    readings = log.by_mailbox(request.workspace.pk, conversation, pairs)
    log.read(log.by(request), Access.What.BODY, readings, again=False)
    begun = writing.answer(request.member, known, message, how if how in writing.HOWS else "reply")
    if begun is None:
        return _no_sender(request)
    composition = begun.composition
    if begun.made:  # an older draft says nothing until something is typed
        team.stirs(request.workspace.pk, conversation)
    if not is_partial(request):
        return redirect(f"{reverse('inbox:draft', args=[composition.pk])}?place=window")
    context = composing.context(composition, known, focus=True, made=begun.made)
    return render(request, "inbox/composer.html", context)


@require_GET
@member_required
def folders(request: MemberRequest, pk: int) -> HttpResponse:
    """Where a thread can be moved: the folders of its mailbox."""
    known, threads = _visible(request, pk)
    account = known.get(threads[0].mailbox_id)
    if account is None or not account.worked_in:
        raise Http404("Not a mailbox you work in")
    move_url = f"{reverse('inbox:act', args=[pk, 'move'])}?{request.GET.urlencode()}"
    nodes = list(flat(folder_tree(account.mailbox)))
    return render(request, "inbox/move_to.html", {"nodes": nodes, "move_url": move_url})


# --- parts -------------------------------------------------------------------------------------------------------


def _visible(request: MemberRequest, pk: int) -> tuple[Accounts, list[Thread]]:
    """The thread and its like in other mailboxes. Raises ``Http404``."""
    known = accounts(request)
    threads = queries.visible_threads(pk, known, marked_for=request.member)
    if not threads:
        raise Http404("No such thread")
    return known, threads


def _close(request: MemberRequest, name: str, *args: int) -> str:
    given = request.GET.copy()
    for private in ("draft", "message", "open", "shown", "after"):
        given.pop(private, None)
    query = given.urlencode()
    return reverse(name, args=args) + (f"?{query}" if query else "")


def _open(request: MemberRequest, threads: list[Thread], known: Accounts, *, place: str, close: str) -> Reading:
    """What is shown of a thread. It says what was new: that it is read now is what the screen says (``here``)."""
    conversation = threads[0].conversation_id
    reading = read(
        request.member,
        threads,
        known,
        place=place,
        close=close,
        tags=panel.tags(conversation),
        part=request.get_full_path(),
        editing=_number(request, "draft"),
        show=_number(request, "message"),
    )
    shown_now = [(one.message.mailbox_id, one.message.pk) for one in reading.conversation.messages]
    readings = log.by_mailbox(request.workspace.pk, conversation, shown_now)
    log.read(log.by(request), Access.What.THREAD, readings, again=not wants(request, "thread"))
    if reading.stirred and wants(request, "thread"):  # it came while they had it open
        notices.read(request.member, conversation=conversation)
    return reading


def _number(request: MemberRequest, name: str) -> int | None:
    """An id in the address."""
    asked = request.GET.get(name, "")
    return int(asked) if asked.isdecimal() and len(asked) < 18 else None


def _no_sender(request: MemberRequest) -> HttpResponse:
    if is_partial(request):
        return render(request, "inbox/no_sender_part.html")
    return render(request, "inbox/no_sender.html", status=403)
