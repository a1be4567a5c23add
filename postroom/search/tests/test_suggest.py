"""What may be meant while a query is typed."""

import pytest
from django.test import Client

from postroom.mail.tests.mailing import mail, mailbox, member, put, workspace
from postroom.records.deals import commands as deals
from postroom.search.suggest import suggestions
from postroom.workspaces.models import Membership

pytestmark = pytest.mark.django_db


@pytest.fixture
def adele() -> Membership:
    adele = member(workspace(), "adele@northwind.example")
    put(mailbox(adele), [mail(1, from_="ana@fabrikam.example")])
    put(mailbox(member(adele.workspace, "ben@northwind.example")), [mail(2, from_="anatol@secret.example")])
    return adele


@pytest.mark.parametrize(
    ("typed", "queries"),
    [
        ("offer fr", ["offer from:"]),
        ("is:", ["is:unread ", "is:read ", "is:flagged "]),
        ("offer -from:an", ["offer -from:ana@fabrikam.example "]),
        ("in:proj", ["in:Projects/2026 "]),
        ("in:del", ['in:"Deleted Items" ']),
        ("offer ", []),
        ("", []),
        ('"net 30', []),
        ("from:", []),
    ],
)
def test_the_last_word_is_completed(adele: Membership, typed: str, queries: list[str]) -> None:
    assert [one.query for one in suggestions(adele, typed)] == queries


def test_records_are_completed_by_their_names(adele: Membership) -> None:
    deals.create(adele.workspace, by=adele, name="Fabrikam rollout")
    assert [(one.query, one.finds) for one in suggestions(adele, "offer record:fab")] == [
        ('offer record:"Fabrikam rollout" ', "Deal")
    ]


def test_the_page_writes_suggestions_escaped(adele: Membership) -> None:
    put(mailbox(adele, "two@northwind.example"), [mail(3, from_="eve@x.example", to=("adele@northwind.example",))])
    page = Client()
    page.force_login(adele.user)
    html = page.get("/search/suggestions/", {"q": "<b>x from:eve"}).content.decode()
    assert "from:eve@x.example" in html and "<b>" not in html
