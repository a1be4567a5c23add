"""Writing mail from the other side: as somebody of the company, or as anybody outside."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..company import files
from ..company.mime import Attachment, Mail, Party
from ..company.people import CONTACTS
from ..mime import Parsed, parse_message
from ..store.model import DRAFT, DRAFTS, READ
from ..text import html_to_text
from ..users import User

if TYPE_CHECKING:
    from ..world import World

_BODY = re.compile(r"<body[^>]*>(.*)</body>", re.DOTALL | re.IGNORECASE)
_PREFIX = re.compile(r"^\s*(?:re|aw|fw|fwd|wg|tr|rv|sv)\s*:\s*", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s@<>,;\"]+@[^\s@<>,;\"]+")
CONTACT_NAMES = {contact.address: contact.name for contact in CONTACTS}
ATTACHMENTS = {"": "No attachment", "pdf": "A PDF", "csv": "A CSV table", "png": "A picture"}


class LetterError(ValueError):
    """The letter cannot be sent; the message says why."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What was filled in. `answers` is the message answered, already parsed."""

    sender: str
    recipients: tuple[str, ...]
    subject: str
    text: str
    attach: str = ""
    answers: Parsed | None = None


def addresses(text: str) -> tuple[str, ...]:
    """The addresses in a field, each once."""
    return tuple(dict.fromkeys(_ADDRESS.findall(text)))


def name_of(world: World, address: str) -> str:
    """The display name that goes with an address, or "" when nobody is known by it."""
    user = world.user_by_address(address)
    return user.name if user else CONTACT_NAMES.get(address.lower(), "")


def reply_subject(subject: str) -> str:
    """The subject with one `Re:`."""
    stem = subject
    while _PREFIX.match(stem):
        stem = _PREFIX.sub("", stem, count=1)
    return f"Re: {stem}"


def send(world: World, letter: Letter) -> str:
    """Sends it: people with a mailbox send through it (Sent Items, bounces), others' mail simply arrives.

    Returns what happened, for the page. Raises LetterError.
    """
    if len(addresses(letter.sender)) != 1:
        raise LetterError("Say who writes, by one address.")
    if not letter.recipients:
        raise LetterError("Say whom it is for, by at least one address.")
    raw = _raw(world, letter)
    user = world.user_by_address(letter.sender)
    if user and user.has_mailbox:
        _submit(world, user, raw)
        return f"{user.name} has sent it."
    reached = [_deliver(world, address, raw) for address in letter.recipients]
    if not any(reached):
        raise LetterError("None of these addresses has a mailbox here.")
    return f"Delivered to {', '.join(name for name in reached if name)}."


def _deliver(world: World, address: str, raw: bytes) -> str:
    user = world.user_by_address(address)
    if not user or not user.has_mailbox:
        return ""
    world.transport.deliver(world.mailbox(user), raw)
    return user.address


def _submit(world: World, user: User, raw: bytes) -> None:
    mailbox = world.mailbox(user)
    content, origin = mailbox.contents.add_raw(raw, fallback_sent=mailbox.now())
    draft = mailbox.add(content, origin, mailbox.tree[DRAFTS], received=mailbox.now(), flags=DRAFT | READ)
    world.transport.submit(mailbox, draft)


def _raw(world: World, letter: Letter) -> bytes:
    sender = Party(name_of(world, letter.sender), letter.sender)
    domain = letter.sender.rpartition("@")[2]
    paragraphs = [part for part in letter.text.replace("\r\n", "\n").split("\n\n") if part.strip()]
    mail = Mail(
        message_id=f"{secrets.token_hex(12)}@{domain}",
        sender=sender,
        to=tuple(Party(name_of(world, address), address) for address in letter.recipients),
        subject=letter.subject or "(no subject)",
        sent=world.clock.now(),
        paragraphs=paragraphs or [""],
        parent=_original(letter.answers) if letter.answers else None,
        attachments=_attachments(letter.attach),
    )
    return mail.render()


def _original(said: Parsed) -> Mail:
    """The answered message, as far as quoting and threading need it."""
    body = _BODY.search(said.html)
    name, address = said.from_ or said.sender or ("", "unknown")
    return Mail(
        message_id=said.internet_message_id.strip("<>"),
        sender=Party(name, address),
        to=_parties(said.to),
        cc=_parties(said.cc),
        subject=said.subject,
        sent=datetime.fromtimestamp(said.sent or 0, UTC),
        paragraphs=[said.text if said.text is not None else html_to_text(said.html)],
        own_html=body[1] if body else said.html,
        earlier=tuple(reference.strip("<>") for reference in said.references),
    )


def _parties(people: Sequence[tuple[str, str]]) -> tuple[Party, ...]:
    return tuple(Party(name, address) for name, address in people)


def _attachments(kind: str) -> tuple[Attachment, ...]:
    if kind == "pdf":
        return (Attachment("Notes.pdf", "application/pdf", files.pdf("Notes", ["Made on the other side."])),)
    if kind == "csv":
        return (Attachment("Figures.csv", "text/csv", files.csv([["Week", "Picks"], [1, 410], [2, 388], [3, 455]])),)
    if kind == "png":
        return (Attachment("Chart.png", "image/png", files.bar_chart([4, 7, 5, 9, 8])),)
    return ()


def parse(raw: bytes) -> Parsed:
    """A raw message, parsed."""
    return parse_message(raw)
