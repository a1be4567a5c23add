"""For machines: /metrics (Prometheus) and /readyz (load balancers)."""

from __future__ import annotations

import ipaddress
from hmac import compare_digest
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from postroom.operations import metrics as figures


@login_not_required
@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """For this machine, or with POSTROOM_METRICS_TOKEN as bearer token. Anybody else: there is no such page."""
    if not _may_scrape(request):
        raise Http404
    return HttpResponse(figures.render(), content_type="text/plain; version=0.0.4; charset=utf-8")


def _may_scrape(request: HttpRequest) -> bool:
    if token := settings.POSTROOM_METRICS_TOKEN:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return compare_digest(given.encode("utf-8", "replace"), token.encode())
    # A proxy on this machine that forwards strangers passes on their Host, which is our public name.
    forwarded = {"X-Forwarded-For", "Forwarded", "X-Real-IP"} & set(request.headers)
    return not forwarded and _local(request.META.get("REMOTE_ADDR", "")) and _local(_host(request))


def _host(request: HttpRequest) -> str:
    return urlsplit(f"//{request.META.get('HTTP_HOST', '')}").hostname or ""


def _local(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@login_not_required
@require_GET
def ready(request: HttpRequest) -> HttpResponse:
    """200 when this process may be sent requests: the database answers and its tables are those of this version.
    503 otherwise. Tells strangers nothing else."""
    try:
        waiting = _migrations_wait()
    except DatabaseError:
        waiting = True
    return HttpResponse(
        "not ready\n" if waiting else "ready\n", status=503 if waiting else 200, content_type="text/plain"
    )


def _migrations_wait() -> bool:
    """Whether a migration of ours is not applied: asked of the recorder once per process when all are."""
    global _settled
    if _settled:
        with connection.cursor() as cursor:
            cursor.execute("select 1")
        return False
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    _settled = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return not _settled


_settled = False
