"""/me, /users, photos (graph.md 13)."""

from __future__ import annotations

from typing import Any

from postroom_sandbox.graph.call import Call, denied
from postroom_sandbox.graph.odata import parse_uri_error, read_options
from postroom_sandbox.http import ApiError, Response, json_response
from postroom_sandbox.users import PERSONAL, User

_DEFAULT = (
    "businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone", "officeLocation",
    "preferredLanguage", "surname", "userPrincipalName", "id",
)  # fmt: skip
_ON_REQUEST = (
    "proxyAddresses", "otherMails", "userType", "accountEnabled", "companyName", "department", "mailNickname",
    "usageLocation", "createdDateTime",
)  # fmt: skip
_KNOWN = {name.lower(): name for name in (*_DEFAULT, *_ON_REQUEST)}


def user_properties(user: User) -> dict[str, Any]:
    """Everything the directory says about a user."""
    given, _, family = user.name.partition(" ")
    personal = user.kind == PERSONAL
    value: dict[str, Any] = {
        "businessPhones": [user.details["businessPhone"]] if user.details.get("businessPhone") else [],
        "displayName": user.name,
        "givenName": given or None,
        "surname": family or None,
        "mail": None if personal else user.address,
        "userPrincipalName": user.address,
        "id": user.id,
        "proxyAddresses": [] if personal else [f"SMTP:{user.address}", *(f"smtp:{alias}" for alias in user.aliases)],
        "otherMails": [],
        "userType": "Member",
        "accountEnabled": True,
        "mailNickname": user.address.partition("@")[0],
        "createdDateTime": "2020-01-01T00:00:00Z",
    }
    rest = (
        "jobTitle",
        "mobilePhone",
        "officeLocation",
        "preferredLanguage",
        "companyName",
        "department",
        "usageLocation",
    )
    return value | {name: user.details.get(name) for name in rest}


def user_json(user: User, select: tuple[str, ...]) -> dict[str, Any]:
    """The default properties, or those selected. Raises `ApiError` 400 for unknown ones."""
    for name in select:
        if name.lower() not in _KNOWN:
            raise parse_uri_error(f"Could not find a property named '{name}' on type 'microsoft.graph.user'.")
    names = [_KNOWN[name.lower()] for name in select] or list(_DEFAULT)
    value = user_properties(user)
    return {name: value[name] for name in names}


def get_user(call: Call) -> Response:
    """GET /me and /users/{id}."""
    options = read_options(call.request.query)
    context = f"{call.base}/$metadata#users{'(' + ','.join(options.select) + ')' if options.select else ''}/$entity"
    return json_response({"@odata.context": context} | user_json(call.user, options.select))


def list_users(call: Call) -> Response:
    """GET /users: the caller's tenant."""
    if not call.principal.may("User.ReadBasic.All", "User.Read.All"):
        raise denied()
    options = read_options(call.request.query)
    tenant = call.principal.user.tenant_id
    found = [user for user in call.world.users if user.tenant_id == tenant][: options.top or 100]
    value = [user_json(user, options.select) for user in found]
    return json_response({"@odata.context": f"{call.base}/$metadata#users", "value": value})


def get_photo(call: Call) -> Response:
    """GET /photo and /photo/$value: nobody has one."""
    if not call.user.has_mailbox:
        raise ApiError(404, "ErrorNonExistentMailbox", "The SMTP address has no mailbox associated with it.")
    raise ApiError(404, "ImageNotFound", "The photo wasn't found.")
