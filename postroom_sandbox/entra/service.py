"""Entra's state for one world, and the questions every endpoint asks it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ..company.model import Tenant
from ..company.people import TENANTS, USERS
from ..users import PERSONAL, PERSONAL_TENANT, SHARED, User, tenant_of
from . import scopes as scope_table
from .errors import OAuthError
from .jwt import SigningKey
from .records import (
    CALLBACK_PATH,
    DEFAULT_CLIENT_ID,
    DEFAULT_CLIENT_SECRET,
    SIGN_IN_PATH,
    Account,
    App,
    Code,
    Failure,
    Grant,
    KeyRecord,
    RefreshToken,
    Session,
    TenantPolicy,
)
from .shelf import Shelf

if TYPE_CHECKING:
    from ..world import World

SegmentKind = str  # "common", "organizations", "consumers" or a tenant's GUID
_ADMINS = frozenset(user.address for user in USERS if user.is_admin)
_TENANTS = {tenant.id: tenant for tenant in TENANTS}


class Entra:
    """Applications, grants, sessions and accounts of a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.apps = Shelf(world, "entra-app", App)
        self.codes = Shelf(world, "entra-code", Code)
        self.refresh_tokens = Shelf(world, "entra-refresh", RefreshToken)
        self.grants = Shelf(world, "entra-grant", Grant)
        self.sessions = Shelf(world, "entra-session", Session)
        self.accounts = Shelf(world, "entra-account", Account)
        self.policies = Shelf(world, "entra-policy", TenantPolicy)
        self.on_password_or_revoke: list[Callable[[str], None]] = []
        keys = Shelf(world, "entra-key", KeyRecord)
        record = keys.get("1") or keys.put("1", KeyRecord(SigningKey.new_pem().decode()))
        self.key = SigningKey(record.pem.encode())
        known = self.apps.get(DEFAULT_CLIENT_ID)
        if known is None:
            self.apps.put(DEFAULT_CLIENT_ID, _default_app())
        elif missing := [path for path in _default_app().loopback_paths if path not in known.loopback_paths]:
            known.loopback_paths.extend(missing)  # a world that was made by an older version
            self.apps.put(DEFAULT_CLIENT_ID, known)

    def now(self) -> float:
        """The world's time as Unix seconds."""
        return self.world.clock.timestamp()

    # -- tenants

    def tenant_segment(self, segment: str) -> SegmentKind | None:
        """`common`, `organizations`, `consumers`, or the GUID of the tenant meant; None when there is no such."""
        low = segment.lower()
        if low in {"common", "organizations", "consumers"}:
            return low
        if low == PERSONAL_TENANT:
            return "consumers"
        tenant_id = tenant_of(low) if "." in low else low
        return tenant_id if tenant_id in self.world.users.tenants() else None

    def tenant_of(self, user: User) -> Tenant:
        """The organisation of a user; one made up from the domain when the company does not know it."""
        domain = user.address.rpartition("@")[2].lower()
        return _TENANTS.get(user.tenant_id) or Tenant(user.tenant_id, domain, domain)

    def is_admin(self, user: User) -> bool:
        """Whether the user may consent for the organisation."""
        return user.address.lower() in _ADMINS or self.account(user.id).admin

    def policy(self, tenant: Tenant) -> str:
        """The consent policy in force (graph.md 1.7)."""
        switched = self.policies.get(tenant.id)
        return switched.consent if switched else tenant.consent_policy

    def check_audience(self, app: App, segment: SegmentKind) -> None:
        """Raises OAuthError when the application may not be used through this tenant segment."""
        if app.disabled:
            raise OAuthError(7000112)
        if app.audience == "AzureADMyOrg" and segment not in {app.tenant_id}:
            raise OAuthError(50194 if segment in {"common", "organizations", "consumers"} else 700016)
        if app.audience == "AzureADMultipleOrgs" and segment == "consumers":
            raise OAuthError(9002332)

    def check_account(self, user: User, segment: SegmentKind, app: App) -> None:
        """Raises OAuthError when this user may not sign in through this segment to this application."""
        personal = user.kind == PERSONAL
        if segment == "organizations" and personal:
            raise OAuthError(500208)
        if segment == "consumers" and not personal:
            raise OAuthError(50020)
        if segment not in {"common", "organizations", "consumers"} and user.tenant_id != segment:
            raise OAuthError(50020)
        if personal and app.audience in {"AzureADMultipleOrgs", "AzureADMyOrg"}:
            raise OAuthError(500208)
        if not personal and app.audience == "PersonalMicrosoftAccount":
            raise OAuthError(50020)
        if user.kind == SHARED:
            raise OAuthError(50057, "A shared mailbox has no sign-in of its own.")
        if self.account(user.id).disabled:
            raise OAuthError(50057)

    # -- grants

    def granted(self, user: User, client_id: str) -> tuple[str, ...]:
        """What this user's tokens for this application carry: own and tenant-wide grants together."""
        own = self.grants.get(f"user:{user.id}:{client_id}")
        wide = self.grants.get(f"tenant:{user.tenant_id}:{client_id}")
        names = dict.fromkeys([*(own.scopes if own else ()), *(wide.scopes if wide else ())])
        return tuple(names)

    def grant(self, owner: str, client_id: str, names: Iterable[str]) -> None:
        """Adds scopes to a grant. `owner` is `user:<id>` or `tenant:<id>`."""
        key = f"{owner}:{client_id}"
        self.grants.put(key, (self.grants.get(key) or Grant([])).with_more(names))

    def withdraw(self, user: User, client_id: str = "") -> int:
        """Takes back a user's own grants (of one application, or all); how many."""
        keys = [f"user:{user.id}:{app.client_id}" for app in self.apps if client_id in {"", app.client_id}]
        return sum(self.grants.remove(key) is not None for key in keys)

    def missing(self, user: User, client_id: str, names: Iterable[str]) -> tuple[str, ...]:
        """Those of the scopes nobody has granted yet."""
        granted = set(self.granted(user, client_id))
        return tuple(name for name in names if name not in granted)

    def admin_only(self, user: User, names: Iterable[str]) -> tuple[str, ...]:
        """Those of the scopes this user may not grant alone."""
        if user.kind == PERSONAL or self.is_admin(user):
            return ()
        tenant = self.tenant_of(user)
        policy, switched = self.policy(tenant), self.policies.get(tenant.id)
        guarded = set(switched.guarded if switched else ())
        return tuple(name for name in names if name in guarded or scope_table.needs_admin(name, policy))

    def withheld(self, user: User) -> frozenset[str]:
        """Scopes that the user's tokens lack whatever was consented to."""
        switched = self.policies.get(self.tenant_of(user).id)
        return frozenset(switched.withheld if switched else ())

    # -- accounts

    def account(self, user_id: str) -> Account:
        """What has been done to the account so far."""
        return self.accounts.get(user_id) or Account()

    def change(self, user_id: str, **changes: object) -> None:
        """Records what is done to an account."""
        account = self.account(user_id)
        for name, value in changes.items():
            setattr(account, name, value)
        self.accounts.put(user_id, account)

    def next_failure(self, user_id: str) -> int:
        """The refusal waiting for the user's next refresh, used up by this call; 0 for none."""
        account = self.account(user_id)
        if not account.failures:
            return 0
        failure = account.failures[0]
        if failure.times:
            failure.times -= 1
            if not failure.times:
                account.failures.pop(0)
            self.accounts.put(user_id, account)
        return failure.code

    def fail(self, user_id: str, code: int, times: int) -> None:
        """Lets the user's next refreshes fail (`times` 0 = until `clear_failures`)."""
        account = self.account(user_id)
        account.failures.append(Failure(code, times))
        self.accounts.put(user_id, account)

    # -- sessions

    def session(self, session_id: str) -> Session:
        """The browser session of a cookie value; an empty one when unknown."""
        return self.sessions.get(session_id) or Session()

    def sign_in(self, session_id: str, user: User) -> str:
        """Adds the user to the session, first in line; the (perhaps new) session id."""
        session_id = session_id if self.sessions.get(session_id) else secrets.token_urlsafe(24)
        others = [other for other in self.session(session_id).users if other != user.id]
        self.sessions.put(session_id, Session([user.id, *others]))
        return session_id


def entra(world: World) -> Entra:
    """The world's Entra, made at first use."""
    service = vars(world).get("_entra_service")
    if not isinstance(service, Entra):
        service = Entra(world)
        vars(world)["_entra_service"] = service
    return service


def _default_app() -> App:
    return App(
        client_id=DEFAULT_CLIENT_ID,
        name="Postroom",
        secret=DEFAULT_CLIENT_SECRET,
        loopback_paths=[CALLBACK_PATH, SIGN_IN_PATH],
    )
