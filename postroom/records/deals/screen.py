"""The screens of deals."""

from __future__ import annotations

from django.db.models import CharField, FloatField, Value
from django.db.models.functions import Cast, Coalesce

from postroom.records.deals import commands
from postroom.records.deals.forms import DealForm
from postroom.records.models import Deal
from postroom.records.money import money
from postroom.records.record import BY_KEY
from postroom.records.screens import COMMON_SORTS, Column, Field, Screen, Shown, both_ways, company, owner, text
from postroom.workspaces.models import WorkspaceQuerySet


def _people(deal: Deal) -> list[Shown]:
    return [Shown(person.name, href=person.get_absolute_url()) for person in deal.people.all()]


def _close_date(deal: Deal) -> list[Shown]:
    return text(deal.close_date and f"{deal.close_date.day} {deal.close_date:%b %Y}")


def _rows(query: WorkspaceQuerySet[Deal]) -> WorkspaceQuerySet[Deal]:
    return query.select_related("company", "owner__user", "stage__pipeline").annotate(
        # Sortable stand-ins: a page starts after a value, so there has to be one.
        closes=Coalesce(Cast("close_date", CharField()), Value("9999-12-31")),
        worth=Coalesce(Cast("amount", FloatField()), Value(0.0)),
    )


def _whole(query: WorkspaceQuerySet[Deal]) -> WorkspaceQuerySet[Deal]:
    related = query.select_related("company", "owner__user", "stage__pipeline")
    return related.prefetch_related("people__addresses", "people__company", "stage__pipeline__stages")


DEALS = Screen(
    type=BY_KEY["deal"],
    folder="deals",
    form=DealForm,
    create=commands.create,
    change=commands.change,
    columns=(
        Column("Name", "name"),
        Column("Company", room="is-mid"),
        Column("Stage", room="is-mid"),
        Column("Amount", "amount", number=True),
        Column("Closes", "closes", room="is-extra"),
        Column("Owner", room="is-extra"),
        Column("Last mail", number=True, room="is-extra"),
    ),
    sorts={**COMMON_SORTS, "amount": both_ways("-worth", "-id"), "closes": both_ways("closes", "id")},
    fields=(
        Field("Name", lambda deal: text(deal.name), "name"),
        Field("Amount", lambda deal: text(money(deal.amount, deal.currency)), "amount", "Add an amount"),
        Field("Currency", lambda deal: text(deal.currency), "currency"),
        Field("Close date", _close_date, "close_date", "Add a close date"),
        Field("Company", company, "company", "Add a company"),
        Field("Contacts", _people, "people", "Add contacts"),
        Field("Owner", owner, "owner", "Choose an owner"),
    ),
    rows=_rows,
    whole=_whole,
    empty="Add what you are selling, with its contacts: their mail shows on the deal by itself.",
    address=lambda deal: next((person.address for person in deal.people.all() if person.address), ""),
)
