"""The gallery: every component in all its states, for those who build screens; only in the demo and when debugging."""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from postroom.ui import specimens

PAGES = ("components", "inbox", "settings", "card", "error")
FRAME_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; frame-ancestors 'self'"


def _for_builders(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """404 outside of the demo and debugging."""

    @login_not_required
    @wraps(view)
    def guarded(request: HttpRequest, **kwargs: str) -> HttpResponse:
        if not (settings.DEBUG or getattr(settings, "POSTROOM_DEMO", False)):
            raise Http404
        return view(request, **kwargs)

    return guarded


@_for_builders
def gallery(request: HttpRequest, page: str = "components") -> HttpResponse:
    """One of PAGES, on made-up data."""
    if page not in PAGES:
        raise Http404
    return render(request, f"ui/gallery/{page}.html", specimens.context(page))


@_for_builders
def frame(request: HttpRequest) -> HttpResponse:
    """A mail as the mail frame shows it."""
    response = HttpResponse(specimens.MAIL)
    response.headers["Content-Security-Policy"] = FRAME_POLICY
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


@_for_builders
def suggestions(request: HttpRequest) -> HttpResponse:
    """People whose name or address holds `?q=`."""
    words = request.GET.get("q", "").lower()
    people = [person for person in specimens.PEOPLE if words in f"{person['name']} {person['address']}".lower()]
    return render(request, "ui/components/suggestions.html", {"people": people})
