"""A very small web layer: requests, responses, routes. Everything the sandbox serves is built from these.

Handlers are plain functions `handler(request, **path_params) -> Response`, or coroutines of the same shape.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

import msgspec

Headers = list[tuple[str, str]]


class ApiError(Exception):
    """A refusal in Graph's error envelope (graph.md 5): raise it anywhere below a handler.

    `code` is Graph's own word (`ErrorItemNotFound`), `headers` are added to the answer.
    """

    def __init__(self, status: int, code: str, message: str, *, headers: Headers | None = None) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.headers: Headers = headers or []


class DropConnection(Exception):
    """Raised to reset the TCP connection instead of answering."""


@dataclass(slots=True)
class Response:
    """What goes back: status, body, headers. `Content-Length` is added when it is sent."""

    status: int = 200
    body: bytes = b""
    headers: Headers = field(default_factory=list)

    def header(self, name: str) -> str | None:
        """The first header of that name (any case)."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


@dataclass
class Request:
    """One request. `path` is decoded, `raw_path` is as sent; `headers` have lower-case names.

    `segments` are the path's parts split *before* decoding, so an encoded slash stays inside its segment.
    """

    method: str
    raw_path: str
    query_string: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    client: tuple[str, int] | None = None
    scheme: str = "http"
    context: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def path(self) -> str:
        """The decoded path."""
        return unquote(self.raw_path)

    @cached_property
    def segments(self) -> list[str]:
        """The decoded, non-empty parts of the path."""
        return [unquote(part) for part in self.raw_path.split("/") if part]

    @cached_property
    def query_items(self) -> list[tuple[str, str]]:
        """Every query parameter in order, blank values kept."""
        return parse_qsl(self.query_string, keep_blank_values=True)

    @cached_property
    def query(self) -> dict[str, str]:
        """The first value of every query parameter."""
        first: dict[str, str] = {}
        for key, value in self.query_items:
            first.setdefault(key, value)
        return first

    @cached_property
    def cookies(self) -> dict[str, str]:
        """The cookies sent, or none when the header is broken."""
        jar = SimpleCookie()
        try:
            jar.load(self.headers.get("cookie", ""))
        except CookieError:
            return {}
        return {name: morsel.value for name, morsel in jar.items()}

    @property
    def base_url(self) -> str:
        """`scheme://host` as the client addressed it."""
        return f"{self.scheme}://{self.headers.get('host', '127.0.0.1')}"

    @property
    def url(self) -> str:
        """The full address as sent."""
        tail = f"?{self.query_string}" if self.query_string else ""
        return f"{self.base_url}{self.raw_path}{tail}"

    def json(self) -> Any:
        """The decoded JSON body. Raises `ApiError` 400 when it is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            message = f"Unable to read JSON request payload. {type(error).__name__}"
            raise ApiError(400, "BadRequest", message) from None

    def json_object(self) -> dict[str, Any]:
        """The JSON body as an object; an empty body is an empty object. Raises `ApiError` 400 otherwise."""
        if not self.body.strip():
            return {}
        value = self.json()
        if not isinstance(value, dict):
            raise ApiError(400, "BadRequest", "The request body must be a JSON object.")
        return value

    def form(self) -> dict[str, str]:
        """The first value of every urlencoded form field."""
        first: dict[str, str] = {}
        for key, value in parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True):
            first.setdefault(key, value)
        return first


def json_response(value: Any, status: int = 200, *, headers: Headers | None = None) -> Response:
    """`value` as JSON. Lone surrogates become U+FFFD, as Microsoft's serializer writes them."""
    try:
        body = msgspec.json.encode(value)
    except UnicodeEncodeError:
        text = json.dumps(value, ensure_ascii=False)
        body = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
    return Response(status, body, [("Content-Type", "application/json; charset=utf-8"), *(headers or [])])


def text_response(text: str, status: int = 200, *, headers: Headers | None = None) -> Response:
    """`text` as text/plain."""
    body = text.encode("utf-8", "replace")
    return Response(status, body, [("Content-Type", "text/plain; charset=utf-8"), *(headers or [])])


def html_response(html: str, status: int = 200, *, headers: Headers | None = None) -> Response:
    """`html` as text/html."""
    body = html.encode("utf-8", "replace")
    return Response(status, body, [("Content-Type", "text/html; charset=utf-8"), *(headers or [])])


def redirect(url: str, params: dict[str, str] | None = None, *, status: int = 302) -> Response:
    """A redirect to `url`, with `params` added to its query."""
    if params:
        url += ("&" if "?" in url else "?") + urlencode(params)
    return Response(status, b"", [("Location", url)])


Handler = Callable[..., Response | Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Route:
    """`Route("GET", "/v1.0/me/messages/{message}", handler)`.

    A `{name}` takes one segment; a last `{name:rest}` takes all that follow (joined by "/", at least one).
    Fixed segments match in any letter case, as Microsoft's do.
    """

    method: str
    pattern: str
    handler: Handler


@dataclass(slots=True)
class _Node:
    fixed: dict[str, _Node] = field(default_factory=dict)
    variable: _Node | None = None
    handlers: dict[str, tuple[Handler, tuple[str, ...]]] = field(default_factory=dict)
    rest: dict[str, tuple[Handler, tuple[str, ...]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Match:
    """A found handler and its path parameters; no handler but `allowed` when only the method is wrong."""

    handler: Handler | None
    params: dict[str, str]
    allowed: tuple[str, ...] = ()


class Router:
    """Finds the handler of a path by walking a tree of segments; fixed segments win over variables."""

    def __init__(self, routes: Iterable[Route] = ()) -> None:
        self._root = _Node()
        for route in routes:
            self.add(route)

    def add(self, route: Route) -> None:
        """Adds one route; a later route of the same method and pattern replaces the earlier."""
        node = self._root
        names: list[str] = []
        for part in route.pattern.strip("/").split("/"):
            if part.endswith(":rest}"):
                node.rest[route.method] = (route.handler, (*names, part[1:-6]))
                return
            if part.startswith("{"):
                names.append(part[1:-1])
                node.variable = node.variable or _Node()
                node = node.variable
            elif part:
                node = node.fixed.setdefault(part.lower(), _Node())
        node.handlers[route.method] = (route.handler, tuple(names))

    def find(self, method: str, segments: list[str]) -> Match | None:
        """The match for decoded path `segments`, or None when no route has this path."""
        allowed: list[str] = []
        for table, values in self._candidates(self._root, segments, 0, ()):
            found = table.get(method)
            if found:
                return Match(found[0], dict(zip(found[1], values, strict=False)))
            allowed.extend(table)
        return Match(None, {}, tuple(sorted(set(allowed)))) if allowed else None

    def _candidates(
        self, node: _Node, segments: list[str], at: int, values: tuple[str, ...]
    ) -> Iterable[tuple[dict[str, tuple[Handler, tuple[str, ...]]], tuple[str, ...]]]:
        if at == len(segments):
            if node.handlers:
                yield node.handlers, values
            return
        fixed = node.fixed.get(segments[at].lower())
        if fixed is not None:
            yield from self._candidates(fixed, segments, at + 1, values)
        if node.variable is not None:
            yield from self._candidates(node.variable, segments, at + 1, (*values, segments[at]))
        if node.rest:
            yield node.rest, (*values, "/".join(segments[at:]))
