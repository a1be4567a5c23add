"""What a mail says of a meeting."""

from datetime import UTC, datetime, timedelta

import pytest

from postroom.mail import icalendar

OUTLOOK = r"""BEGIN:VCALENDAR
METHOD:REQUEST
PRODID:Microsoft Exchange Server 2010
VERSION:2.0
BEGIN:VTIMEZONE
TZID:Northwind Special Time
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VEVENT
ORGANIZER;CN="Ribeiro; Ines":mailto:ines@contoso.example
ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;CN=Adele Vance:MAILTO:adele@northwind.example
ATTENDEE;ROLE=OPT-PARTICIPANT;PARTSTAT=NEEDS-ACTION;CN=Paul:mailto:paul@contoso.example
ATTENDEE;CUTYPE=RESOURCE;CN=Room 4:mailto:room4@contoso.example
DESCRIPTION;LANGUAGE=en-US:Agenda\, as agreed\n1. Price\n\nhttps://teams.mic
 rosoft.com/l/meetup-join/19%3ameeting
SUMMARY;LANGUAGE=en-US:Renewal
DTSTART;TZID="%s":20260702T143000
DTEND;TZID="%s":20260702T151500
LOCATION:Microsoft Teams Meeting
RRULE:FREQ=WEEKLY;UNTIL=20270101T000000Z;BYDAY=TH
SEQUENCE:2
BEGIN:VALARM
DESCRIPTION:REMINDER
TRIGGER;RELATED=START:-PT15M
END:VALARM
END:VEVENT
END:VCALENDAR
"""


def event(*lines: str, method: str = "REQUEST") -> icalendar.Meeting:
    body = ["BEGIN:VCALENDAR", f"METHOD:{method}", "BEGIN:VEVENT", *lines, "END:VEVENT", "END:VCALENDAR"]
    found = icalendar.read("\r\n".join(body))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("zone", "hour"),
    [
        ("Northwind Special Time", 12),  # only by the rules that came with it
        ("W. Europe Standard Time", 12),
        ("America/New_York", 18),
        ("No Such Time", 14),
    ],
)
def test_an_invitation_of_outlook(zone: str, hour: int) -> None:
    found = icalendar.read(OUTLOOK.replace("%s", zone).replace("\n", "\r\n"))
    assert found is not None
    assert found.start == datetime(2026, 7, 2, hour, 30, tzinfo=UTC)
    assert found.end == found.start + timedelta(minutes=45)
    assert (found.method, found.title, found.place, found.changed) == (
        "request", "Renewal", "Microsoft Teams Meeting", True,
    )  # fmt: skip
    assert found.join == "https://teams.microsoft.com/l/meetup-join/19%3ameeting"
    assert found.text.startswith("Agenda, as agreed\n1. Price")
    assert found.organizer == icalendar.Guest("Ribeiro; Ines", "ines@contoso.example")
    assert found.guests == (
        icalendar.Guest("Adele Vance", "adele@northwind.example", "accepted"),
        icalendar.Guest("Paul", "paul@contoso.example", "", True),
    )
    assert found.rule == {"FREQ": "WEEKLY", "UNTIL": "20270101T000000Z", "BYDAY": "TH"}


def test_rules_of_a_zone_hold_in_winter_too() -> None:
    winter = OUTLOOK.replace("%s", "Northwind Special Time").replace("20260702", "20261202")
    found = icalendar.read(winter)
    assert found is not None and found.start == datetime(2026, 12, 2, 13, 30, tzinfo=UTC)


def test_whole_days_end_with_the_last_of_them() -> None:
    one = event("DTSTART;VALUE=DATE:20261224")
    several = event("DTSTART;VALUE=DATE:20261224", "DTEND;VALUE=DATE:20261227")
    assert (one.all_day, one.start, one.end) == (True, one.start, one.start)
    assert several.end == datetime(2026, 12, 26, tzinfo=UTC)


def test_cancelled_answered_and_only_this_time() -> None:
    assert event("DTSTART:20261224T100000Z", method="CANCEL").cancelled
    assert event("STATUS:CANCELLED").cancelled
    answer = event("ATTENDEE;PARTSTAT=TENTATIVE:mailto:bob@x.example", method="REPLY")
    assert (answer.method, answer.guests[0].answer) == ("reply", "tentative")
    assert event("RECURRENCE-ID:20261224T100000Z", "DTSTART:20261224T110000Z").only
    assert event("DTSTART:20261224T100000Z", "DURATION:PT1H30M").end == datetime(2026, 12, 24, 11, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["", "hello", "BEGIN:VCALENDAR", "BEGIN:VEVENT\nSUMMARY:x\nEND:VEVENT", '";:' * 5000, "BEGIN:VCALENDAR\n" * 500],
)
def test_what_is_no_calendar(text: str) -> None:
    assert icalendar.read(text) is None


def test_nonsense_inside_a_calendar_is_left_out_and_no_script_becomes_a_link() -> None:
    found = event(
        "DTSTART:tomorrow", "DTEND:99999999T999999", "DURATION:P", "ATTENDEE:", "RRULE:;;=;",
        "X-GOOGLE-CONFERENCE:javascript:alert(1)", "SUMMARY:\x07a\x00b", "SEQUENCE:x" * 50,
    )  # fmt: skip
    assert (found.start, found.end, found.guests, found.join) == (None, None, (), "")
    assert found.title == "a\ufffdb"
