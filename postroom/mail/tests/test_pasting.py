"""Paste from Word, Outlook, Gmail and Google Docs: samples with what is left of them (``pastes/``), and hostile."""

import re
from pathlib import Path

import pytest

from postroom.mail import html as mail_html
from postroom.mail import pasting

SAMPLES = sorted((Path(__file__).parent / "pastes").glob("*.html"))
_AROUND = re.compile(r' target="_blank" rel="[^"]*"')


def sample(path: Path) -> tuple[str, str]:
    """(what is on the clipboard, what the message gets)"""
    pasted, _, left = path.read_text().partition("\n=====\n")
    return pasted, left.rstrip("\n")


def cleaned(pasted: str) -> str:
    return _AROUND.sub("", pasting.clean(pasted))


def test_there_are_thirty_samples_of_four_programs() -> None:
    assert len(SAMPLES) >= 30
    assert {one.stem.partition("-")[0] for one in SAMPLES} == {"word", "outlook", "gmail", "docs"}


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_paste_keeps_its_structure_and_nothing_else(path: Path) -> None:
    pasted, left = sample(path)
    assert cleaned(pasted) == left
    assert not re.search(r"style=|class=|mso|<font|<span|<o:|data-", left)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_what_was_cleaned_stays_as_it_is_when_copied_again(path: Path) -> None:
    _, left = sample(path)
    assert cleaned(left) == left


@pytest.mark.parametrize(
    "hostile",
    [
        '<a href="javascript:alert(1)">x</a>',
        '<img src="data:image/svg+xml,<svg onload=alert(1)>">',
        "<svg><script>alert(1)</script></svg>",
        '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
        "<p onclick=alert(1) style='background:url(http://x.example)'>x</p>",
        "<form action='//x.example'><input name=a><button>b</button></form>",
        "<!--StartFragment--><!--EndFragment-->",
        "<" * 5000,
        "<b>" * 3000 + "deep",
        "<ul><li>" * 1500 + "deep",
        "\0<p>\ud800",
    ],
)
def test_nothing_pasted_can_run_or_load(hostile: str) -> None:
    left = pasting.clean(hostile)
    assert not re.search(r"<(?:script|svg|style|form|input|math)|on\w+=|javascript:|url\(", left)
    assert mail_html.sanitise(left).html == left


def test_pictures_go_where_the_message_has_a_place_for_them() -> None:
    kept = pasting.clean('<p>a<img src="data:image/png;base64,AAAA" alt="Plan"></p>', picture=lambda _: "cid:plan")
    assert kept == '<p>a<img src="cid:plan" alt="Plan"></p>'
    assert pasting.clean('<p>a<img src="https://x.example/p.png"></p>') == "<p>a</p>"
