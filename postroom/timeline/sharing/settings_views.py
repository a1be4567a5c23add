"""Settings > Privacy: what mail shows on records, whom it makes contacts of, and what is never logged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from postroom.mailboxes.models import NOT_SYNCED, Mailbox
from postroom.records.models import Person
from postroom.timeline import making
from postroom.timeline.sharing import commands, only_records
from postroom.timeline.sharing.models import Level, MailboxSharing, NeverLog, NoContact, Policy, Rule
from postroom.timeline.sharing.who import LABELS
from postroom.workspaces.access import MemberRequest, member_required, permission_required
from postroom.workspaces.models import Permission, WorkspaceQuerySet

HERE = "timeline:privacy"
MOST_LISTED = 200
manage = permission_required(Permission.MANAGE_WORKSPACE)


@require_GET
@member_required
def privacy(request: MemberRequest) -> HttpResponse:
    """One page: the member's mailboxes, the workspace, what is never logged, who is no contact."""
    return _page(request)


def _page(request: MemberRequest, *, typed: str = "", problem: str = "") -> HttpResponse:
    policy = commands.policy_of(request.workspace)
    mailboxes = list(_mine(request).order_by("connected_at", "pk"))
    decided = {row.mailbox_id: row for row in MailboxSharing.objects.filter(mailbox__in=mailboxes)}
    admin = request.member.may(Permission.MANAGE_WORKSPACE)
    entries = commands.listed(request.workspace, [one.pk for one in mailboxes])
    context = {
        "active": "privacy",
        "admin": admin,
        "may_delete": request.member.may(Permission.DELETE_RECORDS),
        "policy": policy,
        "mailboxes": [_mailbox(one, decided.get(one.pk), policy) for one in mailboxes],
        "given": _levels(policy.given, upto=Level.EVERYTHING),
        "most": _levels(policy.most, upto=Level.EVERYTHING),
        "given_word": LABELS[Level(policy.given)].lower(),
        "most_word": LABELS[Level(policy.most)].lower(),
        "rules": Rule.choices,
        "rule_word": Rule(policy.contacts).label.lower(),
        "contacts": _options(Rule.choices),
        "never": [(one, admin if one.mailbox_id is None else True) for one in entries],
        "whose": _whose(mailboxes, admin=admin),
        "kept": _kept(mailboxes, decided, policy),
        "typed": typed,
        "problem": problem,
        "no_contacts": NoContact.objects.for_workspace(request.workspace).order_by("-at")[:MOST_LISTED],
    }
    return render(request, "timeline/sharing/settings.html", context, status=422 if problem else 200)


@require_POST
@manage
def workspace(request: MemberRequest) -> HttpResponse:
    """``given``, ``most``: levels; ``contacts``: a rule."""
    given, most = _level(request.POST.get("given")), _level(request.POST.get("most"))
    contacts = request.POST.get("contacts", "")
    if given is None or most is None or contacts not in Rule.values:
        raise Http404("No such level")
    commands.set_policy(request.workspace, given=given, most=most, contacts=Rule(contacts))
    messages.success(request, "Saved. It counts from now on, for mail that is here already, too.")
    return redirect(HERE)


@require_POST
@member_required
def mailbox(request: MemberRequest, pk: int) -> HttpResponse:
    """``level`` and ``contacts`` of one's own mailbox; empty: as the workspace does."""
    found = _mine(request).find(pk=pk)
    level, contacts = request.POST.get("level", ""), request.POST.get("contacts", "")
    if (level and _level(level) is None) or contacts not in ("", *Rule.values):
        raise Http404("No such level")
    commands.set_mailbox(found, level=_level(level), contacts=contacts)
    messages.success(request, f"Saved for {found.address}.")
    return redirect(HERE)


@require_http_methods(["GET", "POST"])
@manage
def only_mail_of_records(request: MemberRequest) -> HttpResponse:
    """What of the workspace's mail is kept: a page with figures that asks, and (``on``: 1 or empty) the decision."""
    return _only_records(request, None)


@require_http_methods(["GET", "POST"])
@member_required
def only_mail_of_records_in(request: MemberRequest, pk: int) -> HttpResponse:
    """The same for one's own mailbox."""
    return _only_records(request, _mine(request).exclude(provider=NOT_SYNCED).find(pk=pk))


def _only_records(request: MemberRequest, box: Mailbox | None) -> HttpResponse:
    policy = commands.policy_of(request.workspace)
    if box is not None and policy.only_records:
        raise Http404("The workspace has decided")
    row = MailboxSharing.objects.filter(mailbox=box).first() if box else policy
    on = row is not None and row.only_records
    if request.method == "POST":
        wanted = request.POST.get("on") == "1"
        only_records.decide(request.workspace, wanted, mailbox=box)
        messages.success(request, _BEGUN[wanted])
        return redirect(HERE)
    every = Mailbox.objects.for_workspace(request.workspace).filter(departure=None).exclude(provider=NOT_SYNCED)
    found = [box] if box else list(every)
    context = {"active": "privacy", "mailbox": box, "on": on, "figures": only_records.figures(found)}
    return render(request, "timeline/sharing/only_records.html", context)


_BEGUN = {
    True: "From now on only mail that touches a record is kept. What is here of other mail is being removed.",
    False: "From now on all mail is kept. What was only a number is being fetched.",
}


@require_POST
@member_required
def never(request: MemberRequest) -> HttpResponse:
    """``what`` (an address or domain) is never logged: of one's own ``mailbox``, or, by an admin, in the workspace."""
    whose, typed = request.POST.get("mailbox", ""), request.POST.get("what", "")[:400].replace("\0", "")
    box = _mine(request).find(pk=whose) if whose else None
    if box is None and not request.member.may(Permission.MANAGE_WORKSPACE):
        raise Http404("Only an admin decides for the workspace")
    try:
        entry, off = commands.never_log(request.workspace, typed, mailbox=box, by=request.member)
    except ValidationError as problem:
        return _page(request, typed=typed, problem=problem.messages[0])
    came = f" {off:,} conversation{'s' if off != 1 else ''} came off the records." if off else ""
    messages.success(request, f"Mail with {entry.what} is not logged any more.{came}")
    return redirect(HERE)


@require_POST
@member_required
def log_again(request: MemberRequest, pk: int) -> HttpResponse:
    entry = NeverLog.objects.for_workspace(request.workspace).find(pk=pk)
    mine = entry.mailbox is not None and entry.mailbox.owner_id == request.member.pk
    if not mine and (entry.mailbox is not None or not request.member.may(Permission.MANAGE_WORKSPACE)):
        raise Http404("Not yours to remove")
    commands.log_again(entry)
    messages.success(request, f"Mail with {entry.what} is logged again.")
    return redirect(HERE)


@require_POST
@member_required
def no_contact(request: MemberRequest, pk: int) -> HttpResponse:
    """A contact that mail made goes, and does not come back."""
    if not request.member.may(Permission.DELETE_RECORDS):
        raise Http404("Not allowed to delete records")
    person = Person.objects.for_workspace(request.workspace).filter(origin=Person.Origin.MAIL).find(pk=pk)
    making.not_a_contact(person, by=request.member)
    messages.success(request, f"{person.name} is no contact any more, and mail makes none of them again.")
    return redirect("records:contacts")


@require_POST
@member_required
def contact_again(request: MemberRequest, pk: int) -> HttpResponse:
    if not request.member.may(Permission.DELETE_RECORDS):
        raise Http404("Not allowed to delete records")
    row = NoContact.objects.for_workspace(request.workspace).find(pk=pk)
    row.delete()
    messages.success(request, f"The next mail with {row.address} may make a contact again.")
    return redirect(HERE)


# --- parts -------------------------------------------------------------------------------------------------------


def _mine(request: MemberRequest) -> WorkspaceQuerySet[Mailbox]:
    return Mailbox.objects.for_workspace(request.workspace).filter(owner=request.member, departure=None)


def _level(text: str | None) -> Level | None:
    return Level(int(text)) if text in {str(one.value) for one in Level} else None


def _options(choices: Iterable[tuple[Any, Any]]) -> list[dict[str, Any]]:
    return [{"value": value, "label": label} for value, label in choices]


def _levels(now: int, *, upto: Level) -> list[dict[str, Any]]:
    return [
        {"value": one.value, "label": LABELS[one], "checked": one == now} for one in Level if one <= upto or one == now
    ]


def _mailbox(box: Mailbox, decided: MailboxSharing | None, policy: Policy) -> dict[str, Any]:
    level = decided.level if decided else None
    usual = Level(min(policy.given, policy.most))
    inherited = {"value": "", "label": f"As the workspace: {LABELS[usual].lower()}"}
    rules = [{"value": "", "label": f"As the workspace: {Rule(policy.contacts).label.lower()}"}]
    return {
        "mailbox": box,
        "level": "" if level is None else level,
        "levels": [inherited, *_levels(level if level is not None else -1, upto=Level(policy.most))],
        "contacts": decided.contacts if decided else "",
        "rules": [*rules, *_options(Rule.choices)],
        "open": box.visibility == Mailbox.Visibility.WORKSPACE,
    }


def _kept(
    mailboxes: Sequence[Mailbox], decided: Mapping[int, MailboxSharing], policy: Policy
) -> list[tuple[Mailbox, bool, int]]:
    """Each mailbox that is synced, whether only mail of records is kept of it, and how much is only a number."""
    numbers = only_records.numbers([one.pk for one in mailboxes])
    return [
        (one, policy.only_records or (one.pk in decided and decided[one.pk].only_records), numbers.get(one.pk, 0))
        for one in mailboxes
        if one.provider != NOT_SYNCED
    ]


def _whose(mailboxes: Sequence[Mailbox], *, admin: bool) -> list[dict[str, Any]]:
    every = [{"value": "", "label": "Everybody’s mail"}] if admin else []
    return [*every, *({"value": one.pk, "label": f"Mail of {one.address}"} for one in mailboxes)]
