import json

import pytest

from postroom.providers import errors
from postroom.providers.microsoft.faults import VERDICTS, error_codes, fault, retry_after, verdict

# graph.md 5, the table of codes with the statuses they were seen with, and 2.12 for cursors.
SEEN = [
    (401, "InvalidAuthenticationToken", errors.ReauthNeeded),
    (401, "unauthenticated", errors.ReauthNeeded),
    (403, "ErrorAccessDenied", errors.AccessLost),
    (403, "Authorization_RequestDenied", errors.AccessLost),
    (403, "accessDenied", errors.AccessLost),
    (403, "ErrorSendAsDenied", errors.Refused),
    (404, "ErrorItemNotFound", errors.NotFound),
    (404, "ResourceNotFound", errors.NotFound),
    (404, "Request_ResourceNotFound", errors.NotFound),
    (400, "ErrorInvalidIdMalformed", errors.Refused),
    (404, "ErrorInvalidUser", errors.AccessLost),
    (404, "MailboxNotEnabledForRESTAPI", errors.AccessLost),
    (403, "ErrorMailboxNotEnabledForRESTAPI", errors.AccessLost),
    (404, "MailboxNotSupportedForRESTAPI", errors.AccessLost),
    (404, "ErrorNonExistentMailbox", errors.AccessLost),
    (400, "ErrorInvalidRecipients", errors.Refused),
    (403, "ErrorExceededMessageLimit", errors.SendingLimit),
    (429, "ErrorSubmissionQuotaExceeded", errors.SendingLimit),
    (413, "ErrorMessageSizeExceeded", errors.Refused),
    (507, "ErrorQuotaExceeded", errors.Refused),
    (403, "ErrorQuotaExceeded", errors.Refused),
    (503, "ErrorMailboxStoreUnavailable", errors.Transient),
    (503, "ErrorMailboxMoveInProgress", errors.Transient),
    (500, "ErrorInternalServerTransientError", errors.Transient),
    (503, "ErrorServerBusy", errors.Transient),
    (504, "ErrorTimeoutExpired", errors.Transient),
    (429, "ApplicationThrottled", errors.Throttled),
    (503, "CommandConcurrencyLimitReached", errors.Throttled),
    (500, "UnknownError", errors.Transient),
    (502, "", errors.Transient),
    (504, "UnknownError", errors.Transient),
    (500, "generalException", errors.Transient),
    (410, "SyncStateNotFound", errors.CursorExpired),
    (400, "syncStateNotFound", errors.CursorExpired),
    (404, "ErrorInvalidSyncStateData", errors.CursorExpired),
    (410, "resyncRequired", errors.CursorExpired),
    (410, "", errors.CursorExpired),
    (412, "ErrorIrresolvableConflict", errors.Conflict),
    (409, "ErrorIrresolvableConflict", errors.Conflict),
    (412, "", errors.Conflict),
    (409, "ErrorFolderExists", errors.Refused),
    (400, "InefficientFilter", errors.Refused),
    (400, "ErrorInvalidPropertySet", errors.Refused),
    (400, "InvalidInternetMessageHeaderCollection", errors.Refused),
    (400, "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize", errors.Refused),
    (418, "SomethingNew", errors.Refused),
    (599, "SomethingNew", errors.Transient),
    (424, "", errors.Transient),
]


@pytest.mark.parametrize(("status", "code", "expected"), SEEN)
def test_what_graph_says_has_one_meaning_in_any_spelling(status: int, code: str, expected: type) -> None:
    for spelling in {code, code.lower(), code.upper()}:
        assert verdict(status, [spelling] if spelling else []).error is expected


def test_codes_of_the_table_can_be_found() -> None:
    assert all(code is None or code == code.lower() for _, code in VERDICTS)


def test_the_innermost_known_code_decides() -> None:
    body = {
        "error": {"code": "ExtensionError", "innererror": {"code": "x", "innerError": {"code": "SyncStateNotFound"}}}
    }
    codes = list(error_codes(json.dumps(body).encode()))
    assert codes == ["ExtensionError", "x", "SyncStateNotFound"]
    assert verdict(400, codes).error is errors.CursorExpired
    wrapped = {"error": {"code": "TooManyRequests", "innerError": {"code": "429", "status": "429"}}}
    assert verdict(429, list(error_codes(json.dumps(wrapped).encode()))).error is errors.Throttled


@pytest.mark.parametrize("body", [b"", b"<html>", b'"text"', b'{"error": "text"}', b'{"error": {"code": 5}}', b"\xff"])
def test_a_body_that_is_no_error_envelope_leaves_the_status(body: bytes) -> None:
    error = fault(503, {}, body, safe=True)
    assert isinstance(error, errors.Transient)
    assert error.code == "HTTP 503"


def test_an_envelope_nested_for_ever_is_left_alone() -> None:
    node: dict[str, object] = {"code": "deep"}
    for _ in range(50):
        node = {"code": "x", "innerError": node}
    assert len(list(error_codes(json.dumps({"error": node}).encode()))) == 8


@pytest.mark.parametrize(
    ("value", "seconds"), [("2", 2.0), ("2.128", 2.128), ("-1", 0.0), ("soon", None), ("1e9", 86400.0)]
)
def test_retry_after_may_be_fractional_or_nonsense(value: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": value}) == seconds
    assert retry_after({}) is None


def test_a_daily_limit_says_when_to_come_back() -> None:
    error = fault(403, {}, b'{"error":{"code":"ErrorExceededMessageLimit"}}', safe=False)
    assert isinstance(error, errors.Transient)
    assert (error.retry_after, error.maybe_done) == (86400.0, False)
