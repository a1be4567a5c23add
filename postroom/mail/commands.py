"""What a member does with mail, named as they would say it. Views load, call one of these, answer.

Every command changes our rows at once and tells the provider through the outbox, in one transaction.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import Any

from django.db import transaction

from postroom.files import storage
from postroom.lib.clock import now
from postroom.mail import drafts, folder_changes, identity, outbox, sending, signatures
from postroom.mail.models import Composition, CompositionFile, Folder, Message
from postroom.mailboxes.models import Mailbox
from postroom.providers.contract import FolderRole
from postroom.workspaces.models import Membership


class CannotSend(ValueError):
    """What is missing before a composition can be sent, in words for its author."""


def mark_read(messages: Sequence[Message], member: Membership, *, read: bool = True) -> None:
    _note(messages, {"is_read": read}, member)


def set_flag(messages: Sequence[Message], member: Membership, *, flagged: bool = True, flag: str = "") -> None:
    """``flag``: none, flagged or complete; ``flagged`` says the first two."""
    _note(messages, {"flag": flag or ("flagged" if flagged else "none")}, member)


def set_categories(
    messages: Sequence[Message], member: Membership, *, add: Sequence[str] = (), remove: Sequence[str] = ()
) -> None:
    """Give and take categories by name; what else a message has stays."""
    by_result: dict[tuple[str, ...], list[Message]] = {}
    for message in messages:
        kept = [name for name in message.categories if name not in remove]
        result = tuple(dict.fromkeys([*kept, *add]))
        by_result.setdefault(result, []).append(message)
    for result, same in by_result.items():
        _note(same, {"categories": list(result)}, member)


def move(messages: Sequence[Message], member: Membership, *, to: Folder) -> None:
    """Into another folder of the same mailbox; messages of other mailboxes are left where they are."""
    here = [m for m in messages if m.mailbox_id == to.mailbox_id and m.folder_id != to.pk]
    _note(here, {"folder": to.remote_id}, member)


def move_to_role(messages: Sequence[Message], member: Membership, role: str) -> None:
    """Into the folder with that purpose of each message's own mailbox. A missing Archive is made, as Outlook does."""
    for mailbox_id in sorted({m.mailbox_id for m in messages}):
        mine = [m for m in messages if m.mailbox_id == mailbox_id]
        target = Folder.objects.filter(mailbox_id=mailbox_id, role=role).first()
        if target is None and role == FolderRole.ARCHIVE:
            target = folder_changes.archive_of(mine[0].mailbox, member)
        if target is not None:
            move(mine, member, to=target)


def archive(messages: Sequence[Message], member: Membership) -> None:
    move_to_role(messages, member, FolderRole.ARCHIVE)


def delete(messages: Sequence[Message], member: Membership) -> None:
    """To Deleted Items, never further (product.md SY10)."""
    move_to_role(messages, member, FolderRole.DELETED)


def _note(messages: Sequence[Message], fields: dict[str, Any], member: Membership) -> None:
    with transaction.atomic():
        for mailbox_id in sorted({m.mailbox_id for m in messages}):
            outbox.note([m for m in messages if m.mailbox_id == mailbox_id], fields, member_id=member.pk)


# --- writing -------------------------------------------------------------------------------------------------------


def compose(
    mailbox: Mailbox,
    author: Membership,
    *,
    answers: Message | None = None,
    how: str = "new",
    to: Sequence[tuple[str, str]] = (),
    subject: str = "",
    html: str = "",
) -> Composition:
    """Begin a message. An answer gets its recipients and subject from what it answers; people are (name, address)."""
    marker, message_id = identity.new(mailbox)
    recipients, copies = _recipients(mailbox, answers, how) if answers and not to else (list(to), [])
    return Composition.objects.create(
        mailbox=mailbox,
        author=author,
        answers=answers,
        how=how if answers else "new",
        to=[list(person) for person in recipients],
        cc=[list(person) for person in copies],
        subject=subject or (_subject(answers, how) if answers else ""),
        html=html,
        signature=signatures.of(mailbox),
        from_address=_written_to(mailbox, answers) if answers else "",
        marker=marker,
        internet_message_id=message_id,
        conversation_id=answers.thread.conversation_id if answers else None,
    )


def _recipients(mailbox: Mailbox, answers: Message, how: str) -> tuple[list[Any], list[Any]]:
    if how == "forward":
        return [], []
    own = {mailbox.address.lower()} | {a.lower() for a in (mailbox.connection.aliases if mailbox.connection else [])}
    mine = answers.from_address.lower() in own
    author = answers.reply_to or [[answers.from_name, answers.from_address]]
    to = answers.to if mine else author
    if how != "reply_all":
        return _others(to, own) or list(to), []
    rest = answers.cc if mine else [*answers.to, *answers.cc]
    taken = own | {address.lower() for _, address in to}
    return _others(to, own) or list(to), _others(rest, taken)


def _written_to(mailbox: Mailbox, answers: Message) -> str:
    """The alias an answered message was written to (product.md SE2); empty: the mailbox's own address."""
    named = {address.lower() for _, address in (*answers.to, *answers.cc)}
    if mailbox.address.lower() in named:
        return ""
    return next((alias for alias in aliases(mailbox) if alias.lower() in named), "")


def aliases(mailbox: Mailbox) -> list[str]:
    """The further addresses a mailbox may be written from: those of the account, for its own mailbox."""
    if mailbox.connection is None or mailbox.kind != Mailbox.Kind.OWN:
        return []
    return [one for one in mailbox.connection.aliases if "@" in one and one.lower() != mailbox.address.lower()]


def _others(people: Sequence[Any], without: set[str]) -> list[Any]:
    seen: set[str] = set(without)
    left = []
    for name, address in people:
        if address and address.lower() not in seen:
            seen.add(address.lower())
            left.append([name, address])
    return left


_PREFIX = {"reply": "Re", "reply_all": "Re", "forward": "Fw"}


def _subject(answers: Message, how: str) -> str:
    prefix = _PREFIX[how]
    subject = answers.subject.strip()
    return subject if subject[:3].lower() == f"{prefix.lower()}:" else f"{prefix}: {subject}".strip()


def save(composition: Composition, **fields: Any) -> None:
    """Keep what the author has written so far. ``fields``: to, cc, bcc, subject, html, signature, about, mailbox,
    from_address, remind_days.

    It goes to the provider's Drafts at the next pause; a draft that moves to another mailbox leaves its old one. Raises
    ``drafts.Overtaken``, and writes nothing, when the row is no longer what was read.
    """
    if composition.state not in drafts.UNSENT:
        return
    changed = {name: value for name, value in fields.items() if getattr(composition, name) != value}
    with transaction.atomic():
        if "mailbox" in changed and composition.mailbox_id != changed["mailbox"].pk:
            _change_mailbox(composition, changed.pop("mailbox"))
        for name, value in changed.items():
            setattr(composition, name, value)
        if fields:
            drafts.touched(composition)
        if changed:
            composition.updated_at = now()
            as_read = Composition.objects.filter(pk=composition.pk, taken=composition.taken, state__in=drafts.UNSENT)
            if not as_read.update(**changed, updated_at=composition.updated_at):
                raise drafts.Overtaken


def _change_mailbox(composition: Composition, mailbox: Mailbox) -> None:
    drafts.leave(composition)
    if composition.signature == signatures.of(composition.mailbox):  # else its author took it off
        composition.signature = signatures.of(mailbox)
    composition.mailbox, composition.from_address, composition.updated_at = mailbox, "", now()
    composition.save(update_fields=["mailbox", "from_address", "signature", "updated_at"])
    drafts.unlink(composition)


def attach(composition: Composition, *, name: str, content_type: str, chunks: Any) -> CompositionFile:
    """Keep a file with a composition while its bytes arrive."""
    blob = storage.store_stream(composition.mailbox.workspace, chunks, content_type=content_type)
    kept = CompositionFile.objects.create(
        composition=composition, blob=blob, name=name[:255], content_type=content_type[:255]
    )
    _written(composition)
    return kept


def show_inside(file: CompositionFile) -> None:
    """A picture stands in the text rather than beside it: named by a content id, and by a name no other file has, by
    which it is found again at the provider."""
    sign = secrets.token_hex(4)
    stem, dot, ending = file.name.rpartition(".")
    file.name = f"{(stem or ending)[:200]}-{sign}{dot}{ending if dot else ''}"
    file.is_inline, file.content_id = True, f"{sign}.{secrets.token_hex(6)}@postroom"
    file.save(update_fields=["name", "is_inline", "content_id"])


def detach(composition: Composition, files: Sequence[CompositionFile]) -> None:
    """Take files off, here and where the draft lies."""
    for file in files:
        file.delete()
        _written(composition, detach=file.remote_id)


def _written(composition: Composition, *, detach: str = "") -> None:
    composition.updated_at = now()
    composition.save(update_fields=["updated_at"])
    drafts.touched(composition, detach=detach)


def send(composition: Composition, *, at: datetime | None = None, zone: str = "", undo: int = 0) -> None:
    """Hand it to the outbox: at once, ``undo`` seconds later, or at a moment chosen in a time zone.

    Raises ``CannotSend`` with what is missing.
    """
    if not (composition.to or composition.cc or composition.bcc):
        raise CannotSend("Add at least one recipient.")
    wrong = [a for _, a in composition.recipients if not _looks_like_address(a)]
    if wrong:
        raise CannotSend(f"{wrong[0]} is not an e-mail address.")
    unused = [one for one in composition.files.filter(is_inline=True) if not one.is_used(composition.html)]
    if unused:
        detach(composition, unused)
    sending.enqueue(composition, at=at, zone=zone, undo=undo)


def discard(composition: Composition) -> None:
    """Throw a draft away. What the provider has of it moves to Deleted Items."""
    with transaction.atomic():
        if composition.state in drafts.UNSENT:
            drafts.leave(composition)
        Composition.objects.filter(pk=composition.pk, state__in=drafts.UNSENT).delete()


def _looks_like_address(text: str) -> bool:
    local, at, domain = text.rpartition("@")
    return bool(local and at and "." in domain.strip(".") and not any(c.isspace() for c in text))


def text_to_html(text: str) -> str:
    """What was typed into a plain box, as the body of a mail."""
    paragraphs = text.replace("\r\n", "\n").strip().split("\n\n")
    return "".join(f"<p>{escape(p).replace(chr(10), '<br>')}</p>" for p in paragraphs if p.strip())
