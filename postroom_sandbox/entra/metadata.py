"""Discovery, keys and userinfo (graph.md 1.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..http import ApiError, Request, Response, json_response
from ..users import PERSONAL_TENANT
from .errors import AuthError
from .scopes import OPENID
from .service import entra
from .tokens import authenticate, subject

_CLAIMS = (
    "aud",
    "iss",
    "iat",
    "nbf",
    "exp",
    "sub",
    "tid",
    "oid",
    "name",
    "preferred_username",
    "email",
    "nonce",
    "sid",
)

if TYPE_CHECKING:
    from ..world import World


def discovery(world: World, request: Request, tenant: str) -> Response:
    """The OpenID configuration; `common` and `organizations` carry the literal {tenantid} in their issuer."""
    service = entra(world)
    segment = service.tenant_segment(tenant)
    if segment is None:
        raise ApiError(400, "invalid_tenant", f"AADSTS90002: There is no organisation '{tenant}'.")
    base = request.base_url
    issuer = {"common": "{tenantid}", "organizations": "{tenantid}", "consumers": PERSONAL_TENANT}.get(segment, segment)
    path = f"{base}/{tenant}"
    return json_response(
        {
            "token_endpoint": f"{path}/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "jwks_uri": f"{path}/discovery/v2.0/keys",
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "code id_token"],
            "scopes_supported": list(OPENID),
            "issuer": f"{base}/{issuer}/v2.0",
            "request_uri_parameter_supported": False,
            "userinfo_endpoint": f"{base}/oidc/userinfo",
            "authorization_endpoint": f"{path}/oauth2/v2.0/authorize",
            "end_session_endpoint": f"{path}/oauth2/v2.0/logout",
            "frontchannel_logout_supported": True,
            "code_challenge_methods_supported": ["S256", "plain"],
            "claims_supported": list(_CLAIMS),
            "tenant_region_scope": None,
            "cloud_instance_name": "sandbox",
        }
    )


def keys(world: World, request: Request, tenant: str) -> Response:
    """The public signing key."""
    service = entra(world)
    jwk = {**service.key.jwk(), "issuer": f"{request.base_url}/{{tenantid}}/v2.0"}
    return json_response({"keys": [jwk]})


def userinfo(world: World, request: Request) -> Response:
    """OpenID Connect's userinfo for the bearer."""
    principal = authenticate(world, request)
    if not principal.may("openid"):
        raise AuthError(403, "Authorization_RequestDenied", "The token lacks the scope openid.")
    user = principal.user
    first, _, last = user.name.partition(" ")
    answer = {"sub": subject(user, principal.client_id), "name": user.name, "given_name": first, "family_name": last}
    if principal.may("email"):
        answer["email"] = user.address
    return json_response(answer)
