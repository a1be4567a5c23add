"""Signing in to the in-process provider: everybody who has an address may, until a test says otherwise."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import count
from urllib.parse import urlencode

from postroom.lib import clock
from postroom.providers.contract import Account, Grant
from postroom.providers.errors import ConnectRefused, ProviderError, ReauthNeeded, Unsupported

TOKEN = "memory:"  # noqa: S105 - the prefix of every token, not a secret
LIFE = timedelta(hours=1)


class MemoryAuthority:
    """``contract.Authority``. The ``code`` of a sign-in is the address of who signs in."""

    def __init__(self) -> None:
        self.fail_refresh: ProviderError | None = None
        self._ended: dict[str, ReauthNeeded] = {}
        self._rejected: set[str] = set()
        self._numbers = count(1)

    def authorize_url(
        self,
        *,
        redirect_uri: str,
        scopes: Sequence[str],
        state: str,
        nonce: str,
        verifier: str,
        prompt: str = "select_account",
        login_hint: str = "",
        claims: str = "",
    ) -> str:
        return f"{redirect_uri}?{urlencode({'code': login_hint, 'state': state})}"

    def admin_consent_url(self, *, redirect_uri: str, scopes: Sequence[str], state: str, tenant: str = "") -> str:
        raise Unsupported("there are no administrators here")

    def refused(self, params: Mapping[str, str]) -> ProviderError:
        return ConnectRefused(reason="declined", code=params.get("error", ""))

    def redeem(self, *, code: str, redirect_uri: str, verifier: str, nonce: str) -> Grant:
        if "@" not in code:
            raise ConnectRefused("not an address", reason="expired")
        return self.grant(code)

    def refresh(self, grant: Grant, *, claims: str = "") -> Grant:
        if self.fail_refresh:
            raise self.fail_refresh
        address = self.owner(grant.access_token, check=False)
        if ended := self._ended.get(address.lower()):
            raise ended
        return self.grant(address, scopes=grant.scopes)

    def grant(self, address: str, *, scopes: frozenset[str] = frozenset({"mail", "send", "categories"})) -> Grant:
        """A grant as if ``address`` had just signed in."""
        account = Account(key=f"memory:{address.lower()}", tenant="memory", address=address, name=address)
        token = f"{TOKEN}{address}#{next(self._numbers)}"
        return Grant(
            access_token=token, expires=clock.now() + LIFE, refresh_token=TOKEN, scopes=scopes, account=account
        )

    def end(self, address: str, why: ReauthNeeded) -> None:
        """Every token of this person is refused from now on with ``why``, until ``sign_in``. The first end counts."""
        self._ended.setdefault(address.lower(), why)

    def sign_in(self, address: str, *, claims: str = "") -> Grant:
        """The person signs in anew. Raises the challenge again when it asked for ``claims`` that were not passed on."""
        why = self._ended.get(address.lower())
        if why is not None and why.claims != claims:
            raise why
        self._ended.pop(address.lower(), None)
        return self.grant(address)

    def reject(self, token: str) -> None:
        """From now on this access token is refused, as one that was revoked."""
        self._rejected.add(token)

    def owner(self, token: str, *, check: bool = True) -> str:
        """The address behind a token. Raises ``ReauthNeeded`` for one that is not accepted."""
        if not token.startswith(TOKEN) or (check and token in self._rejected):
            raise ReauthNeeded("the token was refused", reason="rejected")
        address = token.removeprefix(TOKEN).partition("#")[0]
        if check and (ended := self._ended.get(address.lower())):
            raise ended  # with its challenge, as a refused request tells it (graph.md 1.8)
        return address
