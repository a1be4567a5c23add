"""Writing: begin, keep, send, throw away (SE1-SE3). Every composition is a row, so nothing typed is lost."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core import signing
from django.db import IntegrityError, connection, transaction
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event

from postroom.audit import log
from postroom.audit.models import Access
from postroom.inbox import composing, editing, marking, people_found, queries, reminding, writing
from postroom.inbox.accounts import accounts
from postroom.inbox.views import leaving
from postroom.inbox.views.pages import is_partial, wants
from postroom.mail import commands, drafts
from postroom.mail.models import Composition, CompositionFile, Message, Thread
from postroom.timeline.team import queries as team
from postroom.ui.toasts import toast
from postroom.workspaces.access import MemberRequest, member_required

_FIELDS = ("to", "cc", "bcc")
NOT_FROM_HERE = "You cannot send from this mailbox any more. Choose another one."


@require_GET
@member_required
def begin(request: MemberRequest) -> HttpResponse:
    """Compose, with ``?to=`` and ``?subject=`` filled in. Leads to the draft's own address."""
    given = request.GET
    found = writing.begin(
        request.member,
        accounts(request),
        to=given.get("to", "")[:5000],
        subject=given.get("subject", "").replace("\0", ""),
        about=given.get("record", ""),
    )
    if found is None:
        return render(request, "inbox/no_sender.html", status=403)
    return redirect("inbox:draft", pk=found.pk)


@require_GET
@member_required
def draft(request: MemberRequest, pk: int) -> HttpResponse:
    """A page to write on; in a window of its own with ``?place=window``, and the reply box of a thread (``?seen=`` the
    newest message it shows). What was sent leads to its thread."""
    composition = _own(request, pk)
    if wants(request, "reply-draft"):
        return _reply_box(request, composition)
    own_window = request.GET.get("place") == "window"
    if composition.state in (Composition.State.SENDING, Composition.State.SENT):
        if own_window:
            return render(request, "inbox/window.html", {"title": "Sent", "gone_title": "On its way"})
        return redirect(_thread_address(composition) or reverse("inbox:outbox"))
    if not own_window and composition.how != "new" and (thread := _thread_address(composition)):
        return redirect(f"{thread}?draft={pk}#reply")
    return _page(request, composition, focus=bool(composition.to))


def _reply_box(request: MemberRequest, composition: Composition) -> HttpResponse:
    if composition.state not in (Composition.State.DRAFT, Composition.State.FAILED):
        return HttpResponse("")  # it went out meanwhile: the thread shows it on its way
    seen = request.GET.get("seen", "")
    newest = int(seen) if seen.isdecimal() and len(seen) < 18 else None
    return render(request, "inbox/composer.html", composing.context(composition, accounts(request), seen=newest))


@require_POST
@member_required
def save(request: MemberRequest, pk: int) -> HttpResponse:
    """What is typed so far; asked for by itself."""
    composition = _own(request, pk)
    signature = composition.signature
    if (second := _keep(request, composition)) is not None:
        return _to_second(request, second)
    answer = leaving.kept(request, composition, again=composition.signature != signature)
    answer["X-Draft-Version"] = composing.version(composition)
    return trigger_client_event(answer, "draft:saved", {"id": pk})


@require_POST
@member_required
def send(request: MemberRequest, pk: int) -> HttpResponse:
    """Hand it to the outbox, unless something is missing or something newer was not seen (SE13)."""
    composition = _own(request, pk)
    if composition.state in (Composition.State.SENDING, Composition.State.SENT):
        return _sent(request, composition)
    if (second := _keep(request, composition)) is not None:
        return _to_second(request, second)
    _drop_files(request, composition)
    for file in request.FILES.getlist("files"):  # without a script the file field itself is sent
        commands.attach(
            composition, name=file.name or "file", content_type=file.content_type or "", chunks=file.chunks()
        )
    newer = _unseen(request, composition)
    author = (newer.from_name or newer.from_address) if newer else _commented(request, composition)
    if author:
        what = "wrote in this thread" if newer else "commented on this thread"
        notice = f"{author} {what} while you were writing. Read it, then send again."
        return _page(request, composition, seen=newer or _had_seen(request), notice=notice, status=422)
    errors = _problems(request.POST, composition)
    if not _may_send(request, composition):
        errors["all"] = NOT_FROM_HERE
    if not errors:
        errors = leaving.hand_over(request, composition)
    if not errors and composition.conversation_id:
        marking.mark_read(request.member, accounts(request), composition.conversation_id)
    return _page(request, composition, errors=errors, status=422) if errors else _sent(request, composition)


@require_POST
@member_required
def again(request: MemberRequest, pk: int) -> HttpResponse:
    """Send what failed once more, as it is."""
    composition = _own(request, pk)
    if not _may_send(request, composition):
        return toast(request, _back(request, composition), NOT_FROM_HERE, kind="error")
    try:
        commands.send(composition)
    except commands.CannotSend as problem:
        return toast(request, _back(request, composition), str(problem), kind="error")
    return toast(request, _back(request, composition), "Sending again.", kind="info")


@require_POST
@member_required
def discard(request: MemberRequest, pk: int) -> HttpResponse:
    """Throw a draft away; Undo brings it back."""
    composition = _own(request, pk)
    if composition.state == Composition.State.SENDING:
        return toast(request, _back(request, composition), "It is being sent already.", kind="warning")
    if request.headers.get("HX-Target") or {"text", "html"} & set(request.POST):
        _keep(request, composition)
    undo = reverse("inbox:restore", args=[pk]) + f"?was={_token(composition)}"
    leads = _thread_address(composition) or reverse("inbox:list")
    commands.discard(composition)
    if is_partial(request) and (composition.how != "new" or _place(request)):
        answer = HttpResponse("")
        return toast(request, answer, "Draft discarded.", undo_url=undo)
    messages.add_message(request, messages.SUCCESS, "Draft discarded.", extra_tags=undo)
    return HttpResponseClientRedirect(leads) if is_partial(request) else redirect(leads)


@require_POST
@member_required
def restore(request: MemberRequest, pk: int) -> HttpResponse:
    """Bring a discarded draft back, with its attachments."""
    try:
        told: dict[str, Any] = signing.loads(request.GET.get("was", ""), salt="inbox.draft", max_age=3600)
    except signing.BadSignature:
        raise Http404("No such draft") from None
    if told["author"] != request.member.pk or told["pk"] != pk or Composition.objects.filter(pk=pk).exists():
        raise Http404("No such draft")
    files = told.pop("files")
    row = Composition(**{f"{n}_id" if n in _POINTERS else n: v for n, v in told.items()})
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            CompositionFile.objects.bulk_create(CompositionFile(composition=row, **file) for file in files)
            connection.check_constraints()
            drafts.come_back(row)
    except IntegrityError:  # what it belonged to is gone meanwhile: its mailbox, its thread, a file
        raise Http404("No such draft") from None
    address = reverse("inbox:draft", args=[pk])
    return HttpResponseClientRedirect(address) if is_partial(request) else redirect(address)


@require_GET
@member_required
def resume(request: MemberRequest, message: int) -> HttpResponse:
    """Go on with a draft that was begun in Outlook."""
    rows = Message.objects.filter(pk=message, is_draft=True, mailbox__in=accounts(request).worked_in())
    found = rows.select_related("mailbox__workspace", "mailbox__connection", "thread").first()
    if found is None:
        raise Http404("No such draft")
    readings = log.by_mailbox(request.workspace.pk, found.thread.conversation_id, [(found.mailbox_id, found.pk)])
    log.read(log.by(request), Access.What.BODY, readings, again=False)
    try:
        composition = drafts.adopt(found, request.member)
    except drafts.SomebodyElses as who:
        messages.warning(request, f"{who} is writing this draft.")
        return redirect("inbox:thread", pk=found.thread_id)
    return redirect("inbox:draft", pk=composition.pk)


@require_GET
@member_required
def people(request: MemberRequest) -> HttpResponse:
    """Suggestions for ``?q=`` (SE10): contacts first, then who takes part in mail the member may read."""
    people_found.look_around(request.member)
    found = people_found.suggest(request.member, request.GET.get("q", "")[:200].replace("\0", ""))
    return render(request, "ui/components/suggestions.html", {"people": found})


# --- parts -------------------------------------------------------------------------------------------------------

_POINTERS = ("mailbox", "author", "answers", "conversation")
_KEPT = (
    *("pk", "how", "subject", "html", "to", "cc", "bcc", "marker", "internet_message_id"),
    *(
        "signature",
        "from_address",
        "remind_days",
        "about",
        "tail",
        "taken",
        "draft_id",
        "draft_key",
        "draft_hash",
        "saved_hash",
    ),
)


def _own(request: MemberRequest, pk: int) -> Composition:
    found = queries.own_composition(request.member, pk)
    if found is None:
        raise Http404("No such draft")
    return found


def _token(composition: Composition) -> str:
    """A whole draft, signed: nothing else remembers it once it is discarded."""
    told: dict[str, Any] = {name: getattr(composition, name) for name in _KEPT}
    told |= {name: getattr(composition, f"{name}_id") for name in _POINTERS}
    told["files"] = [
        {
            "blob_id": one.blob_id,
            "remote_id": one.remote_id,
            "bytes": one.bytes,
            "name": one.name,
            "content_type": one.content_type,
            "is_inline": one.is_inline,
            "content_id": one.content_id,
        }
        for one in composition.files.select_related("blob").order_by("pk")
    ]
    return signing.dumps(told, salt="inbox.draft", compress=True)


def _keep(request: MemberRequest, composition: Composition) -> Composition | None:
    """Only the fields that were sent; a reply without a subject field keeps its subject. A second draft, where what was
    typed had to be kept beside what came from Outlook."""
    if (second := _kept_beside(request, composition)) is not None:
        return second
    fields = _typed(request, composition)
    try:
        if fields:
            commands.save(composition, **fields)
    except drafts.Overtaken:  # in this very moment
        _own(request, composition.pk)
        composition.refresh_from_db()
        return _kept_beside(request, composition)
    return None


def _typed(request: MemberRequest, composition: Composition) -> dict[str, Any]:
    told = request.POST
    fields: dict[str, Any] = {name: writing.people(told[name]) for name in _FIELDS if name in told}
    if "html" in told:  # what the editor has; sent only once something was changed in it
        fields["html"] = editing.kept(told["html"])
    elif "text" in told and not writing.says_the_same(told["text"], composition.html):  # formatting stays until then
        fields["html"] = commands.text_to_html(told["text"].replace("\0", ""))
    if "subject" in told:
        fields["subject"] = " ".join(told["subject"].replace("\0", "").split())[:900]
    mailbox = writing.mailbox_of(accounts(request), told.get("from", ""))
    if mailbox is not None:
        fields["mailbox"] = mailbox
        fields["from_address"] = writing.from_address(composition, mailbox, told["from"])
    if "remind" in told:
        fields["remind_days"] = reminding.chosen(told["remind"])
    leaving.signed(request, composition, fields)
    return fields


def _kept_beside(request: MemberRequest, composition: Composition) -> Composition | None:
    """The draft was changed in Outlook since this form was drawn: what is typed in it becomes a second draft."""
    taken = request.POST.get("taken", "")
    if not taken.isdecimal() or int(taken[:9]) == composition.taken:
        return None
    fields = _typed(request, composition)
    fields.pop("mailbox", None)
    if "html" not in fields and all(fields[name] == getattr(composition, name) for name in fields):
        return None
    return drafts.keep(composition, drafts.SECOND_OURS, **{"html": composition.html, **fields})


def _to_second(request: MemberRequest, second: Composition) -> HttpResponse:
    messages.warning(
        request, "This draft was changed in Outlook meanwhile. What you wrote is kept as this second draft."
    )
    leads = reverse("inbox:draft", args=[second.pk])
    return HttpResponseClientRedirect(leads) if is_partial(request) else redirect(leads)


def _drop_files(request: MemberRequest, composition: Composition) -> None:
    kept = [int(one) for one in request.POST.getlist("attachments") if one.isdecimal() and len(one) < 18]
    beside = CompositionFile.objects.filter(composition=composition, is_inline=False)
    commands.detach(composition, list(beside.exclude(pk__in=kept)))


def _problems(told: QueryDict, composition: Composition) -> dict[str, str]:
    """What the fields say about themselves, by field."""
    errors = {}
    for name in _FIELDS:
        wrong = [address for _, address in getattr(composition, name) if not commands._looks_like_address(address)]
        if wrong:
            errors[name] = f"{wrong[0]} is not an e-mail address."
    if not (composition.to or composition.cc or composition.bcc):
        errors["to"] = "Add at least one recipient."
    sender = str(told.get("from", ""))
    if sender and sender.partition(":")[0] != str(composition.mailbox_id):
        errors["all"] = NOT_FROM_HERE
    return errors


def _may_send(request: MemberRequest, composition: Composition) -> bool:
    """The right may have gone since the draft was begun."""
    return writing.mailbox_of(accounts(request), str(composition.mailbox_id)) is not None


def _unseen(request: MemberRequest, composition: Composition) -> Message | None:
    """The newest message of the thread that arrived after what the author had before them."""
    seen = request.POST.get("seen", "")
    if not composition.conversation_id or not seen.isdecimal() or len(seen) > 18:
        return None
    known = accounts(request)
    rows = Message.objects.filter(
        thread__conversation=composition.conversation_id, mailbox__in=known.ids, pk__gt=int(seen), is_draft=False
    )
    newest = rows.order_by("-received", "-pk").first()
    base = Message.objects.filter(pk=int(seen)).values_list("received", flat=True).first()
    if newest is None or (base is not None and newest.received <= base):
        return None
    return None if newest.from_address.lower() in known.ours else newest


def _commented(request: MemberRequest, composition: Composition) -> str:
    """Who commented on the conversation after what the author had before them; nobody: an empty text."""
    seen = request.POST.get("commented", "")
    if not composition.conversation_id or not seen.isdecimal() or len(seen) > 18:
        return ""
    newest = team.newest_comment(composition.conversation_id, besides=request.member)
    if newest is None or newest.pk <= int(seen) or not _reads(request, composition.conversation_id):
        return ""
    return newest.author.name if newest.author else "Somebody"


def _had_seen(request: MemberRequest) -> Message | None:
    """The newest message the author had before them, where it is one of theirs to read."""
    seen = request.POST.get("seen", "")
    if not seen.isdecimal() or len(seen) > 18:
        return None
    return Message.objects.filter(pk=int(seen), mailbox__in=accounts(request).ids).first()


def _reads(request: MemberRequest, conversation: int) -> bool:
    return Thread.objects.filter(conversation=conversation, mailbox__in=accounts(request).ids).exists()


def _page(
    request: MemberRequest,
    composition: Composition,
    *,
    seen: Message | None = None,
    errors: Mapping[str, str] | None = None,
    notice: str = "",
    focus: bool = False,
    status: int = 200,
) -> HttpResponse:
    place = _place(request)
    context = composing.context(
        composition,
        accounts(request),
        seen=seen.pk if seen else None,
        errors=errors,
        notice=notice,
        focus=focus or bool(errors),
        place=place,
    )
    if is_partial(request) and status == 422:
        template = "inbox/composer.html"
    else:
        template = _PAGES.get(place, "inbox/compose.html")
    return render(request, template, {**context, "active": "inbox"}, status=status)


_PAGES = {"dock": "inbox/dock.html", "window": "inbox/window.html"}


def _place(request: MemberRequest) -> str:
    """Where the message is written: "dock" beside a list, "window" of its own; empty: on a page or in its thread."""
    told = request.POST.get("place") or request.GET.get("place", "")
    return "dock" if wants(request, "dock") else told if told in _PAGES else ""


def _thread_address(composition: Composition) -> str:
    if composition.conversation_id is None:
        return ""
    rows = Thread.objects.filter(conversation=composition.conversation_id)
    thread = (
        rows.filter(mailbox=composition.mailbox_id).first()
        or rows.filter(mailbox=composition.answers.mailbox_id if composition.answers else None).first()
    )
    return reverse("inbox:thread", args=[thread.pk]) if thread else ""


def _sent(request: MemberRequest, composition: Composition) -> HttpResponse:
    """A reply stays in its thread, which shows it on its way; a new message leads back."""
    place = _place(request)
    if is_partial(request) and place == "dock":
        return leaving.say(request, trigger_client_event(HttpResponse(""), "list:changed"), composition)
    if is_partial(request) and place == "window":
        leads = reverse("inbox:draft", args=[composition.pk]) + "?place=window"
        return leaving.say(request, HttpResponseClientRedirect(leads), composition)
    if is_partial(request) and composition.how != "new":
        return leaving.say(request, trigger_client_event(HttpResponse(""), "thread:changed"), composition)
    leads = _thread_address(composition) or reverse("inbox:list")
    answer = HttpResponseClientRedirect(leads) if is_partial(request) else redirect(leads)
    return leaving.say(request, answer, composition)


def _back(request: MemberRequest, composition: Composition) -> HttpResponse:
    if is_partial(request):
        return trigger_client_event(HttpResponse(status=204), "thread:changed")
    return redirect(_thread_address(composition) or reverse("inbox:list"))
