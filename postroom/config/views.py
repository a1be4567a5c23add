"""The few addresses that belong to no package."""

from __future__ import annotations

import logging

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse

from postroom.lib.errors import new_reference

log = logging.getLogger("postroom.web")

HOME_CHOICES = ("inbox:list", "mail:list", "mailboxes:list", "accounts:profile")


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

    Only the path is logged: it names ids, while query strings and forms hold what members typed.
    """
    number = new_reference()
    log.exception("%s %s failed, reference %s", request.method, request.path, number)
    return render(request, "500.html", {"reference": number}, status=500)
