"""Entra's error codes as product states: graph.md 1.8 in one table.

A state says what a code means; ``STATES`` says which of our errors that is while connecting and which while
refreshing, where the member is not looking. Microsoft asks clients to decide by ``error``, not by number: so an unknown
number falls back to the ``error`` word, and a known one only makes the state more exact.
"""

from collections.abc import Mapping

from msgspec import Struct

from postroom.providers import errors
from postroom.providers.errors import ProviderError


class State(Struct, frozen=True):
    """(error, reason) when connecting and when refreshing."""

    connecting: tuple[type[ProviderError], str]
    refreshing: tuple[type[ProviderError], str]
    retry_after: float | None = None


def _refused(reason: str) -> tuple[type[ProviderError], str]:
    return errors.ConnectRefused, reason


def _sign_in(reason: str) -> tuple[type[ProviderError], str]:
    return errors.ReauthNeeded, reason


def _lost(reason: str) -> tuple[type[ProviderError], str]:
    return errors.AccessLost, reason


OPERATOR: tuple[type[ProviderError], str] = (errors.OperatorFault, "")
LATER: tuple[type[ProviderError], str] = (errors.Transient, "")

STATES: Mapping[str, State] = {
    "consent": State(_refused("consent"), _sign_in("consent")),
    "declined": State(_refused("declined"), _sign_in("consent")),
    "admin_approval": State(_refused("admin_approval"), _sign_in("admin_approval")),
    "not_assigned": State(_refused("not_assigned"), _lost("not_assigned")),
    "interaction": State(_refused("mfa"), _sign_in("mfa")),
    "policy": State(_refused("policy"), _lost("policy")),
    "risk": State(_refused("risk"), _lost("risk")),
    "expired": State(_refused("expired"), _sign_in("expired")),
    "revoked": State(_refused("expired"), _sign_in("revoked")),
    "password": State(_refused("password"), _sign_in("password")),
    "disabled": State(_refused("disabled"), _lost("disabled")),
    "foreign_account": State(_refused("foreign_account"), _sign_in("rejected")),
    "personal": State(_refused("personal_not_allowed"), _sign_in("rejected")),
    "app_blocked": State(_refused("app_blocked"), _lost("app_blocked")),
    "no_service": State(_refused("no_service"), _lost("no_service")),
    "operator": State(OPERATOR, OPERATOR),
    "lost_session": State(_refused("expired"), _sign_in("rejected")),
    "locked": State(LATER, LATER, retry_after=1800),
    "busy": State(LATER, LATER),
    "loop": State(LATER, LATER, retry_after=900),
}

CODES: Mapping[int, str] = {
    number: state
    for state, numbers in {
        "consent": (65001,),
        "declined": (65004,),
        "admin_approval": (90094, 90095, 90093, 90008, 90099),
        "not_assigned": (50105,),
        "interaction": (50076, 50074, 50078, 50072, 50079, 50158, 50058, 16003),
        "policy": (53000, 53001, 53002, 53003, 530032, 530035, 50131, 50097, 50129, 530036),
        "risk": (53011, 530034),
        "expired": (70043, 70008, 700082, 700084, 70000, 50089, 50085),
        "revoked": (50173,),
        "password": (50132, 50133, 50055),
        "disabled": (50057,),
        "locked": (50053,),
        "foreign_account": (50034, 51004, 50020, 16000),
        "personal": (500208,),
        "app_blocked": (700011, 70001, 7000112, 700016),
        "no_service": (650052, 500011, 50001),
        "operator": (
            65005, 650056, 650057, 650054, 50194, 9002332, 50011, 900971, 70011, 28002, 28003, 700022, 700023, 700005,
            7000215, 7000222, 7000218, 70002, 700025,
        ),
        "lost_session": (54005, 501481, 50147, 501491),
        "loop": (50196,),
        "busy": (90055, 90033, 90090, 90024, 50033, 90006, 90012, 70012),
    }.items()
    for number in numbers
}  # fmt: skip

WORDS: Mapping[str, str] = {
    "invalid_grant": "expired",
    "interaction_required": "interaction",
    "login_required": "interaction",
    "consent_required": "consent",
    "access_denied": "declined",
    "invalid_client": "operator",
    "unauthorized_client": "app_blocked",
    "invalid_scope": "operator",
    "invalid_request": "operator",
    "unsupported_grant_type": "operator",
    "unsupported_response_type": "operator",
    "invalid_resource": "no_service",
    "server_error": "busy",
    "temporarily_unavailable": "busy",
}

SUBERRORS: Mapping[str, str] = {
    "consent_required": "consent",
    "user_password_expired": "password",
    "bad_token": "revoked",
    "token_expired": "expired",
    "basic_action": "interaction",
    "additional_action": "interaction",
    "protection_policy_required": "policy",
    "device_authentication_failed": "policy",
    "client_mismatch": "operator",
}


def state_of(*, error: str, suberror: str = "", numbers: tuple[int, ...] = ()) -> State | None:
    """The state of an answer; ``None`` for one that says nothing we know."""
    name = next((CODES[number] for number in numbers if number in CODES), None)
    name = name or SUBERRORS.get(suberror.lower()) or WORDS.get(error.lower())
    return STATES[name] if name else None


def fault(
    *,
    error: str,
    connecting: bool,
    suberror: str = "",
    numbers: tuple[int, ...] = (),
    claims: str = "",
    status: int = 0,
    trace: str = "",
) -> ProviderError:
    """Our error for an answer of Entra's. Its text names the codes only: descriptions may hold an address."""
    code = f"AADSTS{numbers[0]}" if numbers else error
    text = f"Entra answered {error or status} {code} {trace}".strip()
    state = state_of(error=error, suberror=suberror, numbers=numbers)
    if state is None:
        state = STATES["busy" if status >= 500 or status == 429 else "operator"]
    kind, reason = state.connecting if connecting else state.refreshing
    if issubclass(kind, errors.ConnectRefused | errors.ReauthNeeded):
        return kind(text, reason=reason, claims=claims, code=code)
    if issubclass(kind, errors.AccessLost):
        return kind(text, reason=reason, code=code, status=status, claims=claims)
    if issubclass(kind, errors.Transient):
        return kind(text, retry_after=state.retry_after, code=code, status=status)
    return kind(text, code=code, status=status)
