"""Sealing, refreshing once for everybody, and what is left behind when a refresh is refused."""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection as database
from django.db import transaction
from pytest_django import Settings

from postroom.lib.clock import frozen
from postroom.lib.crypto import generate_key
from postroom.mailboxes import features, grants
from postroom.mailboxes.models import Connection, Failure, Mailbox
from postroom.mailboxes.session import open_mail
from postroom.mailboxes.tests.fakes import FakeProvider, grant_of
from postroom.providers import errors
from postroom.providers.contract import Grant

HOUR = timedelta(hours=1)


def in_threads(count: int, work: Callable[[], str]) -> list[str | Exception]:
    """What ``work`` gave in each of ``count`` threads that started together."""
    together, results = threading.Barrier(count), []

    def run() -> None:
        try:
            together.wait(10)
            results.append(work())
        except Exception as error:
            results.append(error)
        finally:
            database.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return results


@pytest.mark.django_db
class TestSealing:
    def test_a_grant_comes_back_as_it_was_kept(self, connection: Connection) -> None:
        connection.refresh_from_db()
        grant = grants.open_grant(connection)
        assert (grant.access_token, grant.refresh_token) == ("secret-access-0", "secret-refresh-0")
        assert grant.account is not None and grant.account.key == "tenant:adele"
        assert connection.scopes == ["Mail.ReadWrite", "Mail.Send", "User.Read"]

    def test_nothing_of_it_can_be_read_in_the_row(self, connection: Connection) -> None:
        assert b"secret" not in bytes(connection.sealed_grant)

    def test_a_box_copied_to_another_connection_stays_shut(self, connection: Connection) -> None:
        stolen = Connection.objects.create(
            workspace=connection.workspace,
            member=connection.member,
            provider="microsoft",
            account_key="tenant:thief",
            address="thief@northwind.example",
            sealed_grant=connection.sealed_grant,
        )
        with pytest.raises(errors.OperatorFault, match="made for another place"):
            grants.open_grant(stolen)

    def test_rotation_brings_every_grant_under_the_newest_key(self, connection: Connection, settings: Settings) -> None:
        settings.POSTROOM_ENCRYPTION_KEYS = [generate_key(), *settings.POSTROOM_ENCRYPTION_KEYS]
        grants.keyring.cache_clear()
        try:
            assert (grants.reseal(), grants.reseal()) == (1, 0)
            settings.POSTROOM_ENCRYPTION_KEYS = settings.POSTROOM_ENCRYPTION_KEYS[:1]
            grants.keyring.cache_clear()
            connection.refresh_from_db()
            assert grants.open_grant(connection).access_token == "secret-access-0"
        finally:
            grants.keyring.cache_clear()

    def test_an_erased_grant_asks_for_a_sign_in(self, connection: Connection) -> None:
        grants.erase(connection)
        with pytest.raises(errors.ReauthNeeded):
            grants.Tokens(connection.pk)()

    def test_a_deleted_connection_gives_no_token(self, connection: Connection) -> None:
        tokens = grants.Tokens(connection.pk)
        connection.delete()
        with pytest.raises(errors.AccessLost):
            tokens()


@pytest.mark.django_db
class TestRefreshing:
    def test_a_fresh_token_costs_no_request(self, connection: Connection, provider: FakeProvider) -> None:
        assert grants.Tokens(connection.pk)() == "secret-access-0"
        assert provider.signing.asked == []

    def test_an_expired_token_is_renewed_and_the_rotation_kept(
        self, connection: Connection, provider: FakeProvider
    ) -> None:
        with frozen() as clock:
            clock.advance(2 * HOUR)
            assert grants.Tokens(connection.pk)() == "secret-access-1"
        connection.refresh_from_db()
        assert grants.open_grant(connection).refresh_token == "secret-refresh-1"
        assert connection.access_expires == clock.at + timedelta(minutes=75)

    def test_what_a_refresh_leaves_out_stays(self, connection: Connection, provider: FakeProvider) -> None:
        with frozen() as clock:
            clock.advance(2 * HOUR)
            provider.signing.answers = [
                Grant(access_token="new", expires=clock.at + HOUR, refresh_token=None, scopes=frozenset())
            ]
            grants.Tokens(connection.pk)()
        connection.refresh_from_db()
        kept = grants.open_grant(connection)
        assert (kept.refresh_token, kept.account is not None, len(kept.scopes)) == ("secret-refresh-0", True, 3)

    def test_a_rejected_token_is_renewed_although_it_looks_fresh(
        self, connection: Connection, provider: FakeProvider
    ) -> None:
        tokens = grants.Tokens(connection.pk)
        assert tokens(rejected=tokens()) == "secret-access-1"

    def test_a_token_that_another_process_renewed_is_taken_over(
        self, connection: Connection, provider: FakeProvider
    ) -> None:
        mine, theirs = grants.Tokens(connection.pk), grants.Tokens(connection.pk)
        old = mine()
        new = theirs(rejected=old)
        assert mine(rejected=old) == new
        assert len(provider.signing.calls("refresh")) == 1

    def test_a_refusal_is_stored_with_its_code_and_claims(
        self, mailbox: Mailbox, connection: Connection, provider: FakeProvider
    ) -> None:
        refusal = errors.ReauthNeeded(
            "AADSTS50076", reason="conditional_access", claims='{"access_token":{}}', code="AADSTS50076"
        )
        provider.signing.answers = [refusal]
        with pytest.raises(errors.ReauthNeeded):
            grants.Tokens(connection.pk)(rejected="secret-access-0")
        connection.refresh_from_db()
        mailbox.refresh_from_db()
        assert (connection.failure, connection.failure_code) == (Failure.CONDITIONAL_ACCESS, "AADSTS50076")
        assert connection.failure_claims == '{"access_token":{}}'
        assert (mailbox.failure, mailbox.health) == (Failure.CONDITIONAL_ACCESS, "error")
        assert mailbox.failure_reference

    def test_a_refused_grant_is_not_offered_again(self, connection: Connection, provider: FakeProvider) -> None:
        provider.signing.answers = [errors.ReauthNeeded("gone", reason="revoked", code="AADSTS50173")]
        for _ in range(3):
            with pytest.raises(errors.ReauthNeeded) as caught:
                grants.Tokens(connection.pk)(rejected="secret-access-0")
        assert (caught.value.reason, caught.value.code) == ("revoked", "AADSTS50173")
        assert len(provider.signing.calls("refresh")) == 1

    def test_a_fault_of_the_operator_disconnects_nobody_and_is_tried_again(
        self, mailbox: Mailbox, connection: Connection, provider: FakeProvider
    ) -> None:
        provider.signing.answers = [errors.OperatorFault("the secret expired", code="AADSTS7000222")]
        with pytest.raises(errors.OperatorFault):
            grants.Tokens(connection.pk)(rejected="secret-access-0")
        connection.refresh_from_db()
        assert not grants.failed(connection)
        assert grants.Tokens(connection.pk)(rejected="secret-access-0") == "secret-access-1"
        mailbox.refresh_from_db()
        assert mailbox.failure == Failure.NONE

    def test_a_transient_error_leaves_no_trace(self, connection: Connection, provider: FakeProvider) -> None:
        provider.signing.answers = [errors.Transient("busy", code="AADSTS90033")]
        with pytest.raises(errors.Transient):
            grants.Tokens(connection.pk)(rejected="secret-access-0")
        connection.refresh_from_db()
        assert connection.failure == Failure.NONE

    def test_a_claims_challenge_is_passed_on_to_the_refresh(
        self, connection: Connection, provider: FakeProvider
    ) -> None:
        grants.Tokens(connection.pk)(rejected="secret-access-0", claims='{"nbf":1}')
        assert provider.signing.calls("refresh")[0]["claims"] == '{"nbf":1}'

    def test_no_token_is_logged(
        self, connection: Connection, provider: FakeProvider, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        grants.Tokens(connection.pk)(rejected="secret-access-0")
        provider.signing.answers = [errors.ReauthNeeded("gone", reason="revoked")]
        with pytest.raises(errors.ReauthNeeded) as caught:
            grants.Tokens(connection.pk)(rejected="secret-access-1")
        assert "renewed" in caplog.text
        assert "secret" not in caplog.text + str(caught.value) + repr(grant_of())


@pytest.mark.django_db(transaction=True)
class TestOnceForEverybody:
    def test_one_refresh_for_threads_that_share_a_source(self, connection: Connection, provider: FakeProvider) -> None:
        tokens = grants.Tokens(connection.pk)
        assert in_threads(6, lambda: tokens(rejected="secret-access-0")) == ["secret-access-1"] * 6
        assert len(provider.signing.calls("refresh")) == 1

    def test_one_refresh_for_processes_that_share_only_the_database(
        self, connection: Connection, provider: FakeProvider
    ) -> None:
        results = in_threads(6, lambda: grants.Tokens(connection.pk)(rejected="secret-access-0"))
        assert results == ["secret-access-1"] * 6
        assert len(provider.signing.calls("refresh")) == 1

    def test_one_refusal_for_all_who_waited(self, connection: Connection, provider: FakeProvider) -> None:
        provider.signing.answers = [errors.ReauthNeeded("gone", reason="revoked")]
        results = in_threads(4, lambda: grants.Tokens(connection.pk)(rejected="secret-access-0"))
        assert [type(one) for one in results] == [errors.ReauthNeeded] * 4
        assert len(provider.signing.calls("refresh")) == 1

    def test_a_rotation_survives_the_rollback_of_its_caller(
        self, connection: Connection, provider: FakeProvider
    ) -> None:
        with pytest.raises(RuntimeError), transaction.atomic():
            grants.Tokens(connection.pk)(rejected="secret-access-0")
            raise RuntimeError("the caller fails")
        connection.refresh_from_db()
        assert grants.open_grant(connection).refresh_token == "secret-refresh-1"

    def test_who_waits_too_long_is_told_to_come_back(
        self, connection: Connection, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(grants, "LOCK_WAIT", "20ms")
        with transaction.atomic():
            Connection.objects.select_for_update().get(pk=connection.pk)
            with pytest.raises(errors.Transient):
                grants.Tokens(connection.pk)(rejected="secret-access-0")


@pytest.mark.django_db
class TestOpening:
    def test_the_own_mailbox_is_opened_without_an_address(self, mailbox: Mailbox, provider: FakeProvider) -> None:
        open_mail(mailbox)
        assert provider.opened[0]["address"] is None
        assert provider.opened[0]["token"]() == "secret-access-0"

    def test_a_shared_mailbox_is_opened_by_its_address(self, mailbox: Mailbox, provider: FakeProvider) -> None:
        mailbox.kind, mailbox.address = Mailbox.Kind.SHARED, "support@northwind.example"
        open_mail(mailbox)
        assert provider.opened[0]["address"] == "support@northwind.example"

    def test_a_disconnected_mailbox_is_not_opened(self, mailbox: Mailbox, provider: FakeProvider) -> None:
        mailbox.connection = None
        with pytest.raises(errors.AccessLost):
            open_mail(mailbox)


def test_a_permission_taken_back_at_the_provider_is_said_to_be_off(
    connection: Connection, provider: FakeProvider
) -> None:
    provider.signing.answers = [grant_of(number=2, scopes=frozenset({"User.Read", "Mail.ReadWrite"}))]
    rejected = grants.open_grant(connection).access_token
    grants.Tokens(connection.pk)(rejected=rejected)
    connection.refresh_from_db()
    sending = next(one for one in features.states(connection) if one.feature.name == "sending")
    assert (sending.on, sending.why, sending.asked) == (False, "permission not granted", True)
