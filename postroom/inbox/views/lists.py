"""The Inbox, and the folders of each mailbox."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET

from postroom.inbox import listing, queries
from postroom.inbox.accounts import Account, accounts
from postroom.inbox.views.pages import list_page
from postroom.mail.folders import flat, folder_tree
from postroom.mail.models import Folder
from postroom.mailboxes.models import Mailbox
from postroom.providers.contract import FolderRole
from postroom.workspaces.access import MemberRequest, member_required


@require_GET
@member_required
def inbox(request: MemberRequest) -> HttpResponse:
    """All mail of the inboxes the member may read (IN1)."""
    asked = listing.Asked.of(request)
    drafts = queries.drafts(request.member) if asked.filter == "drafts" else None
    return list_page(request, listing.inbox(request, asked), drafts=drafts, active="inbox")


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
    first = Folder.objects.filter(pk=account.inbox).first() if account.inbox else None
    if first is None:
        return render(request, "inbox/no_folders.html", {"account": account, "active": "mail"})
    return _folder(request, account, first)


@require_GET
@member_required
def folder(request: MemberRequest, mailbox: int, folder: int) -> HttpResponse:
    account = account_of(request, mailbox)
    return _folder(request, account, folder_of(account, folder))


def _folder(request: MemberRequest, account: Account, folder: Folder) -> HttpResponse:
    shown = listing.of_folder(request, folder, listing.Asked.of(request))
    return list_page(request, shown, **around(account, folder))


def around(account: Account, folder: Folder) -> dict[str, object]:
    """What the page of a folder shows beside its list: the tree."""
    return {"nodes": Tree(account.mailbox), "account": account, "folder": folder, "active": "mail"}


class Tree:
    """The folders of a mailbox, asked for only where they are drawn."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    def __call__(self) -> list[object]:
        return list(flat(folder_tree(self._mailbox)))


def account_of(request: MemberRequest, mailbox: int) -> Account:
    """A mailbox the member may read. Raises ``Http404``."""
    found = accounts(request).get(mailbox)
    if found is None:
        raise Http404("No such mailbox")
    return found


def folder_of(account: Account, folder: int) -> Folder:
    """A folder of a mailbox. Raises ``Http404``."""
    return get_object_or_404(Folder.objects.exclude(role=FolderRole.ROOT), pk=folder, mailbox=account.pk)
