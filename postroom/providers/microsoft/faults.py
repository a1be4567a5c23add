"""Microsoft Graph's refusals in our words: one table, asked with (status, code). Source: graph.md 2.12, 4 and 5.

Codes are compared in lower case: documentation and services spell them differently. The innermost code that the table
knows decides, because outer ones are often only wrappers (``ExtensionError``) or the HTTP phrase.
"""

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterator, Mapping
from re import IGNORECASE, compile

import httpx2
from msgspec import DecodeError, Struct, json

from postroom.providers import errors
from postroom.providers.errors import ProviderError, Transient


class Verdict(Struct, frozen=True):
    """What an answer means: the error to raise, its reason, and seconds to wait when the code itself says so."""

    error: type[ProviderError]
    reason: str = ""
    retry_after: float | None = None


TRANSIENT = Verdict(errors.Transient)
THROTTLED = Verdict(errors.Throttled)
EXPIRED = Verdict(errors.CursorExpired)
CONFLICT = Verdict(errors.Conflict)
NOT_FOUND = Verdict(errors.NotFound)
REFUSED = Verdict(errors.Refused)
NO_ACCESS = Verdict(errors.AccessLost, "access")
NO_MAILBOX = Verdict(errors.AccessLost, "no_mailbox")
SIGN_IN = Verdict(errors.ReauthNeeded, "rejected")
HOUR, DAY = 3600.0, 86400.0

# (status or None for any, code in lower case or None for any)
VERDICTS: Mapping[tuple[int | None, str | None], Verdict] = {
    # signing in
    (401, None): SIGN_IN,
    (None, "invalidauthenticationtoken"): SIGN_IN,
    (None, "unauthenticated"): SIGN_IN,
    (None, "authenticationerror"): SIGN_IN,
    (None, "insufficient_claims"): Verdict(errors.ReauthNeeded, "claims"),
    # rights
    (403, None): NO_ACCESS,
    (None, "erroraccessdenied"): NO_ACCESS,
    (None, "accessdenied"): NO_ACCESS,
    (None, "authorization_requestdenied"): NO_ACCESS,
    (None, "errorsendasdenied"): REFUSED,
    (None, "mailboxnotenabledforrestapi"): NO_MAILBOX,
    (None, "errormailboxnotenabledforrestapi"): NO_MAILBOX,
    (None, "mailboxnotsupportedforrestapi"): NO_MAILBOX,
    (None, "errormailboxnotsupportedforrestapi"): NO_MAILBOX,
    (None, "errornonexistentmailbox"): NO_MAILBOX,
    (None, "errorinvaliduser"): NO_MAILBOX,
    # the item
    (404, None): NOT_FOUND,
    (None, "erroritemnotfound"): NOT_FOUND,
    (None, "itemnotfound"): NOT_FOUND,
    (None, "resourcenotfound"): NOT_FOUND,
    (None, "request_resourcenotfound"): NOT_FOUND,
    (None, "errorcalendaroccurrenceisdeletedfromrecurrence"): NOT_FOUND,
    (None, "errorinvalididmalformed"): REFUSED,
    (409, None): CONFLICT,
    (412, None): CONFLICT,
    (None, "errorirresolvableconflict"): CONFLICT,
    (None, "resourcemodified"): CONFLICT,
    (None, "errorfolderexists"): REFUSED,
    (None, "namealreadyexists"): REFUSED,
    (None, "erroritemexists"): REFUSED,
    (None, "errordeletedistinguishedfolder"): REFUSED,
    (None, "errormovedistinguishedfolder"): REFUSED,
    # cursors
    (410, None): EXPIRED,
    (None, "syncstatenotfound"): EXPIRED,
    (None, "syncstateinvalid"): EXPIRED,
    (None, "invalidsyncstatedata"): EXPIRED,
    (None, "errorinvalidsyncstatedata"): EXPIRED,
    (None, "resyncrequired"): EXPIRED,
    (None, "resyncchangesapplydifferences"): EXPIRED,
    (None, "resyncchangesuploaddifferences"): EXPIRED,
    (None, "errorexecutesearchstaledata"): EXPIRED,
    # too much, too busy
    (429, None): THROTTLED,
    (None, "toomanyrequests"): THROTTLED,
    (None, "errortoomanyrequests"): THROTTLED,
    (None, "applicationthrottled"): THROTTLED,
    (None, "activitylimitreached"): THROTTLED,
    (None, "commandconcurrencylimitreached"): THROTTLED,
    (408, None): TRANSIENT,
    (423, None): TRANSIENT,
    (424, None): TRANSIENT,  # the request this one depends on failed (JSON batch)
    (500, None): TRANSIENT,
    (502, None): TRANSIENT,
    (503, None): TRANSIENT,
    (504, None): TRANSIENT,
    (509, None): THROTTLED,
    (None, "errorserverbusy"): TRANSIENT,
    (None, "errorinternalservererror"): TRANSIENT,
    (None, "errorinternalservertransienterror"): TRANSIENT,
    (None, "errortimeoutexpired"): TRANSIENT,
    (None, "errormailboxstoreunavailable"): TRANSIENT,
    (None, "errormailboxmoveinprogress"): TRANSIENT,
    (None, "mailboxinfostale"): TRANSIENT,
    (None, "servicenotavailable"): TRANSIENT,
    # limits of sending and storing
    (None, "errorexceededmessagelimit"): Verdict(errors.SendingLimit, retry_after=DAY),
    (None, "errorexceededmessagelimitshowtierupgrade"): Verdict(errors.SendingLimit, retry_after=DAY),
    (None, "errorexceededmaxrecipientlimitblock"): Verdict(errors.SendingLimit, retry_after=DAY),
    (None, "errorexceededhourlymessagelimit"): Verdict(errors.SendingLimit, retry_after=HOUR),
    (None, "errorsubmissionquotaexceeded"): Verdict(errors.SendingLimit, retry_after=DAY),
    (None, "errormessagesubmissionblocked"): REFUSED,
    (None, "erroraccountsuspend"): REFUSED,
    (None, "erroraccountsuspendshowtierupgrade"): REFUSED,
    (None, "errorexceededmaxrecipientlimit"): REFUSED,
    (None, "errorinvalidrecipients"): REFUSED,
    (None, "errormessagesizeexceeded"): REFUSED,
    (None, "errorquotaexceeded"): REFUSED,
    (None, "quotalimitreached"): REFUSED,
    (507, None): REFUSED,
    # our own requests
    (None, "inefficientfilter"): REFUSED,
    (None, "errorinvalidpropertyset"): REFUSED,
    (None, "errormimecontentinvalidbase64string"): REFUSED,
    (None, "invalidinternetmessageheader"): REFUSED,
    (None, "errorinvalidinternetmessageheader"): REFUSED,
    (None, "invalidinternetmessageheadercollection"): REFUSED,
    (None, "errorattachmentsizeshouldnotbelessthanminimumsize"): REFUSED,
    (None, "errorincorrectroutinghint"): REFUSED,
    (501, None): Verdict(errors.Unsupported),
}

# Foreign exceptions of the HTTP client -> (code for support, may the request have been carried out?); first match wins.
BROKEN: tuple[tuple[type[Exception], str, bool], ...] = (
    (httpx2.ConnectTimeout, "ConnectTimeout", False),
    (httpx2.PoolTimeout, "PoolTimeout", False),
    (httpx2.ConnectError, "ConnectError", False),
    (httpx2.TimeoutException, "Timeout", True),
    (httpx2.HTTPError, "ConnectionLost", True),
    (httpx2.StreamError, "ConnectionLost", True),
)


def verdict(status: int, codes: list[str]) -> Verdict:
    """The row for an answer whose error codes are ``codes``, outermost first."""
    for code in reversed(codes):
        for key in ((status, code.lower()), (None, code.lower())):
            if key in VERDICTS:
                return VERDICTS[key]
    return VERDICTS.get((status, None), TRANSIENT if status >= 500 else REFUSED)


def fault(status: int, headers: Mapping[str, str], body: bytes, *, safe: bool) -> ProviderError:
    """The error an answer stands for. ``safe``: repeating the request does no harm, so ``maybe_done`` stays false."""
    codes = list(error_codes(body))
    found = verdict(status, codes)
    code = codes[0] if codes else f"HTTP {status}"
    request_id = headers.get("request-id", "")
    text = f"Microsoft answered {status} {code} ({request_id})"
    if issubclass(found.error, Transient):
        after, limit = retry_after(headers), found.error is errors.SendingLimit
        if limit:  # Retry-After is of the request then, not of the day
            after = max(after or 0.0, found.retry_after or 0.0)
        return found.error(
            text,
            retry_after=found.retry_after if after is None else after,
            maybe_done=not safe and not limit and (status >= 500 or status == 429),
            code=code,
            status=status,
            request_id=request_id,
        )
    if issubclass(found.error, errors.ReauthNeeded):
        claims = challenge(headers)
        return found.error(text, reason="claims" if claims else found.reason, claims=claims, code=code)
    if issubclass(found.error, errors.AccessLost):
        return found.error(text, reason=found.reason, code=code, status=status)
    return found.error(text, code=code, status=status, request_id=request_id)


def broken(error: Exception, *, safe: bool) -> Transient:
    """The connection failed. Raises ``error`` itself when it is not one of the HTTP client's."""
    for kind, code, reached in BROKEN:
        if isinstance(error, kind):
            return Transient(f"Microsoft could not be reached ({code})", code=code, maybe_done=reached and not safe)
    raise error


def error_codes(body: bytes) -> Iterator[str]:
    """``error.code`` and the codes nested in ``innerError`` (either spelling), outermost first, empty ones left out."""
    try:
        node = json.decode(body)
    except (DecodeError, UnicodeDecodeError):
        return
    node = node.get("error") if isinstance(node, dict) else None
    for _ in range(8):
        if not isinstance(node, dict):
            return
        if isinstance(code := node.get("code"), str) and code:
            yield code
        node = node.get("innerError") or node.get("innererror")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of ``Retry-After``, which may be fractional (graph.md 4). ``None`` when absent or not a number."""
    value = next((text for name, text in headers.items() if name.lower() == "retry-after"), "")
    try:
        return min(max(0.0, float(value)), DAY)
    except ValueError:
        return None


CLAIMS = compile(r'claims="([^"]+)"', IGNORECASE)


def challenge(headers: Mapping[str, str]) -> str:
    """The claims (JSON) of a 401's challenge, "" without one. Several challenges may be present (graph.md 1.12)."""
    text = ", ".join(value for name, value in headers.items() if name.lower() == "www-authenticate")
    if "insufficient_claims" not in text or not (found := CLAIMS.search(text)):
        return ""
    try:
        return b64decode(found[1] + "=" * (-len(found[1]) % 4), altchars=b"-_").decode()
    except (NotBase64, ValueError):
        return ""
