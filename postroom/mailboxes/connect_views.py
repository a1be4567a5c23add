"""Connecting and reconnecting as pages: provider -> permissions -> the provider's own page -> back."""

import logging
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from postroom.lib.errors import new_reference
from postroom.mailboxes import access, approval_views, approvals, connect, features, lifecycle, refusals
from postroom.mailboxes.models import AdminApproval, ConnectAttempt, Connection, Mailbox
from postroom.providers import errors, registry
from postroom.workspaces.access import MemberRequest, member_required
from postroom.workspaces.models import Membership, Permission

log = logging.getLogger(__name__)

TRIP = "connect-trip"  # in the session: what the legs so far changed
CLAIMS = "connect-claims"  # in the session: what the provider wants to see in the next attempt

# What a member can choose from; a provider appears here when its connector can be used by people.
OFFERED = ("microsoft",)
DIRECTIONS = {
    Mailbox.Direction.TWO_WAY: "Mail arrives here, and what you change here changes there. Recommended.",
    Mailbox.Direction.ONE_WAY: "You send from Postroom, and what you send is kept. Nothing else is read or pulled, "
    "so answers appear in Outlook only.",
}
ARRIVED = {
    Mailbox.Direction.TWO_WAY: "Its newest mail is on the way.",
    Mailbox.Direction.ONE_WAY: "You can send from it; incoming mail is not pulled.",
}
ABOUT = {"microsoft": "Outlook mail of a work or school account, or of Outlook.com, Hotmail and Live."}


@require_GET
@member_required
def choose_provider(request: MemberRequest) -> HttpResponse:
    """Where the mailbox lies."""
    if not request.member.may(Permission.CONNECT_MAILBOX):
        return _not_permitted(request)
    choices = [(registry.connector(name), ABOUT[name]) for name in OFFERED]
    return render(request, "mailboxes/connect.html", {"choices": choices})


@require_http_methods(["GET", "POST"])
@member_required
def permissions(request: MemberRequest, provider: str) -> HttpResponse:
    """The review screen (CN2): every permission with the feature it powers; POST goes on to the provider."""
    if provider not in OFFERED:
        raise Http404
    if not request.member.may(Permission.CONNECT_MAILBOX):
        return _not_permitted(request)
    if elsewhere := _other_address(request):
        return elsewhere
    if request.method == "POST":
        return _first_leg(request, provider)
    asked = [(one, features.permissions(one)) for one in features.offered(provider)]
    context = {"company": features.company(provider), "provider": provider, "asked": asked, "directions": directions()}
    return render(request, "mailboxes/permissions.html", context)


def directions(now: str = Mailbox.Direction.TWO_WAY) -> list[dict[str, Any]]:
    """The two ways mail can go, as choices (CN11)."""
    return [
        {"value": one.value, "label": str(one.label), "help": DIRECTIONS[one], "checked": one.value == now}
        for one in Mailbox.Direction
    ]


def _first_leg(request: MemberRequest, provider: str) -> HttpResponse:
    """Base mail first; what else was ticked gets legs of its own, so that nothing an administrator guards blocks it."""
    later = features.optional(provider, request.POST.getlist("feature"))
    chosen = request.POST.get("direction", "")
    direction = Mailbox.Direction(chosen) if chosen in Mailbox.Direction.values else Mailbox.Direction.TWO_WAY
    return _depart(request, provider, features.base(provider), later=later, direction=direction)


@require_POST
@member_required
def reconnect(request: MemberRequest, pk: int) -> HttpResponse:
    """Sign in again with the same account; asks for what is on now (MA2), the base first as ever."""
    connection = _own_connection(request.member, pk)
    later = features.optional(connection.provider, features.granted_names(connection))
    return _depart(request, connection.provider, features.base(connection.provider), connection, later=later)


@require_POST
@member_required
def allow(request: MemberRequest, pk: int, feature: str) -> HttpResponse:
    """Ask for the scopes of one more feature (CN2, incremental consent)."""
    connection = _own_connection(request.member, pk)
    if not features.to_ask(connection, [feature]):  # on already, or not for this account
        return redirect("mailboxes:list")
    wanted = [*features.granted_names(connection), feature]
    return _depart(request, connection.provider, wanted, connection)


def _own_connection(member: Membership, pk: int) -> Connection:
    """The connection behind a mailbox of the member's own. Raises ``Http404``."""
    mailbox = access.manageable_mailbox(member, pk)
    if mailbox.connection is None or not access.may_reconnect(member, mailbox):
        raise Http404
    return mailbox.connection


def _depart(
    request: MemberRequest,
    provider: str,
    wanted: list[str],
    connection: Connection | None = None,
    *,
    later: Sequence[str] = (),
    direction: Mailbox.Direction = Mailbox.Direction.TWO_WAY,
) -> HttpResponse:
    if not request.session.session_key:
        request.session.create()
    request.session.pop(TRIP, None)  # of a trip that was given up
    try:
        address = connect.begin(
            request.member,
            provider,
            wanted,
            session_key=request.session.session_key or "",
            reconnect=connection,
            claims=request.session.pop(CLAIMS, ""),
            later=later,
            direction=direction,
        )
    except errors.ProviderError as problem:
        return _refused(request, provider, problem)
    return HttpResponseRedirect(address)


@login_not_required
@never_cache
@require_GET
def callback(request: HttpRequest, provider: str) -> HttpResponse:
    """The provider's answer. Every way it can end has a page (CN16)."""
    if provider not in OFFERED:
        raise Http404
    answer = {name: str(value).replace("\0", "") for name, value in request.GET.items()}  # PostgreSQL takes no NUL
    if "admin_consent" in answer:
        return approval_views.returned(request, provider, answer)
    user_id = request.user.pk if request.user.is_authenticated else None
    try:
        arrival = connect.finish(provider, answer, session_key=request.session.session_key, user_id=user_id)
    except (errors.ProviderError, lifecycle.AlreadyConnected, lifecycle.WrongAccount) as problem:
        return _refused(request, provider, problem, _attempt_of(answer, user_id))
    return _arrived(request, arrival)


def _attempt_of(answer: dict[str, str], user_id: int | None) -> ConnectAttempt | None:
    """The attempt behind an answer, for the words of a page; only its own member gets to see any of it."""
    own = ConnectAttempt.objects.select_related("reconnect").filter(member__user=user_id)
    return own.filter(state=answer.get("state", "")).first()


def _arrived(request: HttpRequest, arrival: connect.Arrival) -> HttpResponse:
    where = reverse("mailboxes:list")
    mailbox = arrival.mailbox
    if mailbox is None or mailbox.connection is None:
        return redirect(where)
    _note(request, arrival, mailbox)
    key = request.session.session_key or ""
    if arrival.later and arrival.member is not None:
        try:
            if onward := connect.go_on(arrival.member, mailbox.connection, arrival.later, session_key=key):
                return HttpResponseRedirect(onward)
        except errors.ProviderError as problem:
            log.info("the next permission could not be asked for: %s", type(problem).__name__)
    _say(request, mailbox)
    return redirect(f"{where}#mailbox-{mailbox.pk}")


def _note(request: HttpRequest, arrival: connect.Arrival, mailbox: Mailbox) -> None:
    """What this leg changed, kept for the page that the whole trip ends on."""
    trip = request.session.setdefault(TRIP, {"began": "", "granted": [], "refused": [], "impossible": []})
    incremental = bool(arrival.granted or arrival.refused)
    if not trip["began"] and not incremental:
        words = "is connected again. Sync goes on where it stopped." if arrival.renewed else _welcome(mailbox)
        trip["began"] = f"{mailbox.address} {words}"
    for name in ("granted", "refused", "impossible"):
        trip[name] = [*trip[name], *getattr(arrival, name)]
    request.session.modified = True


def _welcome(mailbox: Mailbox) -> str:
    return f"is connected. {ARRIVED[Mailbox.Direction(mailbox.direction)]}"


def _say(request: HttpRequest, mailbox: Mailbox) -> None:
    """How the trip ended, in at most three sentences: connected, what is off, what cannot be."""
    trip, provider = request.session.pop(TRIP), mailbox.provider
    if trip["began"]:
        messages.success(request, trip["began"])
    elif trip["granted"]:
        messages.success(request, f"{_both(provider, trip['granted'])}: on for {mailbox.address}.")
    if trip["refused"]:
        off = f"{_both(provider, trip['refused'])}: off, because {features.company(provider)} did not grant it."
        messages.warning(request, f"{off} Everything else works; you can allow it below, or ask your administrator.")
    if trip["impossible"]:
        messages.info(request, f"{_both(provider, trip['impossible'])}: off. Personal accounts do not have this.")


def _both(provider: str, names: Sequence[str]) -> str:
    return " and ".join(features.labels(provider, names))


def _not_permitted(request: MemberRequest) -> HttpResponse:
    members = Membership.objects.for_workspace(request.workspace).select_related("user", "role")
    admins = [one for one in members if one.may(Permission.MANAGE_WORKSPACE)]
    who = ", ".join(f"{one.name} ({one.address})" for one in admins) or "an admin of the workspace"
    return _page(request, OFFERED[0], "permission", {"who": who, "wanted": request.member.role.name})


def _other_address(request: HttpRequest) -> HttpResponse | None:
    """A session under one address is lost on the way back to another one: say so before, not after."""
    ours = urlsplit(settings.POSTROOM_BASE_URL)
    if request.get_host() == ours.netloc:
        return None
    there = settings.POSTROOM_BASE_URL + request.path
    return _page(request, OFFERED[0], "other_address", {"wanted": ours.netloc, "got": request.get_host(), "to": there})


def _refused(
    request: HttpRequest, provider: str, problem: Exception, attempt: ConnectAttempt | None = None
) -> HttpResponse:
    if claims := getattr(problem, "claims", ""):
        request.session[CLAIMS] = claims
    words = {"wanted": attempt.reconnect.address} if attempt and attempt.reconnect else {}
    if isinstance(problem, lifecycle.WrongAccount):
        words |= {"wanted": problem.wanted, "got": problem.got}
    if isinstance(problem, lifecycle.AlreadyConnected):
        words |= {"address": problem.address, "who": _owner(request, problem.mailbox)}
    connection = attempt.reconnect if attempt else None
    mailbox = connection.mailboxes.order_by("pk").first() if connection else None
    approval = None
    if attempt and refusals.refusal(refusals.reason_of(problem)).admin_link:
        kind, tenant = (connection.account_kind, connection.tenant) if connection else ("work", "")
        wanted = [*attempt.features, *attempt.later]
        if approvals.possible(provider, kind=kind):
            approval = approvals.ask(attempt.member, provider, wanted, tenant=tenant)
    code = getattr(problem, "code", "")
    if connection is not None and not connection.failure:
        words["still"] = f" {connection.address} stays connected."
    return _page(request, provider, refusals.reason_of(problem), words, code=code, mailbox=mailbox, approval=approval)


def _owner(request: HttpRequest, mailbox: Mailbox | None) -> str:
    if mailbox is None:
        return "a colleague"
    return "you" if mailbox.owner.user_id == request.user.pk else mailbox.owner.name


def _page(
    request: HttpRequest,
    provider: str,
    reason: str,
    words: dict[str, str],
    *,
    code: str = "",
    mailbox: Mailbox | None = None,
    approval: AdminApproval | None = None,
) -> HttpResponse:
    """The page for a reason, with a reference id that the log knows, too."""
    refusal, number = refusals.refusal(reason), new_reference()
    log.info("connecting %s ended: %s (%s), reference %s", provider, reason, code or "no code", number)
    spoken = {
        "provider": features.company(provider),
        "address": "This account",
        "who": "a colleague",
        "got": "another account",
    }
    spoken = {"wanted": "the same account", **spoken, **words}
    steps = [step.format(**spoken) for step in refusal.todo]
    context = {
        "headline": refusal.title.format(**spoken),
        "what": refusal.happened.format(**spoken) + words.get("still", ""),
        "todo": steps[0] if len(steps) == 1 else steps,
        "tone": refusal.tone,
        "sign": "circle-alert" if refusal.tone == "error" else "triangle-alert",
        "actions": [_action(name, provider, words, mailbox) for name in refusal.actions],
        "reference": f"{number} · {code}" if code else number,
        "approval": approval,
        "admin_url": approvals.link(approval) if approval else "",
        "letter": approvals.letter(approval) if approval else None,
    }
    return render(request, "mailboxes/refused.html", context, status=refusal.status)


def _action(name: refusals.Action, provider: str, words: dict[str, str], mailbox: Mailbox | None) -> dict[str, str]:
    """A button of a refusal page. Starting over means the same kind of start: reconnecting is a POST."""
    start = reverse("mailboxes:permissions", args=[provider])
    if name == "again" and mailbox is not None:
        return {"label": "Reconnect", "post_url": reverse("mailboxes:reconnect", args=[mailbox.pk])}
    return {
        "again": {"label": "Connect again", "url": start},
        "other": {"label": "Go there" if "to" in words else "Use another account", "url": words.get("to", start)},
        "settings": {"label": "Back to Settings", "url": reverse("mailboxes:list")},
        "sign_in": {"label": "Sign in", "url": f"{reverse(settings.LOGIN_URL)}?next={start}"},
    }[name]
