"""How a view of mail answers: the whole page, or the part that was asked for."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from postroom.inbox.accounts import accounts, looked_into
from postroom.inbox.listing import Listing
from postroom.inbox.reading import Reading
from postroom.mail import outbox


def is_partial(request: HttpRequest) -> bool:
    """Asked for by htmx, and not to rebuild a page after going back."""
    told = request.headers
    return told.get("HX-Request") == "true" and told.get("HX-History-Restore-Request") != "true"


def wants(request: HttpRequest, part: str) -> bool:
    """Whether only the element `part` is to be filled."""
    return is_partial(request) and request.headers.get("HX-Target") == part


def list_page(request: HttpRequest, listing: Listing, **more: Any) -> HttpResponse:
    """A list; when more of it or a fresh look at it is asked for, only its lines."""
    looked_into(accounts(request).readable)
    context = {"listing": listing, "open": more.get("open"), **more}
    if wants(request, "threads"):
        return render(request, "inbox/rows_page.html", context)
    if wants(request, "pager"):
        return render(request, "inbox/rows.html", context)
    context["waiting"] = _waiting(request, listing)
    return render(request, "inbox/list_pane.html" if wants(request, "list") else "inbox/list.html", context)


def _waiting(request: HttpRequest, listing: Listing) -> list[str]:
    """Of the mailboxes of this list the changes that do not go out in the usual time."""
    known = [one for one in accounts(request).readable if listing.folder is None or one.pk == listing.folder.mailbox_id]
    return [outbox.waits(one.mailbox, one.waiting) for one in known if one.waiting]


def wants_thread(request: HttpRequest) -> bool:
    """Whether only the thread's pane is asked for, or a fresh look at what is in it."""
    return wants(request, "detail") or wants(request, "thread")


def thread_part(request: HttpRequest, reading: Reading) -> HttpResponse:
    template = "inbox/thread_part.html" if wants(request, "detail") else "inbox/thread_again.html"
    return render(request, template, {"reading": reading})


def thread_page(request: HttpRequest, listing: Listing, reading: Reading, **more: Any) -> HttpResponse:
    """A thread beside the list it was opened from, which comes once the thread is shown (``listing.to_come``)."""
    return render(request, "inbox/list.html", {"listing": listing, "reading": reading, **more})
