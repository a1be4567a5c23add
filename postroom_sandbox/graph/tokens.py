"""Delta tokens: opaque, signed, bound to mailbox, folder and parameters (graph.md 2.12)."""

from __future__ import annotations

import base64
import binascii
import hmac

import msgspec

from postroom_sandbox.http import ApiError

_SIGNATURE = 12


class State(msgspec.Struct, array_like=True, frozen=True):
    """Where a client stands. `after` and `until` are ticks of the mailbox: a round tells what happened between.

    In a first round `after` is 0 and `position` is the (received, sequence) last told; later it is (tick, 0).
    """

    mailbox: int
    folder: int
    first: bool
    after: int
    until: int
    position: tuple[int, int] | None = None
    told: int = 0
    select: str = ""
    expand: str = ""
    filter: str = ""
    change_type: str = ""
    top: int = 0
    issued: int = 0
    pause: bool = False
    replayed: bool = False


def seal(state: State, secret: bytes) -> str:
    """The token for a state."""
    data = msgspec.msgpack.encode(state)
    return base64.urlsafe_b64encode(data + _sign(data, secret)).decode().rstrip("=")


def unseal(token: str, secret: bytes) -> State:
    """The state of a token. Raises `ApiError` 400 for anything this sandbox did not make."""
    try:
        data = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        body, signature = data[:-_SIGNATURE], data[-_SIGNATURE:]
        if hmac.compare_digest(_sign(body, secret), signature):
            return msgspec.msgpack.decode(body, type=State)
    except (binascii.Error, ValueError, msgspec.DecodeError):
        pass
    raise ApiError(400, "ErrorInvalidSyncStateData", "The sync state data is corrupted or otherwise invalid.")


def _sign(data: bytes, secret: bytes) -> bytes:
    return hmac.digest(secret, b"delta" + data, "sha256")[:_SIGNATURE]


def expired(floor: int, position: int, *, url: str) -> ApiError:
    """410 as captured from the live service; `Location` is where to begin again."""
    message = f"The sync state generation is not found; generation={position};[highest={floor}]"
    return ApiError(410, "SyncStateNotFound", message, headers=[("Location", f"{url}?$deltatoken=")])
