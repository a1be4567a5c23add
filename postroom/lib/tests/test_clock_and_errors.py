"""The clock stands still when told to; reference ids can be read aloud."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from postroom.lib import clock
from postroom.lib.errors import new_reference


def test_a_held_clock_moves_only_by_hand_and_is_let_go() -> None:
    with clock.frozen(datetime(2026, 1, 1, tzinfo=UTC)) as held:
        assert clock.now() == clock.now() == datetime(2026, 1, 1, tzinfo=UTC)
        held.advance(timedelta(days=-1))
        assert clock.now() == datetime(2025, 12, 31, tzinfo=UTC)
    assert clock.now().year >= 2026
    assert clock.now().tzinfo is UTC


def test_references_are_short_unique_and_hard_to_misread() -> None:
    found = {new_reference() for _ in range(1000)}
    assert len(found) == 1000
    assert all(re.fullmatch(r"[2-9A-HJKMNP-TV-Z]{4}-[2-9A-HJKMNP-TV-Z]{4}", one) for one in found)
