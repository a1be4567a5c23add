"""What can go wrong at a provider, in our words. Each class answers one question: will it ever work again?

ProviderError
├── Transient            by itself, soon            (retry with patience; ``retry_after`` seconds if told)
│   ├── Throttled        when the provider says so  ("slowed by Microsoft", not an error)
│   └── SendingLimit     tomorrow: the mailbox has sent as much as it may; this message was not taken
├── ReauthNeeded         after the member signs in again (``reason`` in a closed vocabulary, ``claims`` to pass on)
├── AccessLost           after somebody gives access back (shared mailbox, licence, blocked account)
├── OperatorFault        after the operator mends our own registration (secret, redirect URI, client id)
├── CursorExpired        at once, with a new round: the listing has to start over
├── Conflict             after reading the item again: it changed meanwhile
├── NotFound             never, for this item: it is gone
├── Refused              never, for this request: the provider will not do it (``code`` says why)
├── Unsupported          never, with this provider
├── Malformed            never, for these bytes: not what a provider sends
└── ConnectRefused       after the member starts over: consent declined, approval needed, wrong account …

Closed vocabularies, so that rows, screens and support read the same word:

ReauthNeeded.reason      expired | revoked | password | mfa | claims | consent | admin_approval | rejected
AccessLost.reason        access | no_mailbox | disabled | policy | risk | app_blocked | not_assigned | no_service
ConnectRefused.reason    declined | admin_approval | consent | wrong_account | no_mailbox | expired |
                         tenant_not_allowed | personal_not_allowed | not_assigned | app_blocked | no_service |
                         password | disabled | policy | risk | mfa | invalid_answer | foreign_account
"""


class ProviderError(Exception):
    """Root. ``code`` is the provider's own word for support; the text is safe to log (no content, no secret)."""

    permanent = False

    def __init__(self, message: str = "", *, code: str = "", status: int = 0, request_id: str = "") -> None:
        super().__init__(message or code or self.__class__.__name__)
        self.code = code
        self.status = status
        self.request_id = request_id


class Transient(ProviderError):
    def __init__(
        self,
        message: str = "",
        *,
        retry_after: float | None = None,
        maybe_done: bool = False,
        code: str = "",
        status: int = 0,
        request_id: str = "",
    ) -> None:
        super().__init__(message, code=code, status=status, request_id=request_id)
        self.retry_after = retry_after
        self.maybe_done = maybe_done  # the request may have been carried out (connection lost, 5xx on a write)


class Throttled(Transient):
    pass


class SendingLimit(Transient):
    """A definite no: nothing was sent. ``retry_after``: seconds until it may be otherwise, by the provider's rule."""


class ReauthNeeded(ProviderError):
    def __init__(self, message: str = "", *, reason: str = "expired", claims: str = "", code: str = "") -> None:
        super().__init__(message, code=code)
        self.reason = reason
        self.claims = claims


class AccessLost(ProviderError):
    def __init__(
        self, message: str = "", *, reason: str = "access", code: str = "", status: int = 0, claims: str = ""
    ) -> None:
        super().__init__(message, code=code, status=status)
        self.reason = reason
        self.claims = claims  # of the policy that blocks: a sign-in that passes them on may get through


class OperatorFault(ProviderError):
    pass


class CursorExpired(ProviderError):
    pass


class Conflict(ProviderError):
    pass


class NotFound(ProviderError):
    permanent = True


class Refused(ProviderError):
    permanent = True


class Unsupported(ProviderError):
    permanent = True


class Malformed(ProviderError):
    permanent = True


class ConnectRefused(ProviderError):
    """Connecting ended without a grant. ``claims`` goes into the next attempt when the provider gave some."""

    def __init__(self, message: str = "", *, reason: str, claims: str = "", code: str = "") -> None:
        super().__init__(message, code=code)
        self.reason = reason
        self.claims = claims
