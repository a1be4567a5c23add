"""Folders made, renamed, moved and deleted by a member (SY2, SY9); the tree follows at once."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from postroom.inbox.accounts import Account
from postroom.inbox.views.lists import account_of
from postroom.inbox.views.pages import is_partial
from postroom.mail import folder_changes
from postroom.mail.folders import flat, folder_tree
from postroom.mail.models import Folder
from postroom.providers.contract import FolderRole
from postroom.ui.toasts import LEVELS, Kind
from postroom.workspaces.access import MemberRequest, member_required


@require_http_methods(["GET", "POST"])
@member_required
def create(request: MemberRequest, mailbox: int) -> HttpResponse:
    """A new folder, below ``?inside=`` or at the top."""
    account = _worked_in(request, mailbox)
    inside = _folder(account, request.GET["inside"]) if request.GET.get("inside") else None
    title = f"New folder in {inside.name}" if inside else "New folder"
    if request.method == "GET":
        return _form(request, account, title=title, button="Make the folder")
    return _carry_out(
        request,
        account,
        lambda: folder_changes.create(
            account.mailbox, request.member, name=request.POST.get("name", ""), parent=inside
        ),
        title=title,
        button="Make the folder",
        text="Folder made.",
    )


@require_http_methods(["GET", "POST"])
@member_required
def rename(request: MemberRequest, mailbox: int, folder: int) -> HttpResponse:
    account = _worked_in(request, mailbox)
    found = _folder(account, str(folder))
    title, button = f"Rename {found.name}", "Rename"
    if request.method == "GET":
        return _form(request, account, title=title, button=button, folder=found, name=found.name)

    def do() -> Folder:
        folder_changes.rename(found, request.member, name=request.POST.get("name", ""))
        return found

    return _carry_out(request, account, do, title=title, button=button, text="Folder renamed.", folder=found)


@require_http_methods(["GET", "POST"])
@member_required
def move(request: MemberRequest, mailbox: int, folder: int) -> HttpResponse:
    """Below the folder ``to``; to the top when that is empty."""
    account = _worked_in(request, mailbox)
    found = _folder(account, str(folder))
    if request.method == "GET":
        nodes = [node for node in flat(folder_tree(account.mailbox)) if not folder_changes.is_below(node.folder, found)]
        context = {"account": account, "folder": found, "nodes": nodes, "active": "mail"}
        return render(request, f"inbox/folder_move{'' if is_partial(request) else '_page'}.html", context)
    wanted = request.POST.get("to") or request.GET.get("to", "")
    target = _folder(account, wanted, changeable=False) if wanted else None
    before = found.parent_id
    try:
        folder_changes.move(found, request.member, to=target)
    except folder_changes.CannotChange as problem:
        return _on(request, account, found, str(problem), kind="error")
    where = target.name if target else account.address
    return _on(request, account, found, f"Moved to {where}.", undo_url=_undo(account, found, before))


@require_POST
@member_required
def delete(request: MemberRequest, mailbox: int, folder: int) -> HttpResponse:
    """Into Deleted Items, with all that is in it; Undo brings it back."""
    account = _worked_in(request, mailbox)
    found = _folder(account, str(folder))
    before = found.parent_id
    try:
        folder_changes.delete(found, request.member)
    except folder_changes.CannotChange as problem:
        return _on(request, account, found, str(problem), kind="error")
    text = f"{found.name} is in Deleted Items, with all that is in it."
    return _on(request, account, None, text, undo_url=_undo(account, found, before))


# --- parts -------------------------------------------------------------------------------------------------------


def _worked_in(request: MemberRequest, mailbox: int) -> Account:
    account = account_of(request, mailbox)
    if not account.worked_in:
        raise Http404("Not a mailbox you work in")
    return account


def _folder(account: Account, pk: str, *, changeable: bool = True) -> Folder:
    """A folder of the mailbox. Raises ``Http404``."""
    if not pk.isdecimal() or len(pk) > 17:
        raise Http404("No such folder")
    rows = Folder.objects.filter(mailbox=account.pk).exclude(role=FolderRole.ROOT).select_related("parent", "mailbox")
    return get_object_or_404(rows, pk=int(pk))


def _undo(account: Account, folder: Folder, before: int | None) -> str:
    return reverse("inbox:folder-move", args=[account.pk, folder.pk]) + (f"?to={before}" if before else "")


def _form(request: MemberRequest, account: Account, *, status: int = 200, **context: Any) -> HttpResponse:
    template = f"inbox/folder_form{'' if is_partial(request) else '_page'}.html"
    told = {"account": account, "active": "mail", "url": request.get_full_path(), **context}
    return render(request, template, told, status=status)


def _carry_out(
    request: MemberRequest, account: Account, do: Callable[[], Folder], *, text: str, **form: Any
) -> HttpResponse:
    try:
        made = do()
    except folder_changes.CannotChange as problem:
        return _form(
            request, account, status=422, error=str(problem), **{**form, "name": request.POST.get("name", "")[:300]}
        )
    return _on(request, account, made, text)


def _on(
    request: MemberRequest,
    account: Account,
    folder: Folder | None,
    text: str,
    *,
    kind: Kind = "success",
    undo_url: str = "",
) -> HttpResponse:
    """Where the member goes on. A whole page, because the tree stands in all of it; the notice comes with it."""
    messages.add_message(request, LEVELS[kind], text, extra_tags=undo_url)
    leads = (
        reverse("inbox:folder", args=[account.pk, folder.pk]) if folder else reverse("inbox:mailbox", args=[account.pk])
    )
    return HttpResponseClientRedirect(leads) if is_partial(request) else redirect(leads)
