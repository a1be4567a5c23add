"""Upload sessions for attachments of 3 to 150 MB (graph.md 2.10).

The upload URL is pre-authenticated; chunks come in order; a session that was interrupted can be asked for what it still
expects. Sessions and their bytes survive a restart.
"""

from __future__ import annotations

import re
import secrets
from datetime import timedelta
from functools import partial
from typing import Any

from postroom_sandbox.clock import parse_iso
from postroom_sandbox.graph import fields
from postroom_sandbox.graph.attachments import LARGE, editable
from postroom_sandbox.graph.call import Call, bad_request, denied
from postroom_sandbox.http import ApiError, Request, Response, Route, json_response
from postroom_sandbox.mime import Attachment
from postroom_sandbox.mime.message import FILE
from postroom_sandbox.store.model import HAS_ATTACHMENTS
from postroom_sandbox.world import World

SCHEMA = """
CREATE TABLE IF NOT EXISTS uploads (
  id TEXT PRIMARY KEY, user_id TEXT NOT NULL, sequence INTEGER NOT NULL, client_id TEXT NOT NULL, name TEXT NOT NULL,
  content_type TEXT NOT NULL, size INTEGER NOT NULL, is_inline INTEGER NOT NULL, content_id TEXT NOT NULL,
  received INTEGER NOT NULL, expires TEXT NOT NULL, immutable INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS upload_chunks (upload TEXT NOT NULL, start INTEGER NOT NULL, data BLOB NOT NULL);
"""
LARGEST = 150 * 1024 * 1024
CHUNK = 4 * 1024 * 1024
PATH = "/api/v2.0/AttachmentSessions"
_RANGE = re.compile(r"bytes\s+(\d{1,12})-(\d{1,12})/(\d{1,12})", re.IGNORECASE)
_SESSION = re.compile(r"AttachmentSessions\('([\w-]+)'\)", re.IGNORECASE)
_LIFE = timedelta(days=1)


def create_session(call: Call, message: str) -> Response:
    """POST /messages/{id}/attachments/createUploadSession."""
    found = editable(call, message)
    if not call.is_own:
        raise denied()  # trap 53: not into a shared mailbox
    body = {key.lower(): value for key, value in call.request.json_object().items()}
    item = body.get("attachmentitem")
    if not isinstance(item, dict):
        raise bad_request("The parameter AttachmentItem is required.", "ErrorInvalidRequest")
    size = _size(item)
    number = secrets.token_urlsafe(48)
    expires = call.world.clock.now() + _LIFE
    row = (
        number, call.user.id, found.sequence, call.principal.client_id, fields.text(item.get("name"), "name"),
        fields.text(item.get("contentType"), "contentType") or "application/octet-stream", size,
        item.get("isInline") is True, fields.text(item.get("contentId"), "contentId"), 0,
        expires.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), call.prefer.immutable_ids,
    )  # fmt: skip
    call.world.db.execute("INSERT INTO uploads VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", row)
    value = {
        "@odata.context": f"{call.base}/$metadata#microsoft.graph.uploadSession",
        "uploadUrl": f"{call.request.base_url}{PATH}('{number}')?authtoken={secrets.token_urlsafe(24)}",
        "expirationDateTime": row[10],
        "nextExpectedRanges": ["0-"],
    }
    return json_response(value, 201)


def _size(item: dict[str, Any]) -> int:
    size = item.get("size")
    if not isinstance(size, int) or isinstance(size, bool) or size <= 0:
        raise bad_request("The size of the attachment is required.", "ErrorInvalidRequest")
    if str(item.get("attachmentType", "file")).lower() != "file":
        raise bad_request("Only files can be uploaded.", "ErrorInvalidRequest")
    if size < LARGE:
        raise bad_request(
            "The attachment size should not be less than 3 MB.", "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize"
        )
    if size > LARGEST:
        raise ApiError(413, "ErrorMessageSizeExceeded", "The attachment exceeds the maximum supported size.")
    return size


def routes(world: World) -> list[Route]:
    """The addresses chunks are sent to; they are outside /v1.0 and need no token."""
    world.db.declare(SCHEMA)
    table = (("PUT", _put), ("GET", _status), ("DELETE", _cancel))
    return [
        Route(method, f"{PATH.rpartition('/')[0]}/{{upload}}", partial(_run, world, handler))
        for method, handler in table
    ]


def _run(world: World, handler: Any, request: Request, upload: str) -> Response:
    named = _SESSION.fullmatch(upload)
    with world.operation():
        row = world.db.query_one("SELECT * FROM uploads WHERE id = ?", (named[1] if named else "",))
        if row is None or parse_iso(row[10]) < world.clock.now():
            raise ApiError(404, "ErrorItemNotFound", "The upload session was not found or has expired.")
        response: Response = handler(world, request, row)
        return response


def _expected(row: tuple[Any, ...], *, status: int = 200) -> Response:
    value = {"expirationDateTime": row[10], "nextExpectedRanges": [str(row[9])]}
    return json_response({key[0].upper() + key[1:]: item for key, item in value.items()}, status)


def _status(world: World, request: Request, row: tuple[Any, ...]) -> Response:
    return _expected(row)


def _cancel(world: World, request: Request, row: tuple[Any, ...]) -> Response:
    _forget(world, row[0])
    return Response(204)


def _forget(world: World, upload: str) -> None:
    world.db.execute("DELETE FROM uploads WHERE id = ?", (upload,))
    world.db.execute("DELETE FROM upload_chunks WHERE upload = ?", (upload,))


def _put(world: World, request: Request, row: tuple[Any, ...]) -> Response:
    found = _RANGE.fullmatch(request.headers.get("content-range", "").strip())
    if not found:
        raise bad_request("The Content-Range header is missing or malformed.", "ErrorInvalidRequest")
    start, end, total = (int(part) for part in found.groups())
    if total != row[6] or end < start or end >= total or end - start + 1 != len(request.body):
        raise bad_request("The Content-Range header does not match the content or the session.", "ErrorInvalidRequest")
    if len(request.body) > CHUNK:
        raise ApiError(413, "ErrorRequestTooLarge", "A chunk must not be larger than 4 MB.")
    if start != row[9]:
        headers = [("Content-Range", f"bytes 0-{max(row[9] - 1, 0)}/{row[6]}")]
        text = f"The chunk starts at {start} but {row[9]} is expected."
        raise ApiError(416, "invalidRange", text, headers=headers)
    user = world.users.get(row[1])
    if user is not None:
        key, now = (row[3], user.id), world.clock.timestamp()
        usage = world.throttle.enter(key, world.limits_of(user), now=now, upload=len(request.body))
        world.throttle.leave(usage)
    world.db.execute("INSERT INTO upload_chunks VALUES (?,?,?)", (row[0], start, request.body))
    world.db.execute("UPDATE uploads SET received = ? WHERE id = ?", (end + 1, row[0]))
    if end + 1 < total:
        return _expected((*row[:9], end + 1, *row[10:]))
    return _complete(world, request, row)


def _complete(world: World, request: Request, row: tuple[Any, ...]) -> Response:
    user = world.users.get(row[1])
    message = world.mailbox(user).messages.get(row[2]) if user else None
    if user is None or message is None or not message.is_draft:
        raise ApiError(404, "ErrorItemNotFound", "The specified object was not found in the store.")
    mailbox = world.mailbox(user)
    sql = "SELECT data FROM upload_chunks WHERE upload = ? ORDER BY start"
    data = b"".join(piece for (piece,) in world.db.query(sql, (row[0],)))
    _forget(world, row[0])
    item = Attachment(row[4], row[5], data, is_inline=bool(row[7]), content_id=row[8], kind=FILE)
    number = mailbox.contents.attach(message.content, item)
    if not item.is_inline:
        message.set_flags(HAS_ATTACHMENTS, True)
    mailbox.touch(message)
    shown = mailbox.immutable_id(message) if row[11] else mailbox.default_id(message)
    where = f"{request.base_url}/api/v2.0/Users('{user.id}')/Messages('{shown}')"
    return Response(201, b"", [("Location", f"{where}/Attachments('{mailbox.ids.attachment(shown, number)}')")])
