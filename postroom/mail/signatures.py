"""The signature of a mailbox (product.md SE6): put below the text of new messages and answers, above what is quoted."""

import re
from collections.abc import Collection
from html import escape

from postroom.lib.clock import now
from postroom.mail import html as mail_html
from postroom.mail.pens import Signature
from postroom.mailboxes.models import Mailbox

_TAG = re.compile(r"</?[A-Za-z]")
LONGEST = 20_000  # characters of what is typed
_OPENS, _CLOSES = '<div class="postroom-signature"><br>', "</div>"


def of(mailbox: Mailbox) -> str:
    """As it goes below a message; empty where the mailbox has none."""
    return of_each([mailbox.pk]).get(mailbox.pk, "")


def of_each(mailbox_ids: Collection[int]) -> dict[int, str]:
    """The same for several, in one query; those that have none are left out."""
    rows = Signature.objects.filter(mailbox__in=mailbox_ids).exclude(html="").order_by("-pk")
    return {pk: f"{_OPENS}{html}{_CLOSES}" for pk, html in rows.values_list("mailbox", "html")}


def written(mailbox: Mailbox) -> str:
    """As it was typed."""
    return Signature.objects.filter(mailbox=mailbox).values_list("html", flat=True).first() or ""


def set_for(mailbox: Mailbox, typed: str) -> None:
    """Keep it, made safe. What has no tags is plain text, line by line; nothing takes it away."""
    html = made_safe(typed)
    if html:
        Signature.objects.update_or_create(mailbox=mailbox, defaults={"html": html, "changed_at": now()})
    else:
        Signature.objects.filter(mailbox=mailbox).delete()


def made_safe(typed: str) -> str:
    """Plain text or simple HTML as HTML that can neither run nor load anything."""
    typed = typed.replace("\0", "").replace("\r\n", "\n").strip()[:LONGEST]
    if _TAG.search(typed):
        return mail_html.sanitise(typed).html
    return "<br>".join(escape(line, quote=False) for line in typed.split("\n"))
