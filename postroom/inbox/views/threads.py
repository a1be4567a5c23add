"""One thread, opened from the Inbox or from a folder, and the reply box in it."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from postroom.audit import log
from postroom.audit.models import Access
from postroom.inbox import composing, listing, marking, queries, working, writing
from postroom.inbox.accounts import Accounts, accounts
from postroom.inbox.listing import Asked, Listing
from postroom.inbox.reading import Reading, read
from postroom.inbox.views.lists import account_of, around
from postroom.inbox.views.pages import is_partial, thread_page, wants
from postroom.mail import queries as mail_queries
from postroom.mail.folders import flat, folder_tree
from postroom.mail.models import Message, Thread
from postroom.timeline import panel
from postroom.timeline.team import commands as team
from postroom.timeline.team import notices, snoozes
from postroom.timeline.team import queries as team_queries
from postroom.workspaces.access import MemberRequest, member_required


@require_GET
@member_required
def in_inbox(request: MemberRequest, pk: int) -> HttpResponse:
    """A thread beside the Inbox."""
    known, threads = _visible(request, pk)
    shown = None
    if not (wants(request, "detail") or wants(request, "thread")):
        shown = listing.inbox(request, Asked.of(request, open=pk), also=[threads[0].conversation_id])
    reading = _open(request, threads, known, shown, place="inbox", close=_close(request, "inbox:list"))
    drafts = queries.drafts(request.member) if shown and request.GET.get("filter") == "drafts" else None
    return thread_page(request, shown, reading, drafts=drafts, active="inbox", **_composer(request, reading))


@require_GET
@member_required
def in_folder(request: MemberRequest, mailbox: int, folder: int, pk: int) -> HttpResponse:
    """A thread beside the folder it was found in."""
    account = account_of(request, mailbox)
    beside = around(account, folder)
    found = beside["folder"]
    known, threads = _visible(request, pk)
    shown = None
    if not (wants(request, "detail") or wants(request, "thread")):
        shown = listing.of_folder(request, found, Asked.of(request, open=pk), also=[threads[0].conversation_id])
    close = _close(request, "inbox:folder", mailbox, folder)
    reading = _open(request, threads, known, shown, place=str(folder), close=close)
    return thread_page(request, shown, reading, **beside, **_composer(request, reading))


@require_GET
@member_required
def reply(request: MemberRequest, pk: int) -> HttpResponse:
    """The reply box: ``?how=`` reply, reply_all or forward, ``?message=`` (the last that arrived without)."""
    known, threads = _visible(request, pk)
    how = request.GET.get("how", "reply")
    message = _answered(request, threads[0])
    pairs = [(message.mailbox_id, message.pk)]  # an answer quotes it, and a forward takes it away
    readings = log.by_mailbox(request.workspace.pk, threads[0].conversation_id, pairs)
    log.read(log.by(request), Access.What.BODY, readings, again=False)
    begun = writing.answer(request.member, known, message, how if how in writing.HOWS else "reply")
    if begun is None:
        return _no_sender(request)
    team.stirs(request.workspace.pk, threads[0].conversation_id)
    if not is_partial(request):
        return redirect(f"{thread_address(threads[0])}?draft={begun.pk}#reply")
    return render(request, "inbox/composer.html", composing.context(begun, known, focus=True))


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


def thread_address(thread: Thread) -> str:
    return reverse("inbox:thread", args=[thread.pk])


def _visible(request: MemberRequest, pk: int) -> tuple[Accounts, list[Thread]]:
    """The thread and its like in other mailboxes. Raises ``Http404``."""
    known = accounts(request)
    threads = queries.visible_threads(pk, known)
    if not threads:
        raise Http404("No such thread")
    return known, threads


def _close(request: MemberRequest, name: str, *args: int) -> str:
    given = request.GET.copy()
    for private in ("draft", "message", "open", "shown", "after"):
        given.pop(private, None)
    query = given.urlencode()
    return reverse(name, args=args) + (f"?{query}" if query else "")


def _open(
    request: MemberRequest, threads: list[Thread], known: Accounts, shown: Listing | None, *, place: str, close: str
) -> Reading:
    """Read a thread, and mark it read: as it is shown it still says what was new."""
    conversation = threads[0].conversation_id
    tags = shown.tags.get(conversation, []) if shown else panel.tags(conversation)
    known_marks = shown.marks if shown else team_queries.marks([conversation], working.slept_of(request))
    part = request.get_full_path()
    reading = read(
        request.member,
        threads,
        known,
        place=place,
        close=close,
        tags=tags,
        marks=known_marks[conversation],
        part=part,
        editing=_number(request, "draft"),
        show=_number(request, "message"),
    )
    shown_now = [(one.message.mailbox_id, one.message.pk) for one in reading.conversation.messages]
    readings = log.by_mailbox(request.workspace.pk, conversation, shown_now)
    log.read(log.by(request), Access.What.THREAD, readings, again=not wants(request, "thread"))
    looking_again = wants(request, "thread") or "prefetch" in request.headers.get("Sec-Purpose", "")
    if reading.unopened and not looking_again:
        marking.mark_read(request.member, known, reading.conversation.id)
    if reading.woken and not looking_again:
        snoozes.opened(request.member, conversation)
    if reading.stirred and (not looking_again or wants(request, "thread")):
        notices.read(request.member, conversation=conversation)
    return reading


def _answered(request: MemberRequest, thread: Thread) -> Message:
    asked = _number(request, "message")
    if asked is not None:
        found = mail_queries.visible_message(request.member, asked)
        if found is None:
            raise Http404("No such message")
        return found
    shown = mail_queries.thread_messages(request.member, thread)
    arrived = [one.message for one in shown if not one.message.is_draft]
    if not arrived:
        raise Http404("Nothing to answer")
    return arrived[-1]


def _number(request: MemberRequest, name: str) -> int | None:
    """An id in the address."""
    asked = request.GET.get(name, "")
    return int(asked) if asked.isdecimal() and len(asked) < 18 else None


def _composer(request: MemberRequest, reading: Reading) -> dict[str, object]:
    """The reply box of what the member has begun here."""
    asked, draft = _number(request, "draft"), reading.draft
    if asked is not None:
        found = queries.own_composition(request.member, asked)
        draft = found if found is not None and found.conversation_id == reading.conversation.id else draft
    if draft is None or draft.state not in ("draft", "failed") or wants(request, "thread"):
        return {}
    return composing.context(draft, accounts(request), seen=reading.last)


def _no_sender(request: MemberRequest) -> HttpResponse:
    if is_partial(request):
        return render(request, "inbox/no_sender_part.html")
    return render(request, "inbox/no_sender.html", status=403)
