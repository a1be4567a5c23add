"""Times, sizes and people as members read them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from postroom.ui import words

NOW = datetime(2026, 11, 19, 12, 0, tzinfo=UTC)  # a Thursday


@pytest.mark.parametrize(
    ("when", "text"),
    [
        (NOW - timedelta(minutes=4), "11:56"),
        (NOW - timedelta(hours=2, minutes=18), "9:42"),
        (NOW + timedelta(hours=1), "13:00"),
        (NOW - timedelta(hours=13), "Yesterday"),
        (NOW - timedelta(days=3), "Mon"),
        (NOW - timedelta(days=6), "Fri"),
        (NOW - timedelta(days=7), "12 Nov"),
        (NOW + timedelta(days=2), "21 Nov"),
        (datetime(1970, 1, 1, tzinfo=UTC), "1 Jan 1970"),
        (datetime(2106, 2, 7, tzinfo=UTC), "7 Feb 2106"),
    ],
)
def test_a_list_shows_the_time_of_day_the_weekday_or_the_date(when: datetime, text: str) -> None:
    assert words.short(when, now=NOW) == text


def test_yesterday_is_told_in_the_readers_own_zone() -> None:
    late = datetime(2026, 11, 18, 23, 30, tzinfo=UTC)
    with timezone.override(ZoneInfo("Europe/Berlin")):
        assert words.short(late, now=NOW) == "0:30"
        assert words.exact(late) == "Thu 19 Nov 2026, 00:30"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "just now"),
        (14, "14 seconds ago"),
        (119, "119 seconds ago"),
        (120, "2 minutes ago"),
        (11 * 3600, "11 hours ago"),
        (27 * 3600, "yesterday 9:00"),
        (46 * 3600, "2 days ago"),
        (3 * 86400, "3 days ago"),
        (60 * 86400, "on 20 Sep"),
        (-4 * 3600, "in 4 hours"),
        (-26 * 3600, "tomorrow 14:00"),
    ],
)
def test_a_sentence_says_how_long_ago_in_the_unit_that_says_most(seconds: int, text: str) -> None:
    assert words.ago(NOW - timedelta(seconds=seconds), now=NOW) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 bytes"), (1, "1 byte"), (86_200, "84 KB"), (3_400_000, "3.2 MB"), (157_286_400, "150 MB"), (-5, "0 bytes")],
)
def test_sizes_are_rounded_to_what_matters(size: int, text: str) -> None:
    assert words.filesize(size) == text


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Ines Ribeiro", "IR"),
        ("Ines Ribeiro, you", "IR"),
        ("support@contoso.example", "S"),
        ("anna.maria_lind@contoso.example", "AL"),
        ("محمد الأحمد", "ما"),
        ("  ", "?"),
        ("(no name)", "?"),
        ("\ud800", "?"),
    ],
)
def test_initials_stand_for_people_addresses_and_oddities(name: str, letters: str) -> None:
    assert words.initials(name) == letters


def test_a_person_has_the_same_colour_everywhere() -> None:
    assert words.hue("Ines@Contoso.example ") == words.hue("ines@contoso.example")
    assert {words.hue(f"person{number}@contoso.example") for number in range(200)} == set(range(words.HUES))


def test_a_name_with_a_lone_surrogate_has_a_colour() -> None:
    assert 0 <= words.hue("\ud800") < words.HUES
