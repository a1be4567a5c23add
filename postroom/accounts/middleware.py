"""Every address asks for a signed-in person unless its view says `@login_not_required`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone

from postroom.accounts import signing_in
from postroom.accounts.models import User

Handler = Callable[[HttpRequest], HttpResponse]


class SignInRequired(LoginRequiredMiddleware):
    """Sends strangers to the sign-in page; a partial request makes the whole page go there."""

    def handle_no_permission(self, request: HttpRequest, view_func: Any) -> HttpResponseBase:  # type: ignore[override]
        if request.headers.get("HX-Request") != "true":
            return redirect_to_login(request.get_full_path(), self.get_login_url(view_func), "next")
        page = urlsplit(request.headers.get("HX-Current-URL", ""))
        back = page.path + (f"?{page.query}" if page.query else "")
        where = redirect_to_login(back or "/", self.get_login_url(view_func), "next")
        return HttpResponse(status=204, headers={"HX-Redirect": where.url})


def activity(get_response: Handler) -> Handler:
    """The session list says when each was last used."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            signing_in.note_activity(request)
        return get_response(request)

    return middleware


def local_time(get_response: Handler) -> Handler:
    """Pages show times in the member's own zone."""

    def middleware(request: HttpRequest) -> HttpResponse:
        user = request.user
        with timezone.override(_zone(user.time_zone) if isinstance(user, User) else None):
            return get_response(request)

    return middleware


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return None
