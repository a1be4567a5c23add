"""Companies: the organisations contacts and deals belong to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from django.db import models

from postroom.records.record import Record, record_indexes
from postroom.workspaces.models import WorkspaceOwned


class Company(Record):
    key: ClassVar[str] = "company"

    website = models.CharField(max_length=300, blank=True)
    industry = models.CharField(max_length=120, blank=True)

    class Meta:
        indexes = record_indexes("company")

    def search_parts(self) -> Iterable[str]:
        return [self.name, *self.domain_list(), self.website, self.industry]

    def domain_list(self) -> list[str]:
        """The mail domains of the company, the main one first."""
        return [row.domain for row in self.domains.all()] if self.pk else []


class CompanyDomain(WorkspaceOwned):
    """A mail domain of a company, lower-cased. In a workspace a domain belongs to one company only."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="domains")
    domain = models.CharField(max_length=253)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["workspace", "domain"], name="company_domain_once")]

    def __str__(self) -> str:
        return self.domain
