"""The address that providers post to. Answers at once; the work is done by the live lane (product.md SY4)."""

import logging

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from postroom.providers.errors import Malformed
from postroom.providers.registry import PROVIDERS, connector
from postroom.sync import push

log = logging.getLogger(__name__)

MAX_BODY = 4 * 1024 * 1024


@login_not_required
@csrf_exempt
@require_POST
def notifications(request: HttpRequest, provider: str) -> HttpResponse:
    """Handshake, or a batch of notifications. 202 also for what is not ours: a stranger learns nothing."""
    token = request.GET.get("validationToken")
    if token is not None:
        return HttpResponse(token[:4096], content_type="text/plain; charset=utf-8")
    if provider not in PROVIDERS:
        return HttpResponse(status=404)
    if int(request.headers.get("content-length") or 0) > MAX_BODY:
        return HttpResponse(status=413)
    try:
        items = connector(provider).notified(request.body)
    except Malformed:
        return HttpResponse(status=400)
    strangers = len(items) - push.take(items)
    if strangers:
        log.debug("%d notifications of unknown subscriptions left out", strangers)
    return HttpResponse(status=202)
