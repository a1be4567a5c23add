"""/authorize: who are you, may this application do that, and back with a code (graph.md 1.2, 1.3)."""

from __future__ import annotations

import re
import secrets
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from ..http import Request, Response, Route, redirect
from ..users import PERSONAL, SHARED, User
from . import views
from .errors import OAuthError, answers_challenge, describe
from .records import App, Code
from .scopes import OPENID, for_account, parse
from .service import Entra, SegmentKind, entra
from .tokens import session_state

if TYPE_CHECKING:
    from ..world import World

COOKIE = "sandbox_session"
FLOW_LIFETIME = 3600.0
_PROMPTS = frozenset({"", "login", "none", "consent", "select_account"})
_CHALLENGE = re.compile(r"[A-Za-z0-9\-._~]{43,128}")


@dataclass
class Flow:
    """One sign-in under way. `purpose` is `code` or `admin` (the admin consent endpoint)."""

    id: str
    segment: SegmentKind
    params: dict[str, str]
    app: App
    scopes: tuple[str, ...]
    created: float
    purpose: str = "code"
    session: str = ""
    user_id: str = ""
    base: str = ""
    base_url: str = ""
    extra: dict[str, str] = field(default_factory=dict)


class SignIn:
    """The handlers, and the sign-ins under way (kept in memory: after a restart the person starts again)."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.entra: Entra = entra(world)
        self._flows: dict[str, Flow] = {}

    def routes(self) -> list[Route]:
        """Everything a browser asks for."""
        return [
            Route("GET", "/{tenant}/oauth2/v2.0/authorize", self.authorize),
            Route("POST", "/{tenant}/oauth2/v2.0/authorize", self.authorize),
            Route("POST", "/{tenant}/signin", self.choose),
            Route("POST", "/{tenant}/consent", self.decide),
            Route("GET", "/{tenant}/oauth2/v2.0/logout", self.logout),
            Route("POST", "/{tenant}/oauth2/v2.0/logout", self.logout),
            Route("GET", "/{tenant}/v2.0/adminconsent", self.admin_consent),
            Route("GET", "/{tenant}/adminconsent", self.admin_consent_all),
        ]

    # -- starting

    def authorize(self, request: Request, tenant: str) -> Response:
        """The authorize endpoint."""
        params = {**request.query, **(request.form() if request.method == "POST" else {})}
        try:
            flow = self._open(request, tenant, params)
        except OAuthError as error:
            return views.failure(error, request_id=str(uuid.uuid4()))
        try:
            self._check_request(flow)
        except OAuthError as error:
            return self._refuse(flow, error.error, str(error), error)
        return self._first_step(flow)

    def _open(self, request: Request, tenant: str, params: dict[str, str]) -> Flow:
        """Checks what is answered by a page rather than a redirect. Raises OAuthError."""
        segment = self.entra.tenant_segment(tenant)
        if segment is None:
            raise OAuthError(700016, f"There is no organisation '{tenant}'.")
        app = self.entra.apps.get(params.get("client_id", ""))
        if app is None:
            raise OAuthError(700016)
        uri = params.get("redirect_uri", "")
        if not uri:
            raise OAuthError(900971)
        if not app.accepts(uri):
            raise OAuthError(50011, f"'{uri}' was asked for.")
        self.entra.check_audience(app, segment)
        flow = Flow(
            id=secrets.token_urlsafe(24),
            segment=segment,
            params=params,
            app=app,
            scopes=(),
            created=self.entra.now(),
            session=request.cookies.get(COOKIE, ""),
            base=f"/{tenant}",
            base_url=request.base_url,
        )
        self._flows = {key: old for key, old in self._flows.items() if flow.created - old.created < FLOW_LIFETIME}
        self._flows[flow.id] = flow
        return flow

    def _check_request(self, flow: Flow) -> None:
        params = flow.params
        wanted = params.get("response_type", "").split()
        if "code" not in wanted or set(wanted) - {"code", "id_token"}:
            raise OAuthError(70003, error="unsupported_response_type")
        if "id_token" in wanted and not (params.get("nonce") and flow.app.implicit_id_token):
            raise OAuthError(90014, "A nonce and the id_token switch of the registration are needed.")
        if params.get("response_mode", "query") not in {"query", "fragment", "form_post"}:
            raise OAuthError(90014, "The response mode is not known.")
        if params.get("prompt", "") not in _PROMPTS:
            raise OAuthError(90014, "The prompt is not known.")
        flow.scopes = parse(params.get("scope", ""), default=flow.app.scopes)
        if flow.app.require_pkce or params.get("code_challenge"):
            self._check_pkce(params)

    @staticmethod
    def _check_pkce(params: dict[str, str]) -> None:
        challenge = params.get("code_challenge", "")
        method = params.get("code_challenge_method", "plain")
        if not challenge:
            raise OAuthError(50147, "PKCE is enforced here: send a code_challenge (S256).")
        if method not in {"S256", "plain"}:
            raise OAuthError(501491, "The method must be S256 or plain.")
        if not _CHALLENGE.fullmatch(challenge) or (method == "S256" and len(challenge) != 43):
            raise OAuthError(50147 if method == "S256" else 501491)

    # -- who

    def _first_step(self, flow: Flow) -> Response:
        signed_in = self._signed_in(flow)
        prompt, hint = flow.params.get("prompt", ""), flow.params.get("login_hint", "").lower()
        hinted = next((user for user in signed_in if hint in [item.lower() for item in user.addresses]), None)
        if prompt == "none":
            return self._silent(flow, hinted if hint else signed_in[0] if len(signed_in) == 1 else None)
        if prompt == "login" or (hint and not hinted and prompt != "select_account"):
            return self._ask(flow, hint=hint)
        if prompt == "select_account":
            people = self._people(flow)
            return views.pick(flow.base, flow.id, app=flow.app.name, signed_in=signed_in, people=people)
        known = hinted or (signed_in[0] if len(signed_in) == 1 else None)
        if known:
            return self._proceed(flow, known)
        if signed_in:
            people = self._people(flow)
            return views.pick(flow.base, flow.id, app=flow.app.name, signed_in=signed_in, people=people)
        return self._ask(flow)

    def _silent(self, flow: Flow, user: User | None) -> Response:
        if user is None:
            return self._refuse(flow, "login_required", "AADSTS50058: Nobody, or more than one person, is signed in.")
        missing = self._missing(flow, user)
        if missing:
            text = f"AADSTS65001: Not consented: {' '.join(missing)}."
            return self._refuse(flow, "interaction_required", text, OAuthError(65001))
        return self._answer(flow, user)

    def _ask(self, flow: Flow, *, hint: str = "", problem: OAuthError | None = None) -> Response:
        people = self._people(flow)
        return views.sign_in(flow.base, flow.id, app=flow.app.name, people=people, hint=hint, problem=problem)

    def _signed_in(self, flow: Flow) -> list[User]:
        found = (self.world.users.get(user_id) for user_id in self.entra.session(flow.session).users)
        return [user for user in found if user and self._fits(flow, user)]

    def _people(self, flow: Flow) -> list[User]:
        """Who is offered: everybody who may sign in here, at most 30; a domain hint narrows it."""
        domain = flow.params.get("domain_hint", "").lower()
        users = [user for user in self.world.users if user.kind != SHARED and self._fits(flow, user)]
        if domain == "consumers":
            users = [user for user in users if user.kind == PERSONAL]
        elif domain == "organizations":
            users = [user for user in users if user.kind != PERSONAL]
        elif domain:
            users = [user for user in users if user.address.lower().endswith("@" + domain)]
        return users[:30]

    def _fits(self, flow: Flow, user: User) -> bool:
        try:
            self.entra.check_account(user, flow.segment, flow.app)
        except OAuthError:
            return False
        return True

    def choose(self, request: Request, tenant: str) -> Response:
        """Somebody signs in (or picks the account that is signed in)."""
        form = request.form()
        flow = self._flows.get(form.get("flow", ""))
        if flow is None:
            return views.failure(OAuthError(50089), request_id=str(uuid.uuid4()))
        address = form.get("account", "").strip()
        user = self.world.users.by_address(address)
        try:
            if user is None:
                raise OAuthError(50034, f"'{address}' is not known.")
            self.entra.check_account(user, flow.segment, flow.app)
        except OAuthError as error:
            return self._ask(flow, hint=address, problem=error)
        flow.session = self.entra.sign_in(flow.session, user)
        response = self._proceed(flow, user)
        response.headers.append(("Set-Cookie", f"{COOKIE}={flow.session}; Path=/; HttpOnly; SameSite=Lax"))
        return response

    # -- may it

    def _missing(self, flow: Flow, user: User) -> tuple[str, ...]:
        asked = for_account(flow.scopes, personal=user.kind == PERSONAL)
        return self.entra.missing(user, flow.app.client_id, asked)

    def _proceed(self, flow: Flow, user: User) -> Response:
        flow.user_id = user.id
        if flow.purpose == "admin":
            return self._admin_page(flow, user)
        missing = self._missing(flow, user)
        again = flow.params.get("prompt") == "consent" and not flow.extra.get("consented")
        names = for_account(flow.scopes, personal=user.kind == PERSONAL) if again else missing
        if not names:
            return self._verify(flow, user)
        blocked = self.entra.admin_only(user, missing)
        if blocked:
            return views.need_admin(flow.base, flow.id, app=flow.app.name, user=user, names=names)
        admin = self.entra.is_admin(user)
        organisation = self.entra.tenant_of(user).name
        return views.consent(
            flow.base, flow.id, app=flow.app.name, user=user, names=names, admin=admin, organisation=organisation
        )

    def _verify(self, flow: Flow, user: User) -> Response:
        """The further check that a claims challenge asks for; nothing for everybody else."""
        if answers_challenge(flow.params.get("claims", "")) and not flow.extra.get("verified"):
            return views.verify(flow.base, flow.id, app=flow.app.name, user=user)
        return self._answer(flow, user)

    def decide(self, request: Request, tenant: str) -> Response:
        """Accept, cancel, go back, or fetch an administrator."""
        form = request.form()
        flow = self._flows.get(form.get("flow", ""))
        if flow is None:
            return views.failure(OAuthError(50089), request_id=str(uuid.uuid4()))
        user = self.world.users.get(flow.user_id) if flow.user_id else None
        decision = form.get("decision", "")
        if decision == "accept" and user:
            return self._accept(flow, user, organisation=bool(form.get("organisation")))
        if decision == "verified" and user and flow.purpose == "code":
            flow.extra["verified"] = "1"
            return self._proceed(flow, user)
        if decision == "admin":
            return self._ask(flow)
        if decision == "cancel" and (user or flow.purpose == "admin"):
            return self._decline(flow)
        return self._refuse(flow, "access_denied", "The user went back without granting access.", subcode="cancel")

    def _accept(self, flow: Flow, user: User, *, organisation: bool) -> Response:
        names = for_account(flow.scopes, personal=user.kind == PERSONAL)
        if self.entra.admin_only(user, self.entra.missing(user, flow.app.client_id, names)):
            return self._proceed(flow, user)
        if flow.purpose == "admin":
            return self._admin_accept(flow, user, names)
        wide = organisation and self.entra.is_admin(user)
        self.entra.grant(f"tenant:{user.tenant_id}" if wide else f"user:{user.id}", flow.app.client_id, names)
        flow.extra["consented"] = "1"
        return self._proceed(flow, user)

    def _decline(self, flow: Flow) -> Response:
        refusal = OAuthError(65004)
        if flow.purpose == "admin":
            return self._back(flow, {"admin_consent": "True", **self._error(flow, "consent_required", str(refusal))})
        return self._refuse(flow, "access_denied", str(refusal), refusal, subcode="cancel")

    # -- back

    def _answer(self, flow: Flow, user: User) -> Response:
        code = "1.AX" + secrets.token_urlsafe(60)
        params = flow.params
        record = Code(
            client_id=flow.app.client_id,
            user_id=user.id,
            tenant=flow.segment,
            redirect_uri=params["redirect_uri"],
            scopes=list(for_account(flow.scopes, personal=user.kind == PERSONAL)),
            created=self.entra.now(),
            challenge=params.get("code_challenge", ""),
            method=params.get("code_challenge_method", "plain"),
            nonce=params.get("nonce", ""),
            session=flow.session,
            cp1='"cp1"' in params.get("claims", ""),
            verified=bool(flow.extra.get("verified")),
        )
        self.entra.codes.put(code, record)
        self._flows.pop(flow.id, None)
        fields = {"code": code, "session_state": session_state(flow.session or flow.id)}
        return self._back(flow, fields)

    def _refuse(
        self, flow: Flow, error: str, text: str, cause: OAuthError | None = None, *, subcode: str = ""
    ) -> Response:
        fields = self._error(flow, error, text)
        if subcode:
            fields["error_subcode"] = subcode
        if cause and cause.refusal.suberror:
            fields["suberror"] = cause.refusal.suberror
        self._flows.pop(flow.id, None)
        return self._back(flow, fields)

    def _error(self, flow: Flow, error: str, text: str) -> dict[str, str]:
        return {"error": error, "error_description": describe(text, now=self.world.clock.now())}

    def _back(self, flow: Flow, fields: dict[str, str]) -> Response:
        if "state" in flow.params:
            fields["state"] = flow.params["state"]
        uri, mode = flow.params["redirect_uri"], flow.params.get("response_mode", "query")
        if mode == "form_post":
            return views.post_form(uri, fields)
        if mode == "fragment":
            return redirect(f"{uri}#{urlencode(fields)}")
        return redirect(uri, fields)

    # -- administrators

    def admin_consent(self, request: Request, tenant: str) -> Response:
        """/{tenant}/v2.0/adminconsent: a dynamic list of scopes (graph.md 1.9)."""
        return self._start_admin(request, tenant, request.query.get("scope", ""))

    def admin_consent_all(self, request: Request, tenant: str) -> Response:
        """/{tenant}/adminconsent: every permission of the registration."""
        return self._start_admin(request, tenant, ".default")

    def _start_admin(self, request: Request, tenant: str, scope: str) -> Response:
        try:
            if tenant.lower() == "common":
                raise OAuthError(900144, "Use 'organizations' or the tenant's id, not 'common'.")
            flow = self._open(request, tenant, dict(request.query))
            flow.purpose = "admin"
            flow.scopes = parse(scope or ".default", default=flow.app.scopes)
        except OAuthError as error:
            return views.failure(error, request_id=str(uuid.uuid4()))
        admins = [user for user in self._signed_in(flow) if self.entra.is_admin(user)]
        return self._admin_page(flow, admins[0]) if admins else self._ask(flow)

    def _admin_page(self, flow: Flow, user: User) -> Response:
        if not self.entra.is_admin(user):
            return self._ask(flow, hint=user.address, problem=OAuthError(90093, "Sign in as an administrator."))
        flow.user_id = user.id
        organisation = self.entra.tenant_of(user).name
        return views.admin_consent(
            flow.base, flow.id, app=flow.app.name, user=user, names=flow.scopes, organisation=organisation
        )

    def _admin_accept(self, flow: Flow, user: User, names: tuple[str, ...]) -> Response:
        self.entra.grant(f"tenant:{user.tenant_id}", flow.app.client_id, (*names, *OPENID))
        self._flows.pop(flow.id, None)
        granted = " ".join(f"https://graph.microsoft.com/{name}" for name in names if name not in OPENID)
        return self._back(flow, {"admin_consent": "True", "tenant": user.tenant_id, "scope": granted})

    # -- leaving

    def logout(self, request: Request, tenant: str) -> Response:
        """Ends the browser session; refresh tokens live on (graph.md 1.11)."""
        params = {**request.query, **(request.form() if request.method == "POST" else {})}
        self.entra.sessions.remove(request.cookies.get(COOKIE, ""))
        target = params.get("post_logout_redirect_uri", "")
        state = {"state": params["state"]} if "state" in params else None
        back = target and any(app.accepts(target) for app in self.entra.apps)
        response = redirect(target, state) if back else views.signed_out()
        response.headers.append(("Set-Cookie", f"{COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"))
        return response
