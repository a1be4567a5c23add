"""Keys are exchanged while everybody works (product.md AD1): no refresh and no page fails, an interrupted `rotate-keys`
goes on where it was, and afterwards the old key opens nothing any more and is not missed."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client

from postroom.accounts import keys, second_factor
from postroom.accounts.models import User
from postroom.config import cli
from postroom.lib import resealing
from postroom.lib.crypto import Keyring, generate_key
from postroom.mailboxes import grants
from postroom.mailboxes.models import Connection
from postroom.workspaces.commands import add_member, create_workspace
from postroom.workspaces.models import Membership
from tests.proofs.strict import Strict, stand_in

CONNECTIONS, PROCESSES = 40, 4


class Process(threading.Thread):
    """Stands for a process: its own keys, its own database connection, work without a pause."""

    def __init__(self, work: Callable[[int], None]) -> None:
        super().__init__(daemon=True)
        self.keys = Keyring(django_settings.POSTROOM_ENCRYPTION_KEYS)
        self.rounds, self.trouble = 0, list[BaseException]()
        self._work, self._over = work, threading.Event()

    def run(self) -> None:
        try:
            while not self._over.is_set() and not self.trouble:
                try:
                    self._work(self.rounds)
                except BaseException as problem:
                    self.trouble.append(problem)
                self.rounds += 1
        finally:
            connection.close()

    def end(self) -> None:
        self._over.set()
        self.join(30)

    def works_on(self, rounds: int) -> None:
        """Until it has done so many more, or failed."""
        until = self.rounds + rounds
        while self.rounds < until and not self.trouble and self.is_alive():
            self.join(0.005)


@pytest.fixture
def own_keys(monkeypatch: pytest.MonkeyPatch) -> Keyring:
    """Every process has the keys it was started with; the test's own thread has what ``now_with`` says."""
    here = threading.current_thread()
    here.keys = Keyring(django_settings.POSTROOM_ENCRYPTION_KEYS)  # type: ignore[attr-defined]

    def keyring() -> Any:
        return threading.current_thread().keys  # type: ignore[attr-defined]

    monkeypatch.setattr(keys, "keyring", keyring)
    monkeypatch.setattr(grants, "keyring", keyring)
    return here.keys  # type: ignore[attr-defined,no-any-return]


def restarted(processes: list[Process], *with_keys: str) -> None:
    """One after the other; all the others go on meanwhile."""
    for process in processes:
        process.keys = Keyring(with_keys)
        for other in processes:
            other.works_on(2)


def member_with_factors() -> tuple[Membership, list[str]]:
    member = add_member(create_workspace("Northwind"), User.objects.create_user("ada@northwind.example"))
    second_factor.set_up(member.user, "JBSWY3DPEHPK3PXP")
    return member, second_factor.recovery_codes(member.user)


def refreshing(strict: Strict, owners: list[Connection], number: int) -> Callable[[int], None]:
    mine = owners[number::2]  # two processes share each connection

    def work(round_: int) -> None:
        owner = mine[round_ % len(mine)]
        known = grants.current(owner.pk)
        grants.current(owner.pk, rejected=known.access_token)

    return work


def reading(member: Membership, codes: list[str]) -> Callable[[int], None]:
    client = Client()
    client.force_login(member.user)

    def work(round_: int) -> None:
        assert second_factor.recovery_codes(member.user) == codes
        answer = client.get("/settings/security/")
        assert answer.status_code == 200, answer.status_code

    return work


def test_nothing_fails_while_keys_are_exchanged(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch, own_keys: Keyring
) -> None:
    strict = stand_in(monkeypatch)
    old, new = django_settings.POSTROOM_ENCRYPTION_KEYS[0], generate_key()
    member, codes = member_with_factors()
    owners = [strict.connect(member, f"box{number}") for number in range(CONNECTIONS)]
    processes = [Process(refreshing(strict, owners, number % 2)) for number in range(PROCESSES)]
    processes.append(Process(reading(member, codes)))
    here: Any = threading.current_thread()
    for process in processes:
        process.start()

    restarted(processes, old, new)
    restarted(processes, new, old)
    here.keys = Keyring([new, old])
    interrupted_rotation(monkeypatch, strict)
    cli_rotates(monkeypatch)
    restarted(processes, new)
    for process in processes:
        process.works_on(5)
        process.end()

    assert [process.trouble for process in processes] == [[] for _ in processes]
    assert strict.reused == []
    only_new = Keyring([new])
    assert all(only_new.is_current(one.sealed_grant) for one in Connection.objects.all())
    here.keys = only_new
    assert second_factor.recovery_codes(member.user) == codes
    assert {grants.open_grant(one).refresh_token for one in Connection.objects.all()} == {
        f"refresh {account} {number}" for account, number in strict.newest.items()
    }


def interrupted_rotation(monkeypatch: pytest.MonkeyPatch, strict: Strict) -> None:
    """Ctrl-C after the third row: what was sealed anew stays so, the rest is as it was."""
    done = Counter[str]()
    whole = resealing._resealed

    def third_time(*of: Any) -> bool:
        done["rows"] += 1
        if done["rows"] == 3:
            raise KeyboardInterrupt
        return whole(*of)

    with monkeypatch.context() as patch:
        patch.setattr(resealing, "_resealed", third_time)
        mailboxes_asleep(strict)  # refreshes have sealed the others anew by themselves
        with pytest.raises(KeyboardInterrupt):
            grants.reseal()


def mailboxes_asleep(strict: Strict) -> None:
    """Sealed before there was the new key, and not refreshed since."""
    old = Keyring(django_settings.POSTROOM_ENCRYPTION_KEYS)
    here: Any = threading.current_thread()
    member = Membership.objects.get()
    for number in range(6):
        owner = strict.connect(member, f"asleep{number}")
        box = old.seal(here.keys.open(owner.sealed_grant, grants.place(owner)), grants.place(owner))
        Connection.objects.filter(pk=owner.pk).update(sealed_grant=box)


def cli_rotates(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command itself, in this process: its database is the test's."""

    class Ready:
        def __enter__(self) -> None: ...
        def __exit__(self, *_: object) -> None: ...

    with monkeypatch.context() as patch:
        patch.setattr(cli, "django_ready", Ready)
        assert cli.main(["rotate-keys"]) == 0
        assert Authenticator.objects.exists()
