"""What is due, who does it, how far it is. Design.md section 3a: the decision what to do lives in these rows; the
job engine only carries wake-ups, so a lost, late or double wake-up does no harm.
"""

from django.db import models
from django.db.models import Q

from postroom.lib.clock import now


class Activity(models.TextChoices):
    """What a lane does, in the order in which lanes of one mailbox go first."""

    OUTBOX = "outbox", "Local changes and sends"
    LIVE = "live", "New mail and changes"
    RENEWAL = "renewal", "Push subscription"
    BACKFILL = "backfill", "History"
    COVERAGE = "coverage", "Completeness"


PRIORITY = {activity: rank for rank, activity in enumerate(Activity.values)}


class Lane(models.Model):
    """One activity of one mailbox. ``wanted`` counts requests, ``seen`` those a finished run has covered."""

    mailbox = models.ForeignKey("mailboxes.Mailbox", on_delete=models.CASCADE, related_name="lanes")
    activity = models.CharField(max_length=10, choices=Activity)
    priority = models.SmallIntegerField()
    due_at = models.DateTimeField(null=True)
    wanted = models.BigIntegerField(default=0)
    seen = models.BigIntegerField(default=0)
    lease_owner = models.CharField(max_length=80, blank=True)
    lease_until = models.DateTimeField(null=True)
    fence = models.BigIntegerField(default=0)
    paused = models.BooleanField(default=False)
    attempts = models.PositiveIntegerField(default=0)
    failure = models.CharField(max_length=20, blank=True)
    failure_detail = models.CharField(max_length=400, blank=True)
    cursor = models.JSONField(default=dict)
    progress = models.JSONField(default=dict)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    saved = ""  # cursor and progress as a run saved them last (``lanes.save``); no column

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mailbox", "activity"], name="lane_once")]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False, paused=False), name="lane_due"),
        ]

    def __str__(self) -> str:
        return f"{self.activity} of mailbox {self.mailbox_id}"


class SyncState(models.Model):
    """Where we are in one listing at the provider: a folder's messages, or the folder tree (scope "")."""

    class Phase(models.TextChoices):
        NEW = "new", "Not listed yet"
        LISTING = "listing", "First listing under way"
        FOLLOWING = "following", "Following changes"
        RELISTING = "relisting", "Listing again after a lost cursor"

    mailbox = models.ForeignKey("mailboxes.Mailbox", on_delete=models.CASCADE, related_name="sync_states")
    resource = models.CharField(max_length=20)
    scope = models.CharField(max_length=400, blank=True, db_collation="C")
    phase = models.CharField(max_length=10, choices=Phase, default=Phase.NEW)
    cursor = models.TextField(blank=True)
    round = models.BigIntegerField(default=0)  # rows not seen in a relisting's round are asked for at its end
    due_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=20, blank=True)
    listed = models.BigIntegerField(default=0)  # rows listed in the current round
    updated_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mailbox", "resource", "scope"], name="sync_state_once")]


class Subscription(models.Model):
    """The provider-side registration for push. ``client_state`` proves that a notification is meant for us."""

    mailbox = models.ForeignKey("mailboxes.Mailbox", on_delete=models.CASCADE, related_name="subscriptions")
    remote_id = models.CharField(max_length=120, unique=True)
    client_state = models.CharField(max_length=128)
    expires_at = models.DateTimeField()
    made_at = models.DateTimeField(default=now)
    renewed_at = models.DateTimeField(default=now)
    last_notified_at = models.DateTimeField(null=True)  # to some seconds: a storm does not write it each time
    renew_asked_at = models.DateTimeField(null=True)  # the provider or a member asked for it before its time
    unannounced = models.PositiveIntegerField(
        default=0
    )  # new mail it should have told us of and did not (sync.silence)
    replaces_silent_at = models.DateTimeField(null=True)  # when it took the place of one that had gone silent


class Notification(models.Model):
    """A message id the provider named to us; taken by the next live run, which deletes it with its work.

    ``change`` EVERYTHING names none: so much was told, or while nobody could listen, that everything is looked at.
    """

    EVERYTHING = "everything"

    mailbox = models.ForeignKey("mailboxes.Mailbox", on_delete=models.CASCADE, related_name="notifications")
    remote_id = models.TextField(db_collation="C")
    change = models.CharField(max_length=10)
    received_at = models.DateTimeField(default=now)

    class Meta:
        indexes = [
            models.Index(fields=["mailbox", "id"], name="notification_mailbox"),
            models.Index(fields=["mailbox"], condition=Q(change="everything"), name="notification_everything"),
        ]


class Stray(models.Model):
    """How much was posted to us in a day that is nobody's: operators see a wrong address or somebody who knocks."""

    class Kind(models.TextChoices):
        UNKNOWN = "unknown", "Unknown subscription"
        WRONG_STATE = "wrong_state", "Wrong client state"
        MALFORMED = "malformed", "Not a notification"
        TOO_LARGE = "too_large", "Too large"

    provider = models.CharField(max_length=20)
    day = models.DateField()
    kind = models.CharField(max_length=12, choices=Kind)
    count = models.BigIntegerField(default=0)
    last_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["provider", "day", "kind"], name="stray_once_a_day")]


class OutboxEntry(models.Model):
    """A local change or a message to send that waits to reach the provider (design.md section 3).

    ``subject_key`` names the item that must be served in order (a message, a folder). ``fields`` maps what is
    changed to its new value; ``before`` remembers the old ones for a refusal, ``fields_at`` when each was changed
    (seconds since 1970): of two changes of one field the later one counts (product.md SY9).
    """

    class Kind(models.TextChoices):
        CHANGE = "change", "Change"
        MOVE = "move", "Move"
        SEND = "send", "Send"
        DRAFT = "draft", "Draft"
        FOLDER = "folder", "Folder"
        CATEGORY = "category", "Category"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        WORKING = "working", "Working"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    OPEN = (State.WAITING, State.WORKING)

    mailbox = models.ForeignKey("mailboxes.Mailbox", on_delete=models.CASCADE, related_name="outbox")
    kind = models.CharField(max_length=10, choices=Kind)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    subject_key = models.CharField(max_length=60)
    remote_id = models.TextField(blank=True)
    fields = models.JSONField(default=dict)
    before = models.JSONField(default=dict)
    fields_at = models.JSONField(default=dict)
    step = models.CharField(max_length=20, blank=True)
    due_at = models.DateTimeField(default=now)
    attempts = models.PositiveIntegerField(default=0)
    reason = models.CharField(max_length=400, blank=True)
    member = models.ForeignKey("workspaces.Membership", null=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(default=now)
    done_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["mailbox", "due_at", "id"], condition=Q(state__in=["waiting", "working"]), name="outbox_waiting"
            ),
            models.Index(fields=["subject_key"], condition=Q(state__in=["waiting", "working"]), name="outbox_subject"),
        ]


class Quarantined(models.Model):
    """One item that could not be taken over, with its reason; tried again after an upgrade (product.md SY15)."""

    mailbox = models.ForeignKey("mailboxes.Mailbox", on_delete=models.CASCADE, related_name="quarantine")
    resource = models.CharField(max_length=20)
    remote_id = models.TextField(db_collation="C")
    reason = models.CharField(max_length=400)
    version = models.CharField(max_length=20)  # of Postroom, when it failed; empty: shall be tried again
    at = models.DateTimeField(default=now)
    tried_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mailbox", "resource", "remote_id"], name="quarantined_once")]
