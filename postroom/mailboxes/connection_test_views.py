"""The connection test as a page that fills itself (product.md CN15)."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from postroom.mailboxes import access, connection_test
from postroom.mailboxes.models import Mailbox
from postroom.workspaces.access import MemberRequest, member_required


@require_http_methods(["GET", "POST"])
@member_required
def test(request: MemberRequest, pk: int) -> HttpResponse:
    """What the test does, its button, and the steps of the latest one."""
    mailbox = _mailbox(request, pk)
    if request.method == "POST":
        if why := connection_test.why_not(mailbox):
            messages.error(request, why)
        else:
            connection_test.begin(mailbox, request.member)
        return redirect("mailboxes:test", pk=mailbox.pk)
    return render(request, "mailboxes/test.html", {"active": "outlook", **_context(mailbox)})


@require_GET
@member_required
def steps(request: MemberRequest, pk: int) -> HttpResponse:
    """The steps as they stand; asks for itself again while the test runs."""
    return render(request, "mailboxes/test_steps.html", _context(_mailbox(request, pk)))


@require_POST
@member_required
def shown(request: MemberRequest, pk: int) -> HttpResponse:
    """Sent by the page once it has drawn the test's mail."""
    mailbox = _mailbox(request, pk)
    connection_test.shown(mailbox)
    return render(request, "mailboxes/test_steps.html", _context(mailbox))


def _mailbox(request: MemberRequest, pk: int) -> Mailbox:
    """One that the member may read and manage: the test writes in its name and shows its mail. Raises ``Http404``."""
    access.visible_mailbox(request.member, pk)
    return access.manageable_mailbox(request.member, pk)


def _context(mailbox: Mailbox) -> dict[str, Any]:
    found = connection_test.look(mailbox)
    running = found is not None and found.finished_at is None
    arrived = found is not None and "stored" in found.steps
    return {
        "mailbox": mailbox,
        "test": found,
        "running": running,
        "passed": found is not None and not running and not found.failed,
        "lines": connection_test.lines(found) if found else [],
        "draw": running and arrived and found is not None and "shown" not in found.steps,
        "arrived": arrived,
        "subject": f"{connection_test.SUBJECT} {found.marker}" if found else "",
        "why_not": "" if running else connection_test.why_not(mailbox),
    }
