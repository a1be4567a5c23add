"""What an answer carries below its own text: who wrote when, and what. In the form that mail programs recognise as a
quotation, so that ours and theirs fold it (``mail.quotes``)."""

from datetime import UTC
from html import escape

from selectolax.lexbor import LexborHTMLParser

from postroom.providers.contract import Address, RemoteBody, RemoteMessage

_NOT_QUOTED = ("script", "style", "meta", "link", "title", "base", "object", "embed", "iframe", "form")


def with_quote(html: str, answered: RemoteMessage, *, how: str) -> str:
    """``html`` with the answered or forwarded message below it."""
    if answered.body is None:
        return html
    header = _forwarded(answered) if how == "forward" else _wrote(answered)
    inner = _inner(answered.body)
    if how == "forward":
        return f"{html}<br><div>{header}</div><div>{inner}</div>"
    return (
        f'{html}<br><div class="gmail_quote"><div>{header}</div>'
        f'<blockquote type="cite" style="margin:0 0 0 .8ex;border-left:1px solid #ccc;padding-left:1ex">'
        f"{inner}</blockquote></div>"
    )


def _inner(body: RemoteBody) -> str:
    """The content of a body's document, without what belongs into its head."""
    if body.content_type == "text":
        return f'<div style="white-space:pre-wrap">{escape(body.content)}</div>'
    tree = LexborHTMLParser(body.content)
    tree.strip_tags(list(_NOT_QUOTED))
    return (tree.body.inner_html if tree.body else None) or ""


def _wrote(answered: RemoteMessage) -> str:
    when = answered.sent or answered.received
    date = f"On {when.astimezone(UTC):%d %b %Y at %H:%M} UTC, " if when else ""
    return f"{date}{_person(answered.from_)} wrote:"


def _forwarded(answered: RemoteMessage) -> str:
    when = answered.sent or answered.received
    lines = [
        ("From", _person(answered.from_)),
        ("Sent", f"{when.astimezone(UTC):%d %b %Y at %H:%M} UTC" if when else ""),
        ("To", ", ".join(_person(one) for one in answered.to or ())),
        ("Cc", ", ".join(_person(one) for one in answered.cc or ())),
        ("Subject", escape(answered.subject or "")),
    ]
    told = "".join(f"<b>{name}:</b> {value}<br>" for name, value in lines if value)
    return f"---------- Forwarded message ----------<br>{told}<br>"


def _person(address: Address | None) -> str:
    if address is None:
        return "somebody"
    shown = f"{address.name} <{address.address}>" if address.name and address.address else address.name
    return escape(shown or address.address)
