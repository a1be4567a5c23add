"""What delivery reports say, and when somebody is back."""

from datetime import date

import pytest

from postroom.mail import absences, reports

STATUS = """Reporting-MTA: dns;mail.contoso.example

Original-Recipient: rfc822;Bob@Contoso.example
Final-Recipient: rfc822;bob2@contoso.example
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp;550 5.1.1 The mail account
  does not exist

Final-Recipient: rfc822; <full@contoso.example>
Action: delayed
Status: 4.2.2

Final-Recipient: rfc822;bob@contoso.example
Action: failed
"""


def test_each_recipient_of_a_report_once_with_the_reason_in_words() -> None:
    bob, full = reports.read(STATUS)
    assert bob == ("Bob@Contoso.example", "failed", "5.1.1", "there is no such mailbox", bob.said)
    assert bob.said == "550 5.1.1 The mail account does not exist"
    assert bob.hard and not full.hard
    assert (full.address, full.action, full.why) == ("full@contoso.example", "delayed", "the mailbox is full")


def test_a_general_status_gives_way_to_the_exact_one_of_the_server() -> None:
    found = reports.read("Final-Recipient: rfc822;a@b.example\nStatus: 5.0.0\nDiagnostic-Code: smtp; 552-5.2.2 Full")
    assert found[0].status == "5.2.2"


@pytest.mark.parametrize("text", ["", "nonsense", "Final-Recipient: rfc822; nobody", "\0" * 50, ":\n:\n" * 99])
def test_what_is_no_report_names_nobody(text: str) -> None:
    assert reports.read(text) == []


def test_a_report_only_for_people_is_read_as_far_as_it_goes() -> None:
    text = "This is the mail system at host mail.x.example.\n<bob@y.example>: host y.example said: 550 5.1.1 unknown"
    (found,) = reports.guessed(text, ours=frozenset({"me@x.example"}))
    assert (found.address, found.action, found.status) == ("bob@y.example", "failed", "5.1.1")
    assert reports.guessed("Hello me@x.example", ours=frozenset({"me@x.example"})) == []


WRITTEN = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("text", "back"),
    [
        ("I am away until 6 December, without a computer.", date(2026, 12, 7)),
        ("I am out of the office until December 6th, 2026.", date(2026, 12, 7)),
        ("I am out of office from 20 November to 27 November.", date(2026, 11, 28)),
        ("I will be back on Monday, 7 December.", date(2026, 12, 7)),
        ("I will return on 2026-12-07. Until then write to Bob.", date(2026, 12, 7)),
        ("Ich bin bis zum 04.12.2026 nicht im Büro.", date(2026, 12, 5)),
        ("Ich bin ab dem 7. Dezember wieder erreichbar.", date(2026, 12, 7)),
        ("Je suis absent jusqu'au 4 décembre.", date(2026, 12, 5)),
        ("Je serai de retour le 7 décembre 2026.", date(2026, 12, 7)),
        ("Estaré fuera hasta el 4 de diciembre.", date(2026, 12, 5)),
        ("Sono fuori ufficio fino al 4 dicembre.", date(2026, 12, 5)),
        ("Ik ben afwezig tot 4 december.", date(2026, 12, 5)),
        ("I am away until 3 January.", date(2027, 1, 4)),
        ("Our office closes at 17:00. Call 030 1234567.", None),
        ("I was away until 3 November 2026.", None),
        ("Version 2.1 was released on 7 December.", None),
        ("I am away until 31 February.", None),
        ("", None),
    ],
)
def test_the_day_somebody_is_back(text: str, back: date | None) -> None:
    assert absences.returns(text, WRITTEN) == back
