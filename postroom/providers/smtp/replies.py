"""What a mail server's answers mean: one table. Source: google-imap-smtp.md E3, E4, E6.

The three digits decide first, then the enhanced code, then the words.
"""

import re
import smtplib
import socket
import ssl

from postroom.providers.errors import ProviderError, Refused, SendingLimit, Transient

DAY, HOUR = 86_400.0, 3_600.0
_ENHANCED = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_LIMIT = re.compile(
    r"(?:daily|24.?h(?:our)?|hourly|per (?:day|hour)).{0,40}(?:limit|quota)|"
    r"sending (?:limit|quota) (?:reached|exceeded)|"
    r"message quota|relay limit|too many (?:messages|emails) (?:sent|today)|submission.?quota",
    re.IGNORECASE | re.DOTALL,
)
# Look-alikes (E6): a full mailbox of ours or of the recipient, and what only slows down.
_NO_LIMIT = re.compile(r"mailbox (?:is )?full|over ?quota|storage|5\.2\.2|4\.2\.2|4\.5\.3", re.IGNORECASE)
_HOURLY = re.compile(r"hourly|per hour|peak", re.IGNORECASE)

# What a member reads about a server that does not work, by our word for it.
WORDS = {
    "smtp_host": "There is no server of this name.",
    "smtp_unreachable": "The server does not answer. Check name and port, and whether a firewall is between.",
    "smtp_tls": "The connection could not be encrypted: the certificate is not valid for this name, or the server "
    "offers no encryption on this port.",
    "smtp_auth": "The server refuses user name or password. Some servers want an app password.",
    "smtp_private": "The server is in a private network. The operator has to name it in POSTROOM_MAIL_HOSTS.",
    "smtp_size": "The message is larger than the workspace’s mail server takes.",
    "smtp_utf8": "An address has letters that the workspace’s mail server cannot write to.",
}


def enhanced(text: str) -> str:
    """The x.y.z of an answer, empty when there is none."""
    found = _ENHANCED.search(text)
    return found[1] if found else ""


def reply(code: int, text: bytes | str) -> ProviderError:
    """The error that a refusing answer to MAIL, RCPT or DATA stands for."""
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    name = f"smtp {code} {enhanced(words)}".strip()
    if _LIMIT.search(words) and not _NO_LIMIT.search(words):
        return SendingLimit(name, code=name, status=code, retry_after=HOUR if _HOURLY.search(words) else DAY)
    if code == 552 and "recipients" in words.lower():  # old servers mean 452 (RFC 5321 4.5.3.1.10)
        return Transient(name, code=name, status=code)
    if code == 552:
        return Refused(name, code="smtp_size", status=code)
    if code in (530, 534, 535, 538):
        return Transient(name, code="smtp_auth", status=code)
    if code >= 500 and code != 503:  # bad sequence: a mistake that the next attempt may not make
        return Refused(name, code=name, status=code)
    return Transient(name, code=name, status=code)


def broken(error: Exception, *, maybe_done: bool = False) -> ProviderError:
    """What a failed conversation means. ``maybe_done``: the server may have taken the message. Raises what is not of
    the network or of the SMTP client."""
    match error:
        case smtplib.SMTPAuthenticationError():
            return Transient("the server refuses the sign-in", code="smtp_auth", status=error.smtp_code)
        case smtplib.SMTPServerDisconnected():
            return Transient("the connection was lost", code="smtp_unreachable", maybe_done=maybe_done)
        case smtplib.SMTPNotSupportedError() | ssl.SSLError():
            return Transient("no encryption", code="smtp_tls", maybe_done=maybe_done)
        case socket.gaierror():
            return Transient("no such host", code="smtp_host")
        case smtplib.SMTPResponseException():
            return reply(error.smtp_code, error.smtp_error)
        case OSError() | smtplib.SMTPException():
            return Transient("the server does not answer", code="smtp_unreachable", maybe_done=maybe_done)
    raise error
