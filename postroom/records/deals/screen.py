"""The screens of deals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import Prefetch

from postroom.records import filters
from postroom.records.deals import commands
from postroom.records.deals.forms import DealForm
from postroom.records.models import Deal, Person, Stage
from postroom.records.money import CURRENCIES, money
from postroom.records.record import BY_KEY
from postroom.records.screens import Field, Moved, Screen, Shown, Step, company, owner, text
from postroom.records.tables import (
    ADDED,
    ALL,
    CHANGED,
    MINE,
    Column,
    Cut,
    company_column,
    day,
    last_mail,
    main,
    owner_column,
)
from postroom.workspaces.models import Membership, WorkspaceQuerySet


def _people(deal: Deal) -> list[Shown]:
    return [Shown(person.name, href=person.get_absolute_url()) for person in deal.people.all()]


def _close_date(deal: Deal) -> list[Shown]:
    return text(day(deal.close_date))


def _rows(query: WorkspaceQuerySet[Deal]) -> WorkspaceQuerySet[Deal]:
    return query.select_related("company", "owner__user", "stage__pipeline")


def _stages(member: Membership) -> list[tuple[str, str]]:
    """Every stage, with its pipeline where there are several."""
    stages = list(
        Stage.objects.filter(pipeline__workspace=member.workspace_id)
        .select_related("pipeline")
        .order_by("pipeline__position", "pipeline", "position")
    )
    several = len({one.pipeline_id for one in stages}) > 1
    return [(str(one.pk), f"{one.pipeline.name}: {one.name}" if several else one.name) for one in stages]


def _stage(deal: Deal, value: str) -> Stage | None:
    found = Stage.objects.select_related("pipeline").filter(pipeline__workspace=deal.workspace_id)
    return found.filter(pk=value).first() if value.isdecimal() and len(value) < 18 else None


def _steps(deal: Deal) -> list[Step]:
    """The stages of the deal's pipeline; those it has left behind are done, unless it was lost."""
    stages = list(deal.stage.pipeline.stages.all())
    at = next((number for number, stage in enumerate(stages) if stage.pk == deal.stage_id), -1)
    behind = "" if deal.stage.outcome == Stage.Outcome.LOST else "done"
    states = ["now" if number == at else behind if number < at else "" for number in range(len(stages))]
    return [Step(str(one.pk), one.name, one.outcome, state) for one, state in zip(stages, states, strict=True)]


def _with(outcome: str) -> Callable[[Any, Membership], Any]:
    return lambda query, member: query.filter(stage__outcome=outcome)


def _whole(query: WorkspaceQuerySet[Deal]) -> WorkspaceQuerySet[Deal]:
    related = query.select_related("company", "owner__user", "stage__pipeline")
    return related.prefetch_related(Prefetch("people", Person.with_main_address()), "stage__pipeline__stages")


DEALS = Screen(
    type=BY_KEY["deal"],
    folder="deals",
    form=DealForm,
    create=commands.create,
    change=commands.change,
    columns=(
        main("deals"),
        company_column(),
        Column(
            "stage",
            "Stage",
            cell="records/deals/stage_cell.html",
            by="stage__position",
            kind="number",
            room="is-mid",
            filter=filters.Choice("stage", _stages),
            edit="stage",
        ),
        Column(
            "amount",
            "Amount",
            text=lambda deal: money(deal.amount, deal.currency),
            by="amount",
            kind="number",
            down=True,
            number=True,
            filter=filters.Amount("amount"),
            edit="amount",
        ),
        Column(
            "closes",
            "Closes",
            text=lambda deal: day(deal.close_date),
            by="close_date",
            kind="day",
            room="is-extra",
            filter=filters.Day("close_date"),
            edit="close_date",
        ),
        owner_column(),
        last_mail(room="is-extra"),
        Column(
            "chance",
            "Chance",
            text=lambda deal: f"{deal.stage.chance} %",
            by="stage__chance",
            kind="number",
            down=True,
            number=True,
            usual=False,
            filter=filters.Amount("stage__chance", empty=""),
        ),
        Column(
            "currency",
            "Currency",
            text=lambda deal: deal.currency,
            by="currency",
            usual=False,
            filter=filters.Choice("currency", filters.fixed((one, one) for one in CURRENCIES)),
            edit="currency",
        ),
        ADDED,
        CHANGED,
    ),
    cuts=(
        ALL,
        Cut("open", "Open", _with(Stage.Outcome.OPEN)),
        MINE,
        Cut("won", "Won", _with(Stage.Outcome.WON)),
        Cut("lost", "Lost", _with(Stage.Outcome.LOST)),
    ),
    moved=Moved(
        name="stage",
        label="Stage",
        path="stages",
        value=lambda deal: str(deal.stage_id),
        target=_stage,
        steps=_steps,
        said=lambda deal: f"{deal.name} moved to {deal.stage.name}.",
    ),
    board=True,
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
