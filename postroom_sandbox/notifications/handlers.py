"""`/v1.0/subscriptions` and the control calls around it."""

from __future__ import annotations

import asyncio
import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..clock import parse_iso
from ..entra import Principal, authenticate
from ..entra.records import is_loopback
from ..http import ApiError, Request, Response, json_response
from ..users import User
from . import model
from .model import Subscription, bad
from .service import Notifications, notifications

if TYPE_CHECKING:
    from ..world import World

_WRITABLE = frozenset(
    {
        "@odata.type",
        "resource",
        "changeType",
        "notificationUrl",
        "lifecycleNotificationUrl",
        "expirationDateTime",
        "clientState",
        "includeResourceData",
        "latestSupportedTlsVersion",
    }
)
_CONTEXT = "https://graph.microsoft.com/v1.0/$metadata#subscriptions"
_FAILED = "Subscription validation request failed. "


def _shown(subscription: Subscription, status: int = 200) -> Response:
    return json_response({"@odata.context": f"{_CONTEXT}/$entity", **subscription.as_json()}, status)


async def create(world: World, request: Request) -> Response:
    """POST: checks everything, shakes hands with the endpoint, keeps the subscription."""
    service = notifications(world)
    with world.operation():
        wanted = _read(service, authenticate(world, request), request)
    await _validate(service, wanted.notification_url)
    if wanted.lifecycle_url:
        await _validate(service, wanted.lifecycle_url)
    with world.operation():
        _check_room(service, wanted)  # again: another request may have come meanwhile
        service.registry.put(wanted)
    return _shown(wanted, 201)


def _read(service: Notifications, principal: Principal, request: Request) -> Subscription:
    body = request.json_object()
    unknown = set(body) - _WRITABLE
    if unknown:
        raise bad(f"The property '{sorted(unknown)[0]}' is not supported for this subscription.")
    if body.get("includeResourceData"):
        raise bad("Notifications with resource data are not offered by the sandbox.")
    watched = model.parse_resource(_text(body, "resource"))
    user = _owner(service, principal, watched.user)
    if not principal.may(*model.SCOPES[watched.what]):
        raise _denied()
    wanted = Subscription(
        id=str(uuid.uuid4()),
        user_id=user.id,
        client_id=principal.client_id,
        tenant_id=user.tenant_id,
        resource=_text(body, "resource"),
        what=watched.what,
        folder_id=_folder_id(service.world, user, watched.folder),
        change_types=model.parse_change_types(_text(body, "changeType")),
        notification_url=_url(body, "notificationUrl"),
        lifecycle_url=_url(body, "lifecycleNotificationUrl") if body.get("lifecycleNotificationUrl") else "",
        client_state=_client_state(body),
        expires=_expiry(service.world, body),
        immutable_ids="immutableid" in request.headers.get("prefer", "").lower(),
        unread_only=watched.unread_only,
    )
    _check_room(service, wanted)
    return wanted


def _check_room(service: Notifications, wanted: Subscription) -> None:
    others = service.registry.of_user(wanted.user_id)
    for other in others:
        if other.same_as == wanted.same_as:
            text = f"Subscription Id {other.id} already exists for the requested combination"
            raise ApiError(409, "Conflict", text)
    if len(others) >= model.MAX_PER_MAILBOX:
        text = f"The number of subscriptions for the mailbox exceeds the limit of {model.MAX_PER_MAILBOX}."
        raise ApiError(403, "LimitExceeded", text)


def _owner(service: Notifications, principal: Principal, key: str) -> User:
    """The user watched: with delegated tokens only oneself (graph.md 3.2), and only with a mailbox."""
    user = principal.user
    if key.lower() != "me" and service.world.users.find(key) is not user:
        raise _denied()
    if not user.has_mailbox:
        text = "The mailbox is either inactive, soft-deleted, or is hosted on-premise."
        raise ApiError(404, "MailboxNotEnabledForRESTAPI", text)
    return user


def _denied() -> ApiError:
    return ApiError(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")


def _folder_id(world: World, user: User, key: str) -> str:
    if not key:
        return ""
    mailbox = world.mailbox(user)
    folder = mailbox.tree.get(key)
    if folder is None:
        raise ApiError(404, "ErrorItemNotFound", "The specified object was not found in the store.")
    return mailbox.ids.folder(folder.number)


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value.strip():
        raise bad(f"The property '{name}' is required and must not be empty.")
    return value.strip()


def _client_state(body: dict[str, Any]) -> str | None:
    value = body.get("clientState")
    if value is not None and (not isinstance(value, str) or len(value) > 128):
        raise bad("The clientState must be a text of at most 128 characters.")
    return value


def _url(body: dict[str, Any], name: str) -> str:
    """An address that may be called: https, or http because it is loopback; nothing but loopback is contacted."""
    value = _text(body, name)
    try:
        parts = urlsplit(value)
        scheme = parts.scheme if parts.port != 0 else ""  # reading the port checks it
    except ValueError:
        scheme = ""
    if scheme not in {"http", "https"}:
        raise bad(f"The {name} must be an https address.")
    if not is_loopback(value):
        raise bad(_FAILED + "The sandbox contacts nothing but loopback addresses.")
    return value


def _expiry(world: World, body: dict[str, Any]) -> float:
    """The end in Unix seconds, raised to 45 minutes from now; at most 10,080 minutes (graph.md 3.1, 3.3)."""
    text = _text(body, "expirationDateTime")
    try:
        asked: datetime = parse_iso(text)
    except ValueError:
        raise bad("The expirationDateTime is not a valid date and time.") from None
    now = world.clock.now()
    if asked > now + timedelta(minutes=model.MAX_MINUTES, seconds=60):
        raise bad(f"Subscription expiration can only be {model.MAX_MINUTES} minutes in the future.")
    return max(asked, now + timedelta(minutes=model.MIN_MINUTES)).timestamp()


async def _validate(service: Notifications, url: str) -> None:
    problem = await asyncio.wrap_future(service.courier.validate(url))
    if problem:
        text = f"{_FAILED}Notification endpoint must respond with 200 OK to validation request. {problem}"
        raise bad(text)


# -- reading and changing


def listing(world: World, request: Request) -> Response:
    """GET: this application's subscriptions of this user."""
    principal = authenticate(world, request)
    own = notifications(world).registry.of_user(principal.user.id)
    value = [item.as_json() for item in own if item.client_id == principal.client_id]
    return json_response({"@odata.context": _CONTEXT, "value": value})


def _find(world: World, request: Request, subscription: str) -> Subscription:
    principal = authenticate(world, request)
    found = notifications(world).registry.get(subscription)
    if found is None or (found.user_id, found.client_id) != (principal.user.id, principal.client_id):
        raise ApiError(404, "ResourceNotFound", "The object was not found.")
    return found


def get(world: World, request: Request, subscription: str) -> Response:
    """GET one."""
    return _shown(_find(world, request, subscription))


async def change(world: World, request: Request, subscription: str) -> Response:
    """PATCH: a new end and, newer, another notificationUrl (shaken hands with again). Also reauthorises."""
    with world.operation():
        found = _find(world, request, subscription)
        body = request.json_object()
        refused = set(body) - {"expirationDateTime", "notificationUrl", "@odata.type"}
        if refused or not body:
            name = sorted(refused)[0] if refused else "expirationDateTime"
            raise bad(f"The property '{name}' cannot be changed; delete the subscription and create another.")
        expires = _expiry(world, body) if "expirationDateTime" in body else found.expires
        url = _url(body, "notificationUrl") if "notificationUrl" in body else found.notification_url
    if url != found.notification_url:
        await _validate(notifications(world), url)
    with world.operation():
        found = _find(world, request, subscription)
        found.expires, found.notification_url, found.warned = expires, url, False
        notifications(world).registry.put(found)
    return _shown(found)


def delete(world: World, request: Request, subscription: str) -> Response:
    """DELETE."""
    found = _find(world, request, subscription)
    notifications(world).registry.remove(found.id)
    return Response(204)


def reauthorize(world: World, request: Request, subscription: str) -> Response:
    """POST /reauthorize: the token is good for the subscription again; the end stays."""
    found = _find(world, request, subscription)
    found.warned = False
    notifications(world).registry.put(found)
    return Response(204)


# -- control


def _user(world: World, address: str) -> User:
    user = world.users.find(address)
    if user is None:
        raise ApiError(404, "ResourceNotFound", f"There is no user {address}.")
    return user


def drop(world: World, request: Request, address: str) -> Response:
    """POST /sandbox/mailboxes/{address}/drop-subscriptions: they vanish and nobody is told."""
    return json_response({"dropped": notifications(world).drop(_user(world, address).id)})


def lifecycle(world: World, request: Request, address: str, event: str) -> Response:
    """POST /sandbox/mailboxes/{address}/lifecycle/{event}."""
    try:
        told = notifications(world).send_lifecycle(_user(world, address).id, event)
    except ValueError as error:
        raise ApiError(400, "BadRequest", str(error)) from None
    return json_response({"told": told})


def sent(world: World, request: Request) -> Response:
    """GET /sandbox/notifications?since=N: every POST to a webhook as JSON lines; `t` is when it was begun."""
    since = request.query.get("since", "0")
    if not since.isdigit():
        raise ApiError(400, "BadRequest", "since must be a number")
    lines = b"".join(notifications(world).courier.lines(int(since)))
    return Response(200, lines, [("Content-Type", "application/x-ndjson; charset=utf-8")])


def subscriptions(world: World, request: Request) -> Response:
    """GET /sandbox/subscriptions: all of them, and how their endpoints are judged."""
    service = notifications(world)
    value = [item.as_json() for item in service.registry]
    return json_response({"value": value, "endpoints": service.courier.states()})
