"""Mail in the dark: every word stays readable, and a light page shows what was written."""

import re

import pytest

from postroom.mail import dusk, text
from postroom.mail.dusk import CHALK, INK, NIGHT, NIGHT_LINK, PAPER, Rgb, contrast, parsed
from postroom.mail.html import sanitise
from postroom.mail.tests.attacks import ATTACKS

NEWSLETTER = """
<table width="600" bgcolor="#f4f4f4"><tr><td style="background:#ffffff;color:#333;border:1px solid #dddddd">
<h1 style="color:#1a73e8">Offers</h1><p>Plain words, <a href="https://x.example">a link</a>.</p>
<a href="https://x.example" style="background-color:#1a73e8;color:#ffffff">Buy</a>
<div style="background-color:#fff8e1">Note: <b style="color:#b26a00">careful</b></div>
<span style="color:#999999">faint on purpose</span></td></tr>
<tr><td bgcolor="#202124"><font color="#eeeeee">Footer</font> <a href="https://x.example" style="color:#8ab4f8">off</a>
</td></tr></table>"""
WORD = """<p class=MsoNormal><span style='color:windowtext'>Dear all</span> <span style='color:#1F497D'>as agreed</span>
<span style='background:yellow;mso-highlight:yellow'>by Friday</span> <span style='color:red'>urgent</span></p>
<blockquote style="color:navy">older</blockquote>"""
OLD = """<body bgcolor=black text=white><font color=white>white on black</font>
<table bgcolor=white><tr><td bgcolor="#FFFFFF">in <font color="#1f2430">cells</font></td></tr></table>
<table bgcolor=teal><tr><td><font color=yellow>stars</font> and words <a href="http://x.example">link</a></td></tr></table>"""
ODD = """<div style="color:rgba(0,0,0,.87);background-color:rgb(250, 250, 250)">a<p style="color:hsl(1,2%,3%)">b</p>
<i style="background-color:transparent;color:inherit">c</i><u style="color:#12345">d</u><font color=ff0000>e</font>
<s style="background-color:#888">f <a href="http://x.example">g</a></s></div>"""
SAMPLES = [NEWSLETTER, WORD, OLD, ODD]
_BARE = re.compile(r'(?:bgcolor="|[;" ](?:background-)?color: ?)([^;"]+)')
_BOTH = re.compile(r"(background-color|(?<![\w-])color):\s?light-dark\((#\w{6}),(#\w{6})\)")


def spoken(html: str) -> list[tuple[str, float, float]]:
    """Each piece of text with its contrast on a light and on a dark page."""
    found, stack = [], [("", PAPER, INK, NIGHT, CHALK)]
    for end, name, attributes, words in text.tokens(html):
        if end:
            while len(stack) > 1 and stack.pop()[0] != name:
                pass
        elif name and name not in text.VOID:
            _, ground, ink, dark_ground, chalk = stack[-1]
            ink, chalk = (dusk.LINK, NIGHT_LINK) if name == "a" else (ink, chalk)
            for what, light, dark in _BOTH.findall(attributes):
                one, other = parsed(light) or PAPER, parsed(dark) or PAPER
                if what == "color":
                    ink, chalk = one, other
                else:
                    ground, dark_ground = one, other
            stack.append((name, ground, ink, dark_ground, chalk))
        if words.strip():
            _, ground, ink, dark_ground, chalk = stack[-1]
            found.append((words.strip(), contrast(ink, ground), contrast(chalk, dark_ground)))
    return found


@pytest.mark.parametrize("html", SAMPLES)
def test_every_word_is_readable_in_the_dark_or_as_faint_as_it_was_made(html: str) -> None:
    pieces = spoken(dusk.dusk(sanitise(html).html))
    assert len(pieces) > 3
    assert [one for one in pieces if one[2] < min(dusk.ENOUGH, one[1]) - 0.05] == []
    assert [one for one in _BARE.findall(dusk.dusk(sanitise(html).html)) if parsed(one)] == []


def test_light_pages_and_strong_colours_stay_as_they_were_made() -> None:
    html = dusk.dusk(sanitise(NEWSLETTER).html)
    assert "background-color:light-dark(#1a73e8,#1a73e8)" in html  # a button is a button in the dark
    assert "light-dark(#ffffff,#1a1c20)" in html and "light-dark(#333333," in html
    assert 'bgcolor="' not in html and text.from_html(html) == text.from_html(sanitise(NEWSLETTER).html)


def test_what_brings_no_colours_is_left_alone() -> None:
    html = sanitise("<p>Hello <b>you</b> <a href='https://x.example'>there</a></p>").html
    assert dusk.dusk(html) == html


@pytest.mark.parametrize(
    ("value", "colour"),
    [
        ("#abc", Rgb(170, 187, 204)),
        ("RGB(1, 2, 3) !important", Rgb(1, 2, 3)),
        ("rgb(100%, 0%, 0%)", Rgb(255, 0, 0)),
        ("Navy ! Important", Rgb(0, 0, 128)),
        ("ff0000", Rgb(255, 0, 0)),
        ("rgba(0,0,0,.2)", None),
        ("transparent", None),
        ("inherit", None),
        ("#12345", None),
        ("rgb(1.2.3,4,5)", Rgb(0, 4, 5)),
    ],
)
def test_colours_as_mail_writes_them(value: str, colour: Rgb | None) -> None:
    assert parsed(value) == colour


def test_styles_with_odd_signs_stay_one_attribute() -> None:
    html = sanitise("""<p style='font-family:"A&amp;B";color:red'>x</p><td style="color:red;x:&quot;&gt;<b>">""").html
    again = dusk.dusk(html)
    assert text.joined(text.tokens(again)) == again
    assert sanitise(again.replace("light-dark", "rgb")).html.count("<p") == 1


_PAINT = re.compile(r' (?:style|bgcolor|color)="[^"]*"')


def test_nothing_but_paint_changes_in_any_attack() -> None:
    for name, attack in ATTACKS.items():
        before = text.tokens(sanitise(f'{attack}<p style="color:red">after').html)
        after = text.tokens(dusk.dusk(text.joined(before)))
        assert [(*one[:2], _PAINT.sub("", one[2]), one[3]) for one in before] == [
            (*one[:2], _PAINT.sub("", one[2]), one[3]) for one in after
        ], name
        old, new = (" ".join(_PAINT.findall(text.joined(some))).lower() for some in (before, after))
        assert "url(" not in new and "expression" not in new and new.count("\\") <= old.count("\\"), name
