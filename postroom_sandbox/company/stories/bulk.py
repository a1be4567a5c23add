"""Newsletters, notices, absence replies, bounces and junk."""

from __future__ import annotations

import html
from datetime import datetime, timedelta

from .. import files
from ..mime import Attachment, Mail, Party, leaf, multipart
from ..phrases import bulk as say
from ..phrases.hiring import ROLES
from .facts import date_text, make
from .writer import CUSTOMER_PEOPLE, EVERYBODY_OUTSIDE, STAFF_BY_NAME, Ended, Person, Writer

_READERS = {
    "Intralog Weekly": ("adele", "mara", "ben"),
    "The Scan": ("adele", "diego", "oscar"),
    "Officefolk": ("ruth", "hanna"),
    "Rail & Road Tickets": ("adele", "camille", "theo"),
    "Guild of Logistics Professionals": ("mara", "adele", "gita"),
}
_PEOPLE = tuple(person for name, person in STAFF_BY_NAME.items() if name not in {"support", "jobs"})


def newsletter(writer: Writer, start: datetime) -> None:
    """One issue, to everybody who reads it; List-Id and List-Unsubscribe as bulk senders set them."""
    rng, phrases = writer.rng, writer.phrases
    name, address, list_id, colour, subjects, heads, items = phrases.deal(say.NEWSLETTERS)
    facts = make(rng, start, language="en")
    chosen = [phrases.say(heads, facts) for _ in range(3)]
    facts["headline"] = chosen[0]
    texts = [phrases.say(items, facts) for _ in range(3)]
    subject = phrases.say(subjects, facts)
    readers = [STAFF_BY_NAME[reader] for reader in _READERS[name]]
    token = f"{rng.getrandbits(64):016x}"
    headers = (
        ("List-Id", f'"{name}" <{list_id}>'),
        ("List-Unsubscribe", f"<https://{list_id}/u/{token}>, <mailto:leave-{token}@{list_id}>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("Precedence", "bulk"),
    )
    paragraphs = [
        f"{name}",
        *(f"{head}\n{text}" for head, text in zip(chosen, texts, strict=True)),
        f"Unsubscribe: https://{list_id}/u/{token}",
    ]
    mail = Mail(
        message_id=writer.message_id(address),
        sender=Party(name, address),
        to=(Party(f"{name} readers", f"readers@{list_id}"),),
        subject=subject,
        sent=start.replace(hour=5 + rng.randint(0, 3), minute=rng.randint(0, 59)),
        paragraphs=paragraphs,
        own_html=_issue(name, colour, list(zip(chosen, texts, strict=True)), f"https://{list_id}/u/{token}"),
        headers=headers,
        tags=frozenset({"newsletter"}),
        recipients=tuple(person.address for person in readers),
    )
    _keep(writer, mail)


_FRAME = (
    '<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8"></head>'
    '<body style="margin:0;background:#f4f1ea;font-family:Georgia,serif;color:#222">'
    '<table role="presentation" width="100%" cellpadding="0" cellspacing="0"><tr>'
    '<td align="center" style="padding:24px">'
    '<table role="presentation" width="600" cellpadding="0" cellspacing="0" style="background:#ffffff">'
    '<tr><td style="background:{colour};color:#ffffff;padding:22px 28px;font-size:24px">{name}</td></tr>{rows}'
    '<tr><td style="padding:18px 28px;font-size:12px;color:#777">You receive this because you subscribed. '
    '<a href="{leave}" style="color:#777">Unsubscribe</a></td></tr></table></td></tr></table></body></html>'
)
_ROW = (
    '<tr><td style="padding:14px 28px;border-bottom:1px solid #e6e2da">'
    '<h2 style="margin:0 0 6px;font-size:18px">{head}</h2><p style="margin:0;line-height:1.5">{text}</p>'
    '<p style="margin:8px 0 0"><a href="{link}" style="color:{colour}">Read on</a></p></td></tr>'
)


def _issue(name: str, colour: str, items: list[tuple[str, str]], leave: str) -> str:
    link = leave.rpartition("/u/")[0] + "/read"
    rows = "".join(
        _ROW.format(head=html.escape(head), text=html.escape(text), link=link, colour=colour) for head, text in items
    )
    return _FRAME.format(colour=colour, name=html.escape(name), rows=rows, leave=leave)


def notice(writer: Writer, start: datetime) -> None:
    """A message from a machine to one of those it concerns."""
    rng, phrases = writer.rng, writer.phrases
    name, address, subjects, bodies, attach, readers = phrases.deal(say.NOTICES)
    variant = rng.randrange(6)
    contact = rng.choice(EVERYBODY_OUTSIDE)
    facts = make(rng, start, company=contact.company, contact=contact.name, role=rng.choice(ROLES)[0])
    reader = STAFF_BY_NAME[rng.choice(readers)]
    page = files.pdf(name, [str(facts["invoice"]), reader.name, str(facts["small"])])
    mail = Mail(
        message_id=writer.message_id(address),
        sender=Party(name, address),
        to=(reader.party,),
        subject=phrases.expand(subjects[variant % len(subjects)], facts),
        sent=start.replace(second=rng.randint(0, 59)),
        paragraphs=phrases.expand(bodies[variant % len(bodies)], facts).split("\n\n"),
        style=rng.choice(("outlook", "plain")),
        attachments=(Attachment(f"{facts['invoice']}.pdf", "application/pdf", page),) if attach else (),
        headers=(("Auto-Submitted", "auto-generated"),),
        tags=frozenset({"notice", *(["invoice"] if "illing" in name else [])}),
    )
    _keep(writer, mail)


def absence(writer: Writer, start: datetime) -> None:
    """Somebody outside is away: the automatic answer to a mail of ours."""
    rng = writer.rng
    ours = [
        mail for mail in writer.mails[-900:] if mail.sender.address.endswith("northwind.example") and not mail.calendar
    ]
    outside = {person.address: person for person in EVERYBODY_OUTSIDE}
    ours = [mail for mail in ours if mail.to[0].address in outside]
    if not ours:
        return
    mail = rng.choice(ours)
    person = outside[mail.to[0].address]
    subject, texts = say.ABSENCE[person.language]
    colleague = rng.choice([other for other in CUSTOMER_PEOPLE[person.company] if other != person])
    until = date_text(mail.sent + timedelta(days=rng.randint(2, 12)), person.language)
    facts = {"subject": mail.subject, "day": until, "other": colleague.address}
    reply = Mail(
        message_id=writer.message_id(person.address),
        sender=person.party,
        to=(mail.sender,),
        subject=writer.phrases.expand(subject, facts),
        sent=mail.sent + timedelta(seconds=rng.randint(3, 40)),
        paragraphs=writer.phrases.say(texts, facts).split("\n\n"),
        style=person.style,
        language=person.language,
        headers=(
            ("In-Reply-To", f"<{mail.message_id}>"),
            ("Auto-Submitted", "auto-replied"),
            ("X-Auto-Response-Suppress", "All"),
        ),
        tags=frozenset({"auto"}),
    )
    _keep(writer, reply)


def bounce(writer: Writer, start: datetime) -> None:
    """A mail to a mistyped or dead address, and the report that comes back (RFC 3464)."""
    rng = writer.rng
    sender, contact = rng.choice(_PEOPLE), rng.choice(EVERYBODY_OUTSIDE)
    local, _, domain = contact.address.partition("@")
    wrong = Person(contact.name, f"{local[:-1]}{rng.choice('aeiou')}{local[-1]}@{domain}", company=contact.company)
    facts = make(rng, start, company=contact.company)
    mail = Mail(
        message_id=writer.message_id(sender.address),
        sender=sender.party,
        to=(wrong.party,),
        subject=f"{facts['quote']}: a short question",
        sent=writer.business_time(start, sender),
        paragraphs=[
            f"Hello {contact.first},",
            f"is {facts['quote']} still with you, or has it moved on to a colleague?",
            "Thank you,",
        ],
        tags=frozenset({f"deal:{contact.company}"}),
    )
    if _keep(writer, mail):
        _keep(writer, _report(writer, mail, wrong.address))


def _report(writer: Writer, mail: Mail, address: str) -> Mail:
    status, diagnostic, words = writer.phrases.deal(say.BOUNCE_REASONS)
    text = f"Your message to {address} could not be delivered.\n\n{words}\n\nThe server said: {diagnostic}"
    machine = (
        f"Reporting-MTA: dns; mx.northwind.example\r\n\r\nFinal-Recipient: rfc822; {address}\r\n"
        f"Action: failed\r\nStatus: {status}\r\nDiagnostic-Code: smtp; {diagnostic}\r\n"
    )
    parts = [
        leaf("text/plain", text),
        (b"Content-Type: message/delivery-status", machine.encode()),
        (b"Content-Type: message/rfc822", mail.render()),
    ]
    kind, body = multipart('report; report-type="delivery-status"', parts, f"=_dsn_{writer.rng.getrandbits(32):08x}")
    return Mail(
        message_id=writer.message_id("postmaster@northwind.example"),
        sender=Party("Mail Delivery System", "postmaster@northwind.example"),
        to=(mail.sender,),
        subject=f"Undeliverable: {mail.subject}",
        sent=mail.sent + timedelta(seconds=writer.rng.randint(2, 90)),
        paragraphs=[text],
        own_type=kind,
        attachments=(Attachment("", "", body),),
        headers=(
            ("Auto-Submitted", "auto-replied"),
            ("X-Failed-Recipients", address),
            ("In-Reply-To", f"<{mail.message_id}>"),
        ),
        tags=frozenset({"bounce"}),
    )


def junk(writer: Writer, start: datetime) -> None:
    """Something for the junk folder."""
    rng = writer.rng
    name, address, subject, text = writer.phrases.deal(say.JUNK)
    mail = Mail(
        message_id=writer.message_id(address),
        sender=Party(name, address),
        to=(rng.choice(_PEOPLE).party,),
        subject=subject,
        sent=start,
        paragraphs=text.split("\n\n"),
        style=rng.choice(("outlook", "plain")),
        tags=frozenset({"junk"}),
    )
    _keep(writer, mail)


def _keep(writer: Writer, mail: Mail) -> bool:
    try:
        writer.add(mail)
    except Ended:
        return False
    return True
