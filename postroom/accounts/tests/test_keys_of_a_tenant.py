"""What a session that Microsoft vouched for may change of what opens the account."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.conf import settings
from django.contrib.auth import login
from django.test import Client, RequestFactory

from postroom.accounts import signing_in
from postroom.accounts.models import SignIn, User

pytestmark = pytest.mark.django_db
PASSWORD = "long-enough-word"
HERE = "/settings/security/password/"


def from_microsoft(client: Client, user: User) -> None:
    """As the callback ends."""
    request = RequestFactory().get("/")
    request.session = import_module(settings.SESSION_ENGINE).SessionStore()
    login(request, user)
    signing_in.finish(request, user, how=SignIn.How.MICROSOFT, strong=True, tenant="t-1")
    request.session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = request.session.session_key


def test_who_has_a_password_here_confirms_with_it_first(client: Client) -> None:
    """Else the administrator of one tenant gives themselves a key to every workspace of the person."""
    from_microsoft(client, User.objects.create_user("adele@contoso.example", "Adele", PASSWORD))
    assert client.get(HERE).url.startswith("/settings/security/confirm/")
    client.post("/settings/security/confirm/", {"password": PASSWORD, "next": HERE})
    assert client.get(HERE).status_code == 200


def test_who_has_no_other_key_may_make_one_at_once(client: Client) -> None:
    from_microsoft(client, User.objects.create_user("ben@contoso.example", "Ben"))
    assert client.get(HERE).status_code == 200
