"""What a member does to a whole thread, each with Undo (IN4)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from django.core import signing
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST
from django_htmx.http import trigger_client_event

from postroom.inbox import marking, queries
from postroom.inbox.accounts import accounts
from postroom.inbox.views.pages import is_partial
from postroom.mail import commands
from postroom.mail.models import Folder, Message, Thread
from postroom.providers.contract import FolderRole
from postroom.ui.toasts import toast
from postroom.workspaces.access import MemberRequest, member_required
from postroom.workspaces.models import Membership

UNDO_FOR = 3600  # seconds
_SALT = "inbox.undo"


class Deed(NamedTuple):
    """What was done: the sentence, whether the thread left its list, and the values before by message."""

    text: str
    leaves: bool
    field: str
    before: Mapping[int, Any]


@require_POST
@member_required
def act(request: MemberRequest, pk: int, action: str) -> HttpResponse:
    """``action`` is one of ``ACTIONS``; ``?place=`` is the list the thread was opened from, ``?close=`` its address."""
    known = accounts(request)
    threads = queries.visible_threads(pk, known)
    do = ACTIONS.get(action)
    if not threads or do is None:
        raise Http404("No such thread or action")
    thread = threads[0]
    messages = queries.messages_in(thread.conversation_id, known.worked_in())
    if not messages:
        return toast(request, _back(request), "You can read this mailbox, but not change it.", kind="warning")
    deed = do(request, thread, messages)
    if not deed.before:
        return toast(request, _back(request), deed.text, kind="info")
    marking.announce(messages)
    return _answer(request, thread, deed)


@require_POST
@member_required
def undo(request: MemberRequest, token: str) -> HttpResponse:
    """Put back what an action changed. The token says what it was."""
    try:
        told = signing.loads(token, salt=_SALT, max_age=UNDO_FOR)
    except signing.BadSignature:
        return toast(request, _back(request), "It is too late to undo this.", kind="warning")
    worked = accounts(request).worked_in()
    if told["member"] != request.member.pk:
        raise Http404("Not yours")
    before = {int(pk): value for pk, value in told["before"].items()}
    rows = Message.objects.filter(pk__in=before, mailbox__in=worked).select_related("folder", "mailbox")
    messages = list(rows)
    for value in dict.fromkeys(before.values()):
        _put_back(told["field"], [one for one in messages if before[one.pk] == value], value, request.member)
    marking.announce(messages)
    response = _back(request)
    return toast(request, _changed(response), "Undone.", kind="info") if is_partial(request) else response


def _put_back(field: str, messages: Sequence[Message], value: Any, member: Membership) -> None:
    if field == "folder":
        target = Folder.objects.filter(pk=value).first()
        if target is not None:
            commands.move(messages, member, to=target)
    elif field == "is_read":
        commands.mark_read(messages, member, read=bool(value))
    else:
        commands.set_flag(messages, member, flagged=value == "flagged")


# --- the actions -------------------------------------------------------------------------------------------------


def _archive(request: MemberRequest, thread: Thread, messages: Sequence[Message]) -> Deed:
    here = [one for one in messages if one.folder.role == FolderRole.INBOX]
    return _moved(here or _here(request, messages), request, FolderRole.ARCHIVE, "Archived.")


def _delete(request: MemberRequest, thread: Thread, messages: Sequence[Message]) -> Deed:
    return _moved(_here(request, messages), request, FolderRole.DELETED, "Moved to Deleted Items.")


def _moved(messages: Sequence[Message], request: MemberRequest, role: FolderRole, text: str) -> Deed:
    """Into the folder of that role, of each message's own mailbox."""
    folders = Folder.objects.filter(mailbox__in={one.mailbox_id for one in messages}, role=role)
    targets = {folder.mailbox_id: folder for folder in folders}
    going = [one for one in messages if one.mailbox_id in targets and one.folder_id != targets[one.mailbox_id].pk]
    if not going:
        there = messages and any(one.mailbox_id in targets for one in messages)
        return Deed("It is there already." if there else f"This mailbox has no {role.value} folder.", False, "", {})
    before = {one.pk: one.folder_id for one in going}
    (commands.archive if role == FolderRole.ARCHIVE else commands.delete)(going, request.member)
    return Deed(text, True, "folder", before)


def _move(request: MemberRequest, thread: Thread, messages: Sequence[Message]) -> Deed:
    wanted = request.GET.get("folder", "")
    worked = accounts(request).worked_in()
    if not wanted.isdecimal() or len(wanted) > 18:
        raise Http404("No such folder")
    target = get_object_or_404(Folder, pk=int(wanted), mailbox__in=worked)
    inside = [one for one in messages if one.mailbox_id == target.mailbox_id]
    going = [one for one in _here(request, inside) if one.folder_id != target.pk]
    before = {one.pk: one.folder_id for one in going}
    commands.move(going, request.member, to=target)
    return Deed(f"Moved to {target.name}." if before else "It is there already.", True, "folder", before)


def _unread(request: MemberRequest, thread: Thread, messages: Sequence[Message]) -> Deed:
    """From the newest mail of somebody else on, as mail programs do."""
    ours = accounts(request).ours
    received = [one for one in messages if not one.is_draft and one.from_address.lower() not in ours] or list(messages)
    newest = max(received, key=lambda one: (one.received, one.pk))
    same = [one for one in messages if one.is_read and _same_mail(one, newest)]
    commands.mark_read(same, request.member, read=False)
    return Deed("Marked as unread." if same else "It is unread.", False, "is_read", {one.pk: True for one in same})


def _read(request: MemberRequest, thread: Thread, messages: Sequence[Message]) -> Deed:
    unread = [one for one in messages if not one.is_read]
    commands.mark_read(unread, request.member)
    return Deed("Marked as read.", False, "is_read", {one.pk: False for one in unread})


def _flag(request: MemberRequest, thread: Thread, messages: Sequence[Message]) -> Deed:
    """The newest message carries the flag; taking it off takes it off everywhere."""
    flagged = [one for one in messages if one.flag == "flagged"]
    if flagged:
        commands.set_flag(flagged, request.member, flagged=False)
        return Deed("Flag removed.", False, "flag", {one.pk: "flagged" for one in flagged})
    arrived = [one for one in messages if not one.is_draft] or list(messages)
    newest = max(arrived, key=lambda one: (one.received, one.pk))
    commands.set_flag([newest], request.member, flagged=True)
    return Deed("Flagged.", False, "flag", {newest.pk: newest.flag or "none"})


ACTIONS: Mapping[str, Callable[[MemberRequest, Thread, Sequence[Message]], Deed]] = {
    "archive": _archive,
    "delete": _delete,
    "move": _move,
    "unread": _unread,
    "read": _read,
    "flag": _flag,
}


# --- parts -------------------------------------------------------------------------------------------------------


def _here(request: MemberRequest, messages: Sequence[Message]) -> list[Message]:
    """The messages that make the thread appear in the list it was opened from; else all that are of any use."""
    place = request.GET.get("place", "inbox")
    if place.isdecimal():
        here = [one for one in messages if str(one.folder_id) == place]
    else:
        here = [one for one in messages if one.folder.role == FolderRole.INBOX]
    kept = (*queries.DONE_WITH, FolderRole.SENT)
    return here or [one for one in messages if one.folder.role not in kept]


def _same_mail(one: Message, other: Message) -> bool:
    return one.pk == other.pk or bool(one.internet_message_id and one.internet_message_id == other.internet_message_id)


def _answer(request: MemberRequest, thread: Thread, deed: Deed) -> HttpResponse:
    told = {"member": request.member.pk, "field": deed.field, "before": dict(deed.before)}
    undo_url = reverse("inbox:undo", args=[signing.dumps(told, salt=_SALT, compress=True)])
    response = _back(request)
    if is_partial(request):
        response = _changed(response)
        if deed.leaves:
            response = trigger_client_event(response, "thread:gone", {"thread": thread.pk})
    return toast(request, response, deed.text, undo_url=undo_url)


def _changed(response: HttpResponse) -> HttpResponse:
    return trigger_client_event(trigger_client_event(response, "list:changed"), "thread:changed")


def _back(request: MemberRequest) -> HttpResponse:
    """Where a browser without scripts goes on: to the list."""
    if is_partial(request):
        return HttpResponse(status=204)
    close = request.GET.get("close", "")
    safe = url_has_allowed_host_and_scheme(close, {request.get_host()}, require_https=request.is_secure())
    return HttpResponseRedirect(close if safe else reverse("inbox:list"))
