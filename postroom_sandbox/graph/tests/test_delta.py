from __future__ import annotations

from typing import Any

import pytest

from postroom_sandbox.graph.tests.client import QUIET, Graph, mail
from postroom_sandbox.limits import Limits

INBOX = "/me/mailFolders/inbox/messages/delta"


@pytest.fixture
def graph() -> Graph:
    return Graph()


class Round:
    """All pages of one round."""

    def __init__(self, graph: Graph, link: str, **headers: str) -> None:
        self.pages: list[list[dict[str, Any]]] = []
        while True:
            page = graph.get(link, **headers)
            self.pages.append(page["value"])
            assert ("@odata.nextLink" in page) != ("@odata.deltaLink" in page)
            link = local(page.get("@odata.nextLink") or page["@odata.deltaLink"])
            if "@odata.deltaLink" in page:
                break
        self.link = link
        self.rows = [row for page in self.pages for row in page]

    @property
    def removed(self) -> list[str]:
        return [row["id"] for row in self.rows if "@removed" in row]

    @property
    def subjects(self) -> list[str]:
        return [row["subject"] for row in self.rows if "subject" in row]


def local(link: str) -> str:
    return link.partition(".test")[2]


def fill(graph: Graph, count: int) -> list[str]:
    keys = []
    for number in range(count):
        graph.world.clock.advance(60)
        keys.append(graph.deliver(number=number, subject=f"s{number}"))
    return keys


def test_the_first_round_lists_everything_newest_first_ten_a_page(graph: Graph) -> None:
    fill(graph, 23)
    first = Round(graph, INBOX)
    assert [len(page) for page in first.pages] == [10, 10, 3]
    assert first.subjects == [f"s{number}" for number in reversed(range(23))]
    assert first.rows[0]["@odata.type"] == "#microsoft.graph.message"
    assert Round(graph, first.link).rows == []


def test_the_page_size_is_a_preference_to_be_sent_every_time(graph: Graph) -> None:
    fill(graph, 23)
    assert [len(page) for page in Round(graph, INBOX, prefer="odata.maxpagesize=15").pages] == [15, 8]
    page = graph("GET", INBOX, prefer="odata.maxpagesize=15")
    assert page.header("Preference-Applied") == "odata.track-changes, odata.maxpagesize=15"
    assert len(graph.get(local(page.json["@odata.nextLink"]))["value"]) == 8


def test_top_ends_the_round_early(graph: Graph) -> None:
    fill(graph, 9)
    assert [len(page) for page in Round(graph, f"{INBOX}?$top=2").pages] == [2, 0]


def test_reading_gives_a_sparse_row_and_other_changes_a_full_one(graph: Graph) -> None:
    one, two = fill(graph, 2)
    link = Round(graph, f"{INBOX}?$select=subject,isRead").link
    graph("PATCH", f"/me/messages/{one}", {"isRead": True})
    graph("PATCH", f"/me/messages/{two}", {"isRead": True})
    graph("PATCH", f"/me/messages/{two}", {"categories": ["A"]})
    rows = {row["id"]: row for row in Round(graph, link).rows}
    assert set(rows[one]) == {"@odata.type", "@odata.etag", "id", "isRead"}
    assert rows[two]["subject"] == "s1"


def test_a_move_removes_here_and_is_new_there(graph: Graph) -> None:
    (key,) = fill(graph, 1)
    here, there = Round(graph, INBOX).link, Round(graph, "/me/mailFolders/archive/messages/delta").link
    moved = graph("POST", f"/me/messages/{key}/move", {"destinationId": "archive"}).json["id"]
    assert Round(graph, here).removed == [key]
    assert [row["id"] for row in Round(graph, there).rows] == [moved]


def test_with_immutable_ids_both_halves_of_a_move_carry_the_same_id(graph: Graph) -> None:
    fill(graph, 1)
    prefer = {"prefer": 'IdType="ImmutableId"'}
    first = Round(graph, INBOX, **prefer)
    there = Round(graph, "/me/mailFolders/archive/messages/delta", **prefer).link
    (stable,) = [row["id"] for row in first.rows]
    graph("POST", f"/me/messages/{stable}/move", {"destinationId": "archive"})
    assert Round(graph, first.link, **prefer).removed == [stable]
    assert [row["id"] for row in Round(graph, there, **prefer).rows] == [stable]


def test_there_and_back_again_is_told_as_removed_and_new(graph: Graph) -> None:
    (key,) = fill(graph, 1)
    link = Round(graph, INBOX).link
    there = graph("POST", f"/me/messages/{key}/move", {"destinationId": "archive"}).json["id"]
    back = graph("POST", f"/me/messages/{there}/move", {"destinationId": "inbox"}).json["id"]
    rows = Round(graph, link).rows
    assert [row["id"] for row in rows] == [key, back]
    assert rows[0]["@removed"] == {"reason": "deleted"} and rows[1]["subject"] == "s0"


def test_changes_during_a_round_arrive_in_the_next(graph: Graph) -> None:
    keys = fill(graph, 12)
    page = graph.get(INBOX)
    graph("PATCH", f"/me/messages/{keys[0]}", {"isRead": True})
    graph.deliver(number=99, subject="late")
    rest = Round(graph, local(page["@odata.nextLink"]))
    assert rest.subjects == ["s1", "s0"]
    after = Round(graph, rest.link)
    assert after.subjects == ["late"] and len(after.rows) == 2


def test_old_mail_moved_in_comes_twice(graph: Graph) -> None:
    graph.world.limits[graph.ada.id] = Limits(replays=0, empty_pages=0, duplicates=1)
    old = graph.deliver(number=1, subject="old", folder="archive")
    graph.world.clock.advance(60)
    graph.deliver(number=2, subject="newer")
    link = Round(graph, INBOX).link
    graph("POST", f"/me/messages/{old}/move", {"destinationId": "inbox"})
    assert Round(graph, link).subjects == ["old", "old"]


def test_replays_and_empty_pages_happen_and_end(graph: Graph) -> None:
    graph.world.limits[graph.ada.id] = Limits(replays=1, empty_pages=1)
    (key,) = fill(graph, 1)
    first = Round(graph, INBOX)
    graph("PATCH", f"/me/messages/{key}", {"isRead": True})
    second = Round(graph, first.link)
    assert [len(page) for page in second.pages] == [0, 1]
    third = Round(graph, second.link)
    assert [row["id"] for row in third.rows] == [key]
    assert Round(graph, third.link).rows == []


def test_a_dead_generation_is_410_and_a_new_round_heals_it(graph: Graph) -> None:
    fill(graph, 12)
    page = graph.get(INBOX)
    link = Round(graph, INBOX).link
    assert graph("POST", f"/sandbox/mailboxes/{graph.ada.address}/expire-delta").status == 204
    for stale in (link, local(page["@odata.nextLink"])):
        answer = graph("GET", stale)
        assert (answer.status, answer.code) == (410, "SyncStateNotFound")
        assert "generation" in answer.json["error"]["message"]
    assert len(Round(graph, INBOX).rows) == 12


def test_only_so_many_generations_are_kept(graph: Graph) -> None:
    graph.world.limits[graph.ada.id] = Limits(replays=0, empty_pages=0, delta_generations=2)
    (key,) = fill(graph, 1)
    first = link = Round(graph, INBOX).link
    for _ in range(3):
        graph("PATCH", f"/me/messages/{key}", {"categories": ["x"]})
        link = Round(graph, link).link
    assert graph("GET", first).status == 410
    assert graph("GET", link).status == 200


def test_a_next_link_does_not_live_long(graph: Graph) -> None:
    fill(graph, 12)
    page = graph.get(INBOX)
    graph.world.clock.advance(2 * 3600)
    graph.token = graph.token_for(graph.ada)
    assert graph("GET", local(page["@odata.nextLink"])).status == 410


def test_a_filter_stops_at_five_thousand_and_lets_removals_through(graph: Graph) -> None:
    graph.world.limits[graph.ada.id] = QUIET.changed({"filtered_delta_cap": 15})
    keys = fill(graph, 20)
    capped = Round(graph, f"{INBOX}?$filter=receivedDateTime ge 2000-01-01T00:00:00Z")
    assert len(capped.rows) == 15
    none = Round(graph, f"{INBOX}?$filter=receivedDateTime gt 2100-01-01T00:00:00Z")
    assert none.rows == []
    graph("DELETE", f"/me/messages/{keys[0]}")
    assert Round(graph, none.link).removed == [keys[0]]


@pytest.mark.parametrize(
    "query",
    [
        "$filter=isRead eq true",
        "$filter=receivedDateTime le 2020-01-01",
        "$orderby=subject",
        "$search=x",
        "changeType=x",
    ],
)
def test_what_delta_cannot_do_is_refused(graph: Graph, query: str) -> None:
    assert graph("GET", f"{INBOX}?{query}").status == 400


def test_change_types_narrow_the_later_rounds(graph: Graph) -> None:
    key, other = fill(graph, 2)
    first = Round(graph, f"{INBOX}?changeType=deleted")
    assert len(first.rows) == 2
    graph("PATCH", f"/me/messages/{key}", {"categories": ["x"]})
    graph("DELETE", f"/me/messages/{other}")
    assert [row["id"] for row in Round(graph, first.link).rows] == [other]


def test_tokens_are_bound_to_their_folder_and_cannot_be_forged(graph: Graph) -> None:
    link = Round(graph, INBOX).link
    assert graph("GET", link.replace("inbox", "archive")).code == "ErrorInvalidSyncStateData"
    assert graph("GET", f"{INBOX}?$deltatoken=AAAA").status == 400


def test_latest_is_ignored_for_messages(graph: Graph) -> None:
    fill(graph, 3)
    assert len(Round(graph, f"{INBOX}?$deltatoken=latest").rows) == 3


def test_there_is_no_delta_of_the_whole_mailbox(graph: Graph) -> None:
    answer = graph("GET", "/me/messages/delta")
    assert answer.status == 400
    assert answer.json["error"]["message"] == "Change tracking is not supported against 'microsoft.graph.message'."


def test_the_folder_delta_is_flat_and_tells_adds_renames_moves_and_removals(graph: Graph) -> None:
    made = graph("POST", "/me/mailFolders", {"displayName": "A/B"}).json
    child = graph("POST", f"/me/mailFolders/{made['id']}/childFolders", {"displayName": "C"}).json
    first = Round(graph, "/me/mailFolders/delta")
    assert {made["id"], child["id"]} <= {row["id"] for row in first.rows}
    graph.deliver(mail())
    assert Round(graph, first.link).rows == []
    graph("PATCH", f"/me/mailFolders/{made['id']}", {"displayName": "D"})
    graph("POST", f"/me/mailFolders/{child['id']}/move", {"destinationId": "archive"})
    second = Round(graph, first.link)
    assert [row["displayName"] for row in second.rows] == ["D", "C"]
    graph("DELETE", f"/me/mailFolders/{made['id']}")
    graph("DELETE", f"/me/mailFolders/{made['id']}")
    assert Round(graph, second.link).removed == [made["id"]]
