"""The consent ladder against the sandbox over HTTP (product.md CN2, CN3, CN5, CN6): whatever is declined or guarded,
the rest works, the screen says what is off and how to turn it on, and no way ends in a wall."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from postroom.mailboxes import features, grants, lifecycle
from postroom.mailboxes.models import AdminApproval, Connection, Failure, Mailbox
from postroom.providers import errors, registry
from tests.proofs.consenting import HERE, PERMISSIONS, Person, link_for_admin
from tests.proofs.together import ADDRESS, COLLEAGUE, Together

PERSONAL = "sam@outlook.example"
OPTIONAL = ("sending", "categories", "people", "shared")
MAIL = "From: gil@contoso.example\r\nTo: ada@northwind.example\r\nSubject: hi\r\nMessage-ID: <{}@c.example>\r\n\r\nhi"


@pytest.fixture
def here(both: Together, settings: Any) -> Iterator[Together]:
    settings.POSTROOM_BASE_URL = f"http://{HERE}"
    policy(both)
    yield both
    policy(both)


@pytest.fixture
def ada(here: Together, client: Client) -> Person:
    client.force_login(here.member.user)
    return Person(client, here, ADDRESS)


@pytest.fixture
def admin(here: Together) -> Person:
    """Ben runs IT. He has no account in the product."""
    control(here, f"mailboxes/{COLLEAGUE}/account", {"admin": True})
    return Person(Client(), here, COLLEAGUE)


def control(both: Together, path: str, body: dict[str, Any]) -> None:
    both.http.post(f"/sandbox/{path}", json=body).raise_for_status()


def policy(both: Together, consent: str = "legacy", **more: list[str]) -> None:
    control(both, "tenants/northwind.example/policy", {"consent": consent, **more})


def scopes(feature: str) -> list[str]:
    return [s for one in features.offered("microsoft") if one.name == feature for s in features.permissions(one)]


def label(feature: str) -> str:
    return features.labels("microsoft", [feature])[0]


def on(mailbox: Mailbox) -> set[str]:
    assert mailbox.connection is not None
    return set(features.granted_names(Connection.objects.get(pk=mailbox.connection_id)))


def works(both: Together, mailbox: Mailbox) -> bool:
    """Mail arrives, both sides say the same, and the card shows no failure."""
    mail = MAIL.format(both.mark())
    both.http.post(f"/sandbox/mailboxes/{mailbox.address}/deliver", content=mail).raise_for_status()
    if mailbox.direction == Mailbox.Direction.TWO_WAY:
        lifecycle.choose_history(mailbox, Mailbox.History.ALL)
    both.follow(mailbox)
    mailbox.refresh_from_db()
    healthy = not mailbox.failure and mailbox.health == "healthy"
    return healthy and (mailbox.direction == Mailbox.Direction.ONE_WAY or both.difference(mailbox) == [])


def test_the_matrix_covers_every_optional_feature() -> None:
    assert {one.name for one in features.offered("microsoft") if not one.required} == set(OPTIONAL)


def test_everything_allowed_is_asked_for_rung_by_rung(ada: Person, here: Together) -> None:
    text = ada.connect(*OPTIONAL)
    mailbox = Mailbox.objects.get()
    assert ada.seen.count("Permissions requested") == 5  # mail, and then each by itself
    assert on(mailbox) == {"account", "mail", *OPTIONAL} and "off:" not in text
    assert works(here, mailbox)


@pytest.mark.parametrize("feature", OPTIONAL)
@pytest.mark.parametrize("how", ["declined", "administrator", "withheld"])
def test_one_optional_scope_that_is_not_granted_stops_nothing(
    ada: Person, admin: Person, here: Together, feature: str, how: str
) -> None:
    policy(
        here, **{"administrator": {"guarded": scopes(feature)}, "withheld": {"withheld": scopes(feature)}}.get(how, {})
    )
    text = ada.connect(*OPTIONAL, refuse=scopes(feature) if how == "declined" else ())
    mailbox = Mailbox.objects.get()
    rest = {"account", "mail", *OPTIONAL} - {feature}
    assert on(mailbox) == rest
    assert works(here, mailbox)
    # the screen says what is off …
    assert f"{label(feature)}: off, because Microsoft did not grant it" in text
    assert text.count("off: permission not granted") == 1
    # … and how to turn it on, by oneself …
    allow = f"/mailboxes/{mailbox.pk}/permission/{feature}/"
    assert f'action="{allow}"' in text
    if how != "administrator":
        policy(here)
        ada.press(allow)
        assert on(mailbox) == rest | {feature}
        return
    # … or through an administrator
    page = ada.press(f"{allow}ask/")
    assert "Thank you" in admin.open(link_for_admin(page)) and admin.seen[-1] == "Permissions for your organisation"
    assert "Your organisation approved" in ada.look()
    text = ada.press(allow)
    assert on(mailbox) == rest | {feature} and f"{label(feature)}: on" in text
    assert "Permissions requested" not in ada.seen and AdminApproval.objects.count() == 0


def test_where_an_administrator_guards_mail_itself_the_member_gets_a_link_that_leads_through(
    ada: Person, admin: Person, here: Together
) -> None:
    policy(here, "managed")
    text = ada.connect("sending")
    assert ada.seen[-1] == "Need admin approval" and Mailbox.objects.count() == 0
    assert "Need admin approval" in text and "A mail to send it with" in text
    refused = admin
    refused.refuse = scopes("mail")
    assert "was not approved" in _open_and_refuse(refused, link_for_admin(text))
    assert "was not approved" in ada.look()
    assert "Thank you" in admin.open(link_for_admin(text))
    assert "Connect now" in ada.look()
    ada.connect("sending")
    assert "Permissions requested" not in ada.seen  # the administrator has answered for everybody
    assert on(Mailbox.objects.get()) == {"account", "mail", "sending"}
    assert works(here, Mailbox.objects.get())


def _open_and_refuse(person: Person, url: str) -> str:
    person.seen = []
    return person._follow(url)


def test_declining_mail_itself_connects_nothing_and_leads_back(ada: Person, here: Together) -> None:
    text = ada.connect(*OPTIONAL, refuse=scopes("mail"))
    assert "You did not allow access" in text and "AADSTS65004" in text and Mailbox.objects.count() == 0
    assert PERMISSIONS in text
    ada.connect()
    assert on(Mailbox.objects.get()) == {"account", "mail"}


def test_a_feature_is_switched_on_later_by_itself(ada: Person, here: Together) -> None:
    text = ada.connect()
    mailbox = Mailbox.objects.get()
    assert text.count("off: not switched on yet") == len(OPTIONAL)
    ada.press(f"/mailboxes/{mailbox.pk}/permission/categories/")
    assert on(mailbox) == {"account", "mail", "categories"}


def test_a_personal_account_works_and_says_what_it_cannot_have(ada: Person, here: Together) -> None:
    here.sandbox.user(PERSONAL, "Sam Porter", kind="personal")
    ada.address = PERSONAL
    text = ada.connect(*OPTIONAL)
    mailbox = Mailbox.objects.get(address=PERSONAL)
    assert on(mailbox) == {"account", "mail", "sending", "categories", "people"}
    assert "Shared mailboxes: off. Personal accounts do not have this." in text
    assert "off: not for personal accounts" in text and "Ask your admin" not in text
    assert works(here, mailbox)


def test_several_accounts_of_one_member_and_the_same_twice(ada: Person, here: Together) -> None:
    ada.connect("sending")
    here.sandbox.user(PERSONAL, "Sam Porter", kind="personal")
    ada.address = PERSONAL
    ada.connect("sending")
    assert all(works(here, one) for one in Mailbox.objects.all())
    assert ada.look().count(">Sync now<") == 2
    again = ada.connect("sending")
    assert "is connected already" in again and "private window" in again and "by you" in again
    assert Mailbox.objects.count() == 2


@pytest.mark.parametrize("met", ["at Graph", "at the refresh"])
def test_a_claims_challenge_ends_in_a_sign_in_that_answers_it(ada: Person, here: Together, met: str) -> None:
    ada.connect("sending")
    mailbox = Mailbox.objects.get()
    assert works(here, mailbox)
    if met == "at Graph":
        control(here, f"mailboxes/{ADDRESS}/claims-challenge", {"refuse": True})
        here.follow(mailbox)
    else:
        control(here, f"mailboxes/{ADDRESS}/refresh-failure", {"code": 50076})
        assert mailbox.connection is not None
        with pytest.raises(errors.ReauthNeeded):
            grants.Tokens(mailbox.connection.pk)(rejected=grants.open_grant(mailbox.connection).access_token)
    mailbox.refresh_from_db()
    assert mailbox.failure == Failure.CONDITIONAL_ACCESS
    assert "capolids" in Connection.objects.get().failure_claims
    text = ada.look()
    assert "Sign in again" in text and "asks for another check" in text
    assert "Sync failed" in ada.look("/settings/profile/") or "Sync failed" in ada.look("/inbox/")
    ada.press(f"/mailboxes/{mailbox.pk}/reconnect/")
    assert "Verify your identity" in ada.seen  # the claims were passed on
    mailbox.refresh_from_db()
    assert (mailbox.failure, Connection.objects.get().failure_claims) == ("", "")
    assert works(here, mailbox)


def test_a_challenge_that_a_refresh_answers_is_not_noticed(ada: Person, here: Together) -> None:
    ada.connect()
    mailbox = Mailbox.objects.get()
    control(here, f"mailboxes/{ADDRESS}/claims-challenge", {})
    assert works(here, mailbox)


def test_one_way_is_chosen_at_connect(ada: Person, here: Together) -> None:
    text = ada.connect("sending", direction="one_way")
    mailbox = Mailbox.objects.get()
    assert works(here, mailbox) and "Sends only" in text
    assert here.ours(mailbox) == [] and len(here.theirs(ADDRESS)) == 1


def test_an_expired_secret_is_the_operators_to_mend(
    ada: Person, here: Together, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MICROSOFT_CLIENT_SECRET", "wrong")
    registry.connector.cache_clear()
    text = ada.connect()
    assert "Postroom’s own key at Microsoft is wrong" in text and "AADSTS7000215" in text
