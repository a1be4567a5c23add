"""Entra's refusals: AADSTS numbers with `error`, `suberror`, status and claims (graph.md 1.4, 1.8)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..http import ApiError, Headers, Response, json_response

GRAPH_APP = "00000003-0000-0000-c000-000000000000"


class AuthError(ApiError):
    """A bearer token Graph does not take: 401 (or 403), Graph's envelope, `WWW-Authenticate` in the headers."""

    def __init__(self, status: int, code: str, message: str, headers: Headers | None = None) -> None:
        super().__init__(status, code, message, headers=headers)


@dataclass(frozen=True, slots=True)
class Refusal:
    """One row of the table: what the token endpoint answers for an AADSTS number.

    `claims` says that the answer carries a claims request to be replayed on /authorize.
    """

    error: str
    text: str
    status: int = 400
    suberror: str = ""
    claims: bool = False


_GRANT = "invalid_grant"
_STEP = "interaction_required"
_CLIENT = "invalid_client"
_BUSY = "temporarily_unavailable"

REFUSALS: dict[int, Refusal] = {
    # consent
    65001: Refusal(_GRANT, "Nobody has consented to the use of the application.", 400, "consent_required"),
    65004: Refusal("access_denied", "The user declined to consent to access the app."),
    65005: Refusal(_CLIENT, "The application lists a permission that the resource does not offer."),
    650052: Refusal(_CLIENT, "The organisation lacks a subscription for the service the app needs."),
    650054: Refusal(_CLIENT, "The application asked for a resource that was removed or is not available."),
    650056: Refusal(_CLIENT, "The application is misconfigured: no permission for this resource is listed."),
    650057: Refusal("invalid_resource", "The client asked for a resource that is not in its registration."),
    90008: Refusal(_GRANT, "Nobody in the organisation has consented to it.", 400, "consent_required"),
    90093: Refusal(_GRANT, "The user may not grant the requested permissions.", 400, "consent_required"),
    90094: Refusal(_GRANT, "The grant needs an administrator's consent.", 400, "consent_required"),
    90095: Refusal(_GRANT, "An administrator's approval must be requested.", 400, "consent_required"),
    90099: Refusal(_CLIENT, "The application has not been authorised in the organisation."),
    50105: Refusal(_GRANT, "The signed-in user is not assigned to a role for the application."),
    # multi-factor and conditional access
    50072: Refusal(_STEP, "The user must enrol for multi-factor authentication.", 400, "basic_action", True),
    50074: Refusal(_STEP, "Strong authentication is required and was not passed.", 400, "basic_action", True),
    50076: Refusal(_GRANT, "Multi-factor authentication is now required.", 400, "basic_action", True),
    50078: Refusal(_GRANT, "The multi-factor result has expired.", 400, "basic_action", True),
    50079: Refusal(_STEP, "The user must enrol for multi-factor authentication.", 400, "basic_action", True),
    50158: Refusal(_STEP, "An external security challenge was not met.", 400, "basic_action", True),
    50097: Refusal(_STEP, "Device authentication is required.", 400, "basic_action", True),
    50129: Refusal(_STEP, "The device is not joined to the workplace.", 400, "message_only"),
    50131: Refusal(_STEP, "A conditional access condition on the device is not met.", 400, "basic_action", True),
    53000: Refusal(_STEP, "The device is not compliant with the access policy.", 400, "message_only", True),
    53001: Refusal(_STEP, "The device is not joined to the domain.", 400, "message_only", True),
    53002: Refusal(_STEP, "The application is not approved for conditional access.", 400, "message_only"),
    53003: Refusal(_GRANT, "Access was blocked by conditional access policies.", 400, "message_only", True),
    530032: Refusal(_GRANT, "Access was blocked by a security policy of the organisation.", 400, "message_only"),
    530035: Refusal(_GRANT, "Access was blocked by security defaults.", 400, "message_only"),
    530036: Refusal(_GRANT, "Device code flow is blocked by conditional access.", 400, "message_only"),
    53011: Refusal(_GRANT, "The user was blocked because of risk on the home organisation.", 400, "message_only"),
    530034: Refusal(_GRANT, "The user was blocked because of risk.", 400, "message_only"),
    # refresh tokens and sessions
    70000: Refusal(_GRANT, "The provided grant is invalid or has been revoked."),
    70008: Refusal(_GRANT, "The code or refresh token has expired through inactivity; ask the user to sign in."),
    70043: Refusal(_GRANT, "A sign-in frequency policy has ended the refresh token.", 400, "bad_token"),
    700082: Refusal(_GRANT, "The refresh token has expired through inactivity."),
    700084: Refusal(_GRANT, "The refresh token of a single-page app has reached its fixed end."),
    50173: Refusal(_GRANT, "The grant has been revoked; a fresh sign-in is needed.", 400, "bad_token"),
    50132: Refusal(_GRANT, "The session is not valid: the password expired or was changed."),
    50133: Refusal(_GRANT, "The session is not valid: the password expired or was changed."),
    50089: Refusal(_GRANT, "The flow token has expired; start the sign-in again."),
    50085: Refusal(_GRANT, "The refresh token needs a sign-in at the social identity provider."),
    54005: Refusal(_GRANT, "The authorization code was already redeemed; ask for a new one."),
    # the account
    50020: Refusal(_GRANT, "The account comes from another identity provider and is not in this organisation."),
    50034: Refusal(_GRANT, "The account does not exist in the directory."),
    51004: Refusal(_GRANT, "The account does not exist in the directory."),
    16000: Refusal(_STEP, "The account is not in this organisation; choose another."),
    16003: Refusal(_STEP, "The account must be added to the organisation first."),
    50053: Refusal(_GRANT, "The account is locked after too many attempts."),
    50055: Refusal(_GRANT, "The password has expired.", 400, "user_password_expired"),
    50057: Refusal(_GRANT, "The account is disabled."),
    50058: Refusal("login_required", "A silent sign-in was asked for but nobody is signed in."),
    500208: Refusal(_GRANT, "The domain is not a valid sign-in domain for this account type."),
    # the client
    7000215: Refusal(_CLIENT, "Invalid client secret provided.", 401),
    7000218: Refusal(_CLIENT, "The request must contain 'client_assertion' or 'client_secret'.", 401),
    7000222: Refusal(_CLIENT, "The provided client secret keys have expired.", 401),
    70002: Refusal(_CLIENT, "The client credentials could not be validated.", 401),
    700025: Refusal(_CLIENT, "The client is public, so it may not present a secret or assertion.", 401),
    700016: Refusal("unauthorized_client", "The application was not found in the directory."),
    700011: Refusal("unauthorized_client", "The application is not installed in the organisation."),
    70001: Refusal("unauthorized_client", "The application is disabled."),
    7000112: Refusal("unauthorized_client", "The application is disabled in this organisation."),
    50194: Refusal("unauthorized_client", "The application is single-tenant; /common cannot be used."),
    9002332: Refusal("unauthorized_client", "The application takes work accounts only; /consumers cannot be used."),
    # the request
    50011: Refusal("invalid_request", "The redirect URI is not one of those registered for the application."),
    900971: Refusal("invalid_request", "No reply address was given."),
    50147: Refusal("invalid_request", "The size of the code challenge is not valid."),
    501491: Refusal("invalid_request", "The code challenge method or size is not valid."),
    501481: Refusal(_GRANT, "The code verifier does not match the code challenge."),
    700005: Refusal(_GRANT, "The code was issued for another organisation."),
    70011: Refusal("invalid_scope", "The value of the parameter 'scope' is not valid."),
    28002: Refusal("invalid_scope", "The scope names more than one resource."),
    28003: Refusal("invalid_scope", "The scope must not be empty."),
    700022: Refusal("invalid_scope", "The scope names more than one resource."),
    700023: Refusal("invalid_scope", "The scope for the resource is not valid."),
    70003: Refusal("unsupported_grant_type", "The grant type is not supported."),
    90014: Refusal("invalid_request", "A required parameter is missing."),
    900144: Refusal("invalid_request", "The request body must contain every required parameter."),
    500011: Refusal("invalid_resource", "The resource principal was not found in the organisation."),
    50001: Refusal("invalid_resource", "The resource is disabled or does not exist."),
    # passing
    50196: Refusal(_GRANT, "The client asks in a loop."),
    90055: Refusal(_BUSY, "The organisation is throttled for too many requests.", 429),
    90033: Refusal(_BUSY, "A transient error has occurred; try again.", 503),
    90090: Refusal(_BUSY, "Consent could not be processed in time; try again.", 503),
    90024: Refusal(_BUSY, "The request budget was exceeded; try again.", 503),
    50033: Refusal(_BUSY, "A retryable error has occurred.", 503),
    90006: Refusal(_BUSY, "An external server could not be reached; try again.", 503),
    90012: Refusal(_BUSY, "The request timed out; try again.", 504),
    70012: Refusal("server_error", "A server error has occurred; try again.", 500),
}


class OAuthError(Exception):
    """An AADSTS refusal on its way to the client. `detail` is added to the text of the table."""

    def __init__(self, code: int, detail: str = "", *, error: str = "") -> None:
        self.code = code
        self.refusal = REFUSALS[code]
        self.error = error or self.refusal.error
        self.text = f"{self.refusal.text} {detail}".strip()
        super().__init__(f"AADSTS{code}: {self.text}")


_POLICY = "c1d6a5e2-7f43-4f7d-9a55-1b8c0f3a6e21"


def claims_request() -> str:
    """The claims of a conditional access challenge, as JSON text to be replayed on /authorize."""
    return f'{{"access_token":{{"capolids":{{"essential":true,"values":["{_POLICY}"]}}}}}}'


def answers_challenge(claims: str) -> bool:
    """Whether the `claims` parameter of a request passes on what ``claims_request`` asked for."""
    return _POLICY in claims


def describe(text: str, *, now: datetime, trace: str = "", correlation: str = "") -> str:
    """The multi-line `error_description`."""
    ids = f"Trace ID: {trace or uuid.uuid4()}\r\nCorrelation ID: {correlation or uuid.uuid4()}"
    return f"{text}\r\n{ids}\r\nTimestamp: {now:%Y-%m-%d %H:%M:%SZ}"


def error_response(error: OAuthError, *, now: datetime, correlation: str = "") -> Response:
    """The token endpoint's error document (graph.md 1.4)."""
    trace, correlation = str(uuid.uuid4()), correlation or str(uuid.uuid4())
    body: dict[str, Any] = {
        "error": error.error,
        "error_description": describe(str(error), now=now, trace=trace, correlation=correlation),
        "error_codes": [error.code],
        "timestamp": f"{now:%Y-%m-%d %H:%M:%SZ}",
        "trace_id": trace,
        "correlation_id": correlation,
    }
    if error.refusal.suberror:
        body["suberror"] = error.refusal.suberror
    if error.refusal.claims:
        body["claims"] = claims_request()
    if error.code == 50055:
        body["password_change_url"] = "/sandbox/password"  # noqa: S105
    headers = [("Cache-Control", "no-store"), ("Pragma", "no-cache")]
    if error.error == _BUSY:
        headers.append(("Retry-After", "2"))
    return json_response(body, error.refusal.status, headers=headers)
