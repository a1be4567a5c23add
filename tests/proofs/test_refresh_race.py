"""Eight workers find a token expired at the same moment, a thousand times: one refresh each time, no rotation lost."""

from __future__ import annotations

import threading
from typing import Any

from django.db import connection

from postroom.accounts.models import User
from postroom.mailboxes import grants
from postroom.mailboxes.models import Connection
from postroom.workspaces.commands import add_member, create_workspace
from tests.proofs.strict import stand_in

WORKERS, EXPIRIES = 8, 1_000


def test_an_expiry_costs_one_refresh_among_eight_workers(transactional_db: None, monkeypatch: Any) -> None:
    strict = stand_in(monkeypatch)
    member = add_member(create_workspace("Northwind"), User.objects.create_user("ada@northwind.example"))
    owner = strict.connect(member, "ada@northwind.example")
    together = threading.Barrier(WORKERS)
    got: list[list[str]] = [[] for _ in range(WORKERS)]
    trouble: list[BaseException] = []

    def work(number: int) -> None:
        tokens, token = grants.Tokens(owner.pk), ""  # each with a memory and a database connection of its own
        try:
            for _ in range(EXPIRIES):
                token = tokens(rejected=token or "access ada@northwind.example 0")
                got[number].append(token)
                together.wait(30)
        except BaseException as problem:
            trouble.append(problem)
            together.abort()
        finally:
            connection.close()

    workers = [threading.Thread(target=work, args=(number,)) for number in range(WORKERS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)

    assert trouble == []
    assert strict.reused == []
    assert strict.refreshes == {"ada@northwind.example": EXPIRIES}
    assert {tuple(tokens) for tokens in got} == {
        tuple(f"access ada@northwind.example {number}" for number in range(1, EXPIRIES + 1))
    }
    kept = grants.open_grant(Connection.objects.get(pk=owner.pk))
    assert kept.refresh_token == f"refresh ada@northwind.example {EXPIRIES}"
