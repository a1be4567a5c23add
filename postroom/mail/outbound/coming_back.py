"""Reports and automatic replies, as they arrive, matched to what was sent (product.md SE11).

What is believed: only a report about a message that really went out from here, and only about those it was written to.
Anybody can send a mail that looks like a report; that says nothing about anybody. Nothing is ever answered by itself.
"""

import logging
import re
from collections.abc import Callable, Collection
from datetime import timedelta
from email import message_from_bytes
from email.message import Message as Mime
from typing import Any, NamedTuple

from django.db import transaction

from postroom.lib.clock import now
from postroom.mail import absences, content, reports, store
from postroom.mail.models import Composition, Message, MessageBody, Participant
from postroom.mail.outbound import limits, returns
from postroom.mail.reports import Failed
from postroom.mail.text import from_html
from postroom.mailboxes.models import Mailbox
from postroom.providers.contract import FolderRole

log = logging.getLogger(__name__)

RECENT = timedelta(days=14)  # what a history brings from before is history
MAX_BYTES = 4_000_000  # of a report that is read
_REPORTS = ("message/delivery-status", "message/global-delivery-status")
_RETURNED = ("message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers")
_IDS = re.compile(r"<[^<>\s]{1,900}>")
# A report that says: the sender has sent too much (google-imap-smtp.md E6 rows 2, 3).
_LIMIT = re.compile(
    r"\b5\.1\.90\b|\b5\.7\.233\b|submission quota|daily (?:message|recipient|sending) limit", re.IGNORECASE
)


class Report(NamedTuple):
    """What a report says. ``about``: the Message-IDs it may be about, the likeliest first."""

    failed: list[Failed]
    about: list[str]
    says_limit: bool


def on_stored(mailbox: Mailbox, stored: store.Stored, *, fresh: bool) -> None:
    """A page was stored: automatic replies are matched at once, reports are read by a job."""
    if not stored.new:
        return
    rows = Message.objects.filter(pk__in=stored.new, received__gt=now() - RECENT)
    found = rows.values_list("pk", "kind", "from_address", "folder__role")
    kinds = list(found)
    senders = {address.lower() for _, kind, address, _ in kinds if kind == Message.Kind.MAIL and address}
    returns.alive(mailbox.workspace_id, senders - {mailbox.address.lower()})
    for pk, kind, _, role in kinds:
        if role in (FolderRole.SENT, FolderRole.DRAFTS):
            continue
        if kind == Message.Kind.AUTO_REPLY:
            _absent(pk)
        elif kind == Message.Kind.BOUNCE:
            transaction.on_commit(_later(pk))


def _later(pk: int) -> Callable[[], None]:
    def defer() -> None:
        from postroom.mail.jobs import read_report

        try:
            read_report.defer(message_id=pk)
        except Exception:
            log.warning("the report %s could not be queued", pk, exc_info=True)

    return defer


def take(message: Message) -> int:
    """Read a report and note what it says about what was sent; to how many recipients. Repeating it does no harm."""
    chunks, raw = content.original(message), bytearray()
    for chunk in chunks:
        raw += chunk
        if len(raw) > MAX_BYTES:
            break
    found = read(bytes(raw[:MAX_BYTES]), message)
    for name in found.about:
        people = _people_of(message.mailbox, name)
        ours = [one for one in found.failed if one.address.lower() in people]
        if people:
            with transaction.atomic():
                for one in ours:
                    returns.keep(message.mailbox.workspace_id, name, one, at=message.received)
                if found.says_limit:
                    limits.reached_late(message.mailbox, "reported 5.1.90")
            return len(ours)
    return 0


def read(raw: bytes, message: Message) -> Report:
    """A report taken apart. What cannot be taken apart says nothing."""
    texts, about = "", []
    try:
        mime = message_from_bytes(raw)
        for part in mime.walk():
            kind = part.get_content_type()
            if kind in _REPORTS and not texts:
                texts = _text(part)
            elif kind in _RETURNED:
                about += _IDS.findall(_message_id(part))
        about += _IDS.findall(f"{mime.get('In-Reply-To', '')} {mime.get('X-Original-Message-ID', '')}")
        about += reversed(_IDS.findall(str(mime.get("References", ""))))
    except (RecursionError, ValueError, LookupError, AttributeError, IndexError):
        about = [*about, message.in_reply_to]
    body = _body(message)
    own = frozenset({message.mailbox.address.lower()})
    failed = reports.read(texts) or reports.guessed(body, ours=own)
    return Report(failed, list(dict.fromkeys(one for one in about if one)), bool(_LIMIT.search(f"{texts}\n{body}")))


def _text(part: Mime) -> str:
    inside = part.get_payload()
    if isinstance(inside, list):  # a delivery report is taken for a row of messages
        return "\n".join(str(one) for one in inside)
    raw: Any = part.get_payload(decode=True)
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else ""


def _message_id(part: Mime) -> str:
    """The Message-ID of the message that came back, or of the headers of it."""
    inside: Any = part.get_payload()
    if isinstance(inside, list):
        return str(inside[0].get("Message-ID", "")) if inside else ""
    returned = message_from_bytes(_text(part).encode())
    return str(returned.get("Message-ID", ""))


def _body(message: Message) -> str:
    body: MessageBody | None = getattr(message, "body", None)
    return "" if body is None else body.text or from_html(body.html)


def _people_of(mailbox: Mailbox, name: str) -> Collection[str]:
    """Whom a message that went out from this workspace was written to (lower-cased); nobody when none did."""
    ours = Composition.objects.filter(mailbox__workspace=mailbox.workspace_id, internet_message_id=name).first()
    if ours is not None:
        return {address.lower() for _, address in ours.recipients}
    sent = Message.objects.filter(mailbox=mailbox, internet_message_id=name, folder__role=FolderRole.SENT)
    people = Participant.objects.filter(message__in=sent).exclude(role=Participant.Role.FROM)
    return set(people.values_list("address", flat=True))


def _absent(pk: int) -> None:
    """Somebody's mailbox answered by itself."""
    message = Message.objects.select_related("mailbox", "body").get(pk=pk)
    for name in _IDS.findall(message.in_reply_to):
        if message.from_address.lower() in _people_of(message.mailbox, name):
            back = absences.returns(_body(message), message.received.date())
            why = f"back on {back:%A} {back.day} {back:%B} {back.year}" if back else ""
            returns.keep_away(message.mailbox.workspace_id, name, message.from_address, why, at=message.received)
            return
