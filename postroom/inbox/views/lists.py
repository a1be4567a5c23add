"""The Inbox, and the folders of each mailbox."""

from typing import TypedDict

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from postroom.inbox import listing, queries
from postroom.inbox.accounts import Account, accounts
from postroom.inbox.views.pages import is_partial, list_page
from postroom.mail.folders import Node, flat, folder_tree
from postroom.mail.models import Folder
from postroom.mailboxes import hooks
from postroom.providers.contract import FolderRole
from postroom.ui.toasts import toast
from postroom.workspaces.access import MemberRequest, member_required


@require_GET
@member_required
def inbox(request: MemberRequest) -> HttpResponse:
    """All mail of the inboxes the member may read (IN1)."""
    asked = listing.Asked.of(request)
    drafts = queries.drafts(request.member) if asked.filter == "drafts" else None
    elsewhere = queries.drafts_elsewhere(accounts(request)) if asked.filter == "drafts" else ()
    return list_page(request, listing.inbox(request, asked), drafts=drafts, elsewhere=elsewhere, active="inbox")


@require_GET
@member_required
def mail(request: MemberRequest) -> HttpResponse:
    """Leads to the member's first mailbox."""
    found = accounts(request).readable
    own = [one for one in found if one.mailbox.owner_id == request.member.pk]
    if not found:
        return render(request, "inbox/no_mailbox.html", {"active": "mail"})
    return redirect("inbox:mailbox", mailbox=(own or found)[0].pk)


@require_GET
@member_required
def mailbox(request: MemberRequest, mailbox: int) -> HttpResponse:
    """A mailbox, at its Inbox."""
    account = account_of(request, mailbox)
    if account.inbox is None:
        return render(request, "inbox/no_folders.html", {"account": account, "active": "mail"})
    return _folder(request, account, account.inbox)


@require_GET
@member_required
def folder(request: MemberRequest, mailbox: int, folder: int) -> HttpResponse:
    return _folder(request, account_of(request, mailbox), folder)


def _folder(request: MemberRequest, account: Account, folder: int) -> HttpResponse:
    beside = around(account, folder)
    shown = listing.of_folder(request, beside["folder"], listing.Asked.of(request))
    return list_page(request, shown, **beside)


@require_POST
@member_required
def sync(request: MemberRequest, mailbox: int) -> HttpResponse:
    """Ask for the mail of a mailbox now (SY8)."""
    account = account_of(request, mailbox)
    if not account.worked_in:
        raise Http404("Not a mailbox you work in")
    hooks.sync_now(account.mailbox)
    answer = HttpResponse(status=204) if is_partial(request) else redirect("inbox:mailbox", mailbox=mailbox)
    return toast(request, answer, f"Syncing {account.address}. What is new appears here.", kind="info")


class Beside(TypedDict):
    """What the page of a folder shows beside its list."""

    nodes: list[Node]
    account: Account
    folder: Folder
    active: str


def around(account: Account, folder: int) -> Beside:
    """The tree of folders, and the one that is shown. Raises ``Http404``."""
    nodes = list(flat(folder_tree(account.mailbox)))
    found = next((node.folder for node in nodes if node.folder.pk == folder), None)
    if found is None:  # hidden ones are in no tree
        found = get_object_or_404(Folder.objects.exclude(role=FolderRole.ROOT), pk=folder, mailbox=account.pk)
    return {"nodes": nodes, "account": account, "folder": found, "active": "mail"}


def account_of(request: MemberRequest, mailbox: int) -> Account:
    """A mailbox the member may read. Raises ``Http404``."""
    found = accounts(request).get(mailbox)
    if found is None:
        raise Http404("No such mailbox")
    return found
