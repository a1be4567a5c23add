"""Telling a member what just happened: a toast on an open page, a message on the next one."""

from typing import Literal, TypeVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django_htmx.http import trigger_client_event

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

    A partial request gets it in HX-Trigger, a whole-page one through Django's messages (so redirect works).
    """
    if request.headers.get("HX-Request") == "true":
        return trigger_client_event(response, "toast", {"text": text, "kind": kind, "undo_url": undo_url})
    messages.add_message(request, LEVELS[kind], text, extra_tags=undo_url)
    return response
