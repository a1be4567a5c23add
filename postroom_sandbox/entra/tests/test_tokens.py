"""Refreshing, revoking, expiring, challenging; and what Graph makes of a bearer token."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import urlencode

import pytest

from ... import entra
from ...database import Database
from ...http import Response
from ..errors import REFUSALS
from .harness import call, request, tiny_world

ADELE = "adele@northwind.example"
SCOPES = ("openid", "offline_access", "Mail.Read")


@pytest.fixture
def world() -> Any:
    return tiny_world()


@pytest.fixture
def adele(world: Any) -> Any:
    return world.users.by_address(ADELE)


def refresh(world: Any, token: str, **changes: str) -> Response:
    fields = {
        "grant_type": "refresh_token",
        "refresh_token": token,
        "client_id": entra.DEFAULT_CLIENT_ID,
        "client_secret": entra.DEFAULT_CLIENT_SECRET,
    } | changes
    return call(entra.routes(world), request("POST", "/common/oauth2/v2.0/token", body=urlencode(fields).encode()))


def body(response: Response) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(response.body)
    return found


def bearer(world: Any, token: str) -> entra.Principal:
    return entra.authenticate(world, request("GET", "/v1.0/me", headers={"Authorization": f"Bearer {token}"}))


def refused(world: Any, token: str) -> entra.AuthError:
    with pytest.raises(entra.AuthError) as caught:
        bearer(world, token)
    return caught.value


@pytest.mark.parametrize("code", sorted(REFUSALS))
def test_every_refusal_of_the_table_can_be_asked_for_and_has_entras_shape(world: Any, adele: Any, code: int) -> None:
    token = entra.issue_token(world, adele, SCOPES)["refresh_token"]
    entra.fail_next_refresh(world, adele, code)
    response = refresh(world, token)
    found, row = body(response), REFUSALS[code]
    assert (response.status, found["error"], found["error_codes"]) == (row.status, row.error, [code])
    assert found["error_description"].startswith(f"AADSTS{code}: ") and "Trace ID:" in found["error_description"]
    assert found.get("suberror", "") == row.suberror
    if row.claims:
        assert "access_token" in json.loads(found["claims"])
    assert refresh(world, token).status == 200


def test_an_unknown_refusal_is_an_error_and_zero_clears(world: Any, adele: Any) -> None:
    with pytest.raises(ValueError, match="123"):
        entra.fail_next_refresh(world, adele, 123)
    token = entra.issue_token(world, adele, SCOPES)["refresh_token"]
    entra.fail_next_refresh(world, adele, 50076, times=0)
    assert [refresh(world, token).status for _ in range(3)] == [400, 400, 400]
    entra.fail_next_refresh(world, adele, 0)
    assert refresh(world, token).status == 200


def test_a_refresh_may_ask_for_less_or_for_what_was_granted_but_not_for_more(world: Any, adele: Any) -> None:
    token = entra.issue_token(world, adele, (*SCOPES, "Mail.Send"))["refresh_token"]
    assert "refresh_token" in body(refresh(world, token, scope="Mail.Send"))
    missing = body(refresh(world, token, scope="Calendars.Read"))
    assert (missing["error"], missing["suberror"], missing["error_codes"]) == (
        "invalid_grant",
        "consent_required",
        [65001],
    )
    assert body(refresh(world, token, scope="Nonsense"))["error"] == "invalid_scope"


def test_a_refresh_token_belongs_to_its_client_and_lives_ninety_days(world: Any, adele: Any) -> None:
    token = entra.issue_token(world, adele, SCOPES)["refresh_token"]
    assert body(refresh(world, "made up"))["error_codes"] == [70000]
    world.clock.advance(89 * 86400)
    newer = body(refresh(world, token))["refresh_token"]
    world.clock.advance(2 * 86400)
    assert body(refresh(world, token))["error_codes"] == [700082]
    assert refresh(world, newer).status == 200


def test_revoking_ends_everything_so_far_and_tells_listeners(world: Any, adele: Any) -> None:
    told: list[str] = []
    entra.entra(world).on_password_or_revoke.append(told.append)
    tokens = entra.issue_token(world, adele, SCOPES)
    entra.revoke(world, adele)
    assert body(refresh(world, tokens["refresh_token"]))["error_codes"] == [50173]
    assert refused(world, tokens["access_token"]).status == 401
    world.clock.advance(1)
    assert refresh(world, entra.issue_token(world, adele, SCOPES)["refresh_token"]).status == 200
    assert told == [adele.id]


def test_a_password_change_spares_confidential_clients(world: Any, adele: Any) -> None:
    token = entra.issue_token(world, adele, SCOPES)["refresh_token"]
    entra.change_password(world, adele)
    assert refresh(world, token).status == 200


def test_expired_access_tokens_are_refused_as_graph_does(world: Any, adele: Any) -> None:
    token = entra.issue_token(world, adele, SCOPES, 60)["access_token"]
    assert bearer(world, token).may("Mail.Read")
    world.clock.advance(3601)
    error = refused(world, token)
    assert (error.status, error.code) == (401, "InvalidAuthenticationToken")
    assert "WWW-Authenticate" in dict(error.headers)


@pytest.mark.parametrize("header", ["", "Bearer", "Basic eDp5", "Bearer not.a.token"])
def test_what_is_no_token_is_refused(world: Any, header: str) -> None:
    with pytest.raises(entra.AuthError):
        entra.authenticate(world, request("GET", "/v1.0/me", headers={"Authorization": header}))


def test_a_token_of_another_world_is_refused_and_one_of_this_world_survives_a_restart(tmp_path: Any) -> None:
    path = tmp_path / "world.sqlite3"
    first = tiny_world(database=Database(path))
    tokens = entra.issue_token(first, first.users.by_address(ADELE), SCOPES)
    first.db.close()
    again = tiny_world(database=Database(path))
    assert bearer(again, tokens["access_token"]).user.address == ADELE
    assert refresh(again, tokens["refresh_token"]).status == 200
    assert refused(tiny_world(key=False), tokens["access_token"]).status == 401


def test_a_claims_challenge_reaches_capable_clients_and_the_refresh_passes_it_on(world: Any, adele: Any) -> None:
    tokens = entra.issue_token(world, adele, SCOPES)
    entra.challenge(world, adele)
    assert refused(world, tokens["access_token"]).status == 403
    asked = body(refresh(world, tokens["refresh_token"]))
    assert asked["error"] == "interaction_required" and "claims" in asked
    world.clock.advance(1)
    passed = body(refresh(world, tokens["refresh_token"], claims=asked["claims"]))
    assert bearer(world, passed["access_token"])


def test_a_client_with_cp1_gets_401_with_the_claims_in_base64(world: Any, adele: Any) -> None:
    from ..tokens import Wish, token_response

    service = entra.entra(world)
    app = service.apps.get(entra.DEFAULT_CLIENT_ID)
    assert app is not None
    service.grant(f"user:{adele.id}", app.client_id, SCOPES)
    token = token_response(world, Wish(adele, app, SCOPES, "http://127.0.0.1", cp1=True))["access_token"]
    entra.challenge(world, adele)
    header = dict(refused(world, token).headers)["WWW-Authenticate"]
    assert 'error="insufficient_claims"' in header
    claims = header.split('claims="')[1].split('"')[0]
    assert "access_token" in json.loads(base64.b64decode(claims))


def test_a_disabled_account_neither_refreshes_nor_reads(world: Any, adele: Any) -> None:
    tokens = entra.issue_token(world, adele, SCOPES)
    address = f"/sandbox/mailboxes/{ADELE}/account"
    assert call(entra.routes(world), request("POST", address, body=b'{"disabled": true}')).status == 204
    assert body(refresh(world, tokens["refresh_token"]))["error_codes"] == [50057]
    assert refused(world, tokens["access_token"]).status == 401


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/sandbox/mailboxes/adele@northwind.example/refresh-failure", b'{"code": "x"}'),
        ("/sandbox/mailboxes/adele@northwind.example/refresh-failure", b'{"code": 1}'),
        ("/sandbox/tokens", b'{"user": "adele@northwind.example", "scopes": ["Nonsense"]}'),
        ("/sandbox/apps", b'{"colour": "blue"}'),
        ("/sandbox/tenants/northwind.example/policy", b'{"consent": "perhaps"}'),
    ],
)
def test_control_calls_say_what_is_wrong(world: Any, path: str, sent: bytes) -> None:
    response = call(entra.routes(world), request("POST", path, body=sent))
    assert response.status == 400 and body(response)["error"]["message"]


def test_a_challenge_that_refuses_wants_a_sign_in_that_passes_the_claims_on(world: Any, adele: Any) -> None:
    from ..errors import claims_request
    from ..tokens import Wish, token_response

    service = entra.entra(world)
    app = service.apps.get(entra.DEFAULT_CLIENT_ID)
    assert app is not None
    service.grant(f"user:{adele.id}", app.client_id, SCOPES)
    before = token_response(world, Wish(adele, app, SCOPES, "http://127.0.0.1", cp1=True))
    world.clock.advance(1)
    entra.challenge(world, adele, refuse=True)
    world.clock.advance(1)
    refused_so = body(refresh(world, before["refresh_token"], claims=claims_request()))
    assert refused_so["error_codes"] == [50076] and "claims" in refused_so
    plain = token_response(world, Wish(adele, app, SCOPES, "http://127.0.0.1", cp1=True))
    assert refused(world, plain["access_token"]).status == 401  # a sign-in that ignored the challenge
    answered = token_response(world, Wish(adele, app, SCOPES, "http://127.0.0.1", cp1=True, verified=True))
    assert bearer(world, answered["access_token"])
    assert bearer(world, body(refresh(world, answered["refresh_token"]))["access_token"])


def test_scopes_can_be_guarded_and_withheld_one_by_one(world: Any, adele: Any) -> None:
    path = "/sandbox/tenants/northwind.example/policy"
    sent = b'{"consent": "legacy", "guarded": ["Mail.Send"], "withheld": ["Mail.ReadWrite"]}'
    assert call(entra.routes(world), request("POST", path, body=sent)).status == 200
    assert entra.entra(world).admin_only(adele, ("Mail.Send", "Mail.ReadWrite")) == ("Mail.Send",)
    answer = entra.issue_token(world, adele, ("Mail.ReadWrite", "User.Read"))
    assert "Mail.ReadWrite" not in answer["scope"] and "User.Read" in answer["scope"]
