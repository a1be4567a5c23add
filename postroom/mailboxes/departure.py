"""Disconnecting with deletion, in steps (product.md MA3).

    begin     the mailbox is detached and out of sight; what is to be deleted is counted
    step      one portion, in one transaction: whoever holds packages above this one deletes its own rows
    finish    all portions, one after the other

Every portion leaves a state from which the next one goes on, so a killed worker costs nothing and a large mailbox never
needs one long transaction. ``resume`` (a recurring job) takes up what nobody is working on.
"""

import logging
from collections.abc import Callable

from django.db import transaction

from postroom.mailboxes import hooks
from postroom.mailboxes.models import Departure, Mailbox

log = logging.getLogger(__name__)

wake: Callable[[int], None] = lambda mailbox_id: None  # noqa: E731  # set by mailboxes.jobs: carries it to a worker


@transaction.atomic
def begin(mailbox: Mailbox, *, contacts: bool = False) -> Departure:
    """Take a disconnected mailbox out of sight and note what is to be deleted. Asking again changes nothing.

    The address is free from now on: connecting it again makes another mailbox, whatever is left of this one.
    """
    known = Departure.objects.filter(mailbox=mailbox).first()
    if known is not None:
        return known
    total = sum(one.number for one in hooks.holds(mailbox) if contacts or not one.of_contacts)
    made = Departure.objects.create(mailbox=mailbox, address=mailbox.address, contacts=contacts, total=total)
    mailbox.address, mailbox.name, mailbox.visibility = f"{mailbox.pk}.departing", "", Mailbox.Visibility.PRIVATE
    mailbox.save(update_fields=["address", "name", "visibility"])
    number = mailbox.pk
    transaction.on_commit(lambda: wake(number))
    return made


def step(mailbox_id: int) -> bool:
    """One portion. False when nothing is left to do here: all is gone, or another worker is at it."""
    with transaction.atomic():
        rows = Departure.objects.select_for_update(skip_locked=True, of=("self",)).select_related("mailbox")
        departure = rows.filter(mailbox=mailbox_id).first()
        if departure is None:
            return False
        gone = hooks.erase_some(departure.mailbox, contacts=departure.contacts)
        if gone:
            departure.done += gone
            departure.save(update_fields=["done"])
            return True
        departure.mailbox.delete()
    log.info("mailbox %s: its synced data is deleted, %s rows", mailbox_id, departure.done)
    return False


def finish(mailbox_id: int, *, stopping: Callable[[], bool] = lambda: False) -> None:
    """Portion after portion until nothing is left, or the process shall end."""
    while not stopping() and step(mailbox_id):
        pass


def unfinished() -> list[int]:
    """Mailboxes whose deletion is not complete."""
    return list(Departure.objects.order_by("started_at").values_list("mailbox_id", flat=True))


def resume() -> int:
    """Wake a worker for each deletion that is not complete; harmless where one is at work. Returns how many."""
    found = unfinished()
    for mailbox_id in found:
        wake(mailbox_id)
    return len(found)
