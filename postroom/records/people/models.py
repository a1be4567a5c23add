"""Contacts: the people a workspace deals with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Coalesce

from postroom.records.record import Record, record_indexes
from postroom.workspaces.models import WorkspaceOwned


class Person(Record):
    """A contact. `name` is first and last name, or the address of somebody whose name is not known yet."""

    key: ClassVar[str] = "contact"

    class Origin(models.TextChoices):
        """Where a contact came from (product.md CR4)."""

        MEMBER = "member", "Added by a member"
        MAIL = "mail", "Added from mail"

    first_name = models.CharField(max_length=150, blank=True)
    last_name = models.CharField(max_length=150, blank=True)
    job_title = models.CharField(max_length=200, blank=True)
    phones = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    company = models.ForeignKey(
        "records.Company", null=True, blank=True, on_delete=models.SET_NULL, related_name="people"
    )
    origin = models.CharField(max_length=10, choices=Origin, default=Origin.MEMBER)
    # The id of the mailbox a contact was made from; a plain number, because records know no mailboxes and outlive them.
    origin_mailbox = models.BigIntegerField(null=True, db_index=True)

    class Meta:
        indexes = record_indexes("person")

    def search_parts(self) -> Iterable[str]:
        company = self.company.name if self.company else ""
        return [self.name, *self.address_list(), company, self.job_title, *self.phones]

    def address_list(self) -> list[str]:
        """The contact's email addresses, the main one first."""
        return [row.address for row in self.addresses.all()] if self.pk else []

    @property
    def address(self) -> str:
        """The main email address, or an empty text. A query may bring it along: `with_main_address`."""
        brought = vars(self).get("main_address")
        return next(iter(self.address_list()), "") if brought is None else brought

    @classmethod
    def with_main_address(cls) -> models.QuerySet[Person]:
        """Contacts of which no other address is needed."""
        first = PersonAddress.objects.filter(person=models.OuterRef("pk")).values("address")[:1]
        return cls.objects.annotate(main_address=Coalesce(models.Subquery(first), models.Value("")))


class PersonAddress(WorkspaceOwned):
    """An email address of a contact, lower-cased. In a workspace an address belongs to one contact only."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="addresses")
    address = models.CharField(max_length=320)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["workspace", "address"], name="person_address_once")]

    def __str__(self) -> str:
        return self.address
