"""Menus to choose from, loaded when they are opened: categories and folders, for one conversation or for many."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from postroom.inbox import queries, rows
from postroom.inbox.accounts import Account, accounts
from postroom.mail import categories as mail_categories
from postroom.mail.folders import flat, folder_trees
from postroom.workspaces.access import MemberRequest, member_required


class Choice(NamedTuple):
    """A category as the menu shows it. ``url`` gives it, or takes it where it is ``on``."""

    name: str
    module: str
    on: bool
    url: str


@require_GET
@member_required
def of_thread(request: MemberRequest, pk: int) -> HttpResponse:
    """The categories of a conversation's mailboxes; those it has are ticked."""
    known = accounts(request)
    threads = queries.visible_threads(pk, known)
    worked = [one for one in known.readable if one.worked_in and one.pk in {thread.mailbox_id for thread in threads}]
    if not worked:
        raise Http404("Not a mailbox you work in")
    on = {name for thread in threads for name in thread.categories}
    return _menu(request, worked, reverse("inbox:act", args=[pk, "category"]), on=on)


@require_GET
@member_required
def categories(request: MemberRequest) -> HttpResponse:
    """For what is chosen in a list."""
    worked = [one for one in accounts(request).readable if one.worked_in]
    return _menu(request, worked, reverse("inbox:bulk", args=["category"]), bulk=True)


@require_GET
@member_required
def folders(request: MemberRequest) -> HttpResponse:
    """Where what is chosen in a list can be moved: the folders of the mailbox, or of each, where there are several."""
    worked = [one for one in accounts(request).readable if one.worked_in]
    wanted = request.GET.get("mailbox", "")
    shown = [one for one in worked if str(one.pk) == wanted] or worked
    trees = folder_trees([one.pk for one in shown])
    groups = [(one.address if len(shown) > 1 else "", list(flat(trees[one.pk]))) for one in shown]
    move_url = f"{reverse('inbox:bulk', args=['move'])}?{urlencode(_kept(request))}"
    return render(request, "inbox/bulk_folders.html", {"groups": groups, "move_url": move_url})


def _menu(
    request: MemberRequest, worked: Sequence[Account], url: str, *, on: Collection[str] = (), bulk: bool = False
) -> HttpResponse:
    mail_categories.look_again(one.mailbox for one in worked)
    names = {**dict.fromkeys(sorted(on)), **mail_categories.known([one.pk for one in worked])}
    kept, may_keep = _kept(request), any(mail_categories.may_keep(one.mailbox) for one in worked)
    context = {
        "choices": [_choice(name, color, name in on, url, kept) for name, color in names.items()],
        "colors": list(enumerate(mail_categories.COLORS)) if may_keep else [],
        "url": f"{url}?{urlencode(kept)}",
        "bulk": bulk,
    }
    return render(request, "inbox/categories.html", context)


def _choice(name: str, color: int | None, on: bool, url: str, kept: Mapping[str, str]) -> Choice:
    asked = {**kept, "remove" if on else "add": name}
    return Choice(name, rows.module(color), on, f"{url}?{urlencode(asked)}")


def _kept(request: MemberRequest) -> dict[str, str]:
    return {name: value for name, value in request.GET.dict().items() if name in ("place", "close")}
