"""Who may open a shared mailbox changes at once, by a call and by a button."""

from __future__ import annotations

import json

import pytest

from postroom_sandbox.graph.tests.client import ADA, BOB, Graph


@pytest.fixture
def graph() -> Graph:
    found = Graph()
    domain = ADA.rpartition("@")[2]
    found.world.users.add(f"support@{domain}", "Support", kind="shared", delegates=[ADA])
    return found


def box() -> str:
    return f"support@{ADA.rpartition('@')[2]}"


def test_access_is_withdrawn_and_given_back(graph: Graph) -> None:
    path = f"/sandbox/mailboxes/{box()}/access"
    assert json.loads(graph("GET", path).body)["delegates"] == [ADA]
    assert graph("GET", f"/users/{box()}/mailFolders/inbox").status == 200
    graph("PUT", path, {"delegates": []})
    assert graph("GET", f"/users/{box()}/mailFolders/inbox").status == 403
    graph("PUT", path, {"delegates": [ADA, BOB]})
    assert graph("GET", f"/users/{box()}/mailFolders/inbox").status == 200
    assert json.loads(graph("GET", path).body) == {"delegates": [ADA, BOB], "send_as": [ADA], "send_on_behalf": []}


@pytest.mark.parametrize("body", [{"delegates": ["nobody@nowhere.example"]}, {"delegates": "ada"}, {"send_as": [1]}])
def test_a_wrong_body_changes_nothing(graph: Graph, body: dict[str, object]) -> None:
    assert graph("PUT", f"/sandbox/mailboxes/{box()}/access", body).status == 400
    assert graph("GET", f"/users/{box()}/mailFolders/inbox").status == 200
