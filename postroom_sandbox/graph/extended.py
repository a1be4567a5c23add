"""Single-value extended properties: MAPI's drawers on a message (graph.md 2.11)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from postroom_sandbox.clock import iso
from postroom_sandbox.graph.call import bad_request
from postroom_sandbox.store.mailbox import Mailbox
from postroom_sandbox.store.model import DRAFT, READ, Message

_TYPE = r"(?:String|Integer|Boolean|SystemTime|Binary|Long|Double|Float|Short|Currency|CLSID|ApplicationTime)"
_GUID = r"\{?[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}?"
_ID = re.compile(rf"({_TYPE})\s+(?:({_GUID})\s+(?:Name\s+(\S.*)|Id\s+(0x[0-9A-Fa-f]+))|(0x[0-9A-Fa-f]+))")
_IDS_IN_FILTER = re.compile(r"\bid\s+eq\s+'((?:[^']|'')*)'", re.IGNORECASE)
FLAGS, DELIVERED = "Integer 0xe07", "SystemTime 0xe06"
_UNSENT, _SEEN = 8, 1


def canonical(identifier: str) -> str:
    """One spelling per property: braces off, GUID and tag in lower case, the name's case kept (it matters).

    Raises `ApiError` 400 for what is no property id.
    """
    found = _ID.fullmatch(identifier.strip())
    if not found:
        raise bad_request(f"The extended property id '{identifier}' is invalid.", "ErrorInvalidExtendedProperty")
    kind, guid, name, number, tag = found.groups()
    if tag:
        return f"{kind} 0x{int(tag, 16):x}"
    where = guid.strip("{}").lower()
    return f"{kind} {where} Name {name}" if name else f"{kind} {where} Id 0x{int(number, 16):x}"


def read_extended(value: Any) -> dict[str, str]:
    """`singleValueExtendedProperties` of a request as {canonical id: value}. Raises `ApiError` 400."""
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise bad_request("singleValueExtendedProperties must be a list of objects.")
    return {canonical(str(item.get("id", ""))): str(item.get("value", "")) for item in value}


def value_of(mailbox: Mailbox, message: Message, identifier: str) -> str | None:
    """The value of one property by canonical id: what was set, or what MAPI keeps of the message itself."""
    found = message.extended.get(identifier)
    if found is not None:
        return found
    builtin = _BUILTIN.get(identifier)
    return builtin(mailbox, message) if builtin else None


_BUILTIN: dict[str, Callable[[Mailbox, Message], str | None]] = {
    "String 0x1035": lambda mailbox, m: m.internet_message_id,
    "String 0x1042": lambda mailbox, m: next(reversed(mailbox.contents.origin(m.content).references), None),
    "String 0x1039": lambda mailbox, m: " ".join(mailbox.contents.origin(m.content).references) or None,
    FLAGS: lambda mailbox, m: str((_SEEN if m.flags & READ else 0) | (_UNSENT if m.flags & DRAFT else 0)),
    DELIVERED: lambda mailbox, m: iso(m.received),
}


def extended_values(mailbox: Mailbox, message: Message, expand: str) -> list[dict[str, str]]:
    """The properties an `$expand=singleValueExtendedProperties($filter=…)` asks for; absent ones are left out."""
    out = []
    for wanted in _IDS_IN_FILTER.findall(expand):
        identifier = wanted.replace("''", "'")
        value = value_of(mailbox, message, canonical(identifier))
        if value is not None:
            out.append({"id": identifier, "value": value})
    return out


def wants_draft(properties: dict[str, str]) -> bool | None:
    """What `PidTagMessageFlags` says about a message being created: still a draft or not; None if it says nothing."""
    flags = properties.get(FLAGS)
    return None if flags is None else bool(int(flags) & _UNSENT) if flags.isdigit() else None
