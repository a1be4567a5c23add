"""A message of this provider as RFC 5322 text, as a mail program writes it; of a draft with its hidden recipients."""

from collections.abc import Sequence
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any

from postroom.providers.contract import Address, RemoteAttachment, RemoteBody, RemoteMessage


def as_mime(one: RemoteMessage, files: Sequence[tuple[RemoteAttachment, bytes]]) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["Subject"] = one.subject or ""
    if one.from_ is not None:
        message["From"] = _people([one.from_])
    for name, people in (("To", one.to), ("Cc", one.cc), ("Bcc", one.bcc if one.is_draft else ())):
        if people:
            message[name] = _people(people)
    if one.sent is not None:
        message["Date"] = format_datetime(one.sent)
    if one.in_reply_to:
        message["In-Reply-To"], message["References"] = one.in_reply_to, " ".join(one.references or ())
    body = one.body or RemoteBody("text", "")
    message.set_content(body.content, subtype="html" if body.content_type == "html" else "plain")
    for file, content in files:
        _add(message, file, content)
    # As it is, also where it is none: the header's class would mend it.
    return f"Message-ID: {one.internet_message_id or ''}\r\n".encode() + message.as_bytes()


def _add(message: EmailMessage, file: RemoteAttachment, content: bytes) -> None:
    kind, _, subtype = file.content_type.partition("/")
    told: dict[str, Any] = {"filename": file.name, "disposition": "inline" if file.is_inline else "attachment"}
    if file.content_id:
        told["cid"] = f"<{file.content_id}>"
    message.add_attachment(content, maintype=kind, subtype=subtype or "octet-stream", **told)


def _people(people: Sequence[Address]) -> list[HeaderAddress]:
    return [HeaderAddress(display_name=one.name, addr_spec=one.address) for one in people]
