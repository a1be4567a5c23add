"""The people relevant to somebody, from the mail they write and get (graph.md 10)."""

from __future__ import annotations

import uuid
from collections import defaultdict
from itertools import islice
from typing import Any
from urllib.parse import urlencode

import msgspec

from postroom_sandbox.graph.call import Call, bad_request
from postroom_sandbox.graph.odata import Options, parse_uri_error, read_options
from postroom_sandbox.http import Response, json_response
from postroom_sandbox.store.model import DELETED, JUNK
from postroom_sandbox.users import PERSONAL, User

LOOKED_AT = 400  # of the newest messages
DEFAULT_TOP = 10
TO_THEM, FROM_THEM = 2.0, 1.0  # what a message counts
_PROPERTIES = (
    "id", "displayName", "givenName", "surname", "birthday", "personNotes", "isFavorite", "jobTitle", "companyName",
    "yomiCompany", "department", "officeLocation", "profession", "websites", "postalAddresses", "phones",
    "scoredEmailAddresses", "personType", "userPrincipalName", "imAddress",
)  # fmt: skip
_KNOWN = {name.lower(): name for name in _PROPERTIES}


def list_people(call: Call) -> Response:
    """GET /people: ranked, ten unless told; `$search` fuzzily by name and address, and then without `$skip`."""
    options = read_options(call.request.query)
    for name in options.select:
        if name.lower() not in _KNOWN:
            raise parse_uri_error(f"Could not find a property named '{name}' on type 'microsoft.graph.person'.")
    if options.search is not None and options.skip:
        raise bad_request("The query parameter '$skip' is not supported with '$search'.")
    if options.filter or options.orderby:
        raise bad_request("This sandbox filters and orders no people.")
    found = [one for one in _ranked(call) if _matches(one, options.search)]
    top = options.top or DEFAULT_TOP
    page = found[options.skip : options.skip + top]
    names = [_KNOWN[name.lower()] for name in options.select] or list(_PROPERTIES)
    tail = {}
    if options.search is None and len(found) > options.skip + top:
        tail["@odata.nextLink"] = _next(call, options, top)
    value = [{name: one[name] for name in dict.fromkeys(("id", *names))} for one in page]
    return json_response({"@odata.context": call.context("people"), "value": value} | tail)


def _next(call: Call, options: Options, top: int) -> str:
    query = {"$top": str(top), "$skip": str(options.skip + top)}
    if options.select:
        query["$select"] = ",".join(options.select)
    return f"{call.base}/me/people?{urlencode(query, safe='$,')}"


def _matches(person: dict[str, Any], search: str | None) -> bool:
    """All words begin a part of the name or the address, as far as a sandbox is fuzzy."""
    if search is None:
        return True
    said = [person["displayName"], *(one["address"] for one in person["scoredEmailAddresses"])]
    parts = " ".join(said).lower().replace("@", " ").replace(".", " ").split()
    return all(any(part.startswith(word) for part in parts) for word in search.strip('" ').lower().split())


def _ranked(call: Call) -> list[dict[str, Any]]:
    mailbox, own = call.mailbox, {address.lower() for address in call.user.addresses}
    ignored = {mailbox.tree[DELETED].number, mailbox.tree[JUNK].number}
    newest = (one for one in reversed(mailbox.all.items) if not one.is_draft and one.folder.number not in ignored)
    summaries = mailbox.contents.summaries([one.content for one in islice(newest, LOOKED_AT)])
    scores: dict[str, float] = defaultdict(float)
    names: dict[str, str] = {}
    for raw in summaries.values():
        told = msgspec.json.decode(b"{" + raw + b"}")
        writer = told.get("from", {}).get("emailAddress", {})
        mine = str(writer.get("address", "")).lower() in own
        others = [one["emailAddress"] for name in ("toRecipients", "ccRecipients") for one in told.get(name, ())]
        for person in others if mine else [writer]:
            address = str(person.get("address", "")).lower()
            if "@" in address and address not in own:
                scores[address] += TO_THEM if mine else FROM_THEM
                names.setdefault(address, str(person.get("name") or address))
    best = sorted(scores, key=lambda address: (-scores[address], address))
    return [_person(call, address, names[address], scores[address]) for address in best]


def _person(call: Call, address: str, name: str, score: float) -> dict[str, Any]:
    user = call.world.user_by_address(address)
    known = user if user is not None and user.tenant_id == call.user.tenant_id and user.kind != PERSONAL else None
    shown = known.name if known else name
    given, _, family = shown.partition(" ")
    value: dict[str, Any] = dict.fromkeys(_PROPERTIES, None)
    return (
        value
        | {
            "id": known.id if known else str(uuid.uuid5(uuid.UUID(call.user.id), address)),
            "displayName": shown,
            "givenName": given or None,
            "surname": family or None,
            "birthday": "",
            "personNotes": "",
            "isFavorite": False,
            "profession": "",
            "websites": [],
            "postalAddresses": [],
            "phones": [],
            "scoredEmailAddresses": [
                {"address": address, "relevanceScore": score, "selectionLikelihood": "notSpecified"},
            ],
            "personType": {"class": "Person", "subclass": "OrganizationUser" if known else "PersonalContact"},
        }
        | (_of_directory(known) if known else {})
    )


def _of_directory(user: User) -> dict[str, Any]:
    names = ("jobTitle", "companyName", "department", "officeLocation")
    return {name: user.details.get(name) for name in names} | {
        "userPrincipalName": user.address,
        "imAddress": f"sip:{user.address}",
    }
