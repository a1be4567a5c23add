"""Processes that are alive, what was measured when, and alerts with the words that were sent about them."""

from django.db import models
from django.db.models import Q

from postroom.lib.clock import now
from postroom.workspaces.models import WorkspaceOwned


class Process(models.Model):
    """A web, worker or drop box process. It writes its row every few seconds; one that stops doing so is dead."""

    class Kind(models.TextChoices):
        WEB = "web", "Web"
        WORKER = "worker", "Worker"
        DROPBOX = "dropbox", "Drop box"

    kind = models.CharField(max_length=10, choices=Kind)
    host = models.CharField(max_length=120)
    pid = models.PositiveIntegerField()
    threads = models.PositiveSmallIntegerField()
    version = models.CharField(max_length=20)
    started_at = models.DateTimeField(default=now)
    seen_at = models.DateTimeField(default=now)
    stopped_at = models.DateTimeField(null=True)  # it said goodbye; a dead one never does
    counters = models.JSONField(default=dict)  # since its start, see operations.counters
    budgets = models.JSONField(default=list)  # [[provider:address, requests in 10 min, paused for s], …], busiest first

    class Meta:
        indexes = [models.Index(fields=["kind", "seen_at"], name="process_seen")]


class Pulse(models.Model):
    """When something that one process does for all was done last, and what came out."""

    name = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField(default=now)
    outcome = models.JSONField(default=dict)


class AlertSettings(WorkspaceOwned):
    """How a workspace wants to be told (product.md AD8). No row: the defaults."""

    silent_hours = models.PositiveSmallIntegerField(default=2)  # working hours without a success
    silent_any_hours = models.PositiveSmallIntegerField(default=25)  # hours of any kind
    work_from = models.PositiveSmallIntegerField(default=8)
    work_to = models.PositiveSmallIntegerField(default=18)
    time_zone = models.CharField(max_length=60, default="UTC")
    by_mail = models.BooleanField(default=True)
    webhook_url = models.CharField(max_length=400, blank=True)
    webhook_salt = models.CharField(max_length=40, blank=True)  # the signing secret is derived from it, never stored

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace"], name="alert_settings_once")]


class Alert(models.Model):
    """Something a person should know. Open until it is no longer so; one open row per subject."""

    class Kind(models.TextChoices):
        SILENT = "silent", "No sync for too long"
        SIGN_IN = "sign_in", "A sign-in is needed"
        BREAKER = "breaker", "Stopped by the safety brake"
        QUARANTINE = "quarantine", "Mail held back"
        GRANT = "grant", "A sign-in ends soon"
        SECRET = "secret", "The client secret ends soon"
        WORKERS = "workers", "Workers are gone"
        WEBHOOK = "webhook", "Real-time does not reach us"
        DROPBOX = "dropbox", "Drop boxes take no mail"

    class Level(models.IntegerChoices):
        NOTICE = 1, "Notice"
        WARNING = 2, "Warning"
        URGENT = 3, "Urgent"

    # Empty for what concerns the whole installation.
    workspace = models.ForeignKey("workspaces.Workspace", null=True, on_delete=models.CASCADE, related_name="alerts")
    mailbox = models.ForeignKey("mailboxes.Mailbox", null=True, on_delete=models.CASCADE, related_name="alerts")
    kind = models.CharField(max_length=12, choices=Kind)
    level = models.PositiveSmallIntegerField(choices=Level)
    facts = models.JSONField(default=dict)  # figures for the sentence; no address, no content
    opened_at = models.DateTimeField(default=now)
    changed_at = models.DateTimeField(default=now)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "mailbox"],
                condition=Q(closed_at__isnull=True),
                nulls_distinct=False,
                name="alert_open_once",
            )
        ]
        indexes = [
            models.Index(fields=["workspace", "level"], condition=Q(closed_at__isnull=True), name="alert_open"),
            models.Index(fields=["workspace", "-opened_at"], name="alert_history"),
        ]


class Notice(models.Model):
    """One word about an alert that is to leave the house, by mail or webhook. Tried until it is taken or given up."""

    class Channel(models.TextChoices):
        MAIL = "mail", "Mail"
        WEBHOOK = "webhook", "Webhook"

    class Event(models.TextChoices):
        RAISED = "raised", "Raised"
        ESCALATED = "escalated", "Escalated"
        RECOVERED = "recovered", "Recovered"
        TEST = "test", "Test"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENT = "sent", "Sent"
        FAILED = "failed", "Given up"

    # Empty: to the operators.
    workspace = models.ForeignKey("workspaces.Workspace", null=True, on_delete=models.CASCADE, related_name="+")
    alert = models.ForeignKey(Alert, null=True, on_delete=models.CASCADE, related_name="notices")
    channel = models.CharField(max_length=8, choices=Channel)
    event = models.CharField(max_length=10, choices=Event)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True, default=now)
    error = models.CharField(max_length=200, blank=True)
    summary = models.JSONField(default=dict)  # instead of one alert: how many of each kind turned at once
    created_at = models.DateTimeField(default=now)

    class Meta:
        indexes = [models.Index(fields=["due_at"], condition=Q(state="waiting"), name="notice_due")]
