"""A draft that is written on both sides (product.md SY9): here a composition, at the provider a draft of the mailbox.

What is written here goes there when its author pauses; what is written there comes here. A composition remembers what
stood in the provider's draft when both were last equal, so a change is seen on either side. If both changed, the later
one stays; the other text is kept as a second draft, and both say so. No text is lost.
"""

import json
import re
from collections.abc import Collection, Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Any

from django.db import transaction

from postroom.lib.clock import now
from postroom.lib.live import publish
from postroom.mail import html as mail_html
from postroom.mail import identity, signals, store
from postroom.mail.events import readers
from postroom.mail.models import Attachment, Composition, CompositionFile, Message, MessageBody
from postroom.mailboxes.models import Mailbox
from postroom.providers.contract import FolderRole
from postroom.sync import lanes
from postroom.sync.models import Activity, OutboxEntry
from postroom.workspaces.models import Membership

IDLE = timedelta(seconds=4)  # a pause in writing
AT_LATEST = timedelta(seconds=30)
UNSENT = (Composition.State.DRAFT, Composition.State.FAILED, Composition.State.HELD)

OURS_STAYED = "This draft was also changed in Outlook. That text is kept as a second draft."
THEIRS_STAYED = "This draft was changed in Outlook after you wrote here. Your text is kept as a second draft."
SECOND_OURS = "What you had written in Postroom while the same draft was changed in Outlook."
SECOND_THEIRS = "What had been written in Outlook while the same draft was changed in Postroom."

# Where the quotation of an answer begins, in what the sanitiser leaves of a body.
_QUOTE = re.compile(
    r'<(?:div|hr|blockquote)[^>]*(?:class="gmail_quote|id="(?:divRplyFwdMsg|appendonsend|mail-editor-reference)|type="cite")'
)


class SomebodyElses(Exception):
    """The draft is being written by another member, who is named."""


class Overtaken(Exception):
    """The draft was changed in Outlook, sent or thrown away since it was read: what was to be kept is not written."""


# --- comparing -----------------------------------------------------------------------------------------------------


def key(composition: Composition) -> str:
    return f"composition:{composition.pk}"


def _digest(subject: str, html: str, people: Sequence[Sequence[Any]], files: Collection[str]) -> str:
    who = [sorted(address.lower() for _, address in some) for some in people]
    text = " ".join(mail_html.sanitise(html).html.split()).replace("> <", "><")
    return sha256(json.dumps([subject.strip(), text, who, sorted(files)]).encode()).hexdigest()


def local_hash(one: Composition) -> str:
    """What our side says, as far as the other side would show it."""
    names = CompositionFile.objects.filter(composition=one, is_inline=False).values_list("name", flat=True)
    return _digest(one.subject, one.body + (one.tail or ""), (one.to, one.cc, one.bcc), list(names))


def remote_hash(message: Message) -> str:
    """What the provider's side says, as we have it."""
    files = Attachment.objects.filter(message=message, is_inline=False).values_list("name", flat=True)
    return _digest(message.subject, body_of(message), (message.to, message.cc, message.bcc), list(files))


def body_of(message: Message) -> str:
    body = MessageBody.objects.filter(message=message).first()
    if body is None:
        return ""
    return body.html if body.content_type == "html" else mail_html.from_text(body.text)


def is_changed(one: Composition) -> bool:
    """Whether something was written here that the provider's draft does not have."""
    return local_hash(one) != one.saved_hash


def split(html: str) -> tuple[str, str]:
    """(what the author writes, what is quoted below it)."""
    found = _QUOTE.search(html)
    if found is None:
        return html, ""
    return mail_html.sanitise(html[: found.start()]).html, mail_html.sanitise(html[found.start() :]).html


# --- from here to there --------------------------------------------------------------------------------------------


def touched(one: Composition, *, detach: str = "") -> None:
    """Something was written: it goes to the provider at the next pause. ``detach``: a file that was taken off there."""
    if one.mailbox.connection_id is None or one.mailbox.direction != Mailbox.Direction.TWO_WAY or _is_empty(one):
        return
    with transaction.atomic():
        lanes.want(one.mailbox_id, Activity.OUTBOX, at=now() + IDLE)  # first: the engine too locks its lane before rows
        rows = OutboxEntry.objects.select_for_update().filter(subject_key=key(one), kind="draft", state="waiting")
        entry = rows.filter(mailbox=one.mailbox_id).order_by("-pk").first()
        if entry is None:
            entry = OutboxEntry(mailbox_id=one.mailbox_id, kind="draft", subject_key=key(one), member_id=one.author_id)
        entry.due_at = min(entry.created_at + AT_LATEST, now() + IDLE) if not entry.attempts else entry.due_at
        if detach:
            entry.fields = {**entry.fields, "detach": [*entry.fields.get("detach", []), detach]}
        entry.save()


def catch_up(mailbox: Mailbox) -> None:
    """Save at the provider what was written while that was not done: disconnected, or one-way."""
    ours = Composition.objects.filter(mailbox=mailbox, state=Composition.State.DRAFT).select_related("mailbox")
    for one in ours.order_by("pk"):
        if is_changed(one):
            touched(one)


def _is_empty(one: Composition) -> bool:
    written = one.html or (one.how == "new" and (one.subject or one.to or one.cc or one.bcc))
    return not (written or one.draft_id or CompositionFile.objects.filter(composition=one).exists())


def to_detach(one: Composition) -> list[str]:
    """Files that were taken off here and may still lie with the provider's draft."""
    rows = OutboxEntry.objects.filter(subject_key=key(one), kind="draft", state__in=OutboxEntry.OPEN)
    return [file for fields in rows.values_list("fields", flat=True) for file in fields.get("detach", ())]


def leave(one: Composition) -> None:
    """The composition is thrown away or goes to another mailbox: its draft moves to Deleted Items (SY10)."""
    from postroom.mail import commands

    waiting = OutboxEntry.objects.filter(subject_key=key(one), kind="draft", state__in=OutboxEntry.OPEN)
    begun = waiting.exclude(step="").exists()
    waiting.filter(step="").delete()
    mirrored = Message.objects.filter(mailbox=one.mailbox_id, remote_id=one.draft_id, is_draft=True).exclude(
        folder__role=FolderRole.DELETED
    )
    if one.draft_id and (found := list(mirrored.select_related("mailbox", "folder"))):
        commands.delete(found, one.author)
    elif one.draft_id or begun:
        told = {"discard": True, "marker": one.marker, "message_id": one.internet_message_id, "draft_id": one.draft_id}
        waiting.update(state="done", reason="Thrown away")
        OutboxEntry.objects.create(
            mailbox_id=one.mailbox_id, kind="draft", subject_key=key(one), fields=told, member_id=one.author_id
        )
        lanes.want(one.mailbox_id, Activity.OUTBOX)


def come_back(one: Composition) -> None:
    """Throwing it away was undone: its draft leaves Deleted Items again."""
    from postroom.mail import commands

    OutboxEntry.objects.filter(subject_key=key(one), kind="draft", state="waiting", fields__discard=True).delete()
    rows = Message.objects.filter(mailbox=one.mailbox_id, remote_id=one.draft_id, is_draft=True)
    mirrored = list(rows.select_related("mailbox", "folder")) if one.draft_id else []
    if mirrored and mirrored[0].folder.role == FolderRole.DELETED:
        commands.move_to_role(mirrored, one.author, FolderRole.DRAFTS)
    elif one.draft_id and not mirrored:
        unlink(one)
    touched(one)


def unlink(one: Composition) -> None:
    """It is a draft of its own again, which the provider does not know."""
    one.draft_id = one.draft_key = one.draft_hash = one.saved_hash = ""
    one.marker, one.internet_message_id = identity.new(one.mailbox)
    one.save(update_fields=["draft_id", "draft_key", "draft_hash", "saved_hash", "marker", "internet_message_id"])


# --- from there to here --------------------------------------------------------------------------------------------


def arrived(mailbox: Mailbox, stored: store.Stored) -> None:
    """Mail was stored: some of it may be drafts that are written here, too. In the transaction of the page."""
    # Held to the end, so that an author who saves in this moment sees what is taken over, and we what they saved.
    rows_of_ours = Composition.objects.select_for_update(no_key=True, of=("self",)).order_by("pk")
    ours = list(rows_of_ours.filter(mailbox=mailbox, state__in=UNSENT).exclude(draft_id=""))
    if not ours:  # nearly always
        return
    by_id = {one.draft_id: one for one in ours}
    by_name = {one.internet_message_id: one for one in ours}
    rows = Message.objects.filter(pk__in=[*stored.new, *stored.changed]).select_related("folder")
    for message in rows:
        one = by_id.get(message.remote_id) or (None if message.is_draft else by_name.get(message.internet_message_id))
        if one is not None:
            _take(one, message)


def _take(one: Composition, message: Message) -> None:
    if not message.is_draft:
        _was_sent(one, message)
    elif message.folder.role == FolderRole.DELETED:
        _was_deleted(one)
    elif message.change_key != one.draft_key and message.body_state == Message.BodyState.STORED:
        _was_changed(one, message)


def _was_sent(one: Composition, message: Message) -> None:
    """Somebody pressed Send in Outlook. What was written here since, and did not go, is kept."""
    if is_changed(one):
        keep(one, SECOND_OURS, html=one.html)
    Composition.objects.filter(pk=one.pk).update(
        state=Composition.State.SENT, sent_message=message, sent_at=now(), note="", failure=""
    )
    signals.sent.send(Composition, composition=one, message=message)
    tell(one)


def _was_deleted(one: Composition) -> None:
    if is_changed(one):
        unlink(one)
        touched(one)
    else:
        tell(one)
        one.delete()


def _was_changed(one: Composition, message: Message) -> None:
    theirs = remote_hash(message)
    if theirs in (one.draft_hash, local_hash(one)):  # read, categorised … or the echo of what we wrote
        saved = local_hash(one) if theirs == local_hash(one) else one.saved_hash
        Composition.objects.filter(pk=one.pk).update(draft_key=message.change_key, draft_hash=theirs, saved_hash=saved)
        return
    if _only_lacks_files(one, message):  # an attempt to send it ended among them, and then it was taken back
        Composition.objects.filter(pk=one.pk).update(draft_key=message.change_key, draft_hash=theirs)
        return
    if not is_changed(one):
        take_over(one, message)
    elif message.modified is not None and one.updated_at <= message.modified:
        keep(one, SECOND_OURS, html=one.html)
        take_over(one, message, note=THEIRS_STAYED)
    else:
        keep_theirs(one, message)


def _only_lacks_files(one: Composition, message: Message) -> bool:
    """Whether the provider's draft differs from ours in nothing but files that we have not brought there yet."""
    there = list(Attachment.objects.filter(message=message, is_inline=False).values_list("name", flat=True))
    ours = list(CompositionFile.objects.filter(composition=one, is_inline=False).values_list("name", "remote_id"))
    missing = [name for name, remote_id in ours if not remote_id]
    for name in there:
        if name in missing:
            missing.remove(name)
    left = [name for name, _ in ours]
    for name in missing:
        left.remove(name)
    same = _digest(one.subject, one.body + (one.tail or ""), (one.to, one.cc, one.bcc), left)
    return bool(missing) and same == remote_hash(message)


def keep_theirs(one: Composition, message: Message) -> None:
    """Ours stays; what stood in the provider's draft becomes a draft of its own."""
    keep(one, SECOND_THEIRS, html=split(body_of(message))[0], subject=message.subject)
    Composition.objects.filter(pk=one.pk).update(
        draft_key=message.change_key, draft_hash=remote_hash(message), note=OURS_STAYED
    )
    touched(one)
    tell(one)


def take_over(one: Composition, message: Message, *, note: str = "") -> None:
    """The provider's text, recipients and files are ours from now on."""
    _fill(one, message)
    one.note, one.taken, one.updated_at = note, one.taken + 1, message.modified or now()
    one.save()
    _take_files(one, message)
    saved = local_hash(one)
    Composition.objects.filter(pk=one.pk).update(saved_hash=saved)
    one.saved_hash = saved
    tell(one)


def _fill(one: Composition, message: Message) -> None:
    one.html, one.tail = split(body_of(message))
    one.signature = ""  # it is part of that text
    one.subject, one.to, one.cc, one.bcc = message.subject, message.to, message.cc, message.bcc
    one.draft_id, one.draft_key, one.draft_hash = message.remote_id, message.change_key, remote_hash(message)
    one.internet_message_id = message.internet_message_id or one.internet_message_id


def _take_files(one: Composition, message: Message) -> None:
    there = {file.remote_id: file for file in Attachment.objects.filter(message=message, is_inline=False)}
    ours = CompositionFile.objects.filter(composition=one, is_inline=False).exclude(remote_id="")
    have = {file.remote_id: file for file in ours}
    CompositionFile.objects.filter(pk__in=[file.pk for ref, file in have.items() if ref not in there]).delete()
    for ref, file in there.items():
        if ref not in have:
            CompositionFile.objects.create(
                composition=one,
                remote_id=ref,
                name=file.name[:255] or "file",
                content_type=file.content_type,
                bytes=file.size,
            )


def keep(one: Composition, note: str, **fields: Any) -> Composition:
    """A second draft beside one, with text that would be lost otherwise; written once however often it is said."""
    marker, message_id = identity.new(one.mailbox)
    told = {"subject": one.subject, "html": one.html, "to": one.to, "cc": one.cc, "bcc": one.bcc, **fields}
    told["signature"] = one.signature if note == SECOND_OURS else ""  # theirs has it in its text
    second, is_new = Composition.objects.get_or_create(
        split_from=one,
        note=note,
        taken=one.taken,
        state=Composition.State.DRAFT,
        defaults={
            "mailbox": one.mailbox,
            "author_id": one.author_id,
            "marker": marker,
            "internet_message_id": message_id,
            "how": one.how,
            "answers_id": one.answers_id,
            "conversation_id": one.conversation_id,
            **told,
        },
    )
    if not is_new:
        for name, value in told.items():
            setattr(second, name, value)
        second.updated_at = now()
        second.save()
    touched(second)
    return second


def adopt(message: Message, member: Membership) -> Composition:
    """Go on here with a draft that was begun in Outlook. Raises ``SomebodyElses``."""
    begun = Composition.objects.filter(mailbox=message.mailbox_id, draft_id=message.remote_id, state__in=UNSENT)
    found = begun.select_related("author__user").first()
    if found is not None:
        if found.author_id != member.pk:
            raise SomebodyElses(found.author.name)
        return found
    answered = Message.objects.filter(
        mailbox=message.mailbox_id, internet_message_id=message.in_reply_to, is_draft=False
    ).first()
    answered = answered if message.in_reply_to else None
    marker, message_id = identity.new(message.mailbox)
    one = Composition(
        mailbox=message.mailbox,
        author=member,
        answers=answered,
        how="reply" if answered else "new",
        conversation_id=message.thread.conversation_id if answered else None,
        marker=marker,
        internet_message_id=message_id,
    )
    with transaction.atomic():
        one.save()
        take_over(one, message)
        Composition.objects.filter(pk=one.pk).update(taken=0)
    one.taken = 0
    return one


def tell(one: Composition) -> None:
    """The screens of its author look again."""
    told = {"composition": one.pk, "member": one.author_id}
    publish(one.mailbox.workspace_id, "drafts", told, members=readers(one.mailbox))
