"""Settings → Alerts (product.md AD8): what is wrong now, what was, and how to be told."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from postroom.operations.alerts import channels, deliver, outgoing
from postroom.operations.alerts.forms import AlertSettingsForm
from postroom.operations.alerts.words import Words, words
from postroom.operations.models import Alert, AlertSettings, Notice
from postroom.workspaces.access import MemberRequest, member_required, permission_required
from postroom.workspaces.models import Permission

HEALTH = {Alert.Level.NOTICE: "never", Alert.Level.WARNING: "stale", Alert.Level.URGENT: "error"}
PAST, MOST = 20, 100  # alerts that are listed


class Line(NamedTuple):
    """An alert as the page shows it."""

    alert: Alert
    words: Words
    health: str
    level: str


def line(alert: Alert) -> Line:
    health = "healthy" if alert.closed_at else HEALTH[Alert.Level(alert.level)]
    return Line(alert, words(alert), health, "Recovered" if alert.closed_at else str(alert.get_level_display()))


@require_http_methods(["GET", "POST"])
@member_required
def page(request: MemberRequest) -> HttpResponse:
    """For everybody what concerns them; the settings for admins."""
    may_change = request.member.may(Permission.MANAGE_WORKSPACE)
    wish = channels.settings_of(request.workspace)
    form = AlertSettingsForm(request.POST or None, instance=wish)
    if request.method == "POST" and may_change and form.is_valid():
        _keep(form.save(commit=False))
        messages.success(request, "Saved.")
        return redirect("operations:alerts")
    seen = channels.seen_by(request.member)
    context = {
        "open": [line(one) for one in channels.open_for(request.member)[:MOST]],
        "more": max(0, channels.open_for(request.member).count() - MOST),
        "past": [line(one) for one in seen.exclude(closed_at=None).order_by("-closed_at")[:PAST]],
        "may_change": may_change,
        **(_for_admins(request, wish, form) if may_change else {}),
    }
    return render(request, "operations/alerts.html", context, status=422 if form.errors and may_change else 200)


def _for_admins(request: MemberRequest, wish: AlertSettings, form: AlertSettingsForm) -> dict[str, Any]:
    notices = Notice.objects.filter(workspace=request.workspace).select_related("alert__mailbox").order_by("-pk")
    return {
        "form": form,
        "wish": wish,
        "mail_works": bool(settings.SMTP_URL),
        "secret": outgoing.signing_secret(request.workspace.pk, wish.webhook_salt) if wish.webhook_salt else "",
        "notices": notices[:PAST],
    }


def _keep(wish: AlertSettings) -> None:
    if wish.webhook_url and not wish.webhook_salt:
        wish.webhook_salt = outgoing.new_salt()
    wish.save()


@require_POST
@permission_required(Permission.MANAGE_WORKSPACE)
def send_test(request: MemberRequest) -> HttpResponse:
    """Post a test to the webhook now, and say how it went."""
    if not channels.settings_of(request.workspace).webhook_url:
        messages.error(request, "Save an address first.")
        return redirect("operations:alerts")
    notice = Notice.objects.create(
        workspace=request.workspace, channel=Notice.Channel.WEBHOOK, event=Notice.Event.TEST, due_at=None
    )
    if deliver.deliver(notice):
        messages.success(request, "The webhook took the test.")
    else:
        messages.error(request, f"The webhook did not take the test: {notice.error}.")
    return redirect("operations:alerts")


@require_POST
@permission_required(Permission.MANAGE_WORKSPACE)
def new_secret(request: MemberRequest) -> HttpResponse:
    """Sign with another secret from now on."""
    wish = channels.settings_of(request.workspace)
    wish.webhook_salt = outgoing.new_salt()
    wish.save()
    messages.success(request, "There is a new secret. Put it where alerts are received.")
    return redirect("operations:alerts")
