"""``contract.MailSource`` over a mailbox in this process: the simplest thing that keeps all its promises."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from re import findall
from typing import Any, TypeVar

from msgspec import structs

from postroom.providers.budget import budget_of
from postroom.providers.contract import (
    Acquaintance,
    Applied,
    Change,
    DeltaPage,
    FolderRole,
    Gone,
    MailTip,
    Outgoing,
    OutgoingAttachment,
    Page,
    RemoteBody,
    RemoteCategory,
    RemoteDraft,
    RemoteFolder,
    RemoteMessage,
    Removed,
    Subscribed,
    TokenSource,
    Unusable,
    Uploading,
    Urgency,
)
from postroom.providers.errors import (
    AccessLost,
    Conflict,
    ConnectRefused,
    NotFound,
    ProviderError,
    ReauthNeeded,
    Refused,
)
from postroom.providers.memory.authority import MemoryAuthority
from postroom.providers.memory.deltas import changes, listing
from postroom.providers.memory.mailbox import Box, Entry
from postroom.providers.memory.mime import as_mime

T = TypeVar("T")

WHOLE_ONLY = (
    "sender", "cc", "bcc", "reply_to", "in_reply_to", "references", "body", "attachments", "headers", "marker",
)  # fmt: skip
NOT_TOLD: dict[str, Any] = dict.fromkeys(WHOLE_ONLY)
PREFIX = {"reply": "Re: ", "reply_all": "Re: ", "forward": "Fwd: ", "new": ""}


class MemoryMail:
    def __init__(
        self,
        boxes: Mapping[str, Box],
        authority: MemoryAuthority,
        *,
        token: TokenSource,
        mailbox_key: str,
        address: str | None,
    ) -> None:
        self._boxes = boxes
        self._authority = authority
        self._token = token
        self._budget = budget_of(mailbox_key)
        self._address = address

    @contextmanager
    def _box(self, method: str, urgency: Urgency = Urgency.USER) -> Iterator[Box]:
        """The mailbox, for one call. A refused token is asked for once more, like every provider does."""
        token = self._token()
        try:
            owner = self._authority.owner(token)
        except ReauthNeeded:
            owner = self._authority.owner(self._token(rejected=token))
        box = self._boxes.get((self._address or owner).lower())
        if box is None:
            raise ConnectRefused("no such mailbox", reason="no_mailbox")
        if box.withdrawn and self._address:
            raise AccessLost("access to this mailbox was withdrawn", reason="access")
        with self._budget.place(urgency), box.called(method):
            yield box

    def probe(self) -> None:
        with self._box("probe"):
            pass

    # Listing

    def folders(self, cursor: str | None = None) -> DeltaPage[RemoteFolder | Removed]:
        with self._box("folders", Urgency.DELTA) as box:

            def row(entries: Sequence[Entry]) -> RemoteFolder | Removed:
                item = entries[-1].item
                return box.counted(item) if item in box.folders else Removed(item)

            if cursor is None or cursor.startswith("list"):
                return listing(box, "", list(box.folders), row, cursor)
            return changes(box, "", box.folder_log, row, cursor)

    def roles(self) -> Mapping[str, FolderRole]:
        with self._box("roles", Urgency.DELTA) as box:
            return {one.id: one.role for one in box.folders.values() if one.role}

    def spine(
        self, folder_id: str, cursor: str | None = None, *, urgency: Urgency = Urgency.BACKFILL
    ) -> DeltaPage[RemoteMessage | Removed]:
        with self._box("spine", urgency) as box:

            def row(entries: Sequence[Entry]) -> RemoteMessage | Removed:
                message = box.messages.get(entries[-1].item)
                if message is None or message.folder_id != folder_id:
                    return Removed(entries[-1].item)
                fields = frozenset().union(*(entry.fields for entry in entries))
                if box.awkward and all(entry.fields for entry in entries):
                    told = {name: getattr(message, name) for name in (*fields, "change_key")}
                    return RemoteMessage(id=message.id, **told)
                return _state(message)

            found = [one.id for one in box.within(folder_id)]
            if cursor is None or cursor.startswith("list"):
                return listing(box, folder_id, found, row, cursor)
            page = changes(box, folder_id, box.log, row, cursor)
            return structs.replace(page, items=(*_stale(box, folder_id, page.items), *page.items))

    def pull(
        self,
        *,
        cursor: str | None = None,
        before: datetime | None = None,
        since: datetime | None = None,
        urgency: Urgency = Urgency.BACKFILL,
    ) -> Page[RemoteMessage | Unusable]:
        with self._box("pull", urgency) as box:
            if cursor:
                text, _, since_text = cursor.partition("|")
                mark, last = text.split("#")
                since = datetime.fromisoformat(since_text) if since_text else None
                after = (datetime.fromisoformat(mark), last)
            else:
                after = None
            left = [
                one
                for one in box.newest_first()
                if one.received
                and (after is None or (one.received, one.id) < after)
                and (before is None or cursor or one.received <= before)
                and (since is None or one.received >= since)
            ]
            page = left[: box.page]
            more = len(left) > len(page)
            onward = f"{page[-1].received}#{page[-1].id}|{since or ''}" if more else None
            return Page(items=tuple(_readable(box, one) for one in page), next=onward)

    def get(
        self, ids: Sequence[str], *, whole: bool = True, urgency: Urgency = Urgency.PUSH
    ) -> list[RemoteMessage | Gone | Unusable]:
        with self._box("get", urgency) as box:
            found: list[RemoteMessage | Gone | Unusable] = []
            for identifier in ids:
                one = box.messages.get(identifier)
                if one is None:
                    found.append(Gone(identifier))
                elif whole:
                    found.append(_readable(box, one))
                else:
                    found.append(structs.replace(one, **NOT_TOLD))
            return found

    def count(self, folder_id: str) -> RemoteFolder:
        with self._box("count", Urgency.DELTA) as box:
            return box.counted(folder_id)

    def find(self, *, internet_message_id: str = "", subject: str = "", most: int = 10) -> list[RemoteMessage]:
        words = findall(r"\w+", subject.casefold())
        if not (internet_message_id or words):
            return []
        with self._box("find") as box:
            found = [
                one
                for one in box.newest_first()
                if (one.internet_message_id == internet_message_id)
                or (words and not internet_message_id and all(w in (one.subject or "").casefold() for w in words))
            ]
            return [_state(one) for one in found[:most]]

    def mime(self, message_id: str) -> Iterator[bytes]:
        with self._box("mime") as box:
            one = box.get(message_id)
            files = [(file, box.files[message_id, file.id]) for file in one.attachments or ()]
        yield as_mime(one, files)

    def attachment(self, message_id: str, attachment_id: str) -> Iterator[bytes]:
        with self._box("attachment") as box:
            if (message_id, attachment_id) not in box.files:
                raise NotFound("no such attachment")
            content = box.files[message_id, attachment_id]
        yield content

    # Writing

    def apply(self, changes: Sequence[Change]) -> list[Applied]:
        with self._box("apply") as box:
            return [self._apply(box, change) for change in changes]

    def _apply(self, box: Box, change: Change) -> Applied:
        told = {"is_read": change.is_read, "flag": change.flag, "categories": change.categories}
        fields = {name: value for name, value in told.items() if value is not None}
        if change.move_to is not None and fields:
            raise ValueError("a move goes alone")
        if change.id in box.protected:
            return Applied(
                change.id, refused=Refused("this message is protected", code="ErrorAccessDenied", status=403)
            )
        try:
            if change.move_to is not None:
                return Applied(change.id, message=_whole(box.move(change.id, change.move_to)))
            return Applied(change.id, message=_whole(box.change(change.id, **fields)))
        except ProviderError as error:
            return Applied(change.id, refused=error)

    def create_folder(self, *, name: str, parent_id: str | None = None) -> RemoteFolder:
        with self._box("create_folder") as box:
            return box.counted(box.folder(name, parent_id))

    def find_folder(self, *, name: str, parent_id: str | None = None) -> RemoteFolder | None:
        with self._box("find_folder") as box:
            within = [one for one in box.folders.values() if one.parent_id == (parent_id or "root")]
            found = next((one for one in within if one.name.casefold() == name.casefold()), None)
            return box.counted(found.id) if found else None

    def rename_folder(self, folder_id: str, name: str) -> RemoteFolder:
        with self._box("rename_folder") as box:
            return box.change_folder(folder_id, name=name)

    def move_folder(self, folder_id: str, parent_id: str | None) -> RemoteFolder:
        with self._box("move_folder") as box:
            return box.change_folder(folder_id, parent_id=parent_id or "root")

    def categories(self) -> tuple[RemoteCategory, ...]:
        with self._box("categories", Urgency.DELTA) as box:
            self._may_use_categories(box)
            return tuple(box.categories.values())

    def create_category(self, *, name: str, color: int | None = None) -> RemoteCategory:
        with self._box("create_category") as box:
            self._may_use_categories(box)
            if name.casefold() in box.categories:
                raise Refused("there is a category of that name", code="ErrorItemExists", status=409)
            return box.category(name, color)

    def _may_use_categories(self, box: Box) -> None:
        if box.categories_refused:
            raise AccessLost("not granted", code="ErrorAccessDenied", status=403)

    # Sending

    def find_sent(self, *, marker: str, internet_message_id: str) -> RemoteMessage | None:
        with self._box("find_sent") as box:
            ours = [
                one
                for one in box.messages.values()
                if (marker and one.marker == marker) or one.internet_message_id == internet_message_id
            ]
            key = lambda one: (bool(one.is_draft), one.folder_id != FolderRole.SENT.value)  # noqa: E731
            return min(ours, key=key, default=None)

    def create_draft(self, outgoing: Outgoing) -> RemoteDraft:
        with self._box("create_draft") as box:
            answered = box.get(outgoing.answers) if outgoing.answers else None
            told: dict[str, Any] = {}
            if answered and outgoing.how != "new":
                told["conversation_id"] = answered.conversation_id
                told["in_reply_to"] = answered.internet_message_id
                told["references"] = (*(answered.references or ()), answered.internet_message_id)
            draft = box.deliver(
                subject=outgoing.subject,
                from_=outgoing.from_ or box.address,
                to=outgoing.to,
                html=outgoing.html,
                folder=FolderRole.DRAFTS.value,
                **told,
                cc=outgoing.cc,
                bcc=outgoing.bcc,
                is_read=True,
                is_draft=True,
                marker=outgoing.marker,
                internet_message_id=outgoing.internet_message_id,
            )
            made = box.get(draft)
            return RemoteDraft(id=draft, change_key=made.change_key or "", conversation_id=made.conversation_id)

    def update_draft(self, draft_id: str, outgoing: Outgoing, *, key: str = "") -> RemoteDraft:
        with self._box("update_draft") as box:
            draft = box.get(draft_id)
            if not draft.is_draft:
                raise Refused("not a draft", code="ErrorInvalidPropertySet", status=400)
            if key and key != draft.change_key:
                raise Conflict("the change key does not match", code="ErrorIrresolvableConflict", status=412)
            after = box.change(
                draft_id,
                subject=outgoing.subject,
                body=RemoteBody("html", outgoing.html),
                preview=outgoing.html[:255],
                to=outgoing.to,
                cc=outgoing.cc,
                bcc=outgoing.bcc,
                marker=outgoing.marker,
                internet_message_id=outgoing.internet_message_id,
            )
            return RemoteDraft(
                id=draft_id,
                change_key=after.change_key or "",
                conversation_id=after.conversation_id,
                attachments=after.attachments or (),
            )

    def attach(self, draft_id: str, attachment: OutgoingAttachment, *, session: str = "") -> Iterator[Uploading]:
        yield from ()  # everything in one piece
        with self._box("attach") as box:
            content = b"".join(attachment.open())
            if len(content) != attachment.size:
                raise Refused("the file has another size than was said", code="FileTooShort")
            told = structs.asdict(attachment)
            fields = {name: told[name] for name in ("content_type", "is_inline", "content_id")}
            box.add_file(draft_id, name=attachment.name, content=content, **fields)

    def detach(self, draft_id: str, attachment_id: str) -> None:
        with self._box("detach") as box:
            if draft_id in box.messages:
                box.remove_file(draft_id, attachment_id)

    def send(self, draft_id: str) -> None:
        with self._box("send") as box:
            draft = box.get(draft_id)
            if not draft.is_draft or not (draft.to or draft.cc or draft.bcc):
                raise Refused("not a draft with recipients", code="InvalidRecipients", status=400)
            box.allow(draft)
            box.post(draft)

    def tips(self, addresses: Sequence[str]) -> tuple[MailTip, ...]:
        with self._box("tips"):
            known = [(address, self._boxes.get(address.lower())) for address in addresses]
            return tuple(MailTip(address, away=box.away if box else "") for address, box in known)

    def people(self) -> tuple[Acquaintance, ...]:
        with self._box("people") as box:
            return tuple(box.people)

    def delete_draft(self, draft_id: str) -> None:
        with self._box("delete_draft") as box:
            if draft_id in box.messages:
                box.delete(draft_id)

    # Push

    def subscribe(self, *, url: str, client_state: str, lifecycle_url: str) -> Subscribed:
        with self._box("subscribe", Urgency.DELTA) as box:
            return box.subscriptions.add(client_state)

    def renew(self, subscription_id: str) -> Subscribed:
        with self._box("renew", Urgency.DELTA) as box:
            return box.subscriptions.renew(subscription_id)

    def unsubscribe(self, subscription_id: str) -> None:
        with self._box("unsubscribe", Urgency.DELTA) as box:
            box.subscriptions.remove(subscription_id)


def _stale(box: Box, folder_id: str, items: Sequence[RemoteMessage | Removed]) -> list[RemoteMessage]:
    """A replay that comes from a server which has not heard the latest: a message as it was, once here."""
    if not box.stale or not items:
        return []
    named = {item.id for item in items}
    there = (one for one in reversed(box.log) if one.folder == folder_id and one.item not in named)
    entry = next((one for one in there if one.item in box.messages and one.item in box.outdated), None)
    old = box.outdated[entry.item] if entry else None
    return [_state(old)] if old is not None and old.folder_id == folder_id else []


def _state(message: RemoteMessage) -> RemoteMessage:
    return structs.replace(message, **NOT_TOLD)


def _whole(message: RemoteMessage) -> RemoteMessage:
    return structs.replace(message, marker=None)


def _readable(box: Box, message: RemoteMessage) -> RemoteMessage | Unusable:
    reason = box.spoiled.get(message.id)
    return Unusable(message.id, reason) if reason else _whole(message)
