"""A toast reaches an open page by a header and a new one by a message."""

import json

from django.contrib.messages import get_messages
from django.contrib.messages.storage.cookie import CookieStorage
from django.http import HttpResponse
from django.test import RequestFactory

from postroom.ui.toasts import toast


def test_an_open_page_gets_its_toast_in_a_header() -> None:
    request = RequestFactory().post("/", headers={"HX-Request": "true"})
    response = toast(request, HttpResponse(status=204), "Moved to Archive.", undo_url="/undo/7")
    assert json.loads(response["HX-Trigger"]) == {
        "toast": {"text": "Moved to Archive.", "kind": "success", "undo_url": "/undo/7"}
    }


def test_without_a_script_the_next_page_shows_it() -> None:
    request = RequestFactory().post("/")
    request._messages = CookieStorage(request)  # type: ignore[attr-defined]
    toast(request, HttpResponse(), "Saved.", kind="info")
    assert [(str(message), message.level_tag) for message in get_messages(request)] == [("Saved.", "info")]
