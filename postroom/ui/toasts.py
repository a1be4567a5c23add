"""Telling a member what just happened: a toast on an open page, a message on the next one."""

import math
from typing import Any, Literal, TypeVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django_htmx.http import trigger_client_event

from postroom.lib.clock import now

Kind = Literal["success", "info", "warning", "error"]
Response = TypeVar("Response", bound=HttpResponse)

LEVELS: dict[Kind, int] = {
    "success": messages.SUCCESS,
    "info": messages.INFO,
    "warning": messages.WARNING,
    "error": messages.ERROR,
}


def toast(
    request: HttpRequest, response: Response, text: str, *, kind: Kind = "success", undo_url: str = ""
) -> Response:
    """Give `response` a toast; `undo_url` is POSTed to by its Undo button. Returns the same response.

    A partial request gets it in HX-Trigger, a whole-page one, or one that
    is sent elsewhere, through Django's messages.
    """
    if request.headers.get("HX-Request") == "true" and "HX-Redirect" not in response:
        return trigger_client_event(response, "toast", {"text": text, "kind": kind, "undo_url": undo_url})
    messages.add_message(request, LEVELS[kind], text, extra_tags=undo_url)
    return response


_KEPT = "lasting_toasts"


def lasting_toast(request: HttpRequest, response: Response, text: str, *, seconds: float, undo_url: str) -> Response:
    """A toast that counts down `seconds`, also on every page opened meanwhile. Returns the same response."""
    until = now().timestamp() + seconds
    others = [one for one in request.session.get(_KEPT, []) if one["undo_url"] != undo_url]
    request.session[_KEPT] = [*others[-2:], {"text": text, "undo_url": undo_url, "until": until}]
    if request.headers.get("HX-Request") != "true" or "HX-Redirect" in response:
        return response
    told = {"text": text, "kind": "info", "undo_url": undo_url, "seconds": math.ceil(seconds)}
    return trigger_client_event(response, "toast", told)


def forget_toast(request: HttpRequest, undo_url: str) -> None:
    """What it offered was done, or is no longer possible."""
    kept = request.session.get(_KEPT, [])
    if left := [one for one in kept if one["undo_url"] != undo_url]:
        request.session[_KEPT] = left
    elif kept:
        del request.session[_KEPT]


def lasting(request: HttpRequest) -> list[dict[str, Any]]:
    """Those that still count down: text, undo_url and the seconds that are left."""
    session = getattr(request, "session", None)
    kept = session.get(_KEPT, []) if session is not None else []
    moment = now().timestamp()
    return [{**one, "seconds": math.ceil(one["until"] - moment)} for one in kept if one["until"] > moment]
