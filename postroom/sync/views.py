"""The address that providers post to. Answers at once; the work is done by the live lane (product.md SY4)."""

import logging
from contextlib import suppress
from functools import partial

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, DataError, close_old_connections, connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from postroom.lib.together import Together
from postroom.providers.contract import Notified
from postroom.providers.errors import Malformed
from postroom.providers.registry import PROVIDERS, connector
from postroom.sync import notified
from postroom.sync.models import Stray

log = logging.getLogger(__name__)

MAX_BODY = 4 * 1024 * 1024


def _keeping(provider: str) -> Together[Notified]:
    """Posts that come while others are being kept are kept together: a herd of repeats costs little more than one."""

    def keep(items: list[Notified]) -> None:
        if not connection.in_atomic_block:
            close_old_connections()  # what a restarted database left behind costs one herd, not two
        notified.take(items, provider=provider)

    return Together(keep, blame=(DataError,))


_KEEPING = {name: _keeping(name) for name in PROVIDERS}


def keep_in_a_thread() -> None:
    """For a web process: the endpoint has one connection to the database, open and warm, instead of one per thread."""
    for name, keeping in _KEEPING.items():
        keeping.in_a_thread(f"keeping {name}", first=partial(_warm_up, name))


def _warm_up(provider: str) -> None:
    """A connector is imported on first use, which takes longer than a provider's patience is good for."""
    connector(provider)
    connection.ensure_connection()


@login_not_required
@csrf_exempt
@require_POST
def notifications(request: HttpRequest, provider: str) -> HttpResponse:
    """Handshake, or a batch of notifications. 202 also for what is not ours: a stranger learns nothing. What cannot be
    kept is a 503, and the provider comes again (graph.md 3.6)."""
    token = request.GET.get("validationToken")
    if token is not None:
        return HttpResponse(token[:4096], content_type="text/plain; charset=utf-8")
    if provider not in PROVIDERS:
        return HttpResponse(status=404)
    try:
        return HttpResponse(status=_taken(request, provider))
    except DatabaseError as problem:
        log.warning("notifications could not be kept: %s", type(problem).__name__)
        return HttpResponse(status=503, headers={"Retry-After": "5"})


def _taken(request: HttpRequest, provider: str) -> int:
    if _length(request) > MAX_BODY:
        notified.count_strays(provider, {Stray.Kind.TOO_LARGE: 1})
        return 413
    try:
        items = connector(provider).notified(request.body)
    except Malformed:
        notified.count_strays(provider, {Stray.Kind.MALFORMED: 1})
        return 400
    _KEEPING[provider](items)
    return 202


def _length(request: HttpRequest) -> int:
    with suppress(ValueError):
        return int(request.headers.get("content-length") or 0)
    return 0
