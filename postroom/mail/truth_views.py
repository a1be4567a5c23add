"""A mailbox that shows it has everything: folders and completeness, what was set aside, the brake (product.md SY15).

Who may manage a mailbox may see its figures and decide; names of folders, subjects and content are for those who may
read it. An admin who looks after a colleague's private mailbox sees counts only.
"""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from postroom.audit import log
from postroom.audit.models import Access
from postroom.mail import brake, comparing, content, folder_sync
from postroom.mail.checks import FolderCheck, Kept
from postroom.mail.folders import folder_path
from postroom.mail.models import Folder, Message
from postroom.mail.sync import coverage
from postroom.mail.views import from_provider
from postroom.mailboxes.access import mailboxes_visible_to, manageable_mailbox
from postroom.mailboxes.models import Mailbox
from postroom.providers.contract import FolderRole
from postroom.sync import quarantine
from postroom.sync.models import Quarantined
from postroom.workspaces.access import MemberRequest, member_required

MOST = 200  # rows of a list on one page
MOMENT = timedelta(seconds=5)
SAMPLE = 20  # messages the brake names


def _reads(request: MemberRequest, mailbox: Mailbox) -> bool:
    return mailboxes_visible_to(request.member).filter(pk=mailbox.pk).exists()


def _page(request: MemberRequest, mailbox: Mailbox, **told: Any) -> dict[str, Any]:
    connected = mailbox.state != Mailbox.State.DISCONNECTED
    return {"active": "outlook", "mailbox": mailbox, "connected": connected, "reads": _reads(request, mailbox), **told}


# --- folders and completeness --------------------------------------------------------------------------------------


@require_GET
@member_required
def complete(request: MemberRequest, pk: int) -> HttpResponse:
    """Every folder: the provider's count, ours, what was repaired, and whether it is synced."""
    mailbox = manageable_mailbox(request.member, pk)
    whole = request.headers.get("HX-Request") != "true"
    context = _page(
        request, mailbox, summary=comparing.summary(mailbox), kept=Kept.objects.filter(mailbox=mailbox).count()
    )
    context["lines"] = _lines(mailbox) if context["reads"] else []
    return render(request, "mail/complete.html" if whole else "mail/complete_part.html", context)


def _lines(mailbox: Mailbox) -> list[dict[str, Any]]:
    checks = {one.folder_id: one for one in FolderCheck.objects.filter(mailbox=mailbox)}
    folders = Folder.objects.filter(mailbox=mailbox).exclude(role=FolderRole.ROOT).select_related("parent")
    lines = [
        {
            "folder": folder,
            "path": folder_path(folder),
            "check": checks.get(folder.pk),
            "words": _words(checks.get(folder.pk)),
            "may_switch": folder_sync.may_switch(folder),
        }
        for folder in folders
    ]
    return sorted(lines, key=lambda line: str(line["path"]).casefold())


def _words(check: FolderCheck | None) -> list[str]:
    """What the last comparison says, in words."""
    if check is None:
        return []
    if check.wanted:
        return ["Checking"]
    figures = [
        (check.missing, "was missing", "were missing"),
        (check.extra, "too much", "too much"),
        (check.wrong, "refreshed", "refreshed"),
        (check.repaired, "repaired", "repaired"),
        (check.unread, "set aside", "set aside"),
    ]
    found = [f"{count:,} {one if count == 1 else many}" for count, one, many in figures if count]
    if check.not_mail > 0:
        found.append(f"{check.not_mail:,} no mail at the provider")
    return found or ["Everything is here" if not comparing.differs(check) else "Counts differ"]


@require_POST
@member_required
def check(request: MemberRequest, pk: int) -> HttpResponse:
    """Compare the ids of every folder now."""
    mailbox = _connected(request, pk)
    coverage.check_now(mailbox)
    messages.success(request, f"Every folder of {mailbox.address} is compared with the provider.")
    return redirect("mail:complete", pk)


@require_POST
@member_required
def switch(request: MemberRequest, pk: int, folder: int) -> HttpResponse:
    """Sync a folder, or no more."""
    mailbox = _connected(request, pk)
    if not _reads(request, mailbox):
        raise Http404("No such folder")
    found = get_object_or_404(Folder.objects.select_related("mailbox"), pk=folder, mailbox=mailbox)
    on = request.POST.get("synced") == "1"
    try:
        folder_sync.switch(found, on=on)
    except folder_sync.NotSwitchable:
        messages.error(request, f"{found.name} is always synced: mail arrives or is written there.")
    else:
        done = "is synced again; its mail is on its way" if on else "is switched off. What is here stays"
        messages.success(request, f"{found.name} {done}.")
    return redirect("mail:complete", pk)


def _connected(request: MemberRequest, pk: int) -> Mailbox:
    mailbox = manageable_mailbox(request.member, pk)
    if mailbox.state == Mailbox.State.DISCONNECTED:
        raise Http404("Not connected")
    return mailbox


# --- set aside -----------------------------------------------------------------------------------------------------


@require_GET
@member_required
def aside(request: MemberRequest, pk: int) -> HttpResponse:
    """What could not be taken over, with the reason."""
    mailbox = manageable_mailbox(request.member, pk)
    context = _page(request, mailbox)
    rows = Quarantined.objects.filter(mailbox=mailbox, resource="mail").order_by("-at", "-pk")
    items = list(rows[:MOST])
    known: dict[str, Message] = {}
    if context["reads"]:
        ours = Message.objects.filter(mailbox=mailbox, remote_id__in=[one.remote_id for one in items])
        known = {one.remote_id: one for one in ours.select_related("folder")}
    context["items"] = [
        {"item": one, "message": known.get(one.remote_id), "again": one.tried_at - one.at > MOMENT} for one in items
    ]
    context["more"] = max(0, rows.count() - len(items))
    return render(request, "mail/aside.html", context)


@require_POST
@member_required
def aside_again(request: MemberRequest, pk: int) -> HttpResponse:
    """Try one (``item``) or all once more."""
    mailbox = _connected(request, pk)
    item = request.POST.get("item", "")
    if item and not (item.isascii() and item.isdecimal() and len(item) < 19):
        raise Http404("No such item")
    count = quarantine.ask_again(mailbox, "mail", [int(item)] if item else None)
    text = "It is tried again now." if count == 1 else f"{count:,} are tried again now."
    messages.success(request, text if count else "There is nothing to try again.")
    return redirect("mail:aside", pk)


@require_GET
@member_required
@from_provider
def aside_original(request: MemberRequest, pk: int, item: int) -> HttpResponseBase:
    """The message as the provider has it, for a program that can read it."""
    mailbox = manageable_mailbox(request.member, pk)
    if not _reads(request, mailbox):
        raise Http404("No such message")
    found = get_object_or_404(Quarantined, pk=item, mailbox=mailbox, resource="mail")
    _logged(request, mailbox, found.remote_id)
    return content.as_it_came(content.mime(mailbox, found.remote_id), f"message-{found.pk}.eml", save=True)


def _logged(request: MemberRequest, mailbox: Mailbox, remote_id: str) -> None:
    """In the access log before it is answered (AD2). What was never stored has no number of ours."""
    ours = list(Message.objects.filter(mailbox=mailbox, remote_id=remote_id).values_list("pk", flat=True))
    read = log.Read(workspace_id=mailbox.workspace_id, mailbox_id=mailbox.pk, message_ids=ours)
    log.read(log.by(request, Access.How.DOWNLOAD), Access.What.ORIGINAL, [read])


# --- the brake -----------------------------------------------------------------------------------------------------


@require_GET
@member_required
def stopped(request: MemberRequest, pk: int) -> HttpResponse:
    """What would happen if sync went on, and the two answers."""
    mailbox = manageable_mailbox(request.member, pk)
    context = _page(request, mailbox)
    question = brake.asking(mailbox)
    context["question"] = question
    if question is not None:
        context["sentence"] = brake.sentence(question.figures)
        context["figures"] = [_figure(row, reads=context["reads"]) for row in question.figures]
        ours = Message.objects.filter(mailbox=mailbox, remote_id__in=question.ids).select_related("folder")
        context["sample"] = list(ours.order_by("-received")[:SAMPLE]) if context["reads"] else []
        context["others"] = max(0, len(question.ids) - len(context["sample"]))
    return render(request, "mail/brake.html", context)


_WOULD = {"removed": "would be removed", "binned": "would move to Deleted Items or Junk", "moved": "would move"}


def _figure(row: dict[str, Any], *, reads: bool) -> dict[str, Any]:
    name = row["folder"] if reads or row["role"] else "A folder"
    return {"name": name, "count": row["count"], "total": row["total"], "would": _WOULD[row["what"]]}


@require_POST
@member_required
def decide(request: MemberRequest, pk: int) -> HttpResponse:
    """The answer: it is right, go on; or keep what is here."""
    mailbox = _connected(request, pk)
    answers = {
        "go_on": (brake.go_on, "Sync goes on. Exactly these messages may go, once."),
        "keep": (brake.keep, "Sync goes on. These messages stay here as they are."),
    }
    if request.POST.get("decision") not in answers:
        raise Http404("No such answer")
    carry_out, text = answers[request.POST["decision"]]
    if carry_out(mailbox, by=request.member):
        messages.success(request, text)
    else:
        messages.info(request, "Nothing waits for a decision any more.")
    return redirect("mailboxes:list")
