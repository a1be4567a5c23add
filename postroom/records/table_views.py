"""What is asked about a table: what narrows it, and which columns it shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.views.decorators.http import require_GET

from postroom.records import lists
from postroom.records.asked import FILTER, Asked, asked, known_columns
from postroom.records.dialogs import ask
from postroom.records.saved import bar, commands
from postroom.records.tables import Table
from postroom.records.views import form_methods
from postroom.workspaces.access import MemberRequest, member_required


@require_GET
@member_required
def narrow(request: MemberRequest, table: Table) -> HttpResponse:
    """Every column that can be narrowed, with what it is narrowed to; what is chosen goes to the table."""
    views = bar.of(table.place, request.member)
    wish = lists.asked_of(table, request, views)
    inputs = [
        column.filter.drawn(FILTER + key, column.label, wish.filters.get(key, ()), request.member)
        for key, column in wish.known.items()
        if column.filter is not None
    ]
    within = _within(request)
    plain = replace(wish, filters={})
    return ask(
        request,
        "records/filters.html",
        title=f"Filter {table.plural.lower()}",
        submit="Apply",
        action=table.url,
        back=table.url + wish.href(),
        method="get",
        inputs=inputs,
        kept=plain.pairs(),
        within=within,
        reset_url=table.url + plain.href(**{bar.WITHIN: within}) if wish.filters else "",
        reset="Take all away",
    )


@form_methods
@member_required
def columns(request: MemberRequest, table: Table) -> HttpResponse:
    """Which columns, in which order. In a saved view they are the view's, else how the table opens for the member."""
    views = bar.of(table.place, request.member)
    if request.method == "POST":
        known = known_columns(table, table.own_columns(request.workspace.pk))
        wish, within = asked(table, known, QueryDict(request.POST.get("state", "")[:4_000])), request.POST.get("in", "")
        order = [one for one in request.POST.getlist("all") if one in known]
        chosen = [one for one in order if one in request.POST.getlist("col")]
        if "move" in request.POST:
            return _asked(request, table, wish, _moved(order, request.POST["move"]), chosen, within)
        if within:
            return redirect(table.url + replace(wish, columns=tuple(chosen)).href(**{bar.WITHIN: within}))
        commands.open_with(table.place, chosen, by=request.member)
        return redirect(table.url + replace(wish, columns=()).href())
    wish = lists.asked_of(table, request, views)
    within = _within(request)
    shown = [column.key for column, _ in lists.columns_of(wish, views, opened=bool(within))][1:]
    rest = [key for key in wish.known if key not in shown and key != table.columns[0].key]
    return _asked(request, table, wish, [*shown, *rest], shown, within)


def _asked(
    request: MemberRequest, table: Table, wish: Asked, order: Sequence[str], chosen: Sequence[str], within: str
) -> HttpResponse:
    return ask(
        request,
        "records/columns.html",
        title=f"Columns of {table.plural.lower()}",
        submit="Show these",
        action=f"{table.url}columns/",
        back=table.url + wish.href(**{bar.WITHIN: within}),
        lines=[(key, wish.known[key].label, key in chosen) for key in order],
        table=table,
        state=wish.query,
        within=within,
    )


def _moved(order: Sequence[str], what: str) -> list[str]:
    """The order with one of them a place further to the front ("up:email") or the back."""
    way, _, key = what.partition(":")
    found = list(order)
    if key in found:
        at = found.index(key)
        to = at - 1 if way == "up" else at + 1
        if 0 <= to < len(found):
            found.insert(to, found.pop(at))
    return found


def _within(request: MemberRequest) -> str:
    """The saved view the table is open in, "" for none."""
    told = request.GET.get(bar.WITHIN) or request.GET.get(bar.VIEW, "")
    return told if told.isdecimal() else ""
