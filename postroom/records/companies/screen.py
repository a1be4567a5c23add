"""The screens of companies."""

from __future__ import annotations

from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce

from postroom.records import filters, nearby
from postroom.records.companies import commands
from postroom.records.companies.forms import CompanyForm
from postroom.records.models import Company, CompanyDomain, Deal, Person, Stage
from postroom.records.record import BY_KEY
from postroom.records.screens import Field, Screen, Shown, owner, text
from postroom.records.tables import ADDED, ALL, CHANGED, MINE, Column, last_mail, main, owner_column, words_column
from postroom.workspaces.models import WorkspaceQuerySet


def _website(company: Company) -> list[Shown]:
    site = company.website
    # Only what a browser opens as a page becomes a link: a member may have typed anything.
    href = site if site.startswith(("https://", "http://")) else f"https://{site}"
    return [Shown(site.removeprefix("https://").removeprefix("http://").rstrip("/"), href=href)] if site else []


def _open(deals: WorkspaceQuerySet[Deal]) -> WorkspaceQuerySet[Deal]:
    return deals.filter(stage__outcome=Stage.Outcome.OPEN)


def _counted(query: WorkspaceQuerySet[Company]) -> WorkspaceQuerySet[Company]:
    people = Person.objects.filter(company=OuterRef("pk")).order_by().values("company")
    deals = _open(Deal.objects.filter(company=OuterRef("pk"))).order_by().values("company")
    return query.annotate(
        people_count=Coalesce(Subquery(people.annotate(n=Count("pk")).values("n")), 0),
        open_deals=Coalesce(Subquery(deals.annotate(n=Count("pk")).values("n")), 0),
    )


COMPANIES = Screen(
    type=BY_KEY["company"],
    folder="companies",
    form=CompanyForm,
    create=commands.create,
    change=commands.change,
    columns=(
        main("companies"),
        Column(
            "domain",
            "Domain",
            text=lambda company: next(iter(company.domain_list()), ""),
            by=Subquery(CompanyDomain.objects.filter(company=OuterRef("pk")).values("domain")[:1]),
            near=nearby.by_first(CompanyDomain, "company", "domain"),
            room="is-mid",
            filter=filters.Contains("domains__domain", many=True),
            edit="domains",
        ),
        Column(
            "contacts",
            "Contacts",
            text=lambda company: str(company.people_count or ""),
            by="people_count",
            near=nearby.by_count(lambda member: Person.objects.for_workspace(member.workspace_id), "company"),
            kind="number",
            down=True,
            number=True,
            room="is-extra",
        ),
        Column(
            "deals",
            "Open deals",
            text=lambda company: str(company.open_deals or ""),
            by="open_deals",
            near=nearby.by_count(lambda member: _open(Deal.objects.for_workspace(member.workspace_id)), "company"),
            kind="number",
            down=True,
            number=True,
            room="is-mid",
        ),
        owner_column(),
        last_mail(),
        words_column("industry", "Industry"),
        words_column("website", "Website"),
        ADDED,
        CHANGED,
    ),
    cuts=(ALL, MINE),
    fields=(
        Field("Name", lambda company: text(company.name), "name"),
        Field("Domains", lambda company: [Shown(one) for one in company.domain_list()], "domains", "Add a domain"),
        Field("Website", _website, "website", "Add a website"),
        Field("Industry", lambda company: text(company.industry), "industry", "Add an industry"),
        Field("Owner", owner, "owner", "Choose an owner"),
    ),
    rows=lambda query: _counted(query.select_related("owner__user").prefetch_related("domains")),
    whole=lambda query: query.select_related("owner__user").prefetch_related("domains"),
    empty="Add a company with its mail domain: everything written with anybody there is found on its page.",
    merges=True,
)
