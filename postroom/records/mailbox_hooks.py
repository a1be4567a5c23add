"""The contacts that were made from a mailbox's mail (``settings.MAILBOX_HOOKS``, product.md MA3)."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Count, Exists, OuterRef

from postroom.mailboxes.hooks import Held
from postroom.mailboxes.models import Mailbox
from postroom.records.models import Note, Person
from postroom.workspaces.models import WorkspaceQuerySet

AT_ONCE = 200


def holds(mailbox: Mailbox) -> list[Held]:
    """What deleting the contacts as well would remove, and what members have written about them."""
    noted = Count("pk", filter=Exists(Note.objects.filter(person=OuterRef("pk"))))
    people = _made_from(mailbox).aggregate(whole=Count("pk"), noted=noted)
    detail = f"{people['noted']:,} with notes" if people["noted"] else ""
    return [Held("contacts", people["whole"], detail, of_contacts=True)]


@transaction.atomic
def erase_some(mailbox: Mailbox, contacts: bool) -> int:
    """A portion of the contacts made from this mailbox, with their notes and history; or they forget where they came
    from."""
    people = _made_from(mailbox)
    if not contacts:
        people.update(origin_mailbox=None)
        return 0
    some = list(people.order_by().values_list("pk", flat=True)[:AT_ONCE])
    people.filter(pk__in=some).delete()
    return len(some)


def _made_from(mailbox: Mailbox) -> WorkspaceQuerySet[Person]:
    return Person.objects.for_workspace(mailbox.workspace_id).filter(origin_mailbox=mailbox.pk)
