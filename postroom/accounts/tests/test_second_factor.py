"""Password and second factor, recovery codes, sessions, confirmation (product.md CN4, AD1, AD5)."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.contrib.sessions.models import Session
from django.test import Client

from postroom.accounts import keys, second_factor, signing_in
from postroom.accounts.models import SignIn, User
from postroom.lib import clock
from postroom.lib.crypto import CannotOpen, generate_key

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
SECOND = "/sign-in/second-factor/"
PROFILE = "/settings/profile/"
SECURITY = "/settings/security/"


@pytest.fixture
def adele() -> User:
    return User.objects.create_user("adele@example.com", "Adele Vance", PASSWORD)


@pytest.fixture
def secret(adele: User) -> str:
    """Adele has an authenticator app."""
    secret = totp.generate_totp_secret()
    second_factor.set_up(adele, secret)
    return secret


def code_of(secret: str, *, steps: int = 0) -> str:
    return totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30 + steps))


def wrong_code(secret: str) -> str:
    right = {code_of(secret, steps=step) for step in (-2, -1, 0, 1, 2)}
    return next(code for code in ("000000", "111111", "222222", "333333", "444444", "555555") if code not in right)


def sign_in(client: Client, **extra: str):
    return client.post("/sign-in/", {"email": "adele@example.com", "password": PASSWORD, **extra})


def signed_in(client: Client) -> bool:
    return client.get(PROFILE).status_code == 200


def test_a_password_alone_opens_nothing_where_there_is_a_second_factor(client: Client, secret: str) -> None:
    assert sign_in(client, next=PROFILE).url == SECOND
    assert not signed_in(client)
    assert client.post(SECOND, {"code": wrong_code(secret)}).status_code == 422
    assert not signed_in(client)
    assert client.post(SECOND, {"code": code_of(secret)}).url == PROFILE
    assert signed_in(client)


def test_a_code_works_once(client: Client, secret: str) -> None:
    code = code_of(secret)
    sign_in(client)
    client.post(SECOND, {"code": f" {code[:3]} {code[3:]} "})
    other = Client()
    sign_in(other)
    assert other.post(SECOND, {"code": code}).status_code == 422


def test_a_recovery_code_works_once(client: Client, adele: User, secret: str) -> None:
    code = second_factor.recovery_codes(adele)[0]
    for browser, status in ((client, 302), (Client(), 422)):
        sign_in(browser)
        assert browser.post(SECOND, {"code": code}).status_code == status
    assert second_factor.of(adele).codes_left == 9
    assert SignIn.objects.filter(how="password+recovery", succeeded=True).count() == 1


def test_guessing_codes_is_stopped_and_the_right_one_does_not_help_then(client: Client, secret: str, settings) -> None:
    sign_in(client)
    for _ in range(settings.SIGN_IN_LIMIT):
        client.post(SECOND, {"code": wrong_code(secret)})
    answer = client.post(SECOND, {"code": code_of(secret)})
    assert "Too many attempts" in answer.content.decode()
    assert not signed_in(client)


def test_half_a_sign_in_is_worth_nothing_after_ten_minutes_or_a_new_password(
    client: Client, adele: User, secret: str
) -> None:
    with clock.frozen() as held:
        sign_in(client)
        held.advance(timedelta(minutes=11))
        assert client.post(SECOND, {"code": code_of(secret)}).url == "/sign-in/"
    sign_in(client)
    adele.set_password("another long password")
    adele.save()
    assert client.get(SECOND).url == "/sign-in/"


def test_without_the_first_step_there_is_no_second(client: Client) -> None:
    assert client.get(SECOND).url == "/sign-in/"
    assert client.get(f"{SECOND}options").status_code == 404


def test_what_opens_an_account_lies_sealed_in_the_database(adele: User, secret: str) -> None:
    stored = json.dumps(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in stored
    assert not any(code in stored for code in second_factor.recovery_codes(adele))


def test_rotation_brings_them_under_the_newest_key(adele: User, secret: str, settings) -> None:
    old, new = settings.POSTROOM_ENCRYPTION_KEYS[0], generate_key()
    codes = second_factor.recovery_codes(adele)
    try:
        use(settings, new, old)
        assert second_factor.reseal(batch=1) == 2
        assert second_factor.reseal() == 0
        use(settings, new)
        assert second_factor.recovery_codes(adele) == codes
        assert second_factor.check(adele, code_of(secret)) == "totp"
        use(settings, old)
        with pytest.raises(CannotOpen):
            second_factor.recovery_codes(adele)
    finally:
        keys.keyring.cache_clear()


def use(settings, *configured: str) -> None:
    settings.POSTROOM_ENCRYPTION_KEYS = list(configured)
    keys.keyring.cache_clear()


def test_setting_up_an_app_takes_a_first_code_and_ends_in_recovery_codes(client: Client, adele: User) -> None:
    sign_in(client)
    page = client.get(f"{SECURITY}authenticator/")
    secret = "".join(page.context["groups"])
    assert secret not in b64encode(str(dict(client.session)).encode()).decode() + str(dict(client.session))
    assert client.post(f"{SECURITY}authenticator/", {"code": wrong_code(secret)}).status_code == 422
    assert not second_factor.has(adele)
    done = client.post(f"{SECURITY}authenticator/", {"code": code_of(secret)})
    assert done.url == f"{SECURITY}recovery-codes/"
    assert len(client.get(done.url).context["codes"]) == 10
    assert second_factor.has(adele)


def test_new_recovery_codes_make_the_old_ones_worthless(client: Client, adele: User, secret: str) -> None:
    old = second_factor.recovery_codes(adele)
    sign_in(client)
    client.post(SECOND, {"code": code_of(secret)})
    shown = client.post(f"{SECURITY}recovery-codes/").context["codes"]
    assert not set(shown) & set(old)
    assert second_factor.check(adele, old[0]) == ""


def test_removing_the_last_factor_takes_the_recovery_codes_with_it(client: Client, adele: User, secret: str) -> None:
    sign_in(client)
    client.post(SECOND, {"code": code_of(secret)})
    client.post(f"{SECURITY}authenticator/remove/")
    assert not Authenticator.objects.filter(user=adele).exists()


@pytest.mark.parametrize(
    "path", ["password/", "authenticator/", "recovery-codes/", "passkeys/add/", "passkeys/options", "microsoft/"]
)
def test_an_old_session_confirms_before_it_changes_what_opens_the_account(
    client: Client, adele: User, path: str, settings
) -> None:
    settings.MICROSOFT_CLIENT_ID = "registered"
    with clock.frozen() as held:
        sign_in(client)
        held.advance(timedelta(minutes=16))
        ask = client.post if path == "microsoft/" else client.get
        assert ask(f"{SECURITY}{path}").url.startswith(f"{SECURITY}confirm/")


def test_confirming_takes_the_password_and_guesses_are_counted(client: Client, adele: User, settings) -> None:
    with clock.frozen() as held:
        sign_in(client)
        held.advance(timedelta(minutes=16))
        told = {"next": f"{SECURITY}password/"}
        assert client.post(f"{SECURITY}confirm/", {**told, "password": "wrong"}).status_code == 422
        assert client.post(f"{SECURITY}confirm/", {**told, "password": PASSWORD}).url == told["next"]
        assert client.get(told["next"]).status_code == 200
        for _ in range(settings.SIGN_IN_LIMIT):
            client.post(f"{SECURITY}confirm/", {"password": "wrong"})
        assert "Too many" in client.post(f"{SECURITY}confirm/", {"password": PASSWORD}).content.decode()


def test_a_new_password_ends_every_other_session_and_keeps_this_one(client: Client, adele: User) -> None:
    other = Client()
    sign_in(other)
    sign_in(client)
    form = {"new": "quite another phrase", "again": "quite another phrase"}
    assert client.post(f"{SECURITY}password/", {**form, "again": "a slip"}).status_code == 422
    assert client.post(f"{SECURITY}password/", {"new": "short", "again": "short"}).status_code == 422
    assert client.post(f"{SECURITY}password/", form).url == SECURITY
    assert signed_in(client)
    assert not signed_in(other)
    assert [one.session_key for one in signing_in.sessions(adele)] == [client.session.session_key]


def test_the_list_of_sessions_signs_others_out(client: Client, adele: User) -> None:
    other, third = Client(headers={"User-Agent": "Firefox/1 Linux"}), Client()
    for browser in (other, third, client):
        sign_in(browser)
    assert client.get(SECURITY).content.decode().count("This browser") == 1
    row = SignIn.objects.get(agent="Firefox on Linux")
    assert client.post(f"{SECURITY}sessions/{row.pk}/end/").status_code == 302
    assert not signed_in(other)
    assert signed_in(third)
    client.post(f"{SECURITY}sessions/end-others/")
    assert not signed_in(third)
    assert signed_in(client)
    assert Session.objects.count() == 1


def test_nobody_ends_somebody_else_s_session(client: Client, adele: User) -> None:
    User.objects.create_user("ben@example.com", "Ben", PASSWORD)
    other = Client()
    other.post("/sign-in/", {"email": "ben@example.com", "password": PASSWORD})
    sign_in(client)
    row = SignIn.objects.get(user__email="ben@example.com")
    assert client.post(f"{SECURITY}sessions/{row.pk}/end/").status_code == 404
    assert signed_in(other)


def test_recent_sign_ins_show_those_that_failed_and_say_nothing_to_who_guesses(client: Client, adele: User) -> None:
    here = client.post("/sign-in/", {"email": "adele@example.com", "password": "wrong"}).content.decode()
    nobody = client.post("/sign-in/", {"email": "nobody@example.com", "password": "wrong"}).content.decode()
    assert ("do not belong together" in here, "do not belong together" in nobody) == (True, True)
    sign_in(client)
    assert "Failed: password" in client.get(SECURITY).content.decode()
    assert SignIn.objects.count() == 2


def test_last_active_is_noted_at_most_every_ten_minutes(client: Client, adele: User) -> None:
    with clock.frozen() as held:
        sign_in(client)
        first = SignIn.objects.get().seen_at
        held.advance(timedelta(minutes=5))
        client.get(PROFILE)
        assert SignIn.objects.get().seen_at == first
        held.advance(timedelta(minutes=6))
        client.get(PROFILE)
        assert SignIn.objects.get().seen_at == held.at


@pytest.mark.parametrize(
    "credential", ["", "{}", "[]", "null", '{"response": {"userHandle": "x"}}', "[" * 9000, "{" * 9]
)
def test_a_passkey_that_is_none_signs_nobody_in(client: Client, adele: User, credential: str) -> None:
    client.get("/sign-in/passkey/options")
    assert client.post("/sign-in/passkey/", {"credential": credential}).status_code == 422
    assert not signed_in(client)


def test_old_attempts_are_forgotten(client: Client, adele: User) -> None:
    with clock.frozen() as held:
        sign_in(client)
        held.advance(timedelta(days=91))
        assert signing_in.purge() == 1
