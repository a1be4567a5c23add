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
from postroom.records.companies import commands as companies
from postroom.records.deals import commands as deals
from postroom.records.models import Company, Person, PersonAddress
from postroom.records.people import commands as people
from postroom.timeline.contacts import name_of
from postroom.timeline.demo_company import CUSTOMERS, SALES, Customer, Sale
from postroom.timeline.matching import own_addresses
from postroom.timeline.rules import is_public
from postroom.workspaces.models import Membership, Workspace

MOST_COMPANIES = 12
MOST_PEOPLE = 8  # of a company
FEWEST_MAILS = 3  # written to a domain before it is taken for a customer's
ROBOTS = ("no-reply", "noreply", "do-not-reply", "donotreply", "mailer-daemon", "postmaster", "notification", "bounce")


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
    deals.create(
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


def name_of_domain(domain: str) -> str:
    """What to call a company of which only the domain is known: "vogt-soehne.example" is "Vogt Soehne"."""
    labels = domain.split(".")
    # The label before the ending, and before endings of two parts as in example.co.uk.
    short = len(labels) > 2 and len(labels[-2]) <= 3
    return labels[-3 if short else -2].replace("-", " ").replace("_", " ").title() if len(labels) > 1 else domain


def is_robot(address: str) -> bool:
    """Whether nobody reads this address (product.md CR4)."""
    return any(word in address.partition("@")[0] for word in ROBOTS)


def _is_begun(workspace: Workspace) -> bool:
    return Company.objects.for_workspace(workspace).exists()
