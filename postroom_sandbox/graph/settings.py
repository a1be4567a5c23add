"""Mailbox settings, categories, mail tips (graph.md 2.11, 11)."""

from __future__ import annotations

import uuid
from typing import Any

from postroom_sandbox.graph.call import Call, bad_request, missing
from postroom_sandbox.graph.fields import one_of, text
from postroom_sandbox.http import ApiError, Response, json_response

_COLOURS = ("none", *(f"preset{number}" for number in range(25)))
_STANDARD = ("Red category", "Orange category", "Yellow category", "Green category", "Blue category", "Purple category")
_STANDARD_COLOURS = ("preset0", "preset1", "preset3", "preset4", "preset7", "preset8")
_PARTS = (
    "automaticRepliesSetting", "timeZone", "language", "workingHours", "dateFormat", "timeFormat", "archiveFolder",
    "delegateMeetingMessageDeliveryOptions", "userPurpose",
)  # fmt: skip


def _all(call: Call) -> dict[str, Any]:
    now = call.world.clock.now().replace(minute=0, second=0, microsecond=0, tzinfo=None).isoformat()
    moment = {"dateTime": f"{now}.0000000", "timeZone": "UTC"}
    locale = call.user.details.get("preferredLanguage") or "en-US"
    standard: dict[str, Any] = {
        "archiveFolder": call.mailbox.ids.folder(call.mailbox.tree["archive"].number),
        "timeZone": "UTC",
        "delegateMeetingMessageDeliveryOptions": "sendToDelegateOnly",
        "dateFormat": "yyyy-MM-dd",
        "timeFormat": "HH:mm",
        "userPurpose": "user",
        "automaticRepliesSetting": {
            "status": "disabled",
            "externalAudience": "all",
            "internalReplyMessage": "",
            "externalReplyMessage": "",
            "scheduledStartDateTime": moment,
            "scheduledEndDateTime": moment,
        },
        "language": {"locale": locale, "displayName": locale},
        "workingHours": {
            "daysOfWeek": ["monday", "tuesday", "wednesday", "thursday", "friday"],
            "startTime": "08:00:00.0000000",
            "endTime": "17:00:00.0000000",
            "timeZone": {"name": "UTC"},
        },
    }
    changed: dict[str, Any] = call.mailbox.settings.get("graph", {})
    return standard | changed


def get_settings(call: Call) -> Response:
    """GET /mailboxSettings."""
    return json_response({"@odata.context": call.context("mailboxSettings")} | _all(call))


def get_setting(call: Call, part: str) -> Response:
    """GET /mailboxSettings/{one part}."""
    name = next((known for known in _PARTS if known.lower() == part.lower()), None)
    if name is None:
        raise ApiError(400, "BadRequest", f"Resource not found for the segment '{part}'.")
    value = _all(call)[name]
    context = {"@odata.context": call.context(f"mailboxSettings/{name}")}
    return json_response(context | (value if isinstance(value, dict) else {"value": value}))


def patch_settings(call: Call) -> Response:
    """PATCH /mailboxSettings."""
    body = {key: value for key, value in call.request.json_object().items() if not key.startswith("@")}
    unknown = [name for name in body if name not in _PARTS]
    if unknown:
        raise bad_request(f"The property '{unknown[0]}' does not exist on type 'microsoft.graph.mailboxSettings'.")
    kept = call.mailbox.settings.setdefault("graph", {})
    for name, value in body.items():
        kept[name] = (_all(call)[name] | value) if isinstance(value, dict) else value
    call.mailbox.save()
    context = {"@odata.context": call.context("mailboxSettings")}
    return json_response(context | {name: _all(call)[name] for name in body})


# -- categories


def _categories(call: Call) -> list[dict[str, str]]:
    stored: list[dict[str, str]] | None = call.mailbox.settings.get("categories")
    if stored is None:
        namespace = uuid.UUID(call.user.id)
        pairs = zip(_STANDARD, _STANDARD_COLOURS, strict=True)
        stored = [
            {"id": str(uuid.uuid5(namespace, name)), "displayName": name, "color": color} for name, color in pairs
        ]
        call.mailbox.settings["categories"] = stored
    return stored


def list_categories(call: Call) -> Response:
    """GET /outlook/masterCategories."""
    context = call.context("outlook/masterCategories")
    return json_response({"@odata.context": context, "value": _categories(call)})


def _category(call: Call, key: str) -> dict[str, str]:
    found = next((item for item in _categories(call) if item["id"] == key), None)
    if found is None:
        raise missing(key.ljust(40, "A"))
    return found


def _category_answer(call: Call, item: dict[str, str], status: int = 200) -> Response:
    return json_response({"@odata.context": call.context("outlook/masterCategories/$entity")} | item, status)


def get_category(call: Call, category: str) -> Response:
    """GET /outlook/masterCategories/{id}."""
    return _category_answer(call, _category(call, category))


def create_category(call: Call) -> Response:
    """POST /outlook/masterCategories: names are unique."""
    body = call.request.json_object()
    name = text(body.get("displayName"), "displayName").strip()
    if not name:
        raise bad_request("The display name of a category is required.", "ErrorInvalidRequest")
    if any(item["displayName"].casefold() == name.casefold() for item in _categories(call)):
        raise ApiError(409, "ErrorItemExists", "A category with this name exists already.")
    color = one_of(body.get("color") or "none", "color", _COLOURS)
    item = {"id": str(uuid.uuid4()), "displayName": name, "color": color}
    _categories(call).append(item)
    call.mailbox.save()
    return _category_answer(call, item, 201)


def patch_category(call: Call, category: str) -> Response:
    """PATCH /outlook/masterCategories/{id}: only the colour."""
    item, body = _category(call, category), call.request.json_object()
    if body.get("displayName") not in (None, item["displayName"]):
        raise bad_request("A category cannot be renamed.", "ErrorInvalidPropertySet")
    item["color"] = one_of(body.get("color") or item["color"], "color", _COLOURS)
    call.mailbox.save()
    return _category_answer(call, item)


def delete_category(call: Call, category: str) -> Response:
    """DELETE /outlook/masterCategories/{id}."""
    _categories(call).remove(_category(call, category))
    call.mailbox.save()
    return Response(204)


# -- mail tips


def mail_tips(call: Call) -> Response:
    """POST /getMailTips: nobody is away unless their settings say so."""
    body = {key.lower(): value for key, value in call.request.json_object().items()}
    addresses = body.get("emailaddresses")
    if not isinstance(addresses, list):
        raise bad_request("EmailAddresses must be a list.", "ErrorInvalidRequest")
    value = [_tips(call, text(address, "EmailAddresses")) for address in addresses]
    return json_response(
        {"@odata.context": f"{call.base}/$metadata#Collection(microsoft.graph.mailTips)", "value": value}
    )


def _tips(call: Call, address: str) -> dict[str, Any]:
    user = call.world.user_by_address(address)
    known = user is not None and user.has_mailbox
    message = ""
    if user is not None and known:
        away = call.world.mailbox(user).settings.get("graph", {}).get("automaticRepliesSetting", {})
        message = away.get("internalReplyMessage", "") if away.get("status") != "disabled" else ""
    value: dict[str, Any] = {"emailAddress": {"name": "", "address": address}, "mailboxFull": False}
    return value | {"automaticReplies": {"message": message}}
