"""A conversation on paper: a page of its own, under the policy of the mail frame."""

from collections.abc import Sequence

from django.http import Http404, HttpResponse
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET

from postroom.audit import log
from postroom.audit.models import Access
from postroom.inbox import queries
from postroom.inbox.accounts import accounts
from postroom.mail import content, trust
from postroom.mail import queries as mail_queries
from postroom.mail.models import Message
from postroom.mail.queries import Shown
from postroom.ui.words import exact
from postroom.workspaces.access import MemberRequest, member_required


@require_GET
@xframe_options_sameorigin
@member_required
def on_paper(request: MemberRequest, pk: int) -> HttpResponse:
    """All messages that the member may read, oldest first, without what they quote of each other."""
    threads = queries.visible_threads(pk, accounts(request))
    if not threads:
        raise Http404("No such thread")
    found = mail_queries.conversation_of(threads)
    shown = [one for one in found.messages if not one.message.is_draft]
    pairs = [(one.message.mailbox_id, one.message.pk) for one in shown]
    log.read(log.by(request), Access.What.BODY, log.by_mailbox(request.workspace.pk, found.id, pairs))
    rows = Message.objects.select_related("body", "folder", "mailbox").prefetch_related("attachments")
    whole = rows.in_bulk([one.message.pk for one in shown])
    trusted = trust.trusted(request.member, list(whole.values()))
    sheets = [_sheet(whole[one.message.pk], one, pictures=one.message.pk in trusted) for one in shown]
    html = content.printed(found.subject or "(no subject)", sheets)
    return HttpResponse(html, headers={"Content-Security-Policy": content.FRAME_POLICY})


def _sheet(message: Message, one: Shown, *, pictures: bool) -> tuple[list[tuple[str, str]], str]:
    head = [
        ("From", _people([(message.from_name, message.from_address)])),
        ("To", _people(message.to)),
        ("Cc", _people(message.cc)),
        ("Date", exact(message.received)),
        ("Attachments", ", ".join(content.file_name(file) for file in one.files)),
    ]
    return [(name, value) for name, value in head if value], content.text_of_message(message, pictures=pictures)


def _people(some: Sequence[Sequence[str]]) -> str:
    return ", ".join(f"{name} <{address}>" if name and name != address else address or name for name, address in some)
