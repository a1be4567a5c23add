"""Settings of reading: whose pictures from elsewhere are loaded without being asked (product.md IN3)."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from postroom.mail import trust
from postroom.ui.toasts import toast
from postroom.workspaces.access import MemberRequest, member_required


@require_http_methods(["GET", "POST"])
@member_required
def reading(request: MemberRequest) -> HttpResponse:
    """The senders; POST with ``withdraw`` asks again for one."""
    if request.method == "POST":
        given = request.POST.get("withdraw", "")
        found = given.isdecimal() and len(given) < 18 and trust.withdraw(request.member, int(given))
        text = "Their pictures are asked for again." if found else "It was taken back already."
        return toast(request, redirect("inbox:reading"), text)
    return render(request, "inbox/reading.html", {"senders": trust.senders(request.member), "active": "reading"})
