"""Contacts made from mail: one click in a thread, and everything that address wrote is theirs (product.md CR4)."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from postroom.mail.models import Conversation, Correspondent
from postroom.mail.queries import seen_by
from postroom.mailboxes.access import mailboxes_visible_to
from postroom.mailboxes.models import Mailbox
from postroom.records import addresses as typed
from postroom.records.models import Person
from postroom.records.people import commands as people
from postroom.timeline import links
from postroom.timeline.models import NoContact, Origin
from postroom.workspaces.models import Membership


@transaction.atomic
def add(conversation: Conversation, address: str, *, by: Membership, name: str = "") -> Person:
    """The contact with this address, made now if there is none, and linked to the conversation.

    Named as `name`, else as mail names them. Raises ValidationError for what is no address, or one of the workspace's
    own.
    """
    wanted = typed.address(address)
    known = Person.objects.for_workspace(by.workspace_id).filter(addresses__address=wanted).first()
    person = known or _made(conversation, wanted, name, by)
    links.link(conversation, person, by=by)
    return person


def _made(conversation: Conversation, address: str, name: str, by: Membership) -> Person:
    if Mailbox.objects.for_workspace(by.workspace_id).filter(address__iexact=address).exists():
        raise ValidationError(f"{address} is a mailbox of this workspace, not a contact.")
    first, last = people.split_name(name or known_as(by, address))
    mine = conversation.threads.filter(mailbox__in=mailboxes_visible_to(by).order_by())
    seen_in = mine.order_by("id").values_list("mailbox", flat=True).first()
    person = people.create(
        by.workspace,
        by=by,
        first_name=first,
        last_name=last,
        addresses=[address],
        origin=Person.Origin.MAIL,
        origin_mailbox=seen_in,
    )
    Origin.objects.create(person=person, conversation=conversation)
    NoContact.objects.filter(workspace=by.workspace_id, address=address).delete()  # it was meant this time
    return person


def name_of(workspace_id: int, address: str) -> str:
    """What mail calls the owner of an address; empty when it only repeats the address. For a member: `known_as`."""
    return _name(Correspondent.objects.filter(workspace=workspace_id, address=address))


def known_as(member: Membership, address: str, mailboxes: Sequence[int] | None = None) -> str:
    """The same as far as the member may know: empty for whom only others' mail is with. ``mailboxes``: those they may
    use, if they are at hand."""
    return _name(seen_by(member, mailboxes).filter(address=address))


def _name(rows: QuerySet[Correspondent]) -> str:
    found = rows.values_list("name", flat=True).first()
    return "" if not found or "@" in found else found
