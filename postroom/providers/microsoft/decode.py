"""Typed decoding straight from bytes, and what is done when bytes are not as they should be.

The fast way decodes a whole page into structs. Only when that fails the page is taken apart, so that one bad item is
``Unusable`` and the others arrive. JSON can carry what UTF-8 cannot: lone surrogates (``\\ud800``). They become U+FFFD
here, bodies included, so every string handed up can be encoded. NUL stays, see ``messages.text``.
"""

from re import Match, compile
from typing import Generic, TypeVar

from msgspec import DecodeError, Raw, Struct, field, json
from msgspec import ValidationError as WrongShape

from postroom.providers.contract import Unusable
from postroom.providers.errors import Transient

T = TypeVar("T")

UNREADABLE = (DecodeError, UnicodeDecodeError, RecursionError)


class Listing(Struct, Generic[T]):
    """A page of Graph's: the items and one of the two links."""

    value: list[T]
    next_link: str | None = field(name="@odata.nextLink", default=None)
    delta_link: str | None = field(name="@odata.deltaLink", default=None)


class _Named(Struct):
    id: str = ""


def decode(body: bytes | Raw, type: type[T], *, safe: bool = True) -> T:
    """``body`` as ``type``. An unreadable answer was cut off on its way, or is a gateway's page: ``Transient``."""
    try:
        return json.decode(body, type=type)
    except UNREADABLE:
        pass
    try:
        return json.decode(repaired(bytes(body)), type=type)
    except UNREADABLE as error:
        what = "has another shape" if isinstance(error, WrongShape) else "cannot be read"
        raise Transient(f"an answer of Microsoft's {what}", code="Unreadable", maybe_done=not safe) from None


def decode_listing(body: bytes, item: type[T]) -> Listing[T | Unusable]:
    """A page whose bad items have become ``Unusable``. Raises ``Transient`` when not even the page can be read."""
    try:
        return json.decode(body, type=Listing[item])  # type: ignore[valid-type]
    except UNREADABLE:
        raw = decode(body, Listing[Raw])
    items = [decode_item(piece, item) for piece in raw.value]
    return Listing(value=items, next_link=raw.next_link, delta_link=raw.delta_link)


def decode_item(body: bytes | Raw, item: type[T]) -> T | Unusable:
    """One item, or ``Unusable`` with its id and the reason (of shape, never of content)."""
    try:
        return json.decode(body, type=item)
    except UNREADABLE:
        pass
    try:
        return json.decode(repaired(bytes(body)), type=item)
    except UNREADABLE as error:
        return Unusable(id=_id_of(body), reason=f"cannot be decoded: {error}"[:200])


def _id_of(body: bytes | Raw) -> str:
    try:
        return json.decode(repaired(bytes(body)), type=_Named).id
    except UNREADABLE:
        return ""


# One escape of a JSON string at a time, a surrogate pair as one. An escaped backslash is taken as a whole, so that the
# text `\\ud800` (a backslash and five letters) is left alone.
ESCAPE = compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\.")


def repaired(body: bytes) -> bytes:
    """The same JSON with lone surrogates and bytes that are not UTF-8 replaced by U+FFFD."""
    return ESCAPE.sub(_whole, body.decode(errors="replace").encode())


def _whole(match: Match[bytes]) -> bytes:
    found = match[0]
    return rb"\ufffd" if len(found) == 6 and found[2:3] in b"dD" and found.startswith(rb"\u") else found
