"""What kind of mail a message is: one for people, an invitation, an automatic reply, a bounce, a newsletter or list.

Decided by headers first (RFC 3834, 2369, 2919, 3464 and what mail programs add), then by sender and subject. The one
recogniser: whoever shows a mail or matches what comes back asks here. What a report says is read by ``reports``, when
somebody is back by ``absences``, what a meeting is by ``icalendar``.
"""

import re
from collections.abc import Mapping, Sequence

from postroom.providers.contract import RemoteAttachment, RemoteMessage

_MACHINES = re.compile(
    r"(?:mailer-daemon|postmaster|mail-daemon|microsoftexchange[0-9a-f]{10,})(?:@|\Z)", re.IGNORECASE
)
_BOUNCED = re.compile(
    r"(?:undeliver(?:able|ed)|delivery (?:status notification|failure|has failed)|mail delivery failed|failure notice|"
    r"returned mail|unzustellbar|zustellung fehlgeschlagen|non remis|échec de la remise|no se puede entregar|"
    r"no entregado|non recapitabile|mancata consegna|onbestelbaar|niedostarczalne|não é possível entregar|"
    r"недоставлено|kan inte levereras|未送達|无法投递|配信不能)",
    re.IGNORECASE,
)
_ABSENT = re.compile(
    r"(?:automatic reply|auto(?:matic)?[- ]?(?:reply|response)|out of (?:the )?office|automatische antwort|"
    r"abwesenheit|réponse automatique|absence du bureau|respuesta automática|fuera de la oficina|risposta automatica|"
    r"fuori sede|resposta automática|automatisch antwoord|afwezig|autosvar|automaattinen vastaus|"
    r"autoodpowiedź|automatická odpověď|автоматический ответ|автоответ|自動応答|自動返信|自动答复|자동 회신)\s*[:：]?",
    re.IGNORECASE,
)
_AUTO_REPLIES = frozenset({"x-autoreply", "x-autorespond"})
_LISTS = ("list-id", "list-unsubscribe", "list-post", "feedback-id", "x-mailing-list", "x-campaign", "x-campaignid")
_CALENDAR = ("text/calendar", "application/ics")


def kind_of(message: RemoteMessage, own: frozenset[str] = frozenset()) -> str:
    """A value of ``Message.Kind``. What one of the ``own`` addresses (lower-cased) wrote is mail, or an invitation."""
    headers = message.headers or {}
    address = message.from_.address if message.from_ else ""
    subject = message.subject or ""
    if message.meeting or _is_invitation(headers, message.attachments or ()):
        return "invitation"
    if address.lower() in own:
        return "mail"
    if _is_bounce(headers, message.attachments or (), address, subject):
        return "bounce"
    if _is_auto_reply(headers, subject):
        return "auto_reply"
    return "bulk" if _is_bulk(headers) else "mail"


def _is_invitation(headers: Mapping[str, str], attachments: Sequence[RemoteAttachment]) -> bool:
    if "text/calendar" in headers.get("content-type", "").lower():
        return True
    if "calendarmessage" in headers.get("content-class", "").lower():
        return True
    return any(a.content_type.lower().startswith(_CALENDAR) for a in attachments)


def _is_bounce(headers: Mapping[str, str], attachments: Sequence[RemoteAttachment], address: str, subject: str) -> bool:
    report = headers.get("content-type", "").lower()
    if "multipart/report" in report and "delivery-status" in report:
        return True
    if "x-failed-recipients" in headers or "x-ms-exchange-message-is-ndr" in headers:
        return True
    from_machine = _MACHINES.match(address) is not None or headers.get("return-path", "").strip() == "<>"
    if any(one.content_type.lower().startswith("message/delivery-status") for one in attachments):
        return from_machine or "auto-submitted" in headers
    return from_machine and _BOUNCED.search(subject) is not None


def _is_auto_reply(headers: Mapping[str, str], subject: str) -> bool:
    automatic = headers.get("auto-submitted", "").lower().strip()
    if automatic.startswith("auto-replied") or not _AUTO_REPLIES.isdisjoint(headers):
        return True
    return _ABSENT.match(subject.strip()) is not None


def _is_bulk(headers: Mapping[str, str]) -> bool:
    if headers.get("precedence", "").lower().strip() in {"bulk", "list", "junk"}:
        return True
    return any(name in headers for name in _LISTS)
