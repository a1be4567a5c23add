"""The operator page (product.md AD9): figures of the installation, no mail, for those in POSTROOM_OPERATORS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from postroom.accounts.models import User
from postroom.operations import figures
from postroom.operations.models import Alert

View = Callable[[HttpRequest], HttpResponse]


def operator_required(view: View) -> View:
    """404 for everybody else: the page does not exist for them."""

    @wraps(view)
    def checked(request: HttpRequest) -> HttpResponse:
        user = request.user
        if not isinstance(user, User) or user.email.lower() not in settings.POSTROOM_OPERATORS:
            raise Http404
        return view(request)

    return checked


@require_GET
@operator_required
def page(request: HttpRequest) -> HttpResponse:
    """The page; htmx asks for its inside again every few seconds."""
    whole = figures.everything()
    alerts = [{**row, "kind": Alert.Kind(row["kind"]).label, "urgent": row["level"] > 2} for row in whole["alerts"]]
    context = {**whole, "alerts": alerts, "stats": _stats(whole)}
    partial = request.headers.get("HX-Request") == "true"
    return render(request, "operations/figures.html" if partial else "operations/operators.html", context)


def _stats(whole: Mapping[str, object]) -> list[dict[str, object]]:
    """The four figures that tell whether all is well."""
    health, lanes, processes = whole["health"], whole["lanes"], whole["processes"]
    assert isinstance(health, dict) and isinstance(lanes, list) and isinstance(processes, list)
    workers = sum(1 for one in processes if one["alive"] and one["kind"] == "worker")
    longest = max((row["longest"] for row in lanes), default=0)
    return [
        {"label": "Mailboxes", "value": f"{health['working']:,}"},
        {"label": "In error or stale", "value": f"{health['error'] + health['stale']:,}"},
        {"label": "Workers alive", "value": workers},
        {"label": "Due now", "value": f"{sum(row['due'] for row in lanes):,}"},
        {"label": "Longest wait", "value": f"{longest:.0f} s"},
    ]
