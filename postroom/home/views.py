"""Home, what browsers are told, and Settings → Notifications."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import trigger_client_event

from postroom.home import digest
from postroom.home import news as browser
from postroom.home import steps as first_steps
from postroom.home import today as home
from postroom.home.jobs import send_soon
from postroom.home.models import Desk
from postroom.inbox.accounts import accounts, looked_into
from postroom.inbox.views.pages import is_partial, wants
from postroom.mail.schedule import zone_of
from postroom.timeline.models import Notice
from postroom.timeline.team import notices
from postroom.ui.toasts import toast
from postroom.workspaces.access import MemberRequest, member_required


@require_GET
@member_required
def today(request: MemberRequest) -> HttpResponse:
    """What needs the member; only its inside when the page looks again."""
    known = accounts(request)
    looked_into(known.readable)
    context = {"today": home.today(request.member, known), "active": "home"}
    return render(request, "home/today.html" if wants(request, "home") else "home/page.html", context)


@require_POST
@member_required
def open_steps(request: MemberRequest) -> HttpResponse:
    """Bring the first steps back."""
    first_steps.show(request.member, True)
    return _home(request)


@require_POST
@member_required
def close_steps(request: MemberRequest) -> HttpResponse:
    """Put the first steps away; Undo brings them back."""
    first_steps.show(request.member, False)
    return toast(
        request, _home(request), "Put away. They are in the menu under your name.", undo_url=reverse("home:steps-open")
    )


@require_POST
@member_required
def palette_tried(request: MemberRequest) -> HttpResponse:
    """The browser says that the palette was opened: a step only it can see."""
    first_steps.tried(request.member, first_steps.PALETTE)
    return _home(request)


def _home(request: MemberRequest) -> HttpResponse:
    if not is_partial(request):
        return redirect("home:today")
    return trigger_client_event(HttpResponse(status=204), "home:changed")


@require_GET
@member_required
def news(request: MemberRequest) -> HttpResponse:
    """JSON: what came since ``?after=`` (the ``mark`` of the last answer), for browser notifications."""
    found, mark = browser.since(request.member, accounts(request), browser.read_mark(request.GET.get("after", "")[:60]))
    answer = JsonResponse({"mark": mark.write(), "news": [one._asdict() for one in found]})
    answer["Cache-Control"] = "no-store"
    return answer


# --- settings ------------------------------------------------------------------------------------------------------


@require_GET
@member_required
def notifications(request: MemberRequest) -> HttpResponse:
    """How Postroom reaches the member: within, in the browser, once a day by mail."""
    desk = digest.of(request.member)
    unwanted = notices.off(request.member)
    here = {kind: kind not in unwanted for kind in Notice.Kind.values}
    context: dict[str, Any] = {
        "kinds": [(kind, label, here.get(kind), kind not in desk.browser_off) for kind, label in browser.TYPES.items()],
        "digest": [(one.key, one.about, one.key not in desk.digest_off) for one in home.KINDS],
        "desk": desk,
        "hours": [{"value": hour, "label": f"{hour}:00"} for hour in range(24)],
        "zone_help": f"In your time zone, {zone_of(request.user.time_zone).key.replace('_', ' ')} (Settings, Profile).",
        "has_mail": digest.is_possible(),
        "active": "notifications",
    }
    return render(request, "home/notifications.html", context)


@require_POST
@member_required
def browser_wishes(request: MemberRequest) -> HttpResponse:
    """``here`` and ``browser`` (several each): the kinds that are told, within Postroom and by the browser."""
    notices.wish(request.member, request.POST.getlist("here"))
    wanted = set(request.POST.getlist("browser"))
    off = [kind for kind in browser.TYPES if kind not in wanted]
    Desk.objects.update_or_create(
        member=request.member,
        defaults={"browser_off": off},
        create_defaults={"browser_off": off, "workspace": request.workspace},
    )
    return toast(request, redirect("home:notifications"), "Saved.")


@require_POST
@member_required
def digest_wishes(request: MemberRequest) -> HttpResponse:
    """``on``, ``hour`` (0 to 23) and the ``section``s the daily mail is to have."""
    hour, wanted = request.POST.get("hour", ""), set(request.POST.getlist("section"))
    if not (hour.isascii() and hour.isdecimal() and len(hour) < 3 and int(hour) < 24):
        return toast(request, redirect("home:notifications"), "Choose an hour of the day.", kind="error")
    without = [one.key for one in home.KINDS if one.key not in wanted]
    on = bool(request.POST.get("on")) and digest.is_possible()
    digest.wish(request.member, on=on, hour=int(hour), without=without)
    return toast(request, redirect("home:notifications"), "Saved.")


@require_POST
@member_required
def digest_now(request: MemberRequest) -> HttpResponse:
    """Send one now, to see what it looks like."""
    if not digest.is_possible():
        text = "This installation has no mail server of its own, so nothing can be sent."
        return toast(request, redirect("home:notifications"), text, kind="warning")
    digest.ask(request.member)
    send_soon()
    return toast(request, redirect("home:notifications"), f"On its way to {request.member.address}.")
