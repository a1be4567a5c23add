"""What a member does to conversations, one or several hundred: which of their messages it is done to, and the sentence.

Every action takes what was asked and returns what was done, with the values before; ``mail.deeds`` keeps them for Undo.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from postroom.inbox import queries
from postroom.inbox.accounts import Accounts
from postroom.mail import categories, commands, deeds, folder_changes
from postroom.mail.models import Folder, Message
from postroom.mailboxes.models import Mailbox
from postroom.providers.contract import FolderRole
from postroom.workspaces.models import Membership

Messages = Sequence[Message]


class NoSuchFolder(LookupError):
    """The folder that was named is none the member works in."""


@dataclass(frozen=True)
class Asked:
    """``conversations``: the messages of each, in mailboxes the member works in; ``place``: the list they were in."""

    member: Membership
    known: Accounts
    conversations: Sequence[Messages]
    place: str = "inbox"
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def messages(self) -> list[Message]:
        return [one for conversation in self.conversations for one in conversation]

    def here(self) -> list[Message]:
        """The messages that make each conversation appear in its list; else all that are of any use."""
        return [one for conversation in self.conversations for one in _here(conversation, self.place)]


class Done(NamedTuple):
    """The sentence, whether the conversations left their list, and the values before by message."""

    text: str
    leaves: bool = False
    field: str = ""
    before: Mapping[int, Any] = {}


def _here(messages: Messages, place: str) -> list[Message]:
    if place.isdecimal():
        here = [one for one in messages if str(one.folder_id) == place]
    else:
        here = [one for one in messages if one.folder.role == FolderRole.INBOX]
    kept = (*queries.DONE_WITH, FolderRole.SENT)
    return here or [one for one in messages if one.folder.role not in kept]


# --- going elsewhere ---------------------------------------------------------------------------------------------


def _archive(asked: Asked) -> Done:
    in_inbox = [one for one in asked.messages if one.folder.role == FolderRole.INBOX]
    return _to_role(asked, in_inbox or asked.here(), FolderRole.ARCHIVE, "Archived")


def _delete(asked: Asked) -> Done:
    return _to_role(asked, asked.here(), FolderRole.DELETED, "Moved to Deleted Items")


def _junk(asked: Asked) -> Done:
    return _to_role(asked, asked.here(), FolderRole.JUNK, "Moved to Junk")


def _not_junk(asked: Asked) -> Done:
    junk = [one for one in asked.messages if one.folder.role == FolderRole.JUNK]
    return _to_role(asked, junk or asked.here(), FolderRole.INBOX, "Moved to the Inbox")


def _to_role(asked: Asked, messages: Messages, role: FolderRole, words: str) -> Done:
    """Into the folder with that purpose, of each message's own mailbox. A missing Archive is made."""
    targets = _targets(asked, messages, role)
    going = [one for one in messages if one.mailbox_id in targets and one.folder_id != targets[one.mailbox_id].pk]
    if not going:
        there = any(one.mailbox_id in targets for one in messages)
        return Done("It is there already." if there else f"This mailbox has no {role.value} folder.")
    before = deeds.values(going, "folder")
    commands.move_to_role(going, asked.member, role)
    return Done(_sentence(words, asked), True, "folder", before)


def _targets(asked: Asked, messages: Messages, role: FolderRole) -> dict[int, Folder]:
    mailboxes: dict[int, Mailbox] = {one.mailbox_id: one.mailbox for one in messages}
    found = {one.mailbox_id: one for one in Folder.objects.filter(mailbox__in=mailboxes, role=role)}
    if role == FolderRole.ARCHIVE:
        found |= {pk: folder_changes.archive_of(one, asked.member) for pk, one in mailboxes.items() if pk not in found}
    return found


def _move(asked: Asked) -> Done:
    """Raises ``NoSuchFolder``."""
    wanted = asked.options.get("folder", "")
    rows = Folder.objects.filter(mailbox__in=asked.known.worked_in())
    target = rows.filter(pk=int(wanted)).first() if wanted.isdecimal() and len(wanted) < 18 else None
    if target is None:
        raise NoSuchFolder
    inside = [one for one in asked.here() if one.mailbox_id == target.mailbox_id]
    going = [one for one in inside if one.folder_id != target.pk]
    before = deeds.values(going, "folder")
    commands.move(going, asked.member, to=target)
    if not before:
        return Done("It is there already." if inside else "Mail cannot be moved to another mailbox.")
    return Done(_sentence(f"Moved to {target.name}", asked), True, "folder", before)


# --- signs -------------------------------------------------------------------------------------------------------


def _unread(asked: Asked) -> Done:
    """From the newest mail of somebody else on, as mail programs do."""
    same = [
        one
        for conversation in asked.conversations
        for one in conversation
        if one.is_read and _same_mail(one, _newest(conversation, besides=asked.known.ours))
    ]
    commands.mark_read(same, asked.member, read=False)
    text = _sentence("Marked as unread", asked) if same else "It is unread."
    return Done(text, False, "is_read", dict.fromkeys((one.pk for one in same), True))


def _read(asked: Asked) -> Done:
    unread = [one for one in asked.messages if not one.is_read]
    commands.mark_read(unread, asked.member)
    return Done(_sentence("Marked as read", asked), False, "is_read", dict.fromkeys((one.pk for one in unread), False))


def _flag(asked: Asked) -> Done:
    """The newest message of each carries the flag; where all are flagged, it is taken off everywhere."""
    flagged = [one for one in asked.messages if one.flag == "flagged"]
    if flagged and all(any(one.flag == "flagged" for one in some) for some in asked.conversations):
        return _set_flag(asked, flagged, "none", "Flag removed")
    plain = [some for some in asked.conversations if not any(one.flag == "flagged" for one in some)]
    return _set_flag(asked, [_newest(some) for some in plain], "flagged", "Flagged")


def _complete(asked: Asked) -> Done:
    """What is flagged is done; where nothing is, the newest message is marked so."""
    done = []
    for some in asked.conversations:
        done += [one for one in some if one.flag == "flagged"] or [_newest(some)]
    return _set_flag(asked, done, "complete", "Marked as complete")


def _set_flag(asked: Asked, messages: Messages, flag: str, words: str) -> Done:
    before = {one.pk: one.flag or "none" for one in messages if one.flag != flag}
    commands.set_flag(messages, asked.member, flag=flag)
    return Done(_sentence(words, asked), False, "flag", before)


def _categorise(asked: Asked) -> Done:
    """``add`` or ``remove`` names a category; ``color`` (a number) is that of a new one."""
    add, remove = asked.options.get("add", ""), asked.options.get("remove", "")
    if remove:
        having = [one for one in asked.messages if remove in one.categories]
        before = deeds.values(having, "categories")
        commands.set_categories(having, asked.member, remove=[remove])
        return Done(f"Category “{remove}” removed.", False, "categories", before)
    chosen = asked.options.get("color", "")
    color = int(chosen) if chosen.isdecimal() and len(chosen) < 3 and int(chosen) < len(categories.COLORS) else None
    here = asked.here()
    before = deeds.values(here, "categories")
    for mailbox in {one.mailbox_id: one.mailbox for one in here}.values():
        name = categories.create(mailbox, asked.member, name=add, color=color)
        if not name:
            return Done("Give the category a name.")
        mine = [one for one in here if one.mailbox_id == mailbox.pk]
        commands.set_categories(mine, asked.member, add=[name])
    return Done(_sentence(f"Category “{add}” added", asked), False, "categories", before)


ACTIONS: Mapping[str, Callable[[Asked], Done]] = {
    "archive": _archive,
    "delete": _delete,
    "junk": _junk,
    "not-junk": _not_junk,
    "move": _move,
    "unread": _unread,
    "read": _read,
    "flag": _flag,
    "complete": _complete,
    "category": _categorise,
}


# --- parts -------------------------------------------------------------------------------------------------------


def _newest(messages: Messages, *, besides: frozenset[str] = frozenset()) -> Message:
    arrived = [one for one in messages if not one.is_draft] or list(messages)
    others = [one for one in arrived if one.from_address.lower() not in besides] or arrived
    return max(others, key=lambda one: (one.received, one.pk))


def _same_mail(one: Message, other: Message) -> bool:
    return one.pk == other.pk or bool(one.internet_message_id and one.internet_message_id == other.internet_message_id)


def _sentence(words: str, asked: Asked) -> str:
    many = len(asked.conversations)
    return f"{words}." if many == 1 else f"{words}: {many:,} conversations."
