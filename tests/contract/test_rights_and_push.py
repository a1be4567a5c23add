"""Tokens, signing in and push, as every connector has to do it."""

from datetime import UTC, datetime, timedelta

import pytest

from postroom.providers.contract import RemoteMessage
from postroom.providers.errors import AccessLost, ConnectRefused, NotFound, ProviderError, ReauthNeeded
from postroom.providers.registry import PROVIDERS
from tests.contract.worlds import WORLDS, World


def test_every_provider_of_the_registry_takes_part() -> None:
    assert set(WORLDS) == set(PROVIDERS)


def test_a_refused_token_is_replaced_by_a_fresh_one(world: World) -> None:
    world.deliver()
    source = world.source()
    source.pull()
    world.reject_tokens()
    assert len(source.pull().items) == 1
    assert len(world.asked) == 1
    world.reject_tokens()
    assert len(source.get([source.pull().items[0].id])) == 1


def test_a_token_that_is_refused_again_and_again_needs_the_member(world: World) -> None:
    source = world.connector.mail(
        token=lambda *, rejected=None, claims=None: "not-a-token", mailbox_key=f"{world.address}:bad"
    )
    with pytest.raises(ReauthNeeded):
        source.pull()


def test_a_mailbox_that_does_not_exist_is_said_not_to(world: World) -> None:
    world.source().probe()
    with pytest.raises((ConnectRefused, AccessLost)):
        world.source(shared="nobody@northwind.example").probe()


def test_signing_in_gives_a_grant_that_works_and_refreshes(world: World) -> None:
    grant = world.grant()
    assert grant.account is not None
    assert grant.account.address.lower() == world.address
    authority = world.connector.authority()
    fresh = authority.refresh(grant)
    assert fresh.account == grant.account
    assert fresh.refresh_token
    source = world.connector.mail(
        token=lambda *, rejected=None, claims=None: fresh.access_token, mailbox_key=f"{world.address}:signed-in"
    )
    source.probe()
    assert grant.access_token not in repr(grant)
    world.refuse_refresh()
    with pytest.raises(ReauthNeeded) as caught:
        authority.refresh(fresh)
    assert caught.value.reason == "revoked"


def test_what_arrives_is_pushed_and_can_be_fetched(world: World) -> None:
    source, url = world.source(), world.hook()
    subscription = source.subscribe(url=url, client_state="our-secret", lifecycle_url=url)
    assert subscription.expires > datetime.now(UTC) + timedelta(days=1)
    identifier = world.deliver()
    items = world.connector.notified(world.posted())
    told = next(one for one in items if one.message_id == identifier)
    assert (told.subscription_id, told.client_state, told.change) == (subscription.id, "our-secret", "created")
    assert isinstance(source.get([told.message_id])[0], RemoteMessage)
    assert source.renew(subscription.id).id == subscription.id
    source.unsubscribe(subscription.id)
    source.unsubscribe(subscription.id)
    with pytest.raises(NotFound):
        source.renew(subscription.id)


def test_subscribing_again_replaces_what_was_forgotten(world: World) -> None:
    source, url = world.source(), world.hook()
    first = source.subscribe(url=url, client_state="a", lifecycle_url=url)
    second = world.source().subscribe(url=url, client_state="b", lifecycle_url=url)
    assert first.id != second.id
    with pytest.raises(NotFound):
        source.renew(first.id)


def test_bytes_that_are_no_notification_are_malformed(world: World) -> None:
    with pytest.raises(ProviderError):
        world.connector.notified(b"<html>")


def test_a_provider_says_what_it_can_do_and_what_it_asks_for(world: World) -> None:
    connector = world.connector
    assert connector.name in PROVIDERS
    assert connector.label
    assert connector.capabilities.max_attachment > 0
    assert connector.features
    assert all(feature.permissions for feature in connector.features)
