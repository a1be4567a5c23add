"""OData query options as Graph takes them, and its refusals (graph.md 2.3)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote_plus

from postroom_sandbox.graph.call import bad_request
from postroom_sandbox.http import ApiError, Request

MAX_TOP = 1000
_EXPAND_PART = re.compile(r"([\w./]+)\s*(?:\((.*)\))?", re.DOTALL)
_OPTIONS = {"$select", "$filter", "$orderby", "$top", "$skip", "$count", "$search", "$expand", "$format"}
_KNOWN = _OPTIONS | {"$skiptoken", "$deltatoken"}


def parse_uri_error(message: str) -> ApiError:
    """400 as Graph's request broker words it."""
    return bad_request(f"Parsing OData Select and Expand failed: {message}", "RequestBroker--ParseUri")


@dataclass(frozen=True, slots=True)
class Options:
    """The query options of one request. `top` is None when not given; `select` is empty for "everything"."""

    select: tuple[str, ...] = ()
    filter: str = ""
    orderby: tuple[tuple[str, bool], ...] = ()
    top: int | None = None
    skip: int = 0
    count: bool = False
    search: str | None = None
    expand: tuple[tuple[str, str], ...] = ()


def read_options(query: dict[str, str]) -> Options:
    """Reads `query`; the `$` may be missing, as Graph allows. Raises `ApiError` 400."""
    given: dict[str, str] = {}
    for name, value in query.items():
        key = name.lower()
        if f"${key}" in _OPTIONS:
            key = f"${key}"
        if key.startswith("$") and key not in _KNOWN:
            raise bad_request(f"The query parameter '{name}' is not supported.")
        given[key] = value
    return Options(
        select=_names(given.get("$select", "")),
        filter=given.get("$filter", "").strip(),
        orderby=_order(given.get("$orderby", "")),
        top=_whole(given, "$top", low=1, high=MAX_TOP),
        skip=_whole(given, "$skip", low=0, high=2**31) or 0,
        count=given.get("$count", "").lower() == "true",
        search=given.get("$search"),
        expand=_expand(given.get("$expand", "")),
    )


def _whole(given: dict[str, str], name: str, *, low: int, high: int) -> int | None:
    text = given.get(name, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or not low <= int(text) <= high:
        raise bad_request(
            f"Invalid value '{text}' for {name} query option found. The {name} query option requires a "
            f"non-negative integer value between {low} and {high}.",
            "ErrorInvalidUrlQuery",
        )
    return int(text)


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def _order(text: str) -> tuple[tuple[str, bool], ...]:
    out = []
    for part in _names(text):
        name, _, direction = part.partition(" ")
        word = direction.strip().lower()
        if word not in ("", "asc", "desc"):
            raise bad_request(f"Syntax error in '{part}' of $orderby.")
        out.append((name, word == "desc"))
    return tuple(out)


def _expand(text: str) -> tuple[tuple[str, str], ...]:
    out = []
    for part in split_outside(text, ","):
        found = _EXPAND_PART.fullmatch(part.strip())
        if part.strip() and not found:
            raise parse_uri_error(f"Syntax error in '{part}'.")
        if found:
            out.append((found[1], found[2] or ""))
    return tuple(out)


def split_outside(text: str, separator: str) -> list[str]:
    """Splits outside parentheses and quotes."""
    parts, depth, quoted, start = [], 0, False, 0
    for at, character in enumerate(text):
        if character == "'":
            quoted = not quoted
        elif not quoted:
            depth += (character == "(") - (character == ")")
            if character == separator and depth == 0:
                parts.append(text[start:at])
                start = at + 1
    parts.append(text[start:])
    return parts


def next_link(request: Request, **changes: str) -> str:
    """The request's own address with other query options (`skip="20"` sets `$skip`), for `@odata.nextLink`."""
    wanted = {f"${name}": value for name, value in changes.items()}
    kept = []
    for part in request.query_string.split("&"):
        name = unquote_plus(part.partition("=")[0]).lower()
        if part and name not in wanted and f"${name}" not in wanted and name != "$skiptoken":
            kept.append(part)
    kept += [f"{name}={quote(value, safe='')}" for name, value in wanted.items() if value]
    return f"{request.base_url}{request.raw_path}?{'&'.join(kept)}"
