"""What every answer gets: a number of its own and the security headers."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from postroom.lib.about import about
from postroom.lib.errors import new_reference

Handler = Callable[[HttpRequest], HttpResponse]


def request_id(get_response: Handler) -> Handler:
    """A number for the request: in the answer's X-Request-ID and in every log line; a page of an error shows it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        number = new_reference()
        request.reference = number  # type: ignore[attr-defined]
        with about(request=number):
            response = get_response(request)
        response.headers["X-Request-ID"] = number
        return response

    return middleware


@cache
def content_security_policy(login_url: str) -> str:
    """The policy of our own pages: nothing from anywhere else, no inline script or style, no foreign frame.

    The connect form is answered with a redirect to the provider's sign-in, which browsers count as a form target.
    """
    login = urlsplit(login_url)
    directives = {
        "default-src": "'self'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data: blob:",
        "frame-src": "'self'",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": f"'self' {login.scheme}://{login.netloc}",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in directives.items())


def security_headers(get_response: Handler) -> Handler:
    """Strict defaults; a view that needs another policy (the mail frame) sets its own header first."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        policy = content_security_policy(settings.MICROSOFT_LOGIN_URL)
        response.headers.setdefault("Content-Security-Policy", policy)
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
        if not request.path.startswith(settings.STATIC_URL):
            response.headers.setdefault("Cache-Control", "no-store, private")
        return response

    return middleware
