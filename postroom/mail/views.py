"""Addresses of a message's content. What a member may not see does not exist (404)."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.core import signing
from django.http import FileResponse, Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import trigger_client_event

from postroom.audit import log
from postroom.audit.models import Access
from postroom.files import storage
from postroom.lib.errors import new_reference
from postroom.mail import content, pictures, queries, telling, trust
from postroom.mail.models import Attachment, Message
from postroom.providers.errors import AccessLost, NotFound, ProviderError, ReauthNeeded
from postroom.ui.toasts import toast
from postroom.workspaces.access import MemberRequest, member_required

P = ParamSpec("P")
Streamed = Callable[Concatenate[MemberRequest, P], HttpResponseBase]
View = Callable[Concatenate[MemberRequest, P], HttpResponse]

_WHY = (
    (AccessLost, "The mailbox is disconnected, so its provider cannot be asked.", "Reconnect the mailbox in Settings."),
    (ReauthNeeded, "The mailbox wants a new sign-in before anything can be fetched.", "Reconnect it in Settings."),
    (NotFound, "The provider no longer has it.", "It was deleted there after Postroom saw it."),
)


def from_provider(view: Streamed[P]) -> View[P]:
    """What only the provider has may not be had just now: that is a page with a reason, not a failure of ours."""

    @wraps(view)
    def asked(request: MemberRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            return cast(HttpResponse, view(request, *args, **kwargs))  # streamed or not is all the same to decorators
        except content.Unavailable as trouble:
            what, todo = str(trouble), "Open the message in your mail program to follow the link."
        except ProviderError as trouble:
            named = ((happened, advice) for kind, happened, advice in _WHY if isinstance(trouble, kind))
            what, todo = next(named, ("The provider did not answer as it should.", "Try again in a minute."))
        told = {
            "headline": "This cannot be fetched right now",
            "what": what,
            "todo": todo,
            "reference": new_reference(),
        }
        return render(request, "ui/error.html", told, status=503)

    return asked


def _message(request: MemberRequest, pk: int) -> Message:
    found = queries.readable_message(request.member, pk)
    if found is None:
        raise Http404("No such message")
    return found


def _attachment(request: MemberRequest, pk: int) -> Attachment:
    rows = Attachment.objects.select_related(
        "blob", "message__thread", "message__folder", "message__mailbox__workspace", "message__mailbox__connection"
    )
    found = get_object_or_404(rows, pk=pk, message__mailbox__workspace=request.workspace)
    if not queries.may_read(request.member, found.message):
        raise Http404("No such attachment")
    return found


@require_GET
@xframe_options_sameorigin
@member_required
def body(request: MemberRequest, pk: int) -> HttpResponse:
    """The text of a message, for a frame. ``?pictures=1`` loads those from elsewhere; so does a trusted sender."""
    message = _message(request, pk)
    _logged(request, message, Access.What.BODY, again=False)
    html = content.page(message, pictures=request.GET.get("pictures") == "1" or trust.trusts(request.member, message))
    return HttpResponse(html, headers={"Content-Security-Policy": content.FRAME_POLICY})


@require_POST
@member_required
def pictures_always(request: MemberRequest, pk: int) -> HttpResponse:
    """Load the pictures of this sender from now on."""
    address = trust.trust(request.member, _message(request, pk))
    if not address:
        return toast(request, HttpResponse(status=204), "This message names no sender.", kind="warning")
    response = trigger_client_event(HttpResponse(status=204), "pictures:always")
    return toast(request, response, f"Pictures from {address} are loaded from now on. Settings, Reading takes it back.")


@require_GET
@member_required
def card(request: MemberRequest, pk: int) -> HttpResponse:
    """What an invitation or a delivery report says, as a card above its text. Only a part of the thread."""
    message = _message(request, pk)
    _logged(request, message, Access.What.BODY, again=False)
    try:
        shown = telling.card(message)
    except (ProviderError, content.Unavailable):
        shown = None
    own = message.from_address.lower() in {message.mailbox.address.lower(), request.member.address.lower()}
    return render(request, "mail/card.html", {"card": shown, "message": message, "own": own})


@require_GET
@member_required
@from_provider
def original(request: MemberRequest, pk: int) -> HttpResponseBase:
    """The message as it travelled, as text; ``?save=1`` as a file."""
    message = _message(request, pk)
    name = f"{''.join(c for c in message.subject if c.isalnum() or c in ' -_')[:80].strip() or 'message'}.eml"
    save = request.GET.get("save") == "1"
    _logged(request, message, Access.What.ORIGINAL, save=save)
    return content.as_it_came(content.original(message), name, save=save)


@require_GET
@member_required
@from_provider
def attachment(request: MemberRequest, pk: int) -> HttpResponseBase:
    """Saves an attachment, whatever it is."""
    found = _attachment(request, pk)
    _logged(request, found.message, Access.What.ATTACHMENT, save=True, attachment=found)
    return _file(found, "application/octet-stream", "attachment")


@require_GET
@xframe_options_sameorigin
@member_required
@from_provider
def attachment_view(request: MemberRequest, pk: int) -> HttpResponseBase:
    """Shows a picture or PDF in the browser, under a type of our choice, and text and archives as a page of ours;
    everything else is saved."""
    found = _attachment(request, pk)
    shown_as, how = content.preview_type(found), content.preview_kind(found)
    in_text = found.is_inline and bool(found.content_id)  # a picture of the text is read with the text
    what = Access.What.BODY if in_text else Access.What.ATTACHMENT
    _logged(request, found.message, what, save=not how, again=not in_text, attachment=found)
    if how == "page":
        return HttpResponse(content.preview_page(found), headers={"Content-Security-Policy": content.FRAME_POLICY})
    if not shown_as:
        return _file(found, "application/octet-stream", "attachment")
    response = _file(found, shown_as, "inline")
    response["Cache-Control"] = "private, max-age=86400, immutable"
    if shown_as == "application/pdf":  # a sandbox would keep the browser's own viewer out
        response["Content-Security-Policy"] = "frame-ancestors 'self'"
    return response


def _logged(
    request: MemberRequest,
    message: Message,
    what: Access.What,
    *,
    save: bool = False,
    again: bool = True,
    attachment: Attachment | None = None,
) -> None:
    """In the access log before it is answered (AD2). ``again``: also what was opened a moment ago."""
    read = log.Read(
        workspace_id=request.workspace.pk,
        mailbox_id=message.mailbox_id,
        conversation_id=message.thread.conversation_id if message.thread_id else None,
        message_ids=[message.pk],
        attachment_id=attachment.pk if attachment else None,
    )
    how = Access.How.DOWNLOAD if save else Access.How.SCREEN
    log.read(log.by(request, how), what, [read], again=again)


def _file(found: Attachment, content_type: str, how: str) -> HttpResponseBase:
    blob = content.blob(found)
    response = FileResponse(storage.path(blob).open("rb"), content_type=content_type)
    response["Content-Disposition"] = content.disposition(how, content.file_name(found))
    response["Content-Length"] = str(blob.size)
    response["Content-Security-Policy"] = content.FILE_POLICY
    return response


@require_GET
@member_required
def picture(request: MemberRequest, token: str) -> HttpResponse:
    """A remote picture of a mail, fetched by us. Addresses come from ``content.picture_address`` only."""
    try:
        found = pictures.fetch(content.signed_picture(token))
    except (signing.BadSignature, pictures.NoPicture):
        raise Http404("No such picture") from None
    headers = {"Content-Security-Policy": content.FILE_POLICY, "Cache-Control": "private, max-age=86400"}
    return HttpResponse(found.content, content_type=found.content_type, headers=headers)
