"""A conversation, ready to be drawn: messages oldest first, the last and the unread ones open."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.safestring import SafeString

from postroom.inbox import queries, returning, working
from postroom.inbox.accounts import Accounts
from postroom.inbox.rows import chips, who
from postroom.inbox.writing import to_text
from postroom.lib.clock import now
from postroom.mail import content, outbound, telling
from postroom.mail import queries as mail_queries
from postroom.mail.models import Attachment, Composition, Message, Thread
from postroom.mail.outbound import returns
from postroom.mail.queries import Conversation, Shown
from postroom.providers.contract import FolderRole
from postroom.timeline.models import Comment
from postroom.timeline.panel import Tag
from postroom.timeline.team import queries as team
from postroom.workspaces.models import Membership

NAMED = 4  # recipients that a message names before it only counts them

_KINDS: Mapping[str, str] = {
    Message.Kind.BOUNCE: "Delivery report",
    Message.Kind.AUTO_REPLY: "Automatic reply",
    Message.Kind.INVITATION: "Meeting",
    Message.Kind.BULK: "Newsletter or list",
}
_ICONS: Mapping[str, str] = {"picture": "image", "pdf": "file-text", "page": "file-search"}
_STATES: Mapping[str, tuple[str, str]] = {
    Message.BodyState.UNUSABLE: (
        "Postroom could not read the text of this message. “Show original” in its menu has it.",
        "warn",
    ),
}


@dataclass(frozen=True)
class File:
    """An attachment of a message. ``preview_url`` where it can be shown, ``preview`` how (``content.preview_kind``)."""

    name: str
    size: int
    href: str
    preview_url: str
    preview: str
    icon: str


@dataclass(frozen=True)
class Item:
    """One message or one composition on its way, as the thread shows it."""

    id: str
    who: str
    face: str
    key: str
    to: str
    when: datetime
    snippet: str
    open: bool = False
    unread: bool = False
    mine: bool = False
    frame_url: str = ""
    attachments: Sequence[File] = ()
    card_url: str = ""  # what its part for machines says
    pictures_url: str = ""  # to post to: this sender's pictures are loaded from now on
    kind: str = ""  # a word for mail of machines
    actions: Sequence[dict[str, str]] = ()
    notice: str = ""
    notice_tone: str = ""
    sending: str = ""
    failed: Composition | None = None
    way: outbound.Status | None = None  # of a message of the member's own that is not gone yet
    own: Composition | None = None
    text: str = ""
    resume: str = ""  # where to go on writing a draft of the provider's
    comment: "Said | None" = None  # then it is no mail at all


@dataclass(frozen=True)
class Said:
    """A comment. ``edit`` and ``delete`` are addresses, for its author alone."""

    html: SafeString
    edited: bool
    edit: str = ""
    delete: str = ""


class Chip(NamedTuple):
    """A category of the conversation; ``remove`` takes it off, empty where the member may not."""

    label: str
    module: str
    remove: str


@dataclass(frozen=True)
class Reading:
    """The thread pane. ``place`` is the list it was opened from: "inbox" or a folder's id."""

    thread: Thread
    conversation: Conversation
    subject: str
    items: Sequence[Item]
    tags: Sequence[Tag]
    place: str
    close: str
    may_work: bool
    flagged: bool
    unread: bool
    draft: Composition | None
    last: Message | None
    live: str
    part: str
    show: str
    categories: Sequence["Chip"] = ()
    assignee: Membership | None = None
    assigned: str = ""  # "Assigned to Ben", as a chip
    slept: str = ""  # "Snoozed until 9:00", as a chip
    asleep: bool = False
    stirred: bool = False  # there may be something to tell the member that they now see

    def _team(self, name: str) -> str:
        query = urlencode({"place": self.place, "close": self.close})
        return f"{reverse(f'inbox:{name}', args=[self.thread.pk])}?{query}"

    @property
    def together(self) -> dict[str, str]:
        """The addresses of working together, saying where the thread was opened."""
        return {name: self._team(name) for name in ("assign", "snooze", "wake", "comments", "here")}

    @property
    def opened(self) -> str:
        """To post to when it is shown."""
        return f"{self.together['here']}&opened=1"

    @property
    def writing(self) -> str:
        """Where the reply box comes from, when something is begun; the author has the newest message before them."""
        if self.draft is None:
            return ""
        return (
            f"{reverse('inbox:draft', args=[self.draft.pk])}?{urlencode({'seen': self.last.pk if self.last else ''})}"
        )

    @property
    def reply(self) -> str:
        return reverse("inbox:reply", args=[self.thread.pk])

    @property
    def paper(self) -> str:
        return reverse("inbox:print", args=[self.thread.pk])

    @property
    def acts(self) -> dict[str, str]:
        """The address of each action, saying where the thread was opened."""
        query = urlencode({"place": self.place, "close": self.close})
        names = ("archive", "delete", "move", "unread", "flag", "complete", "junk", "not-junk")
        address = {name: reverse("inbox:act", args=[self.thread.pk, name]) for name in names}
        return {name.replace("-", "_"): f"{url}?{query}" for name, url in address.items()}

    @property
    def choose_category(self) -> str:
        query = urlencode({"place": self.place, "close": self.close})
        return f"{reverse('inbox:categories', args=[self.thread.pk])}?{query}"

    @property
    def in_junk(self) -> bool:
        """Whether the newest of it lies in Junk."""
        shown = self.conversation.messages
        return bool(shown) and shown[-1].message.folder.role == FolderRole.JUNK

    @property
    def folders(self) -> str:
        return (
            f"{reverse('inbox:folders', args=[self.thread.pk])}?{urlencode({'place': self.place, 'close': self.close})}"
        )


def read(
    member: Membership,
    threads: Sequence[Thread],
    known: Accounts,
    *,
    place: str,
    close: str,
    tags: Sequence[Tag],
    part: str,
    editing: int | None = None,
    show: int | None = None,
) -> Reading:
    """The conversation of these threads (with their marks), as the first of them was opened. ``editing``: the
    composition in the reply box, which the thread need not show as well. ``show``: the message that was looked for."""
    thread, found, marks = threads[0], mail_queries.conversation_of(threads), team.marks_of(threads[0])
    drafts = queries.compositions(thread.conversation_id, member, known.ids, also=editing)
    received = [one for one in found.messages if not one.message.is_draft]
    last = received[-1].message if received else (found.messages[-1].message if found.messages else None)
    ours = {one.internet_message_id for one in drafts}
    shown = [one for one in found.messages if not (one.message.is_draft and one.message.internet_message_id in ours)]
    reply = reverse("inbox:reply", args=[thread.pk])
    back = _came_back([one.message for one in shown], known)
    items = [_item(one, known, reply=reply, open=last == one.message or show in one.copies, back=back) for one in shown]
    said = team.comments(thread.conversation_id)
    items = sorted([*items, *(_said(*one, thread, member) for one in said)], key=lambda one: one.when)
    looked_for = next((f"message-{one.message.pk}" for one in shown if show in one.copies), "")
    arrived = {one.message.pk for one in found.messages}
    return Reading(
        thread=thread,
        conversation=found,
        subject=found.subject,
        items=[*items, *(_waiting(one, member) for one in drafts if one.pk != editing and _on_the_way(one, arrived))],
        tags=tags,
        place=place,
        close=close,
        may_work=any(one.mailbox_id in known.worked_in() for one in found.threads),
        flagged=any(one.flagged for one in found.threads),
        unread=any(one.unread for one in found.threads),
        draft=_begun(drafts, member, editing),
        last=last,
        live=_live(found),
        part=part,
        show=looked_for,
        categories=_chips(threads, known, place, close),
        assignee=marks.assignee,
        assigned=_assigned(marks.assignee, member),
        slept=working.slept(marks.snooze) if marks.snooze else "",
        asleep=marks.snooze is not None and marks.snooze.woke_at is None and marks.snooze.until > now(),
        stirred=bool(said) or marks.assignee == member or marks.snooze is not None,
    )


def _begun(drafts: Sequence[Composition], member: Membership, editing: int | None) -> Composition | None:
    """What stands in the reply box: the one that was asked for, else one the member has begun."""
    writable = (Composition.State.DRAFT, Composition.State.FAILED)
    own = [one for one in drafts if one.author_id == member.pk and one.state in writable]
    asked = (one for one in own if one.pk == editing)
    return next(asked, None) or next((one for one in own if one.state == Composition.State.DRAFT), None)


def _assigned(to: Membership | None, member: Membership) -> str:
    return "" if to is None else "Assigned to you" if to == member else f"Assigned to {to.name}"


def _said(one: Comment, named: Sequence[team.Mentioned], thread: Thread, member: Membership) -> Item:
    mine = one.author_id == member.pk
    address = [thread.pk, one.pk]
    return Item(
        id=f"comment-{one.pk}",
        who="You" if mine else one.author.name if one.author else "A former member",
        face=one.author.name if one.author else "?",
        key=one.author.address if one.author else "",
        to="",
        when=one.created_at,
        snippet="",
        mine=mine,
        comment=Said(
            html=working.comment_html(one.text, named, member),
            edited=one.edited_at is not None,
            edit=reverse("inbox:comment", args=address) if mine else "",
            delete=reverse("inbox:comment-delete", args=address) if mine else "",
        ),
    )


def _chips(threads: Sequence[Thread], known: Accounts, place: str, close: str) -> list[Chip]:
    """Each category once, although copies of the mail may have it in several mailboxes."""
    worked = set(known.worked_in())
    url = reverse("inbox:act", args=[threads[0].pk, "category"])
    found: dict[str, Chip] = {}
    for thread in threads:
        for name, module in chips(thread, known.colors):
            query = urlencode({"place": place, "close": close, "remove": name})
            found.setdefault(name, Chip(name, module, f"{url}?{query}" if thread.mailbox_id in worked else ""))
    return list(found.values())


def _live(found: Conversation) -> str:
    """The news that concern this conversation, as an hx-trigger."""
    names = [f"live:mail:threads:{thread.pk}" for thread in found.threads]
    names += [
        f"live:team:conversation:{found.id}",
        "live:team:all",
        "live:mail:all",
        "live:sending",
        "live:resync",
        "thread:changed",
    ]
    return ", ".join(f"{name} from:body" for name in names)


def _came_back(messages: Sequence[Message], known: Accounts) -> Mapping[str, tuple[str, str]]:
    """What a sent message has to say of whom it did not reach, and its tone, by Message-ID. One query."""
    sent = [one for one in messages if one.from_address.lower() in known.own]
    found = returns.of_messages(sent[0].mailbox.workspace_id, [one.internet_message_id for one in sent]) if sent else {}
    tones = {name: "bad" if any(row.what == "failed" for row in rows) else "info" for name, rows in found.items()}
    return {name: (returns.told(rows), tones[name]) for name, rows in found.items()}


def _item(one: Shown, known: Accounts, *, reply: str, open: bool, back: Mapping[str, tuple[str, str]]) -> Item:
    message = one.message
    may_work = message.mailbox_id in known.worked_in()
    mine = message.from_address.lower() in known.own
    notice, tone = (
        _STATES.get(message.body_state) or (back.get(message.internet_message_id) if mine else None) or _away(message)
    )
    told = message.kind in telling.KINDS and message.body_state == Message.BodyState.STORED
    return Item(
        id=f"message-{message.pk}",
        who="You" if mine else message.from_name or message.from_address or "Somebody",
        face=message.from_name or message.from_address or "Somebody",
        key=message.from_address,
        to=_recipients(message, known.own),
        when=message.received,
        snippet=message.preview,
        open=open or not message.is_read,
        unread=not message.is_read,
        mine=mine,
        frame_url=reverse("mail:body", args=[message.pk]),
        attachments=[_file(file) for file in one.files],
        card_url=reverse("mail:card", args=[message.pk]) if told else "",
        pictures_url=reverse("mail:pictures-always", args=[message.pk]) if message.from_address else "",
        kind=_KINDS.get(message.kind, ""),
        actions=_actions(message, reply),
        notice=notice,
        notice_tone=tone,
        sending="Draft" if message.is_draft else "",
        resume=reverse("inbox:resume", args=[message.pk]) if message.is_draft and may_work else "",
    )


def _away(message: Message) -> tuple[str, str]:
    """What an automatic reply says of when its sender is back."""
    if message.kind != Message.Kind.AUTO_REPLY:
        return "", ""
    back = returning.back_on(message)
    if back is None:
        return "This is an automatic reply.", "info"
    return f"This is an automatic reply. Back on {back:%A} {back.day} {back:%B} {back.year}.", "info"


def _recipients(message: Message, own: frozenset[str]) -> str:
    """ "to you, cc Paul Meyer"."""
    parts = []
    for word, people in (("to", message.to), ("cc", message.cc), ("bcc", message.bcc)):
        names = ["you" if address.lower() in own else name or address for name, address in people[:NAMED]]
        if names:
            more = f" and {len(people) - NAMED:,} more" if len(people) > NAMED else ""
            parts.append(f"{word} {', '.join(dict.fromkeys(names))}{more}")
    return ", ".join(parts)


def _file(file: Attachment) -> File:
    preview = content.preview_kind(file)
    return File(
        name=content.file_name(file),
        size=file.size,
        href=reverse("mail:attachment", args=[file.pk]),
        preview_url=reverse("mail:attachment-view", args=[file.pk]) if preview else "",
        preview=preview,
        icon=_ICONS.get(preview, "paperclip"),
    )


def _actions(message: Message, reply: str) -> list[dict[str, str]]:
    def answer(how: str) -> str:
        return f"{reply}?{urlencode({'how': how, 'message': message.pk})}"

    original = reverse("mail:original", args=[message.pk])
    return [
        {"label": "Reply", "icon": "reply", "href": answer("reply"), "answers": "yes"},
        {"label": "Reply all", "icon": "reply-all", "href": answer("reply_all"), "answers": "yes"},
        {"label": "Forward", "icon": "forward", "href": answer("forward"), "answers": "yes"},
        {"label": "Show original", "icon": "code", "href": original},
        {"label": "Save as file", "icon": "download", "href": f"{original}?save=1"},
    ]


# --- on its way --------------------------------------------------------------------------------------------------


def _on_the_way(one: Composition, arrived: set[int]) -> bool:
    return one.state not in (Composition.State.DRAFT, Composition.State.SENT) and one.sent_message_id not in arrived


def _waiting(one: Composition, member: Membership) -> Item:
    failed = one.state == Composition.State.FAILED
    people: Sequence[Any] = [*one.to, *one.cc]
    own = one.author_id == member.pk
    status = outbound.statuses([one])[one.pk]
    return Item(
        id=f"composition-{one.pk}",
        who="You" if own else one.author.name,
        face=one.author.name,
        key=one.mailbox.address,
        to=f"to {who(people, frozenset())}",
        when=one.updated_at,
        snippet=to_text(one.html)[:200],
        text=to_text(one.html),
        open=True,
        mine=True,
        sending=status.label,
        failed=one if failed and own else None,
        way=status if own and not failed else None,
        own=one if own else None,
        notice=f"This message was not sent. {status.why}" if failed else status.why,
        notice_tone="bad" if failed else "warn" if status.kind == "held" else "",
    )
