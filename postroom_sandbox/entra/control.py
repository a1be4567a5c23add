"""Control calls around sign-in: applications, consent policy, tokens, and the accidents of real life."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import msgspec

from ..http import ApiError, Request, Response, json_response
from ..users import PERSONAL_TENANT, User
from . import tokens
from .errors import OAuthError
from .records import App, TenantPolicy
from .service import entra

if TYPE_CHECKING:
    from ..world import World


def user_of(world: World, address: str) -> User:
    """The user with this address. Raises ApiError 404."""
    user = world.users.find(address)
    if user is None:
        raise ApiError(404, "ResourceNotFound", f"There is no mailbox '{address}'.")
    return user


def list_apps(world: World, request: Request) -> Response:
    """Every registration, secrets included: this is a sandbox."""
    return json_response({"value": [msgspec.to_builtins(app) for app in entra(world).apps]})


def put_app(world: World, request: Request) -> Response:
    """Registers an application, or changes the fields given of the one with this `client_id`."""
    service = entra(world)
    body = request.json_object()
    client_id = str(body.get("client_id") or uuid.uuid4())
    known = service.apps.get(client_id)
    fields: dict[str, Any] = msgspec.to_builtins(known) if known else {"client_id": client_id, "name": client_id}
    unknown = set(body) - set(App.__struct_fields__)
    if unknown:
        raise ApiError(400, "BadRequest", f"Unknown field: {', '.join(sorted(unknown))}.")
    try:
        app = msgspec.convert({**fields, **body, "client_id": client_id}, App)
    except msgspec.ValidationError as error:
        raise ApiError(400, "BadRequest", str(error)) from None
    service.apps.put(client_id, app)
    return json_response(msgspec.to_builtins(app), 200 if known else 201)


def set_policy(world: World, request: Request, tenant: str) -> Response:
    """`{"consent": "legacy"|"low"|"managed"|"none", guarded?, withheld?}` for a tenant (id or domain)."""
    service = entra(world)
    segment = service.tenant_segment(tenant)
    if segment is None:
        raise ApiError(404, "ResourceNotFound", f"There is no tenant '{tenant}'.")
    segment = PERSONAL_TENANT if segment == "consumers" else segment
    try:
        policy = msgspec.convert(request.json_object(), TenantPolicy)
    except msgspec.ValidationError as error:
        raise ApiError(400, "BadRequest", str(error)) from None
    service.policies.put(segment, policy)
    return json_response(msgspec.to_builtins(policy))


def make_token(world: World, request: Request) -> Response:
    """`{user, scopes, minutes?}` -> a token answer as /token would give it."""
    body = request.json_object()
    user = user_of(world, str(body.get("user", "")))
    scopes, minutes = body.get("scopes") or ["User.Read"], body.get("minutes", 75)
    if not isinstance(scopes, list) or not isinstance(minutes, int) or not 0 < minutes <= 60 * 24 * 90:
        raise ApiError(400, "BadRequest", "`scopes` must be a list and `minutes` a positive whole number.")
    try:
        answer = tokens.issue_token(world, user, map(str, scopes), minutes, base_url=request.base_url)
    except OAuthError as error:
        raise ApiError(400, "BadRequest", str(error)) from None
    return json_response(answer)


def refresh_failure(world: World, request: Request, address: str) -> Response:
    """`{"code": 50076, "times": 1}`: the next refreshes of this user fail so; code 0 clears, times 0 = always."""
    user, body = user_of(world, address), request.json_object()
    code, times = body.get("code"), body.get("times", 1)
    if not isinstance(code, int) or not isinstance(times, int) or times < 0:
        raise ApiError(400, "BadRequest", "`code` and `times` must be whole numbers.")
    try:
        tokens.fail_next_refresh(world, user, code, times)
    except ValueError as error:
        raise ApiError(400, "BadRequest", str(error)) from None
    return Response(204)


def claims_challenge(world: World, request: Request, address: str) -> Response:
    """Conditional access changes; with `{"refuse": true}` a refresh does not help, the user must sign in
    and pass the claims on; `{"clear": true}` takes the policy back."""
    body, user = request.json_object(), user_of(world, address)
    if body.get("clear"):
        entra(world).change(user.id, challenged_at=0.0, challenge_refuses=False)
    else:
        tokens.challenge(world, user, refuse=bool(body.get("refuse", False)))
    return Response(204)


def revoke(world: World, request: Request, address: str) -> Response:
    """Revoke sessions."""
    tokens.revoke(world, user_of(world, address))
    return Response(204)


def change_password(world: World, request: Request, address: str) -> Response:
    """The user changes the password."""
    tokens.change_password(world, user_of(world, address))
    return Response(204)


def expire_tokens(world: World, request: Request, address: str) -> Response:
    """The access tokens handed out so far have expired."""
    tokens.expire_access_tokens(world, user_of(world, address))
    return Response(204)


def account(world: World, request: Request, address: str) -> Response:
    """`{"disabled": true, "admin": true}`: switches of an account."""
    user, body = user_of(world, address), request.json_object()
    if set(body) - {"disabled", "admin"} or not all(isinstance(value, bool) for value in body.values()):
        raise ApiError(400, "BadRequest", "Only the switches `disabled` and `admin` may be set, to true or false.")
    entra(world).change(user.id, **body)
    return Response(204)


def withdraw_consent(world: World, request: Request, address: str) -> Response:
    """Takes back what the user has granted (all applications)."""
    return json_response({"withdrawn": entra(world).withdraw(user_of(world, address))})
