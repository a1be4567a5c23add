import subprocess
import sys

import pytest

SAID = """
from postroom.lib import process
import os
from pathlib import Path
process.give_way(5)
group = Path("/proc/self/autogroup")
print(os.nice(0), *(group.read_text().split()[-1:] if group.exists() else []))
"""


@pytest.mark.parametrize(("own_session", "lowered"), [(True, True), (False, False)])
def test_who_gives_way_lowers_its_session_only_where_nobody_else_lives_in_it(own_session: bool, lowered: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SAID], start_new_session=own_session, capture_output=True, text=True, check=True
    )
    nice, *session = map(int, done.stdout.split())
    assert nice >= 5
    # A process whose session has no group of its own (one started by a supervisor, say) reads an empty file there.
    if session:
        assert (session == [5]) is lowered
