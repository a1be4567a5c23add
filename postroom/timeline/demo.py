"""Records for the demo, so that its mail has somewhere to belong.

`seed` makes the made-up company's customers before any mail is there; `seed_from_mail` makes records of whom the mail
itself was written with, for a demo on somebody's own mail. Both do nothing in a workspace that has companies already.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Sum

from postroom.lib.clock import now
from postroom.mail.models import Correspondent
from postroom.records.candidates import commands as candidates
from postroom.records.companies import commands as companies
from postroom.records.deals import commands as deals
from postroom.records.models import Company, Deal, Person, PersonAddress, Queue
from postroom.records.people import commands as people
from postroom.records.tasks import commands as tasks
from postroom.records.tickets import commands as tickets
from postroom.timeline.contacts import name_of
from postroom.timeline.demo_company import CUSTOMERS, SALES, Customer, Sale
from postroom.timeline.demo_work import APPLIED, ASKED, TO_DO, Applied, Asked, ToDo
from postroom.timeline.matching import own_addresses
from postroom.timeline.rules import is_public, is_robot, name_of_domain
from postroom.workspaces.models import Membership, Workspace

MOST_COMPANIES = 12
MOST_PEOPLE = 8  # of a company
FEWEST_MAILS = 3  # written to a domain before it is taken for a customer's


@transaction.atomic
def seed(workspace: Workspace, members: Sequence[Membership]) -> int:
    """The made-up company's customers, people and deals. Answers how many companies were made."""
    if _is_begun(workspace):
        return 0
    owners = {member.address.partition("@")[0]: member for member in members}
    for customer in CUSTOMERS:
        _customer(workspace, customer, owners)
    for sale in SALES:
        _sale(workspace, sale, owners)
    # Its support is always there, so that clocks run whenever the demo is looked at.
    Queue.objects.filter(pk=tickets.queue_of(workspace).pk).update(days=[])
    for one in ASKED:
        _ticket(workspace, one, owners)
    for candidate in APPLIED:
        _candidate(workspace, candidate, owners)
    for to_do in TO_DO:
        _task(workspace, to_do, owners)
    return len(CUSTOMERS)


def _customer(workspace: Workspace, customer: Customer, owners: dict[str, Membership]) -> None:
    by = owners.get(customer.owner)
    company = companies.create(
        workspace,
        by=by,
        name=customer.name,
        domains=[customer.domain],
        website=f"www.{customer.domain}",
        industry=customer.industry,
    )
    for number, line in enumerate(customer.people.strip().splitlines(), start=31):
        local, name, title = (part.strip() for part in line.split("|"))
        first, last = people.split_name(name)
        people.create(
            workspace,
            by=by,
            first_name=first,
            last_name=last,
            job_title=title,
            phones=[f"{customer.phone}{number}"],
            addresses=[f"{local}@{customer.domain}"],
            company=company,
        )


def _sale(workspace: Workspace, sale: Sale, owners: dict[str, Membership]) -> None:
    pipeline = deals.pipeline_of(workspace)
    company = Company.objects.for_workspace(workspace).get(domains__domain=sale.domain)
    addresses = [f"{local}@{sale.domain}" for local in sale.people.split()]
    deal = deals.create(
        workspace,
        by=owners.get(sale.owner),
        name=sale.name,
        stage=pipeline.stages.get(name=sale.stage),
        people=list(Person.objects.for_workspace(workspace).filter(addresses__address__in=addresses)),
        company=company,
        amount=sale.amount,
        currency=sale.currency,
        close_date=(now() + timedelta(days=sale.closes)).date(),
    )
    if sale.quiet:
        Deal.objects.filter(pk=deal.pk).update(updated_at=now() - timedelta(days=sale.quiet))


def _ticket(workspace: Workspace, asked: Asked, owners: dict[str, Membership]) -> None:
    person = Person.objects.for_workspace(workspace).filter(addresses__address=asked.who).first()
    owner, opened = owners.get(asked.owner), now() - timedelta(hours=asked.hours)
    ticket = tickets.create(
        workspace,
        by=owner,
        name=asked.subject,
        requester=person or asked.who,
        owner=owner,
        opened_at=opened,
        priority=asked.priority,
    )
    if asked.status in ("waiting", "solved"):
        tickets.answered(ticket, by=owner, at=opened + timedelta(minutes=40))
    if asked.status != "new":
        tickets.become(ticket, asked.status, by=owner)


def _candidate(workspace: Workspace, applied: Applied, owners: dict[str, Membership]) -> None:
    by = owners.get("hanna")
    candidate = candidates.create(
        workspace,
        by=by,
        name=applied.name,
        address=applied.address,
        job=applied.job,
        headline=applied.headline,
        location=applied.location,
        source=applied.source,
    )
    for member, verdict, mark, why in applied.marks:
        if (author := owners.get(member)) is not None:
            given = dict.fromkeys(candidates.CRITERIA, mark)
            candidates.judge(candidate, by=author, verdict=verdict, marks=given, text=why)
    if applied.interview is not None and by is not None:
        at = now() + timedelta(hours=applied.interview)
        beside = owners.get(applied.beside)
        candidates.arrange(candidate, by=by, at=at, kind="video", interviewers=[by, *([beside] if beside else [])])
    candidates.move(candidate, to=applied.stage, by=by)


def _task(workspace: Workspace, to_do: ToDo, owners: dict[str, Membership]) -> None:
    about = (
        Deal.objects.for_workspace(workspace).filter(name=to_do.about).first()
        or Company.objects.for_workspace(workspace).filter(name=to_do.about).first()
    )
    due = (now() + timedelta(days=to_do.days)).date()
    by = owners.get(to_do.owner)
    tasks.create(workspace, by=by, title=to_do.title, record=about, due=due, importance=to_do.importance)


@transaction.atomic
def seed_from_mail(workspace: Workspace, by: Membership) -> int:
    """Companies of the domains most written to, contacts of the people there, a deal for each of the first eight."""
    if _is_begun(workspace):
        return 0
    ours = {address.rpartition("@")[2] for address in own_addresses(workspace.pk)}
    heard = Correspondent.objects.filter(workspace=workspace).exclude(domain__in=ours)
    rows = heard.values("domain").annotate(written=Sum("sent")).filter(written__gte=FEWEST_MAILS)
    domains = [row["domain"] for row in rows.order_by("-written", "domain") if not is_public(row["domain"])]
    for rank, domain in enumerate(domains[:MOST_COMPANIES]):
        _company_of(workspace, domain, rank, by)
    return len(domains[:MOST_COMPANIES])


def _company_of(workspace: Workspace, domain: str, rank: int, by: Membership) -> None:
    company = companies.create(workspace, by=by, name=name_of_domain(domain), domains=[domain])
    heard = Correspondent.objects.filter(workspace=workspace, domain=domain).order_by("-sent", "-received", "address")
    made = [_contact_of(workspace, one, company, by) for one in heard[: 2 * MOST_PEOPLE] if not is_robot(one.address)]
    stages = list(deals.pipeline_of(workspace).stages.all())
    if rank < 8 and made:
        deals.create(
            workspace,
            by=by,
            name=f"{company.name} {'renewal' if rank % 2 else 'first order'}",
            stage=stages[rank % len(stages)],
            people=made[:2],
            company=company,
            amount=(8 - rank) * 7_500,
            close_date=(now() + timedelta(days=7 * (rank + 1))).date(),
        )


def _contact_of(workspace: Workspace, heard: Correspondent, company: Company, by: Membership) -> Person:
    if known := PersonAddress.objects.for_workspace(workspace).filter(address=heard.address).first():
        return known.person
    first, last = people.split_name(name_of(workspace.pk, heard.address))
    values: dict[str, Any] = {"first_name": first, "last_name": last, "company": company}
    return people.create(workspace, by=by, addresses=[heard.address], origin=Person.Origin.MAIL, **values)


def _is_begun(workspace: Workspace) -> bool:
    return Company.objects.for_workspace(workspace).exists()
