"""What a message says itself."""
# ruff: noqa: E501  # mail as programs write it

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.mail.html import sanitise
from postroom.mail.quotes import folded, new_text, split_html, split_text
from postroom.mail.text import from_html, joined, storable, tokens

PLAIN = {
    "English": "Yes, fine.\n\nOn Tue, 3 Mar 2026 at 10:00, Ana Lima <ana@x.example> wrote:\n> When?\n> Where?",
    "wrapped introduction": "Yes, fine.\n\nOn Tue, 3 Mar 2026 at 10:00, Ana Lima of the\nSales team <ana@x.example> wrote:\n> When?",
    "German": "Yes, fine.\n\nAm 3. März 2026 um 10:00 schrieb Ana Lima <ana@x.example>:\n> Wann?",
    "French": "Yes, fine.\n\nLe mar. 3 mars 2026 à 10:00, Ana Lima a écrit :\n> Quand ?",
    "Spanish": "Yes, fine.\n\nEl mar, 3 mar 2026 a las 10:00, Ana escribió:\n> ¿Cuándo?",
    "Russian": "Yes, fine.\n\n3 марта 2026, 10:00, Ana написал:\n> Когда?",
    "Japanese": "Yes, fine.\n\n2026年3月3日(火) 10:00 Ana <ana@x.example>さんは書きました:\n> いつ",
    "Outlook": "Yes, fine.\n\n________________________________\nFrom: Ana Lima\nSent: Tuesday\nTo: Bob\nSubject: When\n\nWhen?",
    "Outlook in German": "Yes, fine.\n\nVon: Ana Lima\nGesendet: Dienstag\nAn: Bob\nBetreff: Wann\n\nWann?",
    "divider": "Yes, fine.\n\n-----Original Message-----\nFrom: Ana\nSent: Tuesday\n\nWhen?",
    "divider in French": "Yes, fine.\n\n-----Message d'origine-----\nDe : Ana\nEnvoyé : mardi\n\nQuand ?",
    "signature": "Yes, fine.\n\n-- \nBob\nNorthwind",
    "telephone": "Yes, fine.\n\nSent from my iPhone",
    "list footer": "Yes, fine.\n\n_______________________________________________\nusers mailing list\nusers@x.example",
}
GMAIL = '<div dir="ltr">Yes, fine.</div><br><div class="gmail_quote"><div class="gmail_attr">On Tue Ana wrote:<br></div><blockquote>When?</blockquote></div>'
HTML = {
    "Gmail": GMAIL,
    "Outlook desktop": '<div><p>Yes, fine.</p></div><div><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0in 0in 0in"><p><b>From:</b> Ana<br><b>Sent:</b> Tuesday<br><b>To:</b> Bob<br><b>Subject:</b> When</p></div></div><p>When?</p>',
    "Outlook on the web": '<div>Yes, fine.</div><hr><div id="divRplyFwdMsg"><b>From:</b> Ana<br><b>Sent:</b> Tuesday</div><div>When?</div>',
    "Apple": '<div>Yes, fine.</div><div><br><blockquote type="cite"><div>On 3 Mar 2026, Ana &lt;a@x.example&gt; wrote:</div><div>When?</div></blockquote></div>',
    "Yahoo": '<div>Yes, fine.</div><div class="yahoo_quoted"><div>On Tuesday, Ana wrote:</div><div>When?</div></div>',
    "Thunderbird": '<p>Yes, fine.</p><div class="moz-cite-prefix">On 03/03/2026, Ana wrote:<br></div><blockquote type="cite">When?</blockquote>',
    "a bare blockquote with an introduction": "<p>Yes, fine.</p><p>Am 3. März schrieb Ana:</p><blockquote>When?</blockquote>",
    "signature": '<div>Yes, fine.</div><div class="gmail_signature">Bob, Northwind</div>',
    "lines in HTML": "<pre>Yes, fine.\n\nOn Tuesday Ana wrote:\n&gt; When?</pre>",
}


@pytest.mark.parametrize("name", PLAIN)
def test_plain_text_is_cut_where_the_quote_or_signature_begins(name: str) -> None:
    assert new_text(PLAIN[name], "text") == "Yes, fine."


@pytest.mark.parametrize("name", HTML)
def test_html_is_cut_where_the_quote_or_signature_begins(name: str) -> None:
    assert new_text(sanitise(HTML[name]).html, "html") == "Yes, fine."


def test_answers_between_quoted_lines_are_all_kept() -> None:
    split = split_text("On Tuesday Ana wrote:\n> When?\nAt noon.\n> Where?\nHere.")
    assert split.new == "At noon.\nHere." and split.quoted == "On Tuesday Ana wrote:\n> When?\n> Where?"


def test_a_bare_forward_says_what_it_forwards() -> None:
    text = "---------- Forwarded message ---------\nFrom: Ana\nDate: Tuesday\n\nThe contract."
    assert "The contract." in new_text(text, "text")
    assert "The contract." in new_text(
        sanitise('<div class="gmail_quote">From: Ana<br>The contract.</div>').html, "html"
    )


@pytest.mark.parametrize(
    "text",
    ["From: Lisbon to: Porto we drive.", "He wrote:\nnothing", "--- \nA line", "The date: Tuesday\nFrom here on"],
)
def test_what_only_looks_like_a_quote_stays(text: str) -> None:
    assert new_text(text, "text") == "\n".join(line.strip() for line in text.split("\n"))


def test_folding_hides_long_quotes_and_loses_nothing() -> None:
    long = GMAIL.replace("When?", "When? " * 40)
    clean = sanitise(long).html
    page = folded(clean)
    assert page.count("<details") == page.count("</details>") == 1
    assert from_html(page.replace("•••", "")) == from_html(clean)
    assert folded(sanitise(GMAIL).html) == sanitise(GMAIL).html  # too short to be worth it


def test_hidden_text_is_not_what_a_person_reads() -> None:
    assert from_html(sanitise('<div style="display:none">preheader</div><p>Hello</p>').html) == "Hello"


def test_blocks_are_lines_and_spaces_are_one() -> None:
    clean = sanitise("<h1>A</h1><p>b \n  c<br>d</p><table><tr><td>1</td><td>2</td></tr></table><pre>x\n  y</pre>").html
    assert from_html(clean) == "A\n\nb c\nd\n\n1 2\n\nx\ny"


@pytest.mark.parametrize(
    "text",
    [
        "a" * 2_000_000,
        ("> " * 500_000),
        "On " * 300_000 + "wrote:",
        "From: " * 200_000,
        "-" * 1_000_000,
        "x wrote:\n> y\n" * 40_000,
        "From: a\n" * 50_000,
    ],
)
def test_a_hostile_line_costs_no_more_than_another(text: str) -> None:
    before = process_time()
    split_text(text)
    split_html(sanitise(f"<pre>{text}</pre>").html)
    assert process_time() - before < 5


@pytest.mark.parametrize(
    "part", ['<blockquote type="cite">x</blockquote>', "<hr>From: a<br>", '<div class="gmail_signature">']
)
def test_many_marks_cost_little(part: str) -> None:
    clean = sanitise(part * 20_000).html
    before = process_time()
    new_text(clean, "html")
    folded(clean)
    assert process_time() - before < 5


@given(st.text())
def test_any_text_can_be_cut(text: str) -> None:
    split = split_text(text)
    assert split.new or not text.strip()


@given(st.text(alphabet=st.sampled_from(list("<>/=\"' abdivprqt&;-:\n"))))
def test_tokens_are_the_whole_document(soup: str) -> None:
    clean = sanitise(soup).html
    assert joined(tokens(clean)) == clean
    folded(clean)


@given(st.text())
def test_every_string_becomes_storable_and_keeps_its_length(text: str) -> None:
    kept = storable(text)
    kept.encode()
    assert "\0" not in kept and len(kept) == len(text)


def test_yahoo_names_its_quotes_anew_in_every_mail() -> None:
    html = sanitise(
        '<div>Thank you.</div><div class="ydp558e8d4fyahoo_quoted"><div>On Friday, Ana wrote:</div>'
        '<div class="ydp558e8d4fyiv1273537711moz-cite-prefix">Older words, long enough to be worth a fold of their own, '
        "and then some more of them.</div></div>"
    ).html
    assert split_html(html).new == "Thank you."
    assert "<details" in folded(html)
