"""A question to a member: a dialog to htmx, a page of its own otherwise, and when what was answered is refused."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from postroom.workspaces.access import MemberRequest


def ask(
    request: MemberRequest, body: str, *, title: str, submit: str, action: str, back: str, **more: Any
) -> HttpResponse:
    """``body`` is the template of what is asked, ``back`` where Cancel leads; ``refused`` answers with 422."""
    context = {"body": body, "title": title, "submit": submit, "action": action, "back": back, **more}
    part = request.headers.get("HX-Request") == "true"
    status = 422 if more.get("refused") else 200
    return render(request, "records/dialog.html" if part else "records/dialog_page.html", context, status=status)
