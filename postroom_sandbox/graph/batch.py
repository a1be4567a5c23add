"""`$batch`: up to twenty requests in one (graph.md 4)."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from postroom_sandbox.graph.call import bad_request, principal_of
from postroom_sandbox.http import ApiError, Request, Response, json_response
from postroom_sandbox.world import World

MOST = 20
AT_ONCE = 4
Dispatch = Callable[[Request], Awaitable[Response]]


async def batch(world: World, dispatch: Dispatch, request: Request) -> Response:
    """POST /v1.0/$batch; inner requests go through `dispatch` like any other, four at a time."""
    principal_of(world, request)
    items = _items(request)
    answers: dict[str, dict[str, Any]] = {}
    if any(item.get("dependsOn") for item in items):
        for item in items:
            await _run(dispatch, request, item, answers)
    else:
        for at in range(0, len(items), AT_ONCE):
            await asyncio.gather(*(_run(dispatch, request, item, answers) for item in items[at : at + AT_ONCE]))
    return json_response({"responses": list(answers.values())})


def _items(request: Request) -> list[dict[str, Any]]:
    items = request.json_object().get("requests")
    if not isinstance(items, list) or not items or not all(isinstance(item, dict) for item in items):
        raise bad_request("Invalid batch payload format.")
    if len(items) > MOST:
        raise bad_request(f"Number of batch request steps exceeds the maximum value of {MOST}.", "MaximumValueExceeded")
    ids = [str(item.get("id", "")).lower() for item in items]
    if "" in ids or len(set(ids)) != len(ids):
        raise bad_request("Request Id values in a batch must be present and unique.")
    for item in items:
        wrong = [name for name in item.get("dependsOn") or [] if str(name).lower() not in ids]
        if wrong or not isinstance(item.get("method"), str) or not isinstance(item.get("url"), str):
            raise bad_request("Invalid batch payload format.")
        if "$batch" in item["url"]:
            raise bad_request("Batch requests cannot be nested.")
    return items


async def _run(dispatch: Dispatch, outer: Request, item: dict[str, Any], answers: dict[str, dict[str, Any]]) -> None:
    number = str(item["id"])
    failed = [name for name in item.get("dependsOn") or [] if _status(answers, str(name)) >= 400]
    if failed:
        detail = {"error": {"code": "FailedDependency", "message": "A request this one depends on failed."}}
        answers[number.lower()] = {"id": number, "status": 424, "headers": {}, "body": detail}
        return
    try:
        response = await dispatch(_inner(outer, item))
    except ApiError as error:
        response = json_response({"error": {"code": error.code, "message": error.message}}, error.status)
    answers[number.lower()] = _answer(number, response)


def _status(answers: dict[str, dict[str, Any]], number: str) -> int:
    known = answers.get(number.lower())
    return int(known["status"]) if known else 424


def _inner(outer: Request, item: dict[str, Any]) -> Request:
    given = item.get("headers") if isinstance(item.get("headers"), dict) else {}
    headers = {str(key).lower(): str(value) for key, value in (given or {}).items()}
    body = item.get("body")
    data = b""
    if body is not None:
        if "content-type" not in headers:
            raise bad_request("Content-Type header is required for a request with a body.")
        data = _decoded(body, headers["content-type"])
    parts = urlsplit(item["url"])
    path = parts.path.lstrip("/").removeprefix("v1.0/")
    kept = {
        name: outer.headers[name] for name in ("host", "authorization", "client-request-id") if name in outer.headers
    }
    context = {"principal": outer.context.get("principal"), "inner": True}
    query = parts.query.replace(" ", "%20")
    return Request(
        item["method"].upper(), f"/v1.0/{path}", query, headers | kept, data, outer.client, outer.scheme, context
    )  # fmt: skip


def _decoded(body: Any, content_type: str) -> bytes:
    if isinstance(body, dict | list) or "json" in content_type:
        return json.dumps(body).encode()
    text = str(body).encode()
    if content_type.startswith("text/plain"):
        return text  # base64 MIME stays as it is
    return base64.b64decode(text + b"=" * (-len(text) % 4))


def _answer(number: str, response: Response) -> dict[str, Any]:
    keep = {"content-type", "location", "etag", "retry-after", "preference-applied", "cache-control"}
    headers = {key: value for key, value in response.headers if key.lower() in keep}
    value: dict[str, Any] = {"id": number, "status": response.status, "headers": headers}
    if response.body:
        is_json = "json" in headers.get("Content-Type", "")
        value["body"] = json.loads(response.body) if is_json else base64.b64encode(response.body).decode()
    return value
