"""Mail through the operator's SMTP server (SMTP_URL)."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from urllib.parse import unquote, urlsplit

from django.conf import settings

SECONDS = 20.0


class NotSent(Exception):
    """Why, without the server's words: they may quote an address. ``unclear``: the connection broke when the server
    had the message, so it may have gone out."""

    def __init__(self, why: str, *, unclear: bool = False) -> None:
        super().__init__(why)
        self.unclear = unclear


def sender() -> str:
    """SMTP_FROM, or postroom@ the public host."""
    return settings.SMTP_FROM or f"postroom@{urlsplit(settings.POSTROOM_BASE_URL).hostname}"


def send(to: Sequence[str], subject: str, text: str, *, html: str = "") -> None:
    """One message to all, with `html` for who reads that; raises NotSent."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender(), ", ".join(to), " ".join(subject.split())
    message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain="postroom.invalid")
    message["Auto-Submitted"] = "auto-generated"
    message["X-Postroom-Loop"] = "1"  # no drop box files our own mail (``dropbox.filing.MARKER``)
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    try:
        _hand_over(message)
    except (OSError, smtplib.SMTPException) as problem:
        raise NotSent(type(problem).__name__) from None


def _hand_over(message: EmailMessage) -> None:
    parts = urlsplit(settings.SMTP_URL)
    host = parts.hostname or ""
    context = ssl.create_default_context()
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, parts.port or 465, timeout=SECONDS, context=context)
    else:
        server = smtplib.SMTP(host, parts.port or 587, timeout=SECONDS)
    with server:
        if parts.scheme == "smtp" and host not in {"localhost", "127.0.0.1", "::1"}:
            server.starttls(context=context)  # refused: nothing is sent in the clear
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        try:
            server.send_message(message)
        except (OSError, smtplib.SMTPServerDisconnected) as problem:
            raise NotSent(type(problem).__name__, unclear=True) from None
