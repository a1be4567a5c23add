"""The mirror of mail.

Conversation   the identity of an exchange of mails in a workspace, from Message-ID and References. It outlives mailbox
               rows: links hang on it, and a colleague's copy of the same mail is the same conversation (CR3).
Thread         one mailbox's view of a conversation: what lists show. One per (mailbox, conversation).
ThreadFolder   a thread's presence in one folder: what a folder's list is read from, by keyset.
Message        one message of one mailbox; body, search text and participants in tables of their own.
Known          a message that exists at the provider and of which no content is kept here: outside the chosen history,
               or kept only as a number (``mail.counted``).

Rows are written by ``mail.store`` in bulk; screens read them through ``mail.queries``.

Indexes are paid for on every stored message, so each foreign key whose column already leads another index has none
of its own, pure link tables have composite keys, and copies of a column (``mailbox`` beside ``message``) are not
checked a second time by the database.
"""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, HashIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q

from postroom.lib.clock import now


class Folder(models.Model):
    mailbox = models.ForeignKey("mailboxes.Mailbox", on_delete=models.CASCADE, related_name="folders", db_index=False)
    remote_id = models.TextField(db_collation="C")
    parent = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="children")
    remote_parent_id = models.TextField(blank=True, db_collation="C")  # parents may be listed after their children
    name = models.CharField(max_length=400)
    role = models.CharField(max_length=10, blank=True)
    hidden = models.BooleanField(default=False)
    synced = models.BooleanField(default=True)  # off: not looked at, not shown in lists; what is here stays
    remote_total = models.IntegerField(null=True)
    remote_unread = models.IntegerField(null=True)
    total = models.IntegerField(default=0)
    unread = models.IntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mailbox", "remote_id"], name="folder_once")]

    def __str__(self) -> str:
        return self.name


class Conversation(models.Model):
    workspace = models.ForeignKey("workspaces.Workspace", on_delete=models.CASCADE, related_name="conversations")
    created_at = models.DateTimeField(default=now)


class ConversationKey(models.Model):
    """What leads to a conversation: a hash of a Message-ID, or of a provider's own conversation id in one mailbox."""

    pk = models.CompositePrimaryKey("workspace_id", "key")
    workspace = models.ForeignKey("workspaces.Workspace", on_delete=models.CASCADE, db_index=False, db_constraint=False)
    key = models.BinaryField(max_length=16)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="keys")


class Thread(models.Model):
    mailbox = models.ForeignKey("mailboxes.Mailbox", on_delete=models.CASCADE, related_name="threads", db_index=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="threads", db_index=False)
    subject = models.TextField(blank=True)
    snippet = models.CharField(max_length=300, blank=True)
    people = models.JSONField(default=list)  # [[name, address], …] of the newest senders, oldest first, at most 6
    last_at = models.DateTimeField()
    first_at = models.DateTimeField()
    count = models.IntegerField(default=0)
    unread = models.IntegerField(default=0)
    flagged = models.BooleanField(default=False)
    has_attachments = models.BooleanField(default=False)
    has_draft = models.BooleanField(default=False)
    categories = ArrayField(models.CharField(max_length=255), default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mailbox", "conversation"], name="thread_once")]
        indexes = [
            models.Index(fields=["mailbox", "-last_at", "-id"], name="thread_recent"),
            models.Index(fields=["conversation"], name="thread_conversation"),
            models.Index(fields=["mailbox"], condition=Q(flagged=True), name="thread_flagged"),
        ]


class ThreadFolder(models.Model):
    pk = models.CompositePrimaryKey("thread_id", "folder_id")
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="places", db_index=False)
    folder = models.ForeignKey(Folder, on_delete=models.CASCADE, related_name="places", db_index=False)
    last_at = models.DateTimeField()
    count = models.IntegerField(default=0)
    unread = models.IntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(fields=["folder", "-last_at", "-thread"], name="thread_folder_recent"),
            models.Index(
                fields=["folder", "-last_at", "-thread"], condition=Q(unread__gt=0), name="thread_folder_unread"
            ),
        ]


class Message(models.Model):
    class BodyState(models.TextChoices):
        MISSING = "missing", "Not pulled yet"
        STORED = "stored", "Stored"
        UNUSABLE = "unusable", "Quarantined"

    class Kind(models.TextChoices):
        MAIL = "mail", "Mail"
        INVITATION = "invitation", "Invitation"
        AUTO_REPLY = "auto_reply", "Automatic reply"
        BOUNCE = "bounce", "Bounce"
        BULK = "bulk", "Newsletter or list"

    mailbox = models.ForeignKey("mailboxes.Mailbox", on_delete=models.CASCADE, related_name="messages", db_index=False)
    folder = models.ForeignKey(Folder, on_delete=models.CASCADE, related_name="messages", db_index=False)
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="messages", db_index=False)
    remote_id = models.TextField(db_collation="C")
    change_key = models.TextField(blank=True, db_collation="C")
    internet_message_id = models.TextField(blank=True, db_collation="C")
    in_reply_to = models.TextField(blank=True, db_collation="C")
    remote_conversation_id = models.TextField(blank=True, db_collation="C")
    subject = models.TextField(blank=True)
    from_name = models.TextField(blank=True)
    from_address = models.TextField(blank=True)
    sender = models.JSONField(null=True)  # [name, address] when it differs from the author
    to = models.JSONField(default=list)  # [[name, address], …]
    cc = models.JSONField(default=list)
    bcc = models.JSONField(default=list)
    reply_to = models.JSONField(default=list)
    received = models.DateTimeField()
    sent = models.DateTimeField(null=True)
    modified = models.DateTimeField(null=True)
    is_read = models.BooleanField(default=True)
    is_draft = models.BooleanField(default=False)
    flag = models.CharField(max_length=10, default="none")
    categories = ArrayField(models.CharField(max_length=255), default=list)
    importance = models.CharField(max_length=6, default="normal")
    has_attachments = models.BooleanField(default=False)
    preview = models.CharField(max_length=300, blank=True)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.MAIL)
    body_state = models.CharField(max_length=8, choices=BodyState, default=BodyState.MISSING)
    round = models.BigIntegerField(default=0)  # the listing round in which the provider last named it

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mailbox", "remote_id"], name="message_once")]
        indexes = [
            models.Index(fields=["folder", "-received", "-id"], name="message_folder_recent"),
            models.Index(fields=["thread", "received"], name="message_thread"),
            models.Index(fields=["mailbox", "-received"], condition=Q(body_state="missing"), name="message_bodyless"),
            models.Index(fields=["folder"], condition=Q(is_read=False), name="message_unread"),
            models.Index(
                fields=["mailbox", "-received", "-id"], condition=Q(has_attachments=True), name="message_with_files"
            ),
            models.Index(fields=["mailbox", "-received", "-id"], condition=Q(flag="flagged"), name="message_flagged"),
            HashIndex(fields=["internet_message_id"], name="message_internet_id"),  # any length: some are kilobytes
        ]


class MessageBody(models.Model):
    """``sha256`` is over the content as delivered; ``html`` is what the sanitiser of ``made_by`` left of it.

    A mail in HTML has ``html``, one in plain text has ``text``; the readable text of the former is derived when asked.
    """

    message = models.OneToOneField(Message, primary_key=True, on_delete=models.CASCADE, related_name="body")
    content_type = models.CharField(max_length=4)
    html = models.TextField(blank=True)
    text = models.TextField(blank=True)  # of a plain-text mail: everything, as written
    new_text = models.TextField(blank=True)  # without quoted tail and signature: what this message says
    sha256 = models.BinaryField(max_length=32)
    made_by = models.SmallIntegerField(default=1)
    told = models.JSONField(null=True)  # what its part for machines says (``mail.telling``); null: not looked at yet


class MessageSearch(models.Model):
    """The search document: subject and people (A, B), new text and attachment names (C)."""

    message = models.OneToOneField(Message, primary_key=True, on_delete=models.CASCADE, related_name="search")
    mailbox = models.ForeignKey("mailboxes.Mailbox", on_delete=models.CASCADE, db_index=False, db_constraint=False)
    received = models.DateTimeField()
    document = SearchVectorField()

    class Meta:
        indexes = [
            GinIndex(fields=["document"], name="message_search_document"),
            models.Index(fields=["mailbox", "-received", "-message"], name="message_search_recent"),
        ]


class Participant(models.Model):
    class Role(models.TextChoices):
        FROM = "from", "From"
        TO = "to", "To"
        CC = "cc", "Cc"
        BCC = "bcc", "Bcc"

    pk = models.CompositePrimaryKey("message_id", "role", "address")
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="participants", db_index=False)
    mailbox = models.ForeignKey("mailboxes.Mailbox", on_delete=models.CASCADE, db_index=False, db_constraint=False)
    address = models.TextField()  # lower-cased, at most 320 characters
    role = models.CharField(max_length=4, choices=Role)
    received = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["address", "mailbox", "-received", "message"], name="participant_address"),
        ]


class Correspondent(models.Model):
    """An address a workspace has written with: who to suggest, whom to make a contact of."""

    workspace = models.ForeignKey("workspaces.Workspace", on_delete=models.CASCADE, db_index=False)
    address = models.TextField()  # lower-cased
    name = models.TextField(blank=True)
    domain = models.TextField()
    last_at = models.DateTimeField()
    received = models.IntegerField(default=0)  # mails from them
    sent = models.IntegerField(default=0)  # mails to them

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "address"], name="correspondent_once")]
        indexes = [
            models.Index(fields=["workspace", "domain"], name="correspondent_domain"),
            GinIndex(fields=["address"], opclasses=["gin_trgm_ops"], name="correspondent_address_trgm"),
            GinIndex(fields=["name"], opclasses=["gin_trgm_ops"], name="correspondent_name_trgm"),
        ]


class Attachment(models.Model):
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="attachments", db_index=False)
    remote_id = models.TextField(db_collation="C")
    name = models.TextField()
    content_type = models.CharField(max_length=255)
    size = models.BigIntegerField()
    is_inline = models.BooleanField(default=False)
    content_id = models.TextField(blank=True)
    kind = models.CharField(max_length=10, default="file")
    blob = models.ForeignKey("files.Blob", null=True, on_delete=models.SET_NULL)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "remote_id"], name="attachment_once")]


class Known(models.Model):
    """Listed by the provider, nothing of its content is here (design.md section 3, step 2, and ``mail.counted``).

    ``conversation`` and ``digests`` are how a counted one is found again when it comes to touch a record.
    """

    class State(models.IntegerChoices):
        NOTED = 0, "Not looked at"  # outside the chosen history, or not pulled yet
        COUNTED = 1, "Kept only as a number"
        WANTED = 2, "To be pulled, however old"

    mailbox = models.ForeignKey("mailboxes.Mailbox", on_delete=models.CASCADE, db_index=False)
    folder = models.ForeignKey(Folder, on_delete=models.CASCADE)
    remote_id = models.TextField(db_collation="C")
    received = models.DateTimeField(null=True)
    round = models.BigIntegerField(default=0)
    state = models.SmallIntegerField(choices=State, default=State.NOTED, db_default=State.NOTED)
    conversation = models.ForeignKey(
        Conversation, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False, db_constraint=False
    )
    digests = ArrayField(models.BinaryField(max_length=16), null=True)  # keyed, of addresses and domains

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mailbox", "remote_id"], name="known_once")]
        indexes = [
            GinIndex(fields=["digests"], condition=Q(state=1), name="known_digests"),
            models.Index(fields=["conversation"], condition=Q(state=1), name="known_conversation"),
            models.Index(fields=["mailbox"], condition=Q(state__gt=0), name="known_kept_or_wanted"),
        ]


class Composition(models.Model):
    """A message being written or sent from Postroom. Its outbox entry carries it to the provider exactly once."""

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        SENDING = "sending", "Sending"
        SENT = "sent", "Sent"
        FAILED = "failed", "Failed"
        HELD = "held", "Held"  # its time came while nothing could be sent: its author is asked

    mailbox = models.ForeignKey("mailboxes.Mailbox", on_delete=models.CASCADE, related_name="compositions")
    author = models.ForeignKey("workspaces.Membership", on_delete=models.CASCADE, related_name="compositions")
    state = models.CharField(max_length=8, choices=State, default=State.DRAFT)
    answers = models.ForeignKey(Message, null=True, on_delete=models.SET_NULL, related_name="answers")
    how = models.CharField(max_length=10, default="new")  # new | reply | reply_all | forward
    subject = models.TextField(blank=True)
    html = models.TextField(blank=True)
    signature = models.TextField(blank=True)  # HTML below the text and above what is quoted
    to = models.JSONField(default=list)
    cc = models.JSONField(default=list)
    bcc = models.JSONField(default=list)
    from_address = models.CharField(max_length=320, blank=True)  # an alias it goes out under; empty: the mailbox's own
    remind_days = models.PositiveSmallIntegerField(null=True)  # its author is reminded if nobody answers for so long
    marker = models.CharField(max_length=64, unique=True)
    internet_message_id = models.TextField()
    conversation = models.ForeignKey(Conversation, null=True, on_delete=models.SET_NULL)
    # The same draft at the provider: its id and version, what stood in it then (by hash), and what we had written.
    draft_id = models.TextField(blank=True, db_collation="C")
    draft_key = models.TextField(blank=True, db_collation="C")
    draft_hash = models.CharField(max_length=64, blank=True)
    saved_hash = models.CharField(max_length=64, blank=True)
    tail = models.TextField(null=True)  # what is quoted below the text; null: not asked for yet
    taken = models.PositiveIntegerField(default=0)  # how often text of the provider's side replaced ours
    split_from = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="split_into")
    note = models.CharField(max_length=300, blank=True)  # what its author has to be told about it
    sent_message = models.ForeignKey(Message, null=True, on_delete=models.SET_NULL, related_name="composed_as")
    failure = models.CharField(max_length=400, blank=True)
    via = models.CharField(max_length=253, blank=True)  # the mail server that carried it; empty: the mailbox's provider
    send_at = models.DateTimeField(null=True)  # when its author wants it to go out; null: at once
    send_zone = models.CharField(max_length=60, blank=True)  # the time zone in which that moment was chosen
    about = models.CharField(max_length=40, blank=True)  # the record it was begun from, as "contact-12"
    created_at = models.DateTimeField(default=now)
    updated_at = models.DateTimeField(default=now)
    sent_at = models.DateTimeField(null=True)

    @property
    def body(self) -> str:
        """What its author sends: the text with the signature, without what is quoted below."""
        return f"{self.html}{self.signature}"

    @property
    def recipients(self) -> list[tuple[str, str]]:
        """Everybody it is for, as (name, address): To, then Cc, then Bcc."""
        return [(name, address) for name, address in (*self.to, *self.cc, *self.bcc)]


class CompositionFile(models.Model):
    """A file of a composition: ours (``blob``), or one that lies with the draft at the provider (``remote_id``)."""

    composition = models.ForeignKey(Composition, on_delete=models.CASCADE, related_name="files")
    blob = models.ForeignKey("files.Blob", null=True, on_delete=models.PROTECT)
    remote_id = models.TextField(blank=True, db_collation="C")
    bytes = models.BigIntegerField(default=0)  # of one without a blob
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=255)
    is_inline = models.BooleanField(default=False)
    content_id = models.CharField(max_length=200, blank=True)
    # While it goes up in parts: where to go on, sealed (mail.outbound.uploads), and how many bytes are there.
    sealed_upload = models.BinaryField(default=b"")
    uploaded = models.BigIntegerField(default=0)

    @property
    def size(self) -> int:
        return self.blob.size if self.blob is not None else self.bytes

    def is_used(self, html: str) -> bool:
        """A picture of the text goes out only while it stands there."""
        return not self.is_inline or f"cid:{self.content_id}" in html


class Category(models.Model):
    """A category of a mailbox with its colour (product.md SY9): a number of Outlook's 25 presets, null for none."""

    mailbox = models.ForeignKey("mailboxes.Mailbox", on_delete=models.CASCADE, related_name="categories")
    name = models.CharField(max_length=255)
    color = models.SmallIntegerField(null=True)
    remote_id = models.TextField(blank=True, db_collation="C")  # empty while the provider does not know it

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mailbox", "name"], name="category_once")]

    def __str__(self) -> str:
        return self.name


class Deed(models.Model):
    """What a member did to messages, so that it can be undone (product.md IN4).

    ``changes``: [[field, before, after, [message ids]], …] with folders by our id.
    """

    member = models.ForeignKey("workspaces.Membership", on_delete=models.CASCADE, related_name="+")
    text = models.CharField(max_length=200)
    changes = models.JSONField(default=list)
    at = models.DateTimeField(default=now)
    undone_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["member", "-at"], name="deed_latest")]


# The rows behind "this mailbox has everything"; what people write with; whose pictures they see; how mail goes out.
from postroom.mail import checks, pens, trust, ways  # noqa: E402, F401
