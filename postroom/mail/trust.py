"""Whose pictures from elsewhere a member wants to see without being asked (product.md IN3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.db import models

from postroom.lib.clock import now
from postroom.workspaces.models import Membership

if TYPE_CHECKING:
    from postroom.mail.models import Message

MAX_ADDRESS = 320


class PicturesFrom(models.Model):
    """One sender, by address as mail names it, in lower case. A member's own affair."""

    member = models.ForeignKey("workspaces.Membership", on_delete=models.CASCADE, related_name="+", db_index=False)
    address = models.CharField(max_length=MAX_ADDRESS)
    at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["member", "address"], name="pictures_from_once")]

    def __str__(self) -> str:
        return f"pictures for {self.member_id}"


def trusts(member: Membership, message: Message) -> bool:
    """Whether its pictures are loaded at once."""
    return bool(trusted(member, [message]))


def trusted(member: Membership, messages: Sequence[Message]) -> set[int]:
    """Those of the messages whose pictures are loaded at once, by id; one query. Never what lies in Junk: anybody can
    write any sender's name there."""
    asked = {one.pk: _of(one) for one in messages if one.folder.role != "junk"}
    rows = PicturesFrom.objects.filter(member=member, address__in=set(asked.values()) - {""})
    known = set(rows.values_list("address", flat=True))
    return {pk for pk, address in asked.items() if address in known}


def trust(member: Membership, message: Message) -> str:
    """From now on, for this sender; their address, empty when the message names none."""
    address = _of(message)
    if address:
        PicturesFrom.objects.get_or_create(member=member, address=address)
    return address


def senders(member: Membership) -> list[PicturesFrom]:
    """In the order of their addresses."""
    return list(PicturesFrom.objects.filter(member=member).order_by("address"))


def withdraw(member: Membership, pk: int) -> bool:
    """Ask again for this one; False: there is none."""
    deleted, _ = PicturesFrom.objects.filter(member=member, pk=pk).delete()
    return deleted > 0


def _of(message: Message) -> str:
    return message.from_address.strip().lower()[:MAX_ADDRESS]
