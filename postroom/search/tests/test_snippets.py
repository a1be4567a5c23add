"""The piece of a text that answers."""

from hypothesis import given
from hypothesis import strategies as st

from postroom.search.snippets import fold, marked, needles, snippet


def test_words_are_marked_without_case_and_accents() -> None:
    pattern = needles([("ecole", False), ("zur", True)])
    found = [one.text for one in marked("École à Zürich, ecoles", pattern) if one.found]
    assert found == ["École", "Zürich"]


def test_a_phrase_may_run_over_a_line_end() -> None:
    pattern = needles([("net 30", False)])
    assert [one.text for one in marked("terms: net\n30 days", pattern) if one.found] == ["net\n30"]


def test_the_snippet_is_taken_where_the_words_are() -> None:
    text = "word " * 200 + "the renewal of the contract is due " + "word " * 200
    shown = snippet(text, needles([("renewal", False), ("contract", False)]), length=80)
    assert [one.text for one in shown if one.found] == ["renewal", "contract"]
    assert shown[0].text == "… " and shown[-1].text == " …" and sum(len(one.text) for one in shown) < 100


def test_without_a_find_the_snippet_is_the_beginning() -> None:
    assert "".join(one.text for one in snippet("Hello  there", None)) == "Hello there"


@given(st.text())
def test_folding_keeps_every_letter_in_its_place(text: str) -> None:
    assert len(fold(text)) == len(text)


@given(st.text(), st.text(min_size=1, max_size=5))
def test_marking_loses_nothing(text: str, word: str) -> None:
    assert "".join(one.text for one in marked(text, needles([(word, True)]))) == text
