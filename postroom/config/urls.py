"""Which package answers which address. A package is listed here once; what lies below is its own `urls.py`.

Every view asks for a signed-in member (`accounts.middleware.SignInRequired`); a view for the outside world says so with
`@login_not_required`, and a machine's endpoint with `@csrf_exempt` too.
"""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path
from django.views.generic.base import RedirectView

from postroom.config import views

PACKAGES = [
    ("", "postroom.accounts"),
    ("", "postroom.workspaces"),
    ("", "postroom.audit"),
    ("", "postroom.mailboxes"),
    ("", "postroom.records"),
    ("", "postroom.sync"),
    ("", "postroom.mail"),
    ("", "postroom.timeline"),
    ("", "postroom.search"),
    ("", "postroom.inbox"),
    ("", "postroom.operations"),
    ("", "postroom.dropbox"),
    ("", "postroom.home"),
    ("ui/", "postroom.ui"),
]


handler500 = "postroom.config.views.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.home, name="home"),
    path("healthz", views.health, name="health"),
    path("events", views.events, name="events"),  # answered by config.asgi before Django; the name is for links
    path("favicon.ico", RedirectView.as_view(url="/static/ui/favicon.svg", permanent=True)),
    *(path(prefix, include(f"{package}.urls")) for prefix, package in PACKAGES),
]
