"""Into the mirror of mail: the one way every message takes, so that records, search and privacy treat it as any other.

What the member's own mailboxes already have is only linked.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.conf import settings
from django.db import transaction
from msgspec.structs import replace

from postroom.dropbox.forwards import ATTACHED, INLINE, Original, Understood
from postroom.dropbox.letter import Letter, message_of
from postroom.dropbox.models import DropBox, Dropped
from postroom.files import storage
from postroom.files.models import Blob
from postroom.lib.clock import now
from postroom.mail import store
from postroom.mail.events import on_stored
from postroom.mail.models import Attachment, Folder, Message
from postroom.mail.prepare import bare_id, prepare
from postroom.mailboxes.models import NOT_SYNCED, Mailbox
from postroom.providers.contract import Address, RemoteMessage
from postroom.timeline import links
from postroom.timeline.written import record_of
from postroom.workspaces.models import Membership

FOLDER = "filed"
FORWARDED = "Forwarded"  # the category of what somebody passed on: nobody but them answers for what it says


def place(row: Dropped, known: Understood, *, own: frozenset[str], by: Membership) -> None:
    """Store what was understood, and tie it to the record its address named. Sets ``row.message`` to the first."""
    mailbox = mailbox_of(row.box)
    for number, letter in enumerate(known.letters):
        message = _message(row, known, letter, id_=f"drop-{row.pk}-{number}", own=own)
        found = _here_already(row.box, message.internet_message_id or "")
        blobs = [] if found else _stored_files(row, letter)
        with transaction.atomic():
            found = found or _put(mailbox, message, blobs, own=own)
            _link(found, row, by=by)
        row.message = row.message or found


def mailbox_of(box: DropBox) -> Mailbox:
    """The mailbox of what was dropped, made for the first mail. Nothing is synced with it, nobody writes from it. Its
    address is nobody's, in the member's own domain: mail within that is not mail with a customer."""
    if box.mailbox is not None:
        return box.mailbox
    member = box.member
    local, _, domain = member.address.lower().rpartition("@")
    with transaction.atomic():
        DropBox.objects.select_for_update().get(pk=box.pk)
        mailbox, _ = Mailbox.objects.get_or_create(
            workspace_id=box.workspace_id,
            address=f"{local}+drop-box@{domain}"[-320:],
            defaults={
                "owner": member,
                "provider": NOT_SYNCED,
                "state": Mailbox.State.DISCONNECTED,
                "name": f"Drop box of {member.name}"[:200],
                "last_success_at": now(),
            },
        )
        Folder.objects.get_or_create(mailbox=mailbox, remote_id=FOLDER, defaults={"name": "Drop box"})
        box.mailbox = mailbox
        box.save(update_fields=["mailbox"])
    return mailbox


# --- the message -----------------------------------------------------------------------------------------------------


def _message(row: Dropped, known: Understood, letter: Letter, *, id_: str, own: frozenset[str]) -> RemoteMessage:
    told = message_of(letter, id_=id_, folder_id=FOLDER, received=row.taken_at)
    if _names_the_address(told.to) or _names_the_address(told.cc):
        DropBox.objects.filter(pk=row.box_id, leaked_at=None).update(leaked_at=now())
    told = replace(told, to=_without_drop(told.to), cc=_without_drop(told.cc), reply_to=_without_drop(told.reply_to))
    if known.way == INLINE and known.original is not None and known.original.author is not None:
        told = _as_it_was(told, known.original, own_address=row.box.member.address)
    return replace(told, categories=(FORWARDED,)) if known.way in (INLINE, ATTACHED) else told


def _as_it_was(told: RemoteMessage, original: Original, *, own_address: str) -> RemoteMessage:
    """The mail a forward's text tells of. It has no Message-ID of its own here; what the forward refers to is often
    exactly that mail, so both are one conversation."""
    at = original.sent if original.sent is not None and told.received and original.sent <= told.received else None
    return replace(
        told,
        internet_message_id="",
        from_=original.author,
        sender=None,
        to=_without_drop(original.to) or (Address(own_address),),
        cc=_without_drop(original.cc),
        reply_to=(),
        subject=original.subject or told.subject,
        received=at or told.received,
        sent=at or told.sent,
    )


def _without_drop(people: Sequence[Address] | None) -> tuple[Address, ...]:
    """The secret address is shown to nobody."""
    return tuple(one for one in people or () if not _is_drop(one.address))


def _names_the_address(people: Sequence[Address] | None) -> bool:
    return any(_is_drop(one.address) for one in people or ())


def _is_drop(address: str) -> bool:
    return address.lower().rpartition("@")[2] == settings.POSTROOM_DROPBOX_DOMAIN


# --- storing ---------------------------------------------------------------------------------------------------------


def _here_already(box: DropBox, message_id: str) -> Message | None:
    """The same mail in one of the member's mailboxes, the drop box included."""
    bare = bare_id(message_id)
    if not bare:
        return None
    rows = Message.objects.filter(internet_message_id__in=[bare, f"<{bare}>"], is_draft=False)
    own = rows.filter(mailbox__owner=box.member_id, mailbox__departure=None, mailbox__workspace=box.workspace_id)
    return own.select_related("thread__conversation").order_by("pk").first()


def _stored_files(row: Dropped, letter: Letter) -> list[Blob]:
    return [
        storage.store_stream(row.workspace, [part.content()], content_type=part.type[:200]) for part in letter.files
    ]


def _put(mailbox: Mailbox, message: RemoteMessage, blobs: Sequence[Blob], *, own: Collection[str]) -> Message:
    """In the caller's transaction, with everything that follows from stored mail."""
    ready = prepare(message, own_addresses=frozenset({*own, mailbox.address.lower()}))
    stored = store.put(mailbox, [ready])
    on_stored(mailbox, stored, fresh=True)
    found = Message.objects.select_related("thread__conversation").get(mailbox=mailbox, remote_id=message.id)
    for number, blob in enumerate(blobs):
        Attachment.objects.filter(message=found, remote_id=str(number)).update(blob=blob, size=blob.size)
    return found


def _link(message: Message, row: Dropped, *, by: Membership) -> None:
    record = record_of(row.workspace_id, _as_key(row.about))
    if record is not None:
        links.link(message.thread.conversation, record, by=by)


def _as_key(about: str) -> str:
    """``deal42`` and ``deal-42`` are the same."""
    letters = about.rstrip("0123456789")
    return f"{letters.rstrip('-')}-{about[len(letters) :]}" if letters != about else ""
