"""Quoted tails: the block a mail client puts under an answer, in Outlook's and in Gmail's manner, by language."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .mime import Mail, Party

# From, Sent, To, Cc, Subject as Outlook names them
_OUTLOOK_LABELS = {
    "en": ("From", "Sent", "To", "Cc", "Subject"),
    "de": ("Von", "Gesendet", "An", "Cc", "Betreff"),
    "fr": ("De", "Envoyé", "À", "Cc", "Objet"),
    "es": ("De", "Enviado", "Para", "CC", "Asunto"),
    "pt": ("De", "Enviado", "Para", "Cc", "Assunto"),
    "ja": ("差出人", "送信日時", "宛先", "CC", "件名"),
    "ar": ("من", "تاريخ الإرسال", "إلى", "نسخة", "الموضوع"),
}
_GMAIL_LEAD = {
    "en": "On {date}, {who} wrote:",
    "de": "Am {date} schrieb {who}:",
    "fr": "Le {date}, {who} a écrit :",
    "es": "El {date}, {who} escribió:",
    "pt": "Em {date}, {who} escreveu:",
    "ja": "{date} {who}:",
    "ar": "في {date}، كتب {who}:",
}
_INLINE_PICTURE = re.compile(r'<img src="cid:[^>]*>')
_FONT = "font-family:Calibri,sans-serif;font-size:11pt;color:#000000"
_FORWARD = "---------- Forwarded message ---------"


def quoted_text(mail: Mail, parent: Mail) -> str:
    """The tail in the plain part."""
    if mail.style == "outlook":
        rows = "\n".join(f"{label}: {value}" for label, value in _outlook_rows(mail, parent))
        return f"________________________________\n{rows}\n\n{parent.text}"
    lead = f"{_FORWARD}\n" if mail.forwarded else _gmail_lead(mail, parent) + "\n\n"
    return lead + "\n".join(("> " + line).rstrip() for line in parent.text.split("\n"))


def quoted_html(mail: Mail, parent: Mail) -> str:
    """The tail in the HTML part; a plain parent is quoted as preformatted lines."""
    inner = parent.html_inner if parent.style != "plain" or parent.own_html else _lines(parent.text)
    inner = _INLINE_PICTURE.sub("", inner)  # a quoted picture is not carried along
    if mail.style == "outlook":
        rows = "<br>".join(f"<b>{label}:</b> {html.escape(value)}" for label, value in _outlook_rows(mail, parent))
        rule = '<hr style="display:inline-block;width:98%" tabindex="-1">'
        head = f'<div id="divRplyFwdMsg" dir="ltr" style="{_FONT}">{rows}<div>&nbsp;</div></div>'
        return f'<div id="appendonsend"></div>{rule}{head}{inner}'
    lead = _FORWARD if mail.forwarded else html.escape(_gmail_lead(mail, parent))
    return (
        f'<br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">{lead}<br></div>'
        '<blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);'
        f'padding-left:1ex">{inner}</blockquote></div>'
    )


def _outlook_rows(mail: Mail, parent: Mail) -> list[tuple[str, str]]:
    labels = _OUTLOOK_LABELS[mail.language]
    values = (
        _plain(parent.sender),
        f"{parent.local_time:%A, %d %B %Y %H:%M}" if mail.language == "en" else f"{parent.local_time:%d.%m.%Y %H:%M}",
        "; ".join(map(_plain, parent.to)),
        "; ".join(map(_plain, parent.cc)),
        parent.subject,
    )
    return [(label, value) for label, value in zip(labels, values, strict=True) if value]


def _gmail_lead(mail: Mail, parent: Mail) -> str:
    english = mail.language == "en"
    date = f"{parent.local_time:%a, %b %d, %Y at %H:%M}" if english else f"{parent.local_time:%d.%m.%Y %H:%M}"
    return _GMAIL_LEAD[mail.language].format(date=date, who=_plain(parent.sender))


def _plain(party: Party) -> str:
    return f"{party.name} <{party.address}>" if party.name else party.address


def _lines(text: str) -> str:
    return "<br>".join(html.escape(line, quote=False) for line in text.split("\n"))
