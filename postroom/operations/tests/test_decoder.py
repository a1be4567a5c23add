"""Whatever is pasted gets an answer that is true, or an honest "we do not know"."""

import json

import pytest

from postroom.operations.decoder import Who, explain
from postroom.operations.decoder.aadsts import AADSTS
from postroom.operations.decoder.graph_codes import GRAPH
from postroom.operations.decoder.letter import App, letter
from postroom.operations.decoder.remedies import REMEDIES
from postroom.providers.microsoft import entra_codes, faults

APP = App("11112222-aaaa", "common", "https://crm.example.com/back", ("Mail.ReadWrite", "Mail.Send"))
PASTED = """AADSTS65001: The user or administrator has not consented to use the application. Send an interactive
request. Trace ID: 3f1f0c52-1111-4b2b-9b1c-0123456789ab Correlation ID: 3f1f0c52-2222-4b2b-9b1c-0123456789ab
Timestamp: 2026-11-20 10:11:12Z (user adele@contoso.example)"""


def test_every_code_the_connector_knows_is_explained() -> None:
    assert set(entra_codes.CODES) <= set(AADSTS)
    assert {code for _, code in faults.VERDICTS if code} <= set(GRAPH)
    assert len(AADSTS) >= 60 and len(GRAPH) >= 40


def test_every_code_leads_to_a_remedy_and_every_remedy_is_needed() -> None:
    used = {row.remedy for row in [*AADSTS.values(), *GRAPH.values()]}
    assert used == set(REMEDIES)


@pytest.mark.parametrize("who", [Who.ADMIN, Who.EXCHANGE, Who.OPERATOR])
def test_whoever_is_sent_to_an_admin_centre_is_told_where_to_click(who: Who) -> None:
    assert all("→" in remedy.steps[0] for remedy in REMEDIES.values() if remedy.who is who)


def test_a_pasted_page_gives_the_code_and_the_ids_for_support() -> None:
    answer = explain(PASTED)
    assert [one.code for one in answer.found] == ["AADSTS65001"]
    assert answer.ids["Trace ID"].startswith("3f1f0c52-1111") and answer.ids["Time"] == "2026-11-20 10:11:12Z"


def test_a_body_of_the_token_endpoint_is_read_by_its_numbers_not_by_its_wrapper() -> None:
    body = json.dumps(
        {"error": "invalid_grant", "error_codes": [50173, True], "error_description": "AADSTS50173: fresh"}
    )
    assert [one.code for one in explain(body).found] == ["AADSTS50173"]


def test_the_innermost_word_of_graphs_envelope_comes_first() -> None:
    body = '{"error":{"code":"ExtensionError","innerError":{"code":"MailboxNotEnabledForRESTAPI"}}}'
    assert [one.code for one in explain(f"HTTP 404 {body}").found] == ["MailboxNotEnabledForRESTAPI", "extensionError"]


@pytest.mark.parametrize(
    ("text", "code"),
    [("65001", "AADSTS65001"), ("aadsts7000215", "AADSTS7000215"), ("erroraccessdenied", "ErrorAccessDenied"),
     ("invalid_client", "invalid_client"), ("accessDenied", "accessDenied")],
)  # fmt: skip
def test_a_bare_code_is_enough(text: str, code: str) -> None:
    assert [one.code for one in explain(text).found] == [code]


@pytest.mark.parametrize("text", ["AADSTS1234567", "ErrorSomethingBrandNew happened", '{"error":{"code":"brandNew"}}'])
def test_a_code_we_do_not_know_is_said_to_be_unknown(text: str) -> None:
    [only] = explain(text).found
    assert not only.known and "do not know" in only.meaning


@pytest.mark.parametrize(
    "text", ["", "hello", "{", "{" * 5000, '{"error": 5}', '{"error_codes": "x"}', "\0" * 10, "Bad request"]
)
def test_a_text_without_a_code_gives_nothing_and_no_error(text: str) -> None:
    assert explain(text).found == []


def test_the_letter_names_the_app_and_the_ids_and_nothing_that_was_pasted_otherwise() -> None:
    made = letter(explain(PASTED), APP, reference="7F3K-22")
    assert "AADSTS65001" in made.subject
    for fact in (
        "11112222-aaaa",
        "common",
        APP.redirect_uri,
        "Mail.Send",
        "7F3K-22",
        "3f1f0c52-2222",
        "Grant admin consent",
    ):
        assert fact in made.text
    assert "adele" not in made.text
