"""Contacts that mail makes by itself, where a mailbox's or the workspace's rule says so (product.md CR4).

    stored page -> who is heard in it and is nobody's contact yet -> contacts, their companies by domain, and the mark
    of the mailbox and the conversation they came from

Never of our own addresses and domains, of addresses nobody reads, of newsletters, lists and automatic mail, of junk, of
what is never logged, and of addresses a member took away. The database knows an address once, so two mailboxes that
hear somebody in the same moment make one contact.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple, Protocol

from django.core.exceptions import ValidationError
from django.db import connection, transaction

from postroom.mailboxes.models import Mailbox
from postroom.records import commands as records
from postroom.records.companies import commands as companies
from postroom.records.models import Company, CompanyDomain, Person
from postroom.records.people import commands as people
from postroom.records.record import Record
from postroom.timeline.rules import CROWD, PUBLIC_DOMAINS, domain_of, is_public, is_robot, name_of_domain
from postroom.timeline.sharing.levels import NEVER
from postroom.timeline.sharing.models import MailboxSharing, NoContact, Origin, Policy, Rule
from postroom.workspaces.models import Membership

log = logging.getLogger(__name__)


class Stored(Protocol):
    """What storing a page of mail reports (as ``matching.Stored``)."""

    @property
    def new(self) -> Collection[int]: ...

    @property
    def changed(self) -> Collection[int]: ...


class Stranger(NamedTuple):
    """Somebody heard in a mail who is nobody's contact. ``ours``: we wrote that mail."""

    address: str
    name: str
    conversation: int


def rule_of(mailbox: Mailbox) -> Rule:
    """What counts for a mailbox: its owner's rule, else the workspace's."""
    own = MailboxSharing.objects.filter(mailbox=mailbox).exclude(contacts="").values_list("contacts", flat=True).first()
    every = Policy.objects.filter(workspace=mailbox.workspace_id).values_list("contacts", flat=True)
    return Rule(own or every.first() or Rule.OFF)


def on_stored(mailbox: Mailbox, stored: Stored, *, fresh: bool) -> None:
    """Make the contacts a page of mail leads to (a hook of ``settings.SYNC_HOOKS``, after matching).

    History makes contacts like news does, so that a mailbox that is connected late knows the same people.
    """
    messages = [*stored.new, *stored.changed]
    if not messages or (rule := rule_of(mailbox)) == Rule.OFF:
        return
    for one in _strangers(mailbox, messages, rule):
        # Somebody else may make their company in this moment: then it is there for the second attempt.
        if not (_made(mailbox, one) or _made(mailbox, one)):
            log.info("mailbox %s: a mail made no contact", mailbox.pk)


def _made(mailbox: Mailbox, one: Stranger) -> bool:
    """False when the contact is there by now, its company was not there a moment ago, or its address is none."""
    try:
        with transaction.atomic():
            make(mailbox, one)
    except ValidationError:
        return False
    return True


def make(mailbox: Mailbox, one: Stranger) -> Person:
    """The contact, in the company its domain belongs to. Raises ``ValidationError``."""
    first, last = people.split_name("" if "@" in one.name else one.name)
    person = people.create(
        mailbox.workspace,
        by=None,
        owner=mailbox.owner if mailbox.kind == Mailbox.Kind.OWN else None,
        first_name=first,
        last_name=last,
        addresses=[one.address],
        company=_company(mailbox, domain_of(one.address)),
        origin=Person.Origin.MAIL,
        origin_mailbox=mailbox.pk,
    )
    Origin.objects.create(person=person, conversation_id=one.conversation)
    return person


def _company(mailbox: Mailbox, domain: str) -> Company | None:
    if not domain or is_public(domain):
        return None
    known = CompanyDomain.objects.for_workspace(mailbox.workspace_id).filter(domain=domain).select_related("company")
    if (found := known.first()) is not None:
        return found.company
    return companies.create(mailbox.workspace, by=None, name=name_of_domain(domain), domains=[domain])


# Who is heard in these messages: to whom we wrote, and with `everyone` who wrote to us; with the name mail gives them.
_HEARD = """
with own as (
    select lower(address) as address, split_part(lower(address), '@', 2) as domain
    from mailboxes_mailbox where workspace_id = %(workspace)s
    union select lower(u.email), split_part(lower(u.email), '@', 2) from workspaces_membership member
    join accounts_user u on u.id = member.user_id where member.workspace_id = %(workspace)s
), mails as (
    select m.id, m.received, m.from_address, t.conversation_id, exists (
        select from own where own.address = lower(m.from_address)) or lower(m.from_address) = any(%(aliases)s) as ours
    from mail_message m join mail_folder f on f.id = m.folder_id join mail_thread t on t.id = m.thread_id
    where m.id = any(%(messages)s) and not m.is_draft and m.kind in ('mail', 'invitation')
      and f.role not in ('junk', 'deleted', 'drafts', 'outbox') and not {never}
)
select distinct on (p.address) p.address, coalesce(c.name, ''), mails.conversation_id
from mails join mail_participant p on p.message_id = mails.id
left join mail_correspondent c on c.workspace_id = %(workspace)s and c.address = p.address
where ((mails.ours and p.role in ('to', 'cc')) or (%(everyone)s and not mails.ours and p.role = 'from'))
  and (select count(*) from mail_participant crowd where crowd.message_id = mails.id) <= %(crowd)s
  and p.address <> all(%(aliases)s)
  and not exists (select from own where own.address = p.address or (
      own.domain = split_part(p.address, '@', 2) and own.domain <> all(%(public)s)))
  and not exists (
      select from records_personaddress a where a.workspace_id = %(workspace)s and a.address = p.address)
  and not exists (
      select from timeline_nocontact no where no.workspace_id = %(workspace)s and no.address = p.address)
order by p.address, mails.received
""".replace("{never}", NEVER.format(thread="t.id", workspace="%(workspace)s"))


def _strangers(mailbox: Mailbox, messages: Iterable[int], rule: Rule) -> list[Stranger]:
    """By domain, then address: two transactions that make the same contacts wait for each other, never in a circle."""
    aliases = mailbox.connection.aliases if mailbox.connection else []
    parameters: dict[str, Any] = {
        "workspace": mailbox.workspace_id,
        "messages": list(messages),
        "aliases": [one.lower() for one in aliases],
        "everyone": rule == Rule.EVERYONE,
        "crowd": CROWD,
        "public": list(PUBLIC_DOMAINS),
    }
    with connection.cursor() as cursor:
        cursor.execute(_HEARD, parameters)
        found = [Stranger(*row) for row in cursor.fetchall()]
    people_like = [one for one in found if "@" in one.address and not is_robot(one.address)]
    return sorted(people_like, key=lambda one: (domain_of(one.address), one.address))


# --- taken away --------------------------------------------------------------------------------------------------


@transaction.atomic
def not_a_contact(person: Person, *, by: Membership) -> int:
    """The contact goes, and mail never makes one of its addresses again. Returns of how many addresses."""
    addresses = person.address_list()
    _remember(person, by)
    records.delete(person)
    return len(addresses)


def on_deleting(*, record: Record, **_: object) -> None:
    """Who was made a contact by mail and is deleted does not come back with their next mail (``signals.deleting``)."""
    if isinstance(record, Person) and record.origin == Person.Origin.MAIL:
        _remember(record, None)


def _remember(person: Person, by: Membership | None) -> None:
    rows = [NoContact(workspace_id=person.workspace_id, address=one, by=by) for one in person.address_list()]
    NoContact.objects.bulk_create(rows, ignore_conflicts=True)
