"""Connections and mailboxes.

A *connection* is one grant by one member; a *mailbox* is an address whose mail is synced through it. Reconnecting
replaces the connection's grant and touches nothing else (product.md MA2).
"""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q

from postroom.lib.clock import now
from postroom.workspaces.models import WorkspaceQuerySet

STALE_AFTER = timedelta(hours=25)  # product.md SY17
NOT_SYNCED = "dropbox"  # the provider of mailboxes whose mail is brought to us: nobody connects or sets up these


class Failure(models.TextChoices):
    """Why a mailbox does not work, in a closed vocabulary that screens and support can read."""

    NONE = "", "No failure"
    REAUTH = "reauth", "Microsoft asks for a new sign-in"
    PASSWORD_CHANGED = "password_changed", "The password was changed"
    REVOKED = "revoked", "Access was revoked"
    CONSENT = "consent", "A permission is missing"
    CONDITIONAL_ACCESS = "conditional_access", "A policy of the organisation blocks access"
    DISABLED = "disabled", "The account is disabled"
    NO_MAILBOX = "no_mailbox", "The account has no mailbox in Exchange Online"
    ACCESS_LOST = "access_lost", "Access to this mailbox was withdrawn"
    NO_DELEGATE = "no_delegate", "Nobody lends this shared mailbox a connection any more"
    OPERATOR = "operator", "Postroom's own registration needs mending"
    BREAKER = "breaker", "Stopped by the safety brake"
    PROVIDER = "provider", "The provider keeps failing"
    INTERNAL = "internal", "Postroom made a mistake"


class Connection(models.Model):
    """One OAuth grant (later: one credential) by one member. ``account_key`` never changes; the address may."""

    workspace = models.ForeignKey("workspaces.Workspace", on_delete=models.CASCADE, related_name="connections")
    member = models.ForeignKey("workspaces.Membership", on_delete=models.PROTECT, related_name="connections")
    provider = models.CharField(max_length=20)
    account_key = models.CharField(max_length=200)
    account_kind = models.CharField(max_length=10, default="work")
    tenant = models.CharField(max_length=64, blank=True)
    address = models.CharField(max_length=320)
    name = models.CharField(max_length=200, blank=True)
    aliases = models.JSONField(default=list, blank=True)
    scopes = models.JSONField(default=list)  # what was really granted, never what was asked (graph.md 1.6)
    sealed_grant = models.BinaryField(default=b"")  # lib.crypto, associated data (workspace, connection, "grant")
    access_expires = models.DateTimeField(null=True)
    granted_at = models.DateTimeField(default=now)
    refused = models.JSONField(default=dict, blank=True)  # optional feature -> why the provider did not grant it
    failure = models.CharField(max_length=20, choices=Failure, default=Failure.NONE, blank=True)
    failure_code = models.CharField(max_length=60, blank=True)  # the provider's word, e.g. AADSTS50173
    failure_claims = models.TextField(blank=True)  # a claims challenge to pass on at the next sign-in
    created_at = models.DateTimeField(default=now)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "provider", "account_key"], name="connection_account_once"),
        ]

    def __str__(self) -> str:
        return self.address


class Mailbox(models.Model):
    """An address whose mail is synced: the connection's own, or a shared one that borrows it."""

    class Kind(models.TextChoices):
        OWN = "own", "Own"
        SHARED = "shared", "Shared"

    class State(models.TextChoices):
        CONNECTING = "connecting", "Connecting"  # connected, history question not yet answered
        LIVE = "live", "Live"
        PAUSED = "paused", "Paused"
        DISCONNECTED = "disconnected", "Disconnected"  # mail kept, read-only

    class History(models.TextChoices):
        """How far back to pull (product.md CN13)."""

        NONE = "none", "Only new mail"
        DAYS_30 = "30d", "30 days"
        DAYS_90 = "90d", "90 days"
        MONTHS_12 = "12m", "12 months"
        YEARS_4 = "4y", "4 years"
        ALL = "all", "Everything"

    class Visibility(models.TextChoices):
        PRIVATE = "private", "Only me"
        MEMBERS = "members", "Named members"
        WORKSPACE = "workspace", "Everyone in the workspace"

    class Direction(models.TextChoices):
        """Which way mail goes (product.md CN11)."""

        TWO_WAY = "two_way", "Two-way"
        ONE_WAY = "one_way", "One-way"  # incoming mail is not pulled; what Postroom sends is kept

    class Purpose(models.TextChoices):
        """What the mailbox is for (product.md CN14)."""

        PERSONAL = "personal", "Personal"
        SALES = "sales", "Sales"
        SUPPORT = "support", "Support"
        RECRUITING = "recruiting", "Recruiting"

    workspace = models.ForeignKey("workspaces.Workspace", on_delete=models.CASCADE, related_name="mailboxes")
    connection = models.ForeignKey(Connection, null=True, on_delete=models.SET_NULL, related_name="mailboxes")
    owner = models.ForeignKey("workspaces.Membership", on_delete=models.PROTECT, related_name="mailboxes")
    # Who lends a shared mailbox its connection, or last did: remembered beyond the connection, to be named.
    delegate = models.ForeignKey(
        "workspaces.Membership", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    members = models.ManyToManyField("workspaces.Membership", related_name="used_mailboxes", blank=True)
    provider = models.CharField(max_length=20)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.OWN)
    address = models.CharField(max_length=320)
    name = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=12, choices=State, default=State.CONNECTING)
    history = models.CharField(max_length=4, choices=History, blank=True)  # empty: not asked yet
    since = models.DateTimeField(null=True)  # pull what was received from here on; null with ALL
    visibility = models.CharField(max_length=10, choices=Visibility, default=Visibility.PRIVATE)
    direction = models.CharField(max_length=10, choices=Direction, default=Direction.TWO_WAY)
    purpose = models.CharField(max_length=10, choices=Purpose, default=Purpose.PERSONAL)
    failure = models.CharField(max_length=20, choices=Failure, default=Failure.NONE, blank=True)
    failure_detail = models.CharField(max_length=400, blank=True)
    failure_reference = models.CharField(max_length=12, blank=True)
    throttled_until = models.DateTimeField(null=True)  # "slowed by Microsoft" (SY13)
    last_success_at = models.DateTimeField(null=True)
    viewed_at = models.DateTimeField(null=True)  # somebody looked into it; polling is quicker then (SY11)
    connected_at = models.DateTimeField(default=now)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "address"], name="mailbox_address_once"),
        ]
        indexes = [models.Index(fields=["state"], condition=~Q(state="disconnected"), name="mailbox_active")]

    def __str__(self) -> str:
        return self.address

    @property
    def health(self) -> str:
        """``healthy`` | ``never`` | ``stale`` | ``error`` (product.md SY17), derived, never stored."""
        return health_at(self, now())


def health_at(mailbox: Mailbox, at: datetime) -> str:
    if mailbox.failure:
        return "error"
    if mailbox.last_success_at is None:
        return "never"
    return "stale" if at - mailbox.last_success_at > STALE_AFTER else "healthy"


class SendingDefault(models.Model):
    """The mailbox that is written from unless another is chosen: a member's own, or (no member) the workspace's."""

    workspace = models.ForeignKey("workspaces.Workspace", on_delete=models.CASCADE, related_name="+")
    member = models.ForeignKey("workspaces.Membership", null=True, on_delete=models.CASCADE, related_name="+")
    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="+")

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "member"], nulls_distinct=False, name="sending_default_once"),
        ]


class ConnectAttempt(models.Model):
    """One trip to the provider's consent page; bound to the browser session, single use, short-lived (CN1)."""

    workspace = models.ForeignKey("workspaces.Workspace", on_delete=models.CASCADE)
    member = models.ForeignKey("workspaces.Membership", on_delete=models.CASCADE)
    provider = models.CharField(max_length=20)
    state = models.CharField(max_length=64, unique=True)
    session_hash = models.CharField(max_length=64)
    sealed_secrets = models.BinaryField()  # nonce and PKCE verifier
    features = models.JSONField(default=list)  # asked for on this leg of the trip
    later = models.JSONField(default=list)  # chosen too: asked for one by one, once the base is connected (CN2)
    direction = models.CharField(max_length=10, choices=Mailbox.Direction, default=Mailbox.Direction.TWO_WAY)
    reconnect = models.ForeignKey(Connection, null=True, on_delete=models.CASCADE)
    used_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=40, blank=True)  # CONNECTED or why not: a reloaded answer says the same
    created_at = models.DateTimeField(default=now)


class AdminApproval(models.Model):
    """A link by which an administrator allows features for a whole organisation (CN3).

    What comes back proves nothing (graph.md 1.9) and grants nothing here: it only tells the member to try again.
    """

    class Outcome(models.TextChoices):
        WAITING = "", "Waiting"
        APPROVED = "approved", "Approved"
        REFUSED = "refused", "Refused"

    workspace = models.ForeignKey("workspaces.Workspace", on_delete=models.CASCADE, related_name="+")
    member = models.ForeignKey("workspaces.Membership", on_delete=models.CASCADE, related_name="admin_approvals")
    provider = models.CharField(max_length=20)
    tenant = models.CharField(max_length=64, blank=True)  # whose administrator is asked; empty: who signs in says
    features = models.JSONField(default=list)
    state = models.CharField(max_length=64, unique=True)
    outcome = models.CharField(max_length=10, choices=Outcome, default=Outcome.WAITING, blank=True)
    created_at = models.DateTimeField(default=now)
    answered_at = models.DateTimeField(null=True)

    objects = WorkspaceQuerySet.as_manager()

    def __str__(self) -> str:
        return f"approval {self.pk} of {self.provider}: {self.outcome or 'waiting'}"


class Departure(models.Model):
    """The deletion of a disconnected mailbox's synced data, in steps (product.md MA3); goes with the mailbox's row.

    While it is there the mailbox has a made-up address, so that the real one is free to be connected again.
    """

    mailbox = models.OneToOneField(Mailbox, on_delete=models.CASCADE, related_name="departure")
    address = models.CharField(max_length=320)  # what the mailbox was called
    contacts = models.BooleanField(default=False)  # the contacts made from its mail go, too
    total = models.BigIntegerField(default=0)  # rows to delete, as counted at the start
    done = models.BigIntegerField(default=0)
    started_at = models.DateTimeField(default=now)

    def __str__(self) -> str:
        return f"departure of mailbox {self.mailbox_id}"

    @property
    def shown(self) -> int:
        """How much of ``total`` is done, for a bar; what hangs on rows is counted roughly."""
        return min(self.done, self.total)


class ConnectionTest(models.Model):
    """A message sent to oneself and watched on its way (product.md CN15). One per mailbox; the last one stays."""

    mailbox = models.OneToOneField(Mailbox, on_delete=models.CASCADE, related_name="connection_test")
    member = models.ForeignKey("workspaces.Membership", on_delete=models.CASCADE, related_name="+")
    marker = models.CharField(max_length=40)  # in the subject; tells this test's message from any other's
    message = models.BigIntegerField(null=True)  # what the package that sends calls it
    started_at = models.DateTimeField(default=now)
    steps = models.JSONField(default=dict)  # name -> {"at": ISO 8601, "detail": str}, for steps that were taken
    asked_at = models.DateTimeField(null=True)  # when the mailbox was asked because nothing had been pushed
    failed = models.CharField(max_length=20, blank=True)  # the step that did not come about
    reason = models.CharField(max_length=400, blank=True)
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"connection test of mailbox {self.mailbox_id}"
