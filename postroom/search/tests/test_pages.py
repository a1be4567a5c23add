"""The search page: who finds what, and how it is shown."""

import pytest
from django.test import Client

from postroom.accounts.models import User
from postroom.workspaces.models import FIRST_ROLES, Membership, Role, Workspace


@pytest.fixture
def page(db: None) -> Client:
    workspace = Workspace.objects.create(name="Northwind", slug="northwind")
    role = Role.objects.create(workspace=workspace, name="Admin", permissions=FIRST_ROLES["Admin"])
    user = User.objects.create_user(email="adele@northwind.example", password="long-enough-word")
    Membership.objects.create(workspace=workspace, user=user, role=role)
    client = Client()
    client.force_login(user)
    return client


def test_without_words_the_page_explains_itself(page: Client) -> None:
    html = page.get("/search/").content.decode()
    assert "has:attachment" in html
    assert "Search all your mail" in html


def test_what_is_not_found_is_said(page: Client) -> None:
    assert "Nothing was found" in page.get("/search/?q=zebra").content.decode()


def test_what_is_not_understood_is_named(page: Client) -> None:
    assert "is not understood" in page.get("/search/?q=zebra+before:tomorrow").content.decode()


def test_a_script_gets_lines_only(page: Client) -> None:
    answer = page.get("/search/?q=zebra", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in answer


def test_a_broken_query_is_no_error(page: Client) -> None:
    for words in ('"', "from:", "-", "%00", "((", "a" * 2000, "after:9999-99"):
        assert page.get("/search/", {"q": words}).status_code == 200, words
