from __future__ import annotations

import pytest

from postroom_sandbox.graph.tests.client import Graph, mail


@pytest.fixture
def graph() -> Graph:
    return Graph()


def test_the_list_holds_the_roots_visible_children_ten_a_page(graph: Graph) -> None:
    for number in range(5):
        graph("POST", "/me/mailFolders", {"displayName": f"F{number}"})
    page = graph.get("/me/mailFolders?$count=true")
    assert (len(page["value"]), page["@odata.count"]) == (10, 13)
    rest = graph.get(page["@odata.nextLink"].partition(".test")[2])
    names = [row["displayName"] for row in page["value"] + rest["value"]]
    assert "Sync Issues" not in names and "Inbox" in names and len(names) == 13
    hidden = graph.get("/me/mailFolders?includeHiddenFolders=true&$top=50")["value"]
    assert "Sync Issues" in [row["displayName"] for row in hidden]


def test_well_known_names_work_in_any_language_and_case(graph: Graph) -> None:
    jens = graph.user("jens@contoso.example", "Jens", details={"preferredLanguage": "de-DE"})
    graph.token = graph.token_for(jens)
    assert graph.get("/me/mailFolders/Inbox")["displayName"] == "Posteingang"
    assert graph.get("/me/mailFolders('sentitems')")["displayName"] == "Gesendete Elemente"
    assert graph("GET", "/me/mailFolders/clutter").status == 404


def test_names_may_hold_slashes_and_anything(graph: Graph) -> None:
    for name in ("A/B", "📁 Ünïcode", "שלום", "C:\\x?"):
        made = graph("POST", "/me/mailFolders", {"displayName": name})
        assert made.status == 201 and graph.get(f"/me/mailFolders/{made.json['id']}")["displayName"] == name


def test_a_tree_twelve_deep_is_walked_by_child_folders(graph: Graph) -> None:
    path = "/me/mailFolders"
    for depth in range(12):
        made = graph("POST", path, {"displayName": f"L{depth}"}).json
        path = f"/me/mailFolders/{made['id']}/childFolders"
    assert graph.mailbox().tree.at_path("/".join(f"L{depth}" for depth in range(12))).path.count("/") == 11
    assert (
        graph.get("/me/mailFolders?$filter=displayName eq 'L0'&$expand=childFolders")["value"][0]["childFolderCount"]
        == 1
    )


def test_a_taken_name_is_409_and_an_empty_one_400(graph: Graph) -> None:
    graph("POST", "/me/mailFolders", {"displayName": "Deals"})
    taken = graph("POST", "/me/mailFolders", {"displayName": "deals"})
    assert (taken.status, taken.code) == (409, "ErrorFolderExists")
    assert graph("POST", "/me/mailFolders", {"displayName": " "}).status == 400


def test_standard_folders_cannot_be_renamed_moved_or_deleted(graph: Graph) -> None:
    assert graph("PATCH", "/me/mailFolders/inbox", {"displayName": "x"}).status == 403
    assert graph("POST", "/me/mailFolders/inbox/move", {"destinationId": "archive"}).status == 403
    assert graph("DELETE", "/me/mailFolders/inbox").status == 403


def test_a_folder_cannot_go_into_itself(graph: Graph) -> None:
    outer = graph("POST", "/me/mailFolders", {"displayName": "Outer"}).json["id"]
    inner = graph("POST", f"/me/mailFolders/{outer}/childFolders", {"displayName": "Inner"}).json["id"]
    assert graph("POST", f"/me/mailFolders/{outer}/move", {"destinationId": inner}).status == 400


def test_deleting_a_folder_keeps_its_mail_until_it_is_deleted_again(graph: Graph) -> None:
    folder = graph("POST", "/me/mailFolders", {"displayName": "Old"}).json["id"]
    key = graph.deliver(mail(), folder="Old")
    assert graph("DELETE", f"/me/mailFolders/{folder}").status == 204
    assert graph.get(f"/me/messages/{key}")["subject"] == "Plan"
    assert graph("DELETE", f"/me/mailFolders/{folder}").status == 204
    assert graph("GET", f"/me/mailFolders/{folder}").status == 404
    assert len(graph.mailbox().tree["recoverableitemsdeletions"].messages) == 1


def test_copying_a_folder_copies_its_mail(graph: Graph) -> None:
    folder = graph("POST", "/me/mailFolders", {"displayName": "Old"}).json["id"]
    graph.deliver(mail(), folder="Old")
    copied = graph("POST", f"/me/mailFolders/{folder}/copy", {"destinationId": "archive"})
    assert (copied.status, copied.json["totalItemCount"]) == (200, 1)
    assert graph.get("/me/messages/$count".replace("/$count", "?$count=true"))["@odata.count"] == 2


def test_a_message_is_only_found_below_its_own_folder(graph: Graph) -> None:
    key = graph.deliver()
    assert graph("GET", f"/me/mailFolders/inbox/messages/{key}").status == 200
    assert graph("GET", f"/me/mailFolders/archive/messages/{key}").status == 404
