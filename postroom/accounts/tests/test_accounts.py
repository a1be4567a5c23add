"""Signing in: who gets in, who does not, and where they land."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from postroom.accounts.models import User
from postroom.lib import clock

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture
def adele() -> User:
    return User.objects.create_user("Adele@Example.com", "Adele Vance", PASSWORD)


def sign_in(client: Client, password: str = PASSWORD, email: str = "adele@example.com", **extra: str):
    return client.post("/sign-in/", {"email": email, "password": password, **extra})


def test_a_stranger_is_sent_to_sign_in_and_back(client: Client, adele: User) -> None:
    away = client.get("/settings/profile/?x=1")
    assert away.status_code == 302
    assert away.url == "/sign-in/?next=/settings/profile/%3Fx%3D1"
    assert sign_in(client, next="/settings/profile/?x=1").url == "/settings/profile/?x=1"


def test_a_partial_request_of_a_stranger_moves_the_whole_page(client: Client) -> None:
    response = client.get(
        "/settings/profile/", headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/inbox/?q=1"}
    )
    assert response.status_code == 204
    assert response.headers["HX-Redirect"] == "/sign-in/?next=/inbox/%3Fq%3D1"


def test_the_address_may_be_typed_in_any_case(client: Client, adele: User) -> None:
    assert sign_in(client, email="ADELE@example.com").status_code == 302


def test_nobody_is_led_to_another_site_after_signing_in(client: Client, adele: User) -> None:
    assert sign_in(client, next="https://evil.example/").url == "/"


def test_guessing_is_stopped_and_the_right_password_does_not_help_then(client: Client, adele: User, settings) -> None:
    for _ in range(settings.SIGN_IN_LIMIT):
        assert "do not belong together" in sign_in(client, "wrong").content.decode()
    assert "Too many attempts" in sign_in(client).content.decode()


def test_after_the_window_signing_in_works_again(client: Client, adele: User, settings) -> None:
    with clock.frozen() as time:
        for _ in range(settings.SIGN_IN_LIMIT + 1):
            sign_in(client, "wrong")
        time.advance(timedelta(seconds=settings.SIGN_IN_WINDOW_SECONDS + 1))
        assert sign_in(client).status_code == 302


def test_a_deactivated_person_cannot_sign_in(client: Client, adele: User) -> None:
    User.objects.update(is_active=False)
    assert sign_in(client).status_code == 422


def test_the_one_click_sign_in_exists_in_the_demo_only(client: Client, adele: User, settings) -> None:
    assert client.get("/demo/sign-in?as=adele").status_code == 404
    settings.POSTROOM_DEMO = True
    assert client.get("/demo/sign-in?as=adele&next=/settings/profile/").url == "/settings/profile/"
    assert client.get("/settings/profile/").status_code == 200


def test_signing_out_ends_the_session(client: Client, adele: User) -> None:
    sign_in(client)
    client.post("/sign-out/")
    assert client.get("/settings/profile/").status_code == 302


def test_the_profile_keeps_what_was_typed_and_refuses_an_unknown_time_zone(client: Client, adele: User) -> None:
    client.force_login(adele)
    form = {"name": "Adele V.", "time_zone": "Europe/Paris"}
    assert client.post("/settings/profile/", form).status_code == 302
    assert client.post("/settings/profile/", {**form, "time_zone": "Mars/Base"}).status_code == 422
    adele.refresh_from_db()
    assert (adele.name, adele.time_zone) == ("Adele V.", "Europe/Paris")
