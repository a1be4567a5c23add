"""Messages on their way out: handed over, taken back, scheduled, listed (product.md SE6, SE7)."""

from datetime import datetime, timedelta

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event

from postroom.inbox import extras, hints, queries, writing
from postroom.inbox.accounts import accounts
from postroom.inbox.views.pages import is_partial
from postroom.lib.clock import now
from postroom.mail import commands, outbound, pens, schedule, signatures, snippets
from postroom.mail.models import Composition
from postroom.ui.toasts import Response, forget_toast, lasting_toast, toast
from postroom.workspaces.access import MemberRequest, member_required

RECENT = timedelta(hours=24)
TOO_LATE = "It is too late: the message was handed over already."
NOT_FROM_HERE = "You cannot send from this mailbox any more."


# --- for the composer ----------------------------------------------------------------------------------------------


def hand_over(request: MemberRequest, composition: Composition) -> dict[str, str]:
    """Send what was written: after the time to take it back, or when ``?when=`` says. What is wrong, by field."""
    left = snippets.unfilled(composition.subject, writing.to_text(composition.html))
    no_file = hints.misses_file(composition)
    unsure = " ".join([*left, *(["-file-"] if no_file else [])])
    if unsure and request.POST.get("as_it_is") != unsure:
        names = ", ".join("{{" + one + "}}" for one in left)
        told = [f"Not filled in: {names}. Write what belongs there."] if left else []
        told += ["The text speaks of an attachment, but no file is attached."] if no_file else []
        return {"all": " ".join(told), "unfilled": unsure}
    when = request.GET.get("when") or request.POST.get("when", "")
    zone = schedule.zone_of(request.member.user.time_zone)
    try:
        if when:
            at = schedule.chosen(when, request.POST.get("at", ""), at=now(), zone=zone)
            commands.send(composition, at=at, zone=zone.key)
        else:
            commands.send(composition, undo=pens.undo_seconds(request.member.pk))
    except (commands.CannotSend, schedule.CannotSchedule) as problem:
        return {"all": str(problem)}
    composition.refresh_from_db()
    return {}


def say(request: MemberRequest, answer: Response, composition: Composition) -> Response:
    """Tell what happens now, with Undo for as long as there is one: also after the page was left or loaded anew."""
    status = outbound.statuses([composition])[composition.pk]
    undo = reverse("inbox:take-back", args=[composition.pk]) if status.may_cancel else ""
    if status.kind == "scheduled" and status.until is not None:
        return toast(request, answer, f"Goes out {moment(status.until)}.", undo_url=undo)
    name = composition.to[0][0] or composition.to[0][1] if composition.to else "everybody"
    if status.kind == "undo" and status.until is not None:
        seconds = (status.until - now()).total_seconds()
        return lasting_toast(request, answer, f"Sending to {name}.", seconds=seconds, undo_url=undo)
    what = status.label if status.kind == "waiting" else f"Sending to {name}"
    return toast(request, answer, f"{what}.", kind="info")


def moment(at: datetime) -> str:
    """A time to come in the member's zone: "Monday 23 November, 08:00"."""
    return date_format(timezone.localtime(at), "l j F, H:i")


def kept(request: MemberRequest, composition: Composition, *, again: bool) -> HttpResponse:
    """What the composer shows after a draft was kept: hints, and the signature anew where that changed."""
    context = {**extras.signature(composition), **extras.hints_of(composition, accounts(request))}
    ids = {name: f"composer-{composition.pk}-{name.partition('_')[0]}" for name in ("signature_id", "hints_id")}
    return render(request, "inbox/kept.html", {**context, **ids, "oob": True, "again": again})


# --- addresses -----------------------------------------------------------------------------------------------------


@require_GET
@member_required
def tips(request: MemberRequest, pk: int) -> HttpResponse:
    """The hints again, after the provider was asked who is away."""
    composition = _own(request, pk)
    found = extras.hints_of(composition, accounts(request), asking=True)
    return render(request, "ui/composer_hints.html", {**found, "hints_id": f"composer-{pk}-hints"})


@require_POST
@member_required
def take_back(request: MemberRequest, pk: int) -> HttpResponse:
    """Undo sending, or change what is scheduled: the draft is open again. After the hand-over it says so."""
    composition = _own(request, pk)
    scheduled = composition.send_at is not None
    forget_toast(request, request.path)
    try:
        outbound.take_back(composition)
    except outbound.TooLate:
        return toast(request, _stay(request), TOO_LATE, kind="error")
    if scheduled:
        Composition.objects.filter(pk=pk, state=Composition.State.DRAFT).update(note=extras.WAS_SCHEDULED)
    address = reverse("inbox:draft", args=[pk])
    return HttpResponseClientRedirect(address) if is_partial(request) else redirect(address)


@require_POST
@member_required
def cancel(request: MemberRequest, pk: int) -> HttpResponse:
    """It does not go out; the text stays as a draft."""
    composition = _own(request, pk)
    try:
        outbound.take_back(composition)
    except outbound.TooLate:
        return toast(request, _stay(request), TOO_LATE, kind="error")
    return toast(request, _stay(request), "It does not go out. The text is in your drafts.")


@require_POST
@member_required
def now_instead(request: MemberRequest, pk: int) -> HttpResponse:
    """Send what is scheduled or held at once."""
    composition = _own(request, pk)
    if writing.mailbox_of(accounts(request), str(composition.mailbox_id)) is None:
        return toast(request, _stay(request), NOT_FROM_HERE, kind="error")
    try:
        outbound.take_back(composition)
        commands.send(composition, undo=pens.undo_seconds(request.member.pk))
    except outbound.TooLate:
        return toast(request, _stay(request), TOO_LATE, kind="error")
    except commands.CannotSend as problem:
        return toast(request, _stay(request), str(problem), kind="error")
    composition.refresh_from_db()
    return say(request, _stay(request), composition)


@require_GET
@member_required
def outbox(request: MemberRequest) -> HttpResponse:
    """Everything the member sent that is not gone yet, what is scheduled, and what went out lately."""
    rows = list(outbound.on_the_way(request.member, also_sent_since=now() - RECENT)[:200])
    statuses = outbound.statuses(rows)
    ranks = ("held", "failed", "returned", "undo", "sending", "waiting", "scheduled", "sent")
    lines = sorted(((one, statuses[one.pk]) for one in rows), key=lambda line: ranks.index(line[1].kind))
    template = "inbox/outbox_lines.html" if is_partial(request) else "inbox/outbox.html"
    zone = schedule.zone_of(request.member.user.time_zone).key
    return render(request, template, {"lines": lines, "zone": zone, "active": "mail"})


@require_GET
@member_required
def choose_snippet(request: MemberRequest, pk: int) -> HttpResponse:
    """The templates, filled in for the recipients that are typed now."""
    composition = _own(request, pk)
    to = writing.people(request.GET["to"][:5000]) if "to" in request.GET else composition.to
    values = snippets.values(composition, to)
    filled = [(one, snippets.fill(one.text, values)) for one in snippets.visible(request.member)]
    found = [(one, text, snippets.unfilled(text)) for one, text in filled]
    return render(request, "inbox/snippets.html", {"snippets": found})


def signed(request: MemberRequest, composition: Composition, fields: dict[str, object]) -> None:
    """Add to the typed ``fields`` whether the message carries the signature."""
    if "signed" not in request.POST:
        return
    mailbox = fields.get("mailbox") or composition.mailbox
    wanted = signatures.of(mailbox) if request.POST.get("signature") else ""  # type: ignore[arg-type]
    if bool(wanted) != bool(composition.signature):
        fields["signature"] = wanted


def _own(request: MemberRequest, pk: int) -> Composition:
    found = queries.own_composition(request.member, pk)
    if found is None:
        raise Http404("No such message")
    return found


def _stay(request: MemberRequest) -> HttpResponse:
    if is_partial(request):
        return trigger_client_event(trigger_client_event(HttpResponse(status=204), "thread:changed"), "outbox:changed")
    return redirect("inbox:outbox")
