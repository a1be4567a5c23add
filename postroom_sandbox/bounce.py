"""Non-delivery reports, worded and built like Exchange Online's."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape

from postroom_sandbox.mime import Parsed, build_message
from postroom_sandbox.mime.headers import split_headers
from postroom_sandbox.users import User

_POSTMASTER = "MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e"
_REASON = "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup"


def report(sender: User, original: Parsed, raw: bytes, lost: list[str], *, now: int) -> bytes:
    """The report for `lost` recipients of `original`, as RFC 3464 MIME."""
    domain = sender.address.rpartition("@")[2]
    mark = hashlib.sha256(original.internet_message_id.encode() + str(now).encode()).hexdigest()[:24]
    date = format_datetime(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=now))
    head = Parsed(
        subject=f"Undeliverable: {original.subject}",
        from_=("Microsoft Outlook", f"{_POSTMASTER}@{domain}"),
        to=[(sender.name, sender.address)],
        internet_message_id=f"<{mark}@{domain}>",
        references=[*original.references, original.internet_message_id],
        sent=now,
        headers=[("Auto-Submitted", "auto-replied"), ("X-MS-Exchange-Message-Is-Ndr", "")],
    )
    envelope = build_message(head).split(b"MIME-Version: 1.0")[0]
    kept, _ = split_headers(raw)
    returned = "\r\n".join(f"{name}: {value}" for name, value in kept)
    parts = [
        ("text/html; charset=utf-8", _page(lost, original.subject)),
        ("message/delivery-status", _status(lost, domain, date)),
        ("text/rfc822-headers", returned + "\r\n"),
    ]
    body = "".join(f"--ndr_{mark}\r\nContent-Type: {kind}\r\n\r\n{text}\r\n" for kind, text in parts)
    kind = f'multipart/report; report-type=delivery-status; boundary="ndr_{mark}"'
    return envelope + f"MIME-Version: 1.0\r\nContent-Type: {kind}\r\n\r\n{body}--ndr_{mark}--\r\n".encode(
        "utf-8", "replace"
    )


def _page(lost: list[str], subject: str) -> str:
    rows = "".join(f'<p><a href="mailto:{escape(item)}">{escape(item)}</a></p>' for item in lost)
    return (
        "<html><body><p><b>Delivery has failed to these recipients or groups:</b></p>"
        f"{rows}<p>The email address you entered couldn't be found. Please check the recipient's email address and try"
        f" to resend the message.</p><p>Subject: {escape(subject)}</p></body></html>"
    )


def _status(lost: list[str], domain: str, date: str) -> str:
    head = f"Reporting-MTA: dns;{domain}\r\nArrival-Date: {date}\r\n"
    each = "".join(
        f"\r\nFinal-Recipient: rfc822;{item}\r\nAction: failed\r\nStatus: 5.1.10\r\nDiagnostic-Code: smtp;{_REASON}\r\n"
        for item in lost
    )
    return head + each
