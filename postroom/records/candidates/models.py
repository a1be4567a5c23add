"""Candidates, the jobs they are considered for, and what is judged, arranged and asked about them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from django.db import models

from postroom.lib.clock import now
from postroom.records.record import Record, record_indexes
from postroom.workspaces.models import WorkspaceOwned


class Job(WorkspaceOwned):
    """What somebody is looked for."""

    title = models.CharField(max_length=200)
    open = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["title", "id"]
        constraints = [models.UniqueConstraint(fields=["workspace", "title"], name="job_title_once")]

    def __str__(self) -> str:
        return self.title


class Candidate(Record):
    """`person` is the contact behind the candidate: their addresses bring the mail."""

    key: ClassVar[str] = "candidate"

    class Stage(models.TextChoices):
        NEW = "new", "New"
        SCREENING = "screening", "Screening"
        INTERVIEW = "interview", "Interview"
        OFFER = "offer", "Offer"
        HIRED = "hired", "Hired"
        REJECTED = "rejected", "Rejected"

    person = models.ForeignKey("records.Person", null=True, on_delete=models.SET_NULL, related_name="candidacies")
    job = models.ForeignKey(Job, null=True, blank=True, on_delete=models.SET_NULL, related_name="candidates")
    stage = models.CharField(max_length=10, choices=Stage, default=Stage.NEW)
    source = models.CharField(max_length=120, blank=True)
    headline = models.CharField(max_length=200, blank=True)
    location = models.CharField(max_length=120, blank=True)
    rating = models.DecimalField(max_digits=3, decimal_places=2, null=True, editable=False)  # of all scorecards

    class Meta:
        indexes = [*record_indexes("candidate"), models.Index(fields=["workspace", "stage", "id"], name="candidate_at")]

    @property
    def address(self) -> str:
        return self.person.address if self.person else ""

    def search_parts(self) -> Iterable[str]:
        addresses = self.person.address_list() if self.person else []
        return [self.name, *addresses, self.job.title if self.job else "", self.headline, self.location, self.source]


class Scorecard(models.Model):
    """What one member thinks of a candidate. `marks` maps a criterion to 1 … 5."""

    class Verdict(models.TextChoices):
        STRONG_YES = "strong_yes", "Strong yes"
        YES = "yes", "Yes"
        NO = "no", "No"
        STRONG_NO = "strong_no", "Strong no"

    candidate = models.ForeignKey(Candidate, on_delete=models.CASCADE, related_name="scorecards")
    author = models.ForeignKey("workspaces.Membership", null=True, on_delete=models.SET_NULL, related_name="+")
    marks = models.JSONField(default=dict)
    verdict = models.CharField(max_length=10, choices=Verdict)
    text = models.TextField(blank=True)
    created_at = models.DateTimeField(default=now)
    updated_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["candidate", "author"], name="scorecard_once_per_member")]

    @property
    def mean(self) -> float | None:
        """The mean of the marks."""
        return sum(self.marks.values()) / len(self.marks) if self.marks else None


class Interview(models.Model):
    class Kind(models.TextChoices):
        CALL = "call", "Call"
        VIDEO = "video", "Video call"
        ONSITE = "onsite", "On site"
        TASK = "task", "Trial task"

    candidate = models.ForeignKey(Candidate, on_delete=models.CASCADE, related_name="interviews")
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.VIDEO)
    at = models.DateTimeField()
    minutes = models.PositiveSmallIntegerField(default=45)
    place = models.CharField(max_length=300, blank=True)  # a room, or the address of a call
    interviewers = models.ManyToManyField("workspaces.Membership", related_name="+", blank=True)
    notes = models.TextField(blank=True)
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["at", "id"]


class Reference(models.Model):
    """Somebody who can tell about a candidate, and what they told."""

    candidate = models.ForeignKey(Candidate, on_delete=models.CASCADE, related_name="references")
    name = models.CharField(max_length=200)
    relation = models.CharField(max_length=200, blank=True)
    address = models.CharField(max_length=320, blank=True)
    phone = models.CharField(max_length=60, blank=True)
    text = models.TextField(blank=True)
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["id"]
