"""The few addresses that belong to no package."""

from __future__ import annotations

import logging
import sys

from django.contrib.auth.decorators import login_not_required
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse

from postroom.lib.errors import new_reference

log = logging.getLogger("postroom.web")

HOME_CHOICES = ("home:today", "inbox:list", "inbox:mail", "mailboxes:list", "accounts:profile")


def home(request: HttpRequest) -> HttpResponse:
    """Leads to the first screen that exists."""
    for name in HOME_CHOICES:
        try:
            return redirect(reverse(name))
        except NoReverseMatch:
            continue
    return HttpResponse(status=204)


@login_not_required
def health(request: HttpRequest) -> HttpResponse:
    """200 while this process can reach its database; for load balancers, tells strangers nothing else."""
    with connection.cursor() as cursor:
        cursor.execute("select 1")
    return HttpResponse("ok\n", content_type="text/plain")


def events(request: HttpRequest) -> HttpResponse:
    """Only reached when something other than `postroom serve` runs the pages."""
    return HttpResponse("Live updates need `postroom serve`.\n", status=501, content_type="text/plain")


def server_error(request: HttpRequest) -> HttpResponse:
    """The page of an unexpected error: the log gets the traceback and a reference id, the member the id (CN16).

    Only the path is logged: it names ids, while query strings and forms hold what members typed. The page is rendered
    without the request, because what it would add to the page may be what failed.
    """
    number = getattr(request, "reference", "") or new_reference()
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        log.error("%s %s found no database, reference %s", request.method, request.path, number)
        page = render_to_string("ui/error.html", {**_NO_DATABASE, "reference": number})
        return HttpResponse(page, status=503, headers={"Retry-After": "5"})
    log.exception("%s %s failed, reference %s", request.method, request.path, number)
    return HttpResponse(render_to_string("500.html", {"reference": number}), status=500)


_NO_DATABASE = {
    "headline": "The database is not answering",
    "what": "Postroom cannot reach its database at the moment. Nothing you had saved is lost.",
    "todo": "Try again in a few seconds. If it lasts, whoever runs Postroom can look with `postroom doctor`.",
}
