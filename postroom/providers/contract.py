"""What a connector is. Everything above this package speaks to providers in these words only.

Terms
-----
id           the provider's own name for an item. For mail it is the *immutable* one wherever the provider
             has such a thing: it stays when the item moves between folders. Case-sensitive, opaque.
change key   the provider's version of an item. Equal keys mean: nothing changed.
cursor       an opaque string that continues a listing. It never expires into silence: a dead one raises
             ``CursorExpired``.
spine        the complete listing of a folder with state but without bodies; ends in the cursor that later
             yields what changed ("delta").
pull         pages of whole messages with bodies, newest first.
marker       our own name for a message we are sending, kept at the provider as a private property, by which
             the draft or the sent copy is found again after a crash.
not told     ``None`` in a field of a ``RemoteMessage`` that came from a delta: the provider did not say,
             so the old value stands (graph.md 2.12 "sparse updates").

Connectors are synchronous. All calls of one mailbox share one ``Budget``; user actions come first.
Every foreign error is translated into ``providers.errors`` before it leaves the connector.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Generic, Literal, Protocol, TypeVar

from msgspec import Struct

T = TypeVar("T")


class Urgency(IntEnum):
    """Who is served first when a mailbox's request budget is short (product.md SY13)."""

    USER = 0
    PUSH = 1
    DELTA = 2
    BACKFILL = 3


class FolderRole(StrEnum):
    """What a folder is for, whatever its name in the mailbox's language. Empty for folders people made."""

    NONE = ""
    ROOT = "root"
    INBOX = "inbox"
    SENT = "sent"
    DRAFTS = "drafts"
    ARCHIVE = "archive"
    JUNK = "junk"
    DELETED = "deleted"
    OUTBOX = "outbox"


class Flag(StrEnum):
    NONE = "none"
    FLAGGED = "flagged"
    COMPLETE = "complete"


class Address(Struct, frozen=True):
    """One person in a header. ``address`` is as written (not lower-cased) and may be empty."""

    address: str
    name: str = ""


class RemoteFolder(Struct, frozen=True, kw_only=True):
    id: str
    parent_id: str | None = None
    name: str
    role: FolderRole = FolderRole.NONE
    hidden: bool = False
    total: int | None = None
    unread: int | None = None


class RemoteCategory(Struct, frozen=True, kw_only=True):
    """A category of the mailbox's own list. ``color`` is one of Outlook's 25 presets by number, or ``None``."""

    id: str
    name: str
    color: int | None = None


class RemoteAttachment(Struct, frozen=True, kw_only=True):
    """What is known of an attachment without its bytes. ``size`` in bytes as the provider counts it."""

    id: str
    name: str
    content_type: str
    size: int
    is_inline: bool = False
    content_id: str = ""
    kind: Literal["file", "item", "reference"] = "file"


class RemoteBody(Struct, frozen=True):
    """The body exactly as delivered: ``sha256`` in the dump is taken over ``content`` as UTF-8.

    It can always be encoded, but may hold NUL, which no database column does: take the sum first, then clean it.
    """

    content_type: Literal["html", "text"]
    content: str


class RemoteMessage(Struct, frozen=True, kw_only=True):
    """One message at the provider. ``None`` = not told (see the terms above). Times are aware UTC.

    Of a whole message (``pull``, ``get``) everything is told but the marker. Texts other than the body hold no NUL.
    """

    id: str
    folder_id: str | None = None
    change_key: str | None = None
    internet_message_id: str | None = None
    conversation_id: str | None = None
    in_reply_to: str | None = None
    references: tuple[str, ...] | None = None
    subject: str | None = None
    from_: Address | None = None
    sender: Address | None = None
    to: tuple[Address, ...] | None = None
    cc: tuple[Address, ...] | None = None
    bcc: tuple[Address, ...] | None = None
    reply_to: tuple[Address, ...] | None = None
    received: datetime | None = None
    sent: datetime | None = None
    modified: datetime | None = None
    is_read: bool | None = None
    is_draft: bool | None = None
    flag: Flag | None = None
    categories: tuple[str, ...] | None = None
    importance: Literal["low", "normal", "high"] | None = None
    has_attachments: bool | None = None
    preview: str | None = None
    body: RemoteBody | None = None
    attachments: tuple[RemoteAttachment, ...] | None = None
    headers: Mapping[str, str] | None = None  # lower-cased names; only those that tell the kind of a mail
    meeting: bool | None = None  # the provider says that it asks to a meeting, answers one or calls it off
    marker: str | None = None


class Removed(Struct, frozen=True):
    """The provider says: no longer in this folder. That is all it says (graph.md 2.12); ask before deleting."""

    id: str


class Gone(Struct, frozen=True):
    """The answer to a question about one id: the provider no longer has it anywhere."""

    id: str


class Unusable(Struct, frozen=True):
    """One item that could not be read. It is quarantined with ``reason``; it never stops a page (SY15)."""

    id: str
    reason: str


class Page(Struct, Generic[T], frozen=True, kw_only=True):
    """One page of a listing. ``next`` continues it; ``None`` means the listing is complete."""

    items: tuple[T, ...]
    next: str | None = None


class DeltaPage(Struct, Generic[T], frozen=True, kw_only=True):
    """One page of changes. Exactly one of ``next`` (more to come) and ``done`` (keep for next time) is set."""

    items: tuple[T, ...]
    next: str | None = None
    done: str | None = None


class Change(Struct, frozen=True, kw_only=True):
    """A local change on its way out. Only the fields that are set are written. Moves go alone."""

    id: str
    is_read: bool | None = None
    flag: Flag | None = None
    categories: tuple[str, ...] | None = None
    move_to: str | None = None  # a folder id


class Applied(Struct, frozen=True):
    """Outcome of one ``Change``: the message as it is now, or why it was refused."""

    id: str
    message: RemoteMessage | None = None
    refused: Exception | None = None


class OutgoingAttachment(Struct, frozen=True, kw_only=True):
    """A file to send. ``open`` gives its bytes from ``start``; large files are uploaded in resumable parts."""

    name: str
    content_type: str
    size: int
    open: "OpenAt"
    is_inline: bool = False
    content_id: str = ""


class Uploading(Struct, frozen=True, kw_only=True):
    """How far a large file is on its way into a draft: ``position`` bytes are there.

    ``session`` is a secret by which the upload is gone on with, also by another process; kept sealed, never logged.
    """

    session: str
    position: int

    def __repr__(self) -> str:
        return f"Uploading(position={self.position})"


class OpenAt(Protocol):
    def __call__(self, start: int = 0) -> Iterator[bytes]: ...


class Outgoing(Struct, frozen=True, kw_only=True):
    """A message to send. ``marker`` and ``internet_message_id`` are ours and make sending repeatable."""

    marker: str
    internet_message_id: str
    subject: str
    html: str
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    from_: Address | None = None
    answers: str | None = None  # id of the message answered or forwarded
    how: Literal["new", "reply", "reply_all", "forward"] = "new"


class RemoteDraft(Struct, frozen=True, kw_only=True):
    id: str
    change_key: str
    conversation_id: str | None
    attachments: tuple[RemoteAttachment, ...] = ()


class MailTip(Struct, frozen=True):
    """What is known of a recipient: ``away`` is their automatic reply as HTML, empty while they have none."""

    address: str
    away: str = ""
    is_full: bool = False


class Acquaintance(Struct, frozen=True, kw_only=True):
    """Somebody the provider says an account's owner works with. ``about``: their title or company; may be empty."""

    address: str
    name: str = ""
    about: str = ""


class Subscribed(Struct, frozen=True, kw_only=True):
    id: str
    expires: datetime


class Notified(Struct, frozen=True, kw_only=True):
    """One item of a provider's notification, decoded but not yet trusted: check ``client_state`` first."""

    subscription_id: str
    client_state: str
    message_id: str = ""
    change: Literal["created", "updated", "deleted", ""] = ""
    lifecycle: Literal["reauthorizationRequired", "subscriptionRemoved", "missed", ""] = ""


class Account(Struct, frozen=True, kw_only=True):
    """Who signed in. ``key`` identifies the account for ever (never the address: graph.md 1.10)."""

    key: str
    tenant: str
    address: str
    name: str
    kind: Literal["work", "personal"] = "work"
    aliases: tuple[str, ...] = ()


class Grant(Struct, frozen=True, kw_only=True):
    """What the provider gave us. Secrets: never logged, never in an exception."""

    access_token: str
    expires: datetime
    refresh_token: str | None
    scopes: frozenset[str]
    account: Account | None = None

    def __repr__(self) -> str:
        return f"Grant(expires={self.expires:%Y-%m-%dT%H:%M:%SZ}, scopes={sorted(self.scopes)})"


class Capabilities(Struct, frozen=True, kw_only=True):
    """What a provider can do; shown as a table and asked before a feature is offered."""

    push: bool
    stable_ids: bool
    categories: bool
    folders: bool
    server_side_threads: bool
    max_attachment: int  # bytes
    recipients_a_day: Mapping[str, int] = {}  # by kind of account, as far as the provider says so


class Feature(Struct, frozen=True, kw_only=True):
    """What a member may switch on, the scopes it needs and what they let us do, in the words of the review screen.

    A feature is on when the scopes the provider really granted are a superset of ``scopes`` (graph.md 1.6).
    """

    name: str
    label: str
    scopes: tuple[str, ...]
    permissions: tuple[str, ...]  # one sentence per thing we may do, in the member's language
    required: bool = False
    work_only: bool = False  # personal accounts cannot have it
    why_work_only: str = ""  # a sentence for those who wonder


class Authority(Protocol):
    """Where people consent. One per provider; knows no mailbox."""

    def authorize_url(
        self,
        *,
        redirect_uri: str,
        scopes: Sequence[str],
        state: str,
        nonce: str,
        verifier: str,
        prompt: str = "select_account",
        login_hint: str = "",
        claims: str = "",
    ) -> str: ...

    def redeem(self, *, code: str, redirect_uri: str, verifier: str, nonce: str) -> Grant:
        """Exchange a code. Checks the id_token (signature, nonce, audience). Raises ``errors.ConnectRefused``."""
        ...

    def refused(self, params: Mapping[str, str]) -> Exception:
        """What the provider's redirect means when it came back with an ``error`` instead of a code."""
        ...

    def refresh(self, grant: Grant, *, claims: str = "") -> Grant:
        """A fresh access token; ``claims`` answers a challenge. Keeps account and, if none came, the refresh token.

        Raises ``errors.ReauthNeeded`` (with the reason), ``errors.AccessLost`` or ``errors.OperatorFault``.
        """
        ...

    def admin_consent_url(self, *, redirect_uri: str, scopes: Sequence[str], state: str, tenant: str = "") -> str:
        """Where an administrator grants ``scopes`` for everybody. Raises ``errors.Unsupported``."""
        ...


class MailSource(Protocol):
    """The mail of one mailbox at a provider. Every call may raise the errors of ``providers.errors``."""

    def probe(self) -> None:
        """Is there a mailbox, and may we read it? Raises ``ConnectRefused(reason="no_mailbox")`` or ``AccessLost``."""
        ...

    def folders(self, cursor: str | None = None) -> DeltaPage[RemoteFolder | Removed]:
        """The folder tree, flat and in no order, and later what changed in it."""
        ...

    def roles(self) -> Mapping[str, FolderRole]:
        """Folder id -> what it is for, asked once per source. A mailbox need not have every role."""
        ...

    def spine(
        self, folder_id: str, cursor: str | None = None, *, urgency: Urgency = Urgency.BACKFILL
    ) -> DeltaPage[RemoteMessage | Removed]:
        """One page of the folder's complete listing, newest first; with a ``done`` cursor, of its changes."""
        ...

    def pull(
        self,
        *,
        cursor: str | None = None,
        before: datetime | None = None,
        since: datetime | None = None,
        urgency: Urgency = Urgency.BACKFILL,
    ) -> Page[RemoteMessage | Unusable]:
        """Whole messages of all folders, newest first, received in [since, before]; bodies and attachments' data."""
        ...

    def get(
        self, ids: Sequence[str], *, whole: bool = True, urgency: Urgency = Urgency.PUSH
    ) -> list[RemoteMessage | Gone | Unusable]:
        """The named messages, in order. With ``whole=False`` their state only, without bodies ("where is it?")."""
        ...

    def count(self, folder_id: str) -> RemoteFolder: ...

    def find(self, *, internet_message_id: str = "", subject: str = "", most: int = 10) -> list[RemoteMessage]:
        """Messages of any folder with exactly this Message-ID, or with these words in the subject; state, no bodies.

        Asked while somebody waits ("why is this mail not here?"). The newest first, at most ``most``.
        """
        ...

    def mime(self, message_id: str) -> Iterator[bytes]: ...

    def attachment(self, message_id: str, attachment_id: str) -> Iterator[bytes]: ...

    def apply(self, changes: Sequence[Change]) -> list[Applied]:
        """Write changes, up to 20 in one request, in order per message. Repeating it is harmless."""
        ...

    def create_folder(self, *, name: str, parent_id: str | None = None) -> RemoteFolder:
        """Raises ``Refused`` when its parent has one of that name. Not repeatable: look with ``find_folder`` first."""
        ...

    def find_folder(self, *, name: str, parent_id: str | None = None) -> RemoteFolder | None:
        """The folder of that name right below the parent (``None``: at the top), whatever its case."""
        ...

    def rename_folder(self, folder_id: str, name: str) -> RemoteFolder: ...
    def move_folder(self, folder_id: str, parent_id: str | None) -> RemoteFolder: ...

    def categories(self) -> tuple[RemoteCategory, ...]:
        """The mailbox's list of categories. Raises ``Refused`` or ``AccessLost`` where we may not read it."""
        ...

    def create_category(self, *, name: str, color: int | None = None) -> RemoteCategory:
        """Raises ``Refused`` when there is one of that name (its case does not matter)."""
        ...

    # Sending, step by step, so that each step can be looked up after a crash (design.md section 3).
    def find_sent(self, *, marker: str, internet_message_id: str) -> RemoteMessage | None:
        """The draft (``is_draft``) or sent copy that carries the marker or Message-ID, wherever it lies."""
        ...

    def create_draft(self, outgoing: Outgoing) -> RemoteDraft: ...
    def update_draft(self, draft_id: str, outgoing: Outgoing, *, key: str = "") -> RemoteDraft:
        """Write text, recipients and our names (marker, Message-ID) over those of a draft; its files stay.

        Raises ``Conflict`` when ``key`` is given and no longer its change key, ``NotFound`` when it is gone.
        """
        ...

    def attach(self, draft_id: str, attachment: OutgoingAttachment, *, session: str = "") -> Iterator[Uploading]:
        """Add a file. What a provider takes in parts says after each how far it is; the file is there when the iterator
        ends. Given the ``session`` an attempt before was told, it goes on from there, and anew when that is over."""
        ...

    def detach(self, draft_id: str, attachment_id: str) -> None:
        """Take a file off a draft. Nothing to do when it is gone already."""
        ...

    def send(self, draft_id: str) -> None:
        """Hand a draft to the provider's transport. Never repeated blindly: look with ``find_sent`` first."""
        ...

    def delete_draft(self, draft_id: str) -> None: ...

    def tips(self, addresses: Sequence[str]) -> tuple[MailTip, ...]:
        """Who of these is away or cannot take mail, asked while a message is written; at most 100 addresses."""
        ...

    def people(self) -> tuple[Acquaintance, ...]:
        """Whom the owner works with, the most relevant first; none where nobody can tell. Best effort, no list of
        contacts. Raises ``AccessLost`` or ``Refused`` where we may not ask."""
        ...

    # Push.
    def subscribe(self, *, url: str, client_state: str, lifecycle_url: str) -> Subscribed: ...
    def renew(self, subscription_id: str) -> Subscribed: ...
    def unsubscribe(self, subscription_id: str) -> None: ...


class Connector(Protocol):
    """A provider. ``registry.connector(name)`` gives it; it holds settings, never a mailbox's state."""

    name: str
    label: str
    capabilities: Capabilities
    features: tuple[Feature, ...]

    def authority(self) -> Authority: ...

    def mail(self, *, token: "TokenSource", mailbox_key: str, address: str | None = None) -> MailSource:
        """The mail of the account behind ``token``; of the shared mailbox ``address`` when given."""
        ...

    def notified(self, body: bytes) -> list[Notified]:
        """Decode what a provider posted to us. Raises ``errors.Malformed``."""
        ...


class TokenSource(Protocol):
    """Gives a valid access token. ``rejected`` is the token the provider has just refused, if any."""

    def __call__(self, *, rejected: str | None = None, claims: str | None = None) -> str: ...
