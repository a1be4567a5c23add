"""The control calls: wire format only, the rules live in the modules they name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

from postroom_sandbox.control.dump import dump
from postroom_sandbox.control.mbox import split_mbox
from postroom_sandbox.http import ApiError, Request, Response, Route, json_response
from postroom_sandbox.store.mailbox import Mailbox
from postroom_sandbox.users import User
from postroom_sandbox.world import World

_LINES = ("Content-Type", "application/x-ndjson; charset=utf-8")
_RIGHTS = ("delegates", "send_as", "send_on_behalf")
Call = Callable[..., Response]


def routes(world: World) -> list[Route]:
    """Every control call of this module."""
    box = "/sandbox/mailboxes/{address}"
    table: tuple[tuple[str, str, Call], ...] = (
        ("GET", "/sandbox/company", company),
        ("POST", "/sandbox/users", add_user),
        ("GET", "/sandbox/requests", requests),
        ("DELETE", "/sandbox/requests", forget_requests),
        ("PUT", "/sandbox/requests", set_requests),
        ("GET", "/sandbox/faults", show_faults),
        ("PUT", "/sandbox/faults", set_faults),
        ("DELETE", "/sandbox/faults", clear_faults),
        ("GET", "/sandbox/clock", show_clock),
        ("POST", "/sandbox/clock", advance_clock),
        ("POST", f"{box}/deliver", deliver),
        ("POST", f"{box}/import", import_mbox),
        ("GET", f"{box}/dump", show_dump),
        ("GET", f"{box}/outgoing", outgoing),
        ("POST", f"{box}/expire-delta", expire_delta),
        ("GET", f"{box}/access", show_access),
        ("PUT", f"{box}/access", set_access),
        ("GET", f"{box}/limits", show_limits),
        ("PUT", f"{box}/limits", set_limits),
    )
    return [Route(method, path, partial(_run, world, call)) for method, path, call in table]


def _run(world: World, call: Call, request: Request, **params: str) -> Response:
    with world.operation():
        try:
            return call(world, request, **params)
        except ValueError as error:
            raise ApiError(400, "BadRequest", str(error)) from None


def _user(world: World, address: str) -> User:
    user = world.users.find(address)
    if user is None:
        raise ApiError(404, "ResourceNotFound", f"There is no user {address}.")
    return user


def _mailbox(world: World, address: str) -> Mailbox:
    try:
        return world.mailbox(_user(world, address))
    except LookupError as error:
        raise ApiError(409, "NoMailbox", str(error)) from None


def _user_json(world: World, user: User) -> dict[str, Any]:
    opens = [other.address for other in world.users if other.id != user.id and other.may_be_opened_by(user)]
    value = {"id": user.id, "address": user.address, "name": user.name, "kind": user.kind, "tenant_id": user.tenant_id}
    return value | {"aliases": user.aliases, "delegates": user.delegates, "may_open": opens}


def company(world: World, request: Request) -> Response:
    """GET /sandbox/company."""
    domains: dict[str, set[str]] = {}
    for user in world.users:
        domains.setdefault(user.tenant_id, set()).add(user.address.rpartition("@")[2].lower())
    tenants = [{"id": tenant, "domains": sorted(names)} for tenant, names in sorted(domains.items())]
    return json_response({"tenants": tenants, "users": [_user_json(world, user) for user in world.users]})


def add_user(world: World, request: Request) -> Response:
    """POST /sandbox/users."""
    body = request.json_object()
    given = {name: body[name] for name in ("kind", "tenant_id", "aliases", "delegates", "details") if name in body}
    user = world.users.add(str(body.get("address") or ""), str(body.get("name") or ""), **given)
    if user.has_mailbox:
        world.mailbox(user)
    return json_response(_user_json(world, user), 201)


def requests(world: World, request: Request) -> Response:
    """GET /sandbox/requests?since=N."""
    since = request.query.get("since", "0")
    if not since.isdigit():
        raise ValueError("since must be a number")
    return Response(200, b"".join(world.traffic.lines(int(since))), [_LINES])


def forget_requests(world: World, request: Request) -> Response:
    """DELETE /sandbox/requests."""
    world.traffic.clear()
    return Response(204)


def set_requests(world: World, request: Request) -> Response:
    """PUT /sandbox/requests `{enabled}`."""
    world.traffic.enabled = request.json_object().get("enabled") is not False
    return json_response({"enabled": world.traffic.enabled, "count": world.traffic.count})


def show_faults(world: World, request: Request) -> Response:
    """GET /sandbox/faults: the rules and how often each matched and struck."""
    rules = [rule.spec | {"seen": rule.seen, "struck": rule.struck} for rule in world.faults.rules]
    return json_response({"rules": rules})


def set_faults(world: World, request: Request) -> Response:
    """PUT /sandbox/faults."""
    world.faults.configure(request.json_object())
    return json_response({"rules": len(world.faults.rules)})


def clear_faults(world: World, request: Request) -> Response:
    """DELETE /sandbox/faults."""
    world.faults.clear()
    return Response(204)


def show_clock(world: World, request: Request) -> Response:
    """GET /sandbox/clock."""
    return json_response({"now": world.clock.now().isoformat().replace("+00:00", "Z")})


def advance_clock(world: World, request: Request) -> Response:
    """POST /sandbox/clock `{advance_seconds}`."""
    seconds = request.json_object().get("advance_seconds")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise ValueError("advance_seconds must be a number")
    world.clock.advance(float(seconds))
    world.alarm(0)
    return show_clock(world, request)


def deliver(world: World, request: Request, address: str) -> Response:
    """POST /sandbox/mailboxes/{address}/deliver?folder=inbox."""
    mailbox = _mailbox(world, address)
    folder = mailbox.tree.at_path(request.query.get("folder") or "inbox")
    message = world.transport.deliver(mailbox, request.body, folder=folder)
    ids = {"id": mailbox.default_id(message), "immutable_id": mailbox.immutable_id(message)}
    return json_response(ids | {"internet_message_id": message.internet_message_id}, 201)


def import_mbox(world: World, request: Request, address: str) -> Response:
    """POST /sandbox/mailboxes/{address}/import?folder=Path/Sub: nobody is notified."""
    mailbox = _mailbox(world, address)
    folder = mailbox.tree.at_path(request.query.get("folder") or "inbox")
    read = request.query.get("read", "true").lower() != "false"
    count, mailbox.quiet = 0, True
    try:
        for raw, date in split_mbox(request.body):
            world.transport.file(mailbox, raw, folder, is_read=read, fallback=date)
            count += 1
    finally:
        mailbox.quiet = False
    return json_response({"imported": count, "folder": folder.path})


def show_dump(world: World, request: Request, address: str) -> Response:
    """GET /sandbox/mailboxes/{address}/dump."""
    return Response(200, b"".join(dump(_mailbox(world, address))), [_LINES])


def outgoing(world: World, request: Request, address: str) -> Response:
    """GET /sandbox/mailboxes/{address}/outgoing: what was sent, raw, in order."""
    sent = world.transport.outgoing(_user(world, address))
    value = [
        {"n": n, "sent": when, "recipients": people, "raw": raw.decode("utf-8", "surrogateescape")}
        for n, when, people, raw in sent
    ]
    return json_response({"value": value})


def expire_delta(world: World, request: Request, address: str) -> Response:
    """POST /sandbox/mailboxes/{address}/expire-delta."""
    _mailbox(world, address).expire_delta()
    return Response(204)


def show_access(world: World, request: Request, address: str) -> Response:
    """GET /sandbox/mailboxes/{address}/access: who may open it, send as it, and on its behalf."""
    user = _user(world, address)
    return json_response({name: getattr(user, name) for name in _RIGHTS})


def set_access(world: World, request: Request, address: str) -> Response:
    """PUT /sandbox/mailboxes/{address}/access: only the lists that are named change, at once."""
    body = request.json_object()
    given = {name: body[name] for name in _RIGHTS if name in body}
    if not all(isinstance(people, list) and all(isinstance(one, str) for one in people) for people in given.values()):
        raise ValueError(f"{', '.join(_RIGHTS)} are lists of addresses")
    world.users.set_access(_user(world, address), **given)
    return show_access(world, request, address)


def show_limits(world: World, request: Request, address: str) -> Response:
    """GET /sandbox/mailboxes/{address}/limits."""
    return json_response(asdict(world.limits_of(_user(world, address))))


def set_limits(world: World, request: Request, address: str) -> Response:
    """PUT /sandbox/mailboxes/{address}/limits: only what is named changes; an empty object restores Microsoft's."""
    user, body = _user(world, address), request.json_object()
    if body:
        world.limits[user.id] = world.limits_of(user).changed(body)
    else:
        world.limits.pop(user.id, None)
    return show_limits(world, request, address)
