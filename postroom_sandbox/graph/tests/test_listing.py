from __future__ import annotations

from collections.abc import Callable

import pytest

from postroom_sandbox.graph.tests.client import Graph, mail

_MAIL = (
    ("Alpha", "ann@x.example"),
    ("beta", "bea@y.example"),
    ("Alpha two", "ann@x.example"),
    ("it's", "cy@z.example"),
)


@pytest.fixture
def graph() -> Graph:
    made = Graph()
    for number, (subject, sender) in enumerate(
        [
            ("Alpha", "ann@x.example"),
            ("beta", "bea@y.example"),
            ("Alpha two", "ann@x.example"),
            ("it's", "cy@z.example"),
        ]
    ):
        made.world.clock.advance(60)
        made.deliver(mail(number=number, subject=subject, sender=sender, body=f"word{number} common"))
    return made


Subjects = Callable[[str], list[str]]


@pytest.fixture
def subjects(graph: Graph) -> Subjects:
    def ask(query: str) -> list[str]:
        return [row["subject"] for row in graph.get(f"/me/messages?$select=subject&{query}")["value"]]

    return ask


def test_lists_are_newest_first_and_paged_by_next_links(graph: Graph) -> None:
    page = graph.get("/me/messages?$top=3&$count=true")
    assert page["@odata.count"] == 4
    assert [row["subject"] for row in page["value"]] == ["it's", "Alpha two", "beta"]
    rest = graph.get(page["@odata.nextLink"].partition(".test")[2])
    assert [row["subject"] for row in rest["value"]] == ["Alpha"]
    assert "@odata.nextLink" not in rest


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("$filter=subject eq 'alpha'", ["Alpha"]),
        ("$filter=subject eq 'it''s'", ["it's"]),
        ("$filter=startswith(subject,'Alpha')", ["Alpha two", "Alpha"]),
        ("$filter=contains(subject,'ET') or subject eq 'Alpha'", ["beta", "Alpha"]),
        ("$filter=from/emailAddress/address eq 'ann@x.example'", ["Alpha two", "Alpha"]),
        ("$filter=not (from/emailAddress/address eq 'ann@x.example')", ["it's", "beta"]),
        ("$filter=internetMessageId eq '<m1@outside.example>'", ["beta"]),
        ("$filter=isRead eq true", []),
        ("$filter=hasAttachments ne true and isDraft eq false", ["it's", "Alpha two", "beta", "Alpha"]),
        ("$filter=receivedDateTime ge 2100-01-01", []),
        ("$orderby=subject", ["Alpha", "Alpha two", "beta", "it's"]),
        ("$orderby=receivedDateTime asc", ["Alpha", "beta", "Alpha two", "it's"]),
        ("$orderby=from/emailAddress/address desc,subject", ["it's", "beta", "Alpha", "Alpha two"]),
        ("$filter=receivedDateTime ge 1900-01-01T00:00:00Z and isRead eq false&$orderby=receivedDateTime desc",
         ["it's", "Alpha two", "beta", "Alpha"]),
        ('$search="alpha"', ["Alpha two", "Alpha"]),
        ('$search="from:bea"', ["beta"]),
        ('$search="subject:alpha AND NOT two"', ["Alpha"]),
        ('$search="word2 OR word3"', ["it's", "Alpha two"]),
        ('$search="body:common"&$top=1', ["it's"]),
        ('$search="hasattachments:true"', []),
    ],
)  # fmt: skip
def test_filters_orders_and_searches(subjects: Subjects, query: str, expected: list[str]) -> None:
    assert subjects(query) == expected


@pytest.mark.parametrize(
    "query",
    [
        "$filter=isRead eq false&$orderby=receivedDateTime desc",
        "$filter=isRead eq false and receivedDateTime ge 2020-01-01&$orderby=receivedDateTime desc",
        "$filter=categories/any(c:c eq 'x')&$orderby=receivedDateTime desc",
        "$filter=conversationId eq 'x'&$orderby=receivedDateTime",
    ],
)  # fmt: skip
def test_orders_that_do_not_follow_the_filter_are_inefficient(graph: Graph, query: str) -> None:
    assert graph("GET", f"/me/messages?{query}").code == "InefficientFilter"


def test_search_goes_with_neither_filter_nor_order(graph: Graph) -> None:
    assert graph("GET", '/me/messages?$search="a"&$filter=isRead eq true').status == 400
    assert graph("GET", '/me/messages?$search="a"&$orderby=subject').status == 400


def test_categories_and_conversations_can_be_filtered(graph: Graph, subjects: Subjects) -> None:
    row = graph.get("/me/messages?$filter=subject eq 'beta'")["value"][0]
    graph("PATCH", f"/me/messages/{row['id']}", {"categories": ["Deal"]})
    assert subjects("$filter=categories/any(c:c eq 'deal')") == ["beta"]
    assert subjects(f"$filter=conversationId eq '{row['conversationId']}'") == ["beta"]


def test_counts_of_lists_and_folders(graph: Graph) -> None:
    assert graph("GET", "/me/messages/$count").body == b"4"
    assert graph("GET", "/me/mailFolders/inbox/messages/$count?$filter=subject eq 'beta'").body == b"1"


def test_deleted_items_are_listed_with_the_mailbox(graph: Graph, subjects: Subjects) -> None:
    row = graph.get("/me/messages?$filter=subject eq 'beta'")["value"][0]
    graph("DELETE", f"/me/messages/{row['id']}")
    assert "beta" in subjects("$top=10")
