"""The ASGI application: one origin for Entra, Graph, pages and control."""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from inspect import isawaitable
from typing import Any

from postroom_sandbox import control, entra, graph, notifications
from postroom_sandbox.entra.records import is_loopback
from postroom_sandbox.faults import RequestFault
from postroom_sandbox.graph.batch import batch
from postroom_sandbox.graph.call import principal_of
from postroom_sandbox.http import ApiError, DropConnection, Request, Response, Route, Router, json_response
from postroom_sandbox.world import World

_log = logging.getLogger(__name__)
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
_DIAGNOSTIC = '{"ServerInfo":{"DataCenter":"Sandbox","Slice":"E","Ring":"0","ScaleUnit":"000","RoleInstance":"S0"}}'
DROP = "postroom.drop"  # scope key: resets the connection (see server.py)

_FAULT_CODES = {
    401: ("InvalidAuthenticationToken", "Access token has expired or is not yet valid."),
    403: ("ErrorAccessDenied", "Access is denied. Check credentials and try again."),
    404: ("ErrorItemNotFound", "The specified object was not found in the store."),
    409: ("ErrorIrresolvableConflict", "The change key passed in the request does not match."),
    410: ("SyncStateNotFound", "The sync state generation is not found; generation=1;[highest=2]"),
    412: ("ErrorIrresolvableConflict", "The change key passed in the request does not match."),
    429: ("ApplicationThrottled", "Application is over its MailboxConcurrency limit."),
    500: ("ErrorInternalServerTransientError", "Cannot process the request right now. Try again later."),
    502: ("UnknownError", ""),
    503: ("ErrorServerBusy", "The server cannot service this request right now. Try again later."),
    504: ("UnknownError", ""),
}


class Application:
    """Routes requests, applies faults, writes the record. `dispatch` is the same for a request inside a batch."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.router = Router(self._routes())
        self._background: set[asyncio.Task[None]] = set()
        self._wake: asyncio.TimerHandle | None = None

    def _routes(self) -> list[Route]:
        from postroom_sandbox import pages

        world = self.world
        own = Route("POST", "/v1.0/$batch", partial(batch, world, self.dispatch))
        parts = (graph, entra, notifications, pages, control)
        return [own, *(route for part in parts for route in part.routes(world))]

    # -- ASGI

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self.world.alarm = partial(_in_loop, asyncio.get_running_loop(), self._set_alarm)
                self._set_alarm(0)
                await send({"type": "lifespan.startup.complete"})
            else:
                self.world.alarm = lambda _delay: None
                notifications.notifications(self.world).courier.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    def _set_alarm(self, delay: float) -> None:
        loop = asyncio.get_running_loop()
        if self._wake is None or self._wake.when() > loop.time() + delay or self._wake.cancelled():
            if self._wake is not None:
                self._wake.cancel()
            self._wake = loop.call_later(delay, self._send_due)

    def _send_due(self) -> None:
        self._wake = None
        try:
            self.world.transport.run_due()
            following = self.world.transport.next_due()
        except Exception:
            _log.exception("sending failed")
            following = 1.0
        if following is not None:
            self._set_alarm(following)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = await _read(scope, receive)
        try:
            response, cut = (_ELSEWHERE, None) if _is_from_elsewhere(request) else await self.handle(request)
        except DropConnection:
            drop = scope.get(DROP)
            if drop is not None:
                drop()
            return
        headers = [(key.lower().encode(), value.encode("latin-1", "replace")) for key, value in response.headers]
        headers.append((b"content-length", str(len(response.body)).encode()))
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        if cut is not None and scope.get(DROP) is not None:
            await send({"type": "http.response.body", "body": response.body[:cut], "more_body": True})
            await asyncio.sleep(0.01)
            scope[DROP]()
            return
        await send({"type": "http.response.body", "body": response.body})

    # -- requests

    async def handle(self, request: Request) -> tuple[Response, int | None]:
        """Answers a request with its accidents and its line in the record. The number is where to cut the body off."""
        if not _is_recorded(request):
            return await self.dispatch(request), None
        mailbox = self._identify(request)
        now = self.world.clock.timestamp()
        fault = self._fault(request, mailbox)
        response = await self._with_fault(request, fault)
        self.world.traffic.add(request, response, mailbox=mailbox, t=now)
        if fault is not None and fault.reset:
            raise DropConnection
        cut = None
        if fault is not None and fault.truncate:
            cut = len(response.body) // 2 if fault.truncate < 0 else min(fault.truncate, len(response.body))
        return response, cut

    def _fault(self, request: Request, mailbox: str) -> RequestFault | None:
        token = request.headers.get("authorization", "").partition(" ")[2]
        return self.world.faults.for_request(request.method, request.path, mailbox=mailbox, token=token)

    async def _with_fault(self, request: Request, fault: RequestFault | None) -> Response:
        if fault is None:
            return await self.dispatch(request)
        request.context["latency"] = fault.latency  # a throttled operation waits inside, holding its place
        if fault.reset == "before":
            return Response(0)
        if fault.status and not fault.after_work:
            await asyncio.sleep(fault.latency)
            return self._finished(request, _failure(fault))
        response = await self.dispatch(request)
        await asyncio.sleep(request.context.pop("latency", 0))
        return self._finished(request, _failure(fault)) if fault.status else response

    async def dispatch(self, request: Request) -> Response:
        """Finds the handler and runs it; refusals become Graph's error envelope."""
        inner = request.context.get("inner")
        if inner and (fault := self._fault(request, self._identify(request))) and fault.status and not fault.after_work:
            return self._finished(request, _failure(fault))
        try:
            response = await self._route(request)
        except ApiError as error:
            response = _envelope(error)
        except DropConnection:
            raise
        except Exception:
            _log.exception("a handler failed")
            response = _envelope(ApiError(500, "UnknownError", ""))
        return self._finished(request, response)

    async def _route(self, request: Request) -> Response:
        segments = request.segments
        if segments and segments[0].lower() == "v1.0":
            segments = ["v1.0", *_below(request)]
        match = self.router.find(request.method, segments)
        if match is None:
            raise ApiError(404, "ResourceNotFound", f"Resource not found for the segment '{(segments or [''])[-1]}'.")
        if match.handler is None:
            headers = [("Allow", ", ".join(match.allowed))]
            raise ApiError(405, "Request_BadRequest", "Specified HTTP method is not allowed.", headers=headers)
        answer = match.handler(request, **match.params)
        return await answer if isawaitable(answer) else answer

    def _identify(self, request: Request) -> str:
        """The address of the mailbox a Graph request is about, "" when there is none to tell."""
        segments = request.segments
        if not segments or segments[0].lower() != "v1.0":
            return ""
        try:
            with self.world.lock:
                principal = principal_of(self.world, request)
        except ApiError:
            return ""
        below = _below(request)
        if len(below) > 1 and below[0].lower() == "users" and below[1].lower() != "me":
            user = self.world.users.find(below[1])
            return user.address if user else ""
        return principal.user.address

    def _finished(self, request: Request, response: Response) -> Response:
        """Adds what every Graph answer carries; fills the ids into the error envelope."""
        if not request.raw_path.startswith("/v1.0") or response.status == 0:
            return response
        number = str(uuid.uuid4())
        client = request.headers.get("client-request-id") or number
        response.headers += [("request-id", number), ("client-request-id", client)]
        response.headers.append(("x-ms-ags-diagnostic", _DIAGNOSTIC))
        if response.status >= 400 and b'"innerError":{}' in response.body:
            moment = self.world.clock.now().strftime("%Y-%m-%dT%H:%M:%S")
            inner = json.dumps({"date": moment, "request-id": number, "client-request-id": client})
            response.body = response.body.replace(b'"innerError":{}', f'"innerError":{inner}'.encode(), 1)
        return response


def _below(request: Request) -> list[str]:
    """The request's path below the version, in the spelling of the routes."""
    known: list[str] | None = request.context.get("below")
    if known is None:
        known, folder = graph.normalise(request.segments[1:])
        request.context["below"] = known
        if folder is not None:
            request.context["folder"] = folder
    return known


def _in_loop(loop: asyncio.AbstractEventLoop, set_alarm: Callable[[float], None], delay: float) -> None:
    loop.call_soon_threadsafe(set_alarm, delay)


def _is_recorded(request: Request) -> bool:
    path = request.raw_path
    graphish = path.startswith(("/v1.0", "/api/v2.0", "/oidc/"))
    return graphish or "/oauth2/" in path or "/v2.0/" in path or path.endswith("/adminconsent")


def _envelope(error: ApiError) -> Response:
    detail = {"code": error.code, "message": error.message, "innerError": {}}
    return json_response({"error": detail}, error.status, headers=error.headers)


def _failure(fault: RequestFault) -> Response:
    code, message = _FAULT_CODES.get(fault.status, ("UnknownError", ""))
    headers = [("Retry-After", fault.retry_after)] if fault.retry_after else []
    return _envelope(ApiError(fault.status, fault.code or code, fault.message or message, headers=headers))


_ELSEWHERE = Response(403, b"Only for this machine.\n", [("Content-Type", "text/plain; charset=utf-8")])


def _is_from_elsewhere(request: Request) -> bool:
    """A web page from elsewhere, open in a browser of this machine: by a name of its own that leads here (then the
    Host tells), or by sending forms across (then the browser tells). There may be somebody's real mail in here."""
    sends = request.method not in {"GET", "HEAD"}
    across = sends and request.headers.get("sec-fetch-site") == "cross-site"
    return across or not is_loopback(f"http://{request.headers.get('host', '127.0.0.1')}")


async def _read(scope: Scope, receive: Receive) -> Request:
    pieces = []
    while True:
        message = await receive()
        pieces.append(message.get("body", b""))
        if not message.get("more_body"):
            break
    return Request(
        method=scope["method"],
        raw_path=scope["raw_path"].decode("latin-1"),
        query_string=scope["query_string"].decode("latin-1"),
        headers={key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]},
        body=pieces[0] if len(pieces) == 1 else b"".join(pieces),
        client=scope.get("client"),
        scheme=scope.get("scheme", "http"),
    )
