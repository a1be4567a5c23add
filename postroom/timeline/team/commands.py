"""What members do together: assign, comment, say that they are here. The caller has checked that they may read the
conversations; whom they name is checked here."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from django.db import transaction

from postroom.lib.clock import now
from postroom.timeline.team import mentions, notices, readers
from postroom.timeline.team.models import COMMENT_LIMIT, Assignment, Comment, Presence
from postroom.workspaces.models import Membership

DELETED_FOR = timedelta(hours=1)  # so long a deleted comment can come back


class CannotRead(ValueError):
    """Somebody was named who may not read it; the text says who and what to do."""

    def __init__(self, people: Collection[Membership]) -> None:
        names = " and ".join(sorted(one.name for one in people))
        many = len(people) > 1
        super().__init__(
            f"{names} cannot read this mailbox. Share the mailbox with {'them' if many else names} first "
            f"(Settings, Outlook), so that {'they see' if many else 'there is something to see'} what you mean."
        )
        self.people = list(people)


class NothingSaid(ValueError):
    """An empty comment, or one that is too long."""


# --- assignment --------------------------------------------------------------------------------------------------


@transaction.atomic
def assign(conversations: Collection[int], to: Membership | None, *, by: Membership) -> Mapping[int, int | None]:
    """Give them to a member (None: to nobody). Returns whose each of those that changed was before.

    Raises ``CannotRead``, and then nothing has changed.
    """
    if to is not None:
        open_to = readers.audiences(conversations).values()
        if any(audience is not None and to.pk not in audience for audience in open_to):
            raise CannotRead([to])
    rows = Assignment.objects.select_for_update().filter(conversation__in=conversations)
    theirs = dict(rows.values_list("conversation", "to"))
    wanted = to.pk if to else None
    before = {one: theirs.get(one) for one in conversations if theirs.get(one) != wanted}
    set_assignee(before, wanted, by=by)
    return before


def set_assignee(conversations: Collection[int], to: int | None, *, by: Membership) -> None:
    """The same without a check: also what Undo puts back."""
    changed = list(conversations)
    if not changed:
        return
    Assignment.objects.filter(conversation__in=changed).delete()
    if to is not None:
        Assignment.objects.bulk_create(
            Assignment(workspace_id=by.workspace_id, conversation_id=one, to_id=to, by=by) for one in changed
        )
        news = [notices.News(to, notices.Kind.ASSIGNED, one) for one in changed]
        notices.tell(by.workspace_id, news, by=by)
    readers.announce(by.workspace_id, changed)


# --- comments ----------------------------------------------------------------------------------------------------


@transaction.atomic
def write(conversation: int, text: str, *, by: Membership) -> Comment:
    """A comment for colleagues. Raises ``NothingSaid`` and ``CannotRead``."""
    text = _clean(text)
    named = _named(conversation, text, by)
    comment = Comment.objects.create(workspace_id=by.workspace_id, conversation_id=conversation, author=by, text=text)
    comment.mentions.set(named)
    mentioned = {one.pk for one in named}
    others = followers(conversation) - mentioned
    notices.tell(
        by.workspace_id,
        [notices.News(one, notices.Kind.MENTION, conversation, comment.pk) for one in sorted(mentioned)]
        + [notices.News(one, notices.Kind.COMMENT, conversation, comment.pk) for one in sorted(others)],
        by=by,
    )
    readers.announce(by.workspace_id, [conversation])
    return comment


@transaction.atomic
def edit(comment: Comment, text: str, *, by: Membership) -> None:
    """Change one's own comment; whom it names anew is told. Raises ``NothingSaid`` and ``CannotRead``."""
    text = _clean(text)
    named = _named(comment.conversation_id, text, by)
    already = set(comment.mentions.values_list("pk", flat=True))
    comment.text, comment.edited_at = text, now()
    comment.save(update_fields=["text", "edited_at"])
    comment.mentions.set(named)
    new = [one.pk for one in named if one.pk not in already]
    told = [notices.News(one, notices.Kind.MENTION, comment.conversation_id, comment.pk) for one in new]
    notices.tell(by.workspace_id, told, by=by)
    readers.announce(by.workspace_id, [comment.conversation_id])


def delete(comment: Comment, *, deleted: bool = True) -> None:
    """Take one's own comment away, or (``deleted=False``) bring it back."""
    Comment.objects.filter(pk=comment.pk).update(deleted_at=now() if deleted else None)
    readers.announce(comment.workspace_id, [comment.conversation_id])


def forget_deleted() -> int:
    """What was deleted an hour ago goes for good."""
    return Comment.objects.filter(deleted_at__lt=now() - DELETED_FOR).delete()[0]


def followers(conversation: int) -> set[int]:
    """Whose business a conversation is: who has it, who commented, who was mentioned; as far as they may read it."""
    having = set(Assignment.objects.filter(conversation=conversation).values_list("to", flat=True))
    said = Comment.objects.filter(conversation=conversation, deleted_at=None)
    rows = said.values_list("author", "mentions")
    found = having | {one for row in rows for one in row if one is not None}
    audience = readers.audiences([conversation])[conversation] if found else frozenset()
    return found if audience is None else found & audience


def _clean(text: str) -> str:
    text = text.replace("\0", "").replace("\r\n", "\n").strip()
    if not text:
        raise NothingSaid("Write something first.")
    if len(text) > COMMENT_LIMIT:
        raise NothingSaid(f"A comment has at most {COMMENT_LIMIT:,} characters; this has {len(text):,}.")
    return text


def _named(conversation: int, text: str, by: Membership) -> Sequence[Membership]:
    if "@" not in text:
        return []
    may, may_not = readers.sort_out(by.workspace_id, conversation)
    named = {one.pk: one for _, _, one in mentions.found(text, [*may, *may_not])}
    strangers = [one for one in may_not if one.pk in named]
    if strangers:
        raise CannotRead(strangers)
    return list(named.values())


# --- presence ----------------------------------------------------------------------------------------------------

FRESH = timedelta(seconds=45)  # a screen says every 20 seconds that it is still there
PRESENCE = "presence"
"""The live topic: {"conversation": [id]}: somebody came, began to answer, or stopped."""


def is_here(conversation: int, member: Membership) -> None:
    """Note that the member has it open; colleagues who may read it hear of it once."""
    moment = now()
    row = Presence.objects.filter(member=member, conversation=conversation)
    before = row.values_list("seen_at", flat=True).first()
    Presence.objects.update_or_create(
        member=member,
        conversation_id=conversation,
        defaults={"seen_at": moment},
        create_defaults={"seen_at": moment, "workspace": member.workspace},
    )
    if before is None or before < moment - FRESH:
        stirs(member.workspace_id, conversation)


def stirs(workspace_id: int, conversation: int) -> None:
    """Who is here, or what they do, has changed."""
    readers.announce(workspace_id, [conversation], topic=PRESENCE)


def forget_absent() -> int:
    return Presence.objects.filter(seen_at__lt=now() - 10 * FRESH).delete()[0]
