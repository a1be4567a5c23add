"""What a person sees of the sandbox: "the other side" and the frame the sign-in pages use too."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from ..http import ApiError, Request, Response, Route, redirect
from .markup import document, esc

if TYPE_CHECKING:
    from ..world import World

_STATIC = Path(__file__).parent / "static"
_TYPES = {"page.css": ("sandbox.css", "text/css; charset=utf-8"), "page.js": ("sandbox.js", "text/javascript")}
Outcome = Response | str | tuple[str, str]


def routes(world: World) -> list[Route]:
    """Every page and its forms."""
    from . import accidents, home, mailbox, outside, traffic, write

    table: tuple[tuple[str, str, Callable[..., Outcome]], ...] = (
        ("GET", "/", home.show),
        ("GET", "/mail/{address}", mailbox.show_folder),
        ("GET", "/mail/{address}/message/{message}", mailbox.show_message),
        ("GET", "/mail/{address}/body/{message}", mailbox.show_body),
        ("GET", "/mail/{address}/file/{message}/{number}", mailbox.download),
        ("POST", "/mail/{address}/act/{message}", mailbox.act),
        ("POST", "/mail/{address}/folder", mailbox.change_folder),
        ("GET", "/people", outside.show_people),
        ("GET", "/people/{address}", outside.show_person),
        ("GET", "/write", write.show),
        ("POST", "/write", write.send),
        ("GET", "/accidents", accidents.show),
        ("POST", "/accidents", accidents.change),
        ("GET", "/traffic", traffic.show),
    )
    pages = [Route(method, pattern, partial(_run, world, handler)) for method, pattern, handler in table]
    return [*pages, *(Route("GET", f"/sandbox/{name}", partial(_static, name)) for name in _TYPES)]


def _run(world: World, handler: Callable[..., Outcome], request: Request, **params: str) -> Response:
    """A page; a form's outcome (where to go, what to say) becomes a redirect, a refusal a page that says why."""
    try:
        if request.method == "POST":
            _same_origin(request)
        with world.operation():
            outcome = handler(world, request, **params)
    except ApiError as error:
        return _refused(error)
    if isinstance(outcome, Response):
        return outcome
    target, said = outcome if isinstance(outcome, tuple) else (outcome, "")
    if said:
        target += ("&" if "?" in target else "?") + urlencode({"said": said})
    return redirect(target, status=303)


def _same_origin(request: Request) -> None:
    """A form of another site cannot act here."""
    origin = request.headers.get("origin", "")
    if origin and origin != "null" and urlsplit(origin).netloc != request.headers.get("host", ""):
        raise ApiError(403, "Forbidden", "This form was sent from another site.")


def _refused(error: ApiError) -> Response:
    body = (
        f'<main class="card" id="main"><h1>That did not work</h1><p class="alert" role="alert">{esc(error.message)}</p>'
        '<p><a class="button" href="/">Back to the beginning</a></p></main>'
    )
    return document("That did not work · Sandbox", body, status=error.status, kind="sign-in")


def _static(name: str, request: Request) -> Response:
    file, content_type = _TYPES[name]
    data = (_STATIC / file).read_bytes()
    return Response(200, data, [("Content-Type", content_type), ("Cache-Control", "no-cache")])
