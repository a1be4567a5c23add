"""Whom a provider says its account's owner works with (product.md SE10): asked in the background, about once a day.

Whoever types a recipient reads what is kept here and waits for nobody. The list is the owner's own: it is suggested to
no colleague, also not to one who works in the same mailbox.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from django.db import transaction
from django.db.models import Q, QuerySet

from postroom.lib.clock import now
from postroom.mail import counted
from postroom.mail.pens import PeopleList
from postroom.mailboxes import features
from postroom.mailboxes.models import Mailbox
from postroom.mailboxes.session import open_mail
from postroom.providers.errors import ProviderError
from postroom.workspaces.models import Membership

FEATURE = "people"
FRESH = timedelta(days=1)
MOST = 200  # people kept of one account


class Known(NamedTuple):
    """``relevance`` goes from 1, the most relevant, towards 0. ``about``: their title or company."""

    name: str
    address: str
    about: str
    relevance: float


def of(member: Membership) -> list[Known]:
    """Everybody kept for the member, over all their accounts; addresses are lower-cased. One query."""
    lists = PeopleList.objects.filter(mailbox__in=_own(member)).values_list("people", flat=True)
    return [
        Known(name, address, about, 1 - at / MOST)
        for people in lists
        for at, (name, address, about) in enumerate(people[:MOST])
    ]


@transaction.atomic
def stale(member: Membership) -> list[int]:
    """Mailboxes of the member whose list is to be asked for anew, each told to one caller a day only. Two queries,
    seldom; mostly one."""
    old = Q(people_list=None) | Q(people_list__asked_at__lt=now() - FRESH)
    free = _own(member).filter(old).select_for_update(of=("self",), skip_locked=True, no_key=True)
    due = list(free.values_list("pk", flat=True))
    rows = [PeopleList(mailbox_id=mailbox_id, asked_at=now()) for mailbox_id in due]
    PeopleList.objects.bulk_create(rows, update_conflicts=True, unique_fields=["mailbox"], update_fields=["asked_at"])
    return due


def _own(member: Membership) -> QuerySet[Mailbox]:
    working = [Mailbox.State.CONNECTING, Mailbox.State.LIVE]
    return Mailbox.objects.filter(connection__member=member, kind=Mailbox.Kind.OWN, state__in=working).order_by("pk")


def ask(mailbox_id: int) -> int:
    """Ask the provider and keep what it says; how many they are. Where it is not allowed nothing stays."""
    mailbox = Mailbox.objects.select_related("connection").filter(pk=mailbox_id).first()
    if mailbox is None or mailbox.connection is None:
        return 0
    people: Sequence[tuple[str, str, str]] = ()
    if _may_ask(mailbox) and not counted.is_on(mailbox):
        try:
            found = open_mail(mailbox).people()
        except ProviderError as refused:
            if not refused.permanent:
                return 0  # what is kept stays until tomorrow
            found = ()
        people = [(one.name[:200], one.address.lower(), one.about[:200]) for one in found[:MOST]]
    PeopleList.objects.update_or_create(mailbox=mailbox, defaults={"people": people, "asked_at": now()})
    return len(people)


def _may_ask(mailbox: Mailbox) -> bool:
    """A provider that has no such permission needs none."""
    assert mailbox.connection is not None
    state = next((one for one in features.states(mailbox.connection) if one.feature.name == FEATURE), None)
    return state is None or state.on
