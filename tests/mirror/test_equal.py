"""The mirror is true, line for line: after a first history, and after a bad day of changes (issue: "Must show")."""

from datetime import timedelta

import pytest

from postroom.mailboxes.models import Mailbox
from tests.mirror import corpus
from tests.mirror.faults import bad_day
from tests.mirror.other_side import OtherSide
from tests.proofs.together import ADDRESS, Together

EACH = 90  # messages of each source of the corpus
CHANGES = 300
AT_ONCE = 10  # changes between two looks


def fill(both: Together, source: str) -> int:
    mail = corpus.threads(each=EACH) if source == "real" else corpus.generated(300)
    return sum(both.import_(ADDRESS, mbox, folder=folder) for folder, mbox in mail)


@pytest.mark.parametrize("source", ["generated", "real"])
def test_equal_after_history_and_after_a_bad_day(both: Together, source: str) -> None:
    if source == "real" and not corpus.here():
        pytest.skip(corpus.MISSING)
    count = fill(both, source)
    assert count >= 300
    mailbox = both.connect(ADDRESS, "all")
    both.settle(mailbox)
    assert len(both.ours(mailbox)) == count
    assert both.difference(mailbox) == []
    changes = CHANGES if source == "real" else CHANGES // 3
    struck = a_bad_day(both, mailbox, changes, seed=len(source))
    assert struck > changes // 20
    both.follow(mailbox, ahead=timedelta(minutes=10))
    assert both.difference(mailbox) == []
    mailbox.refresh_from_db()
    assert mailbox.health == "healthy"


def a_bad_day(both: Together, mailbox: Mailbox, changes: int, *, seed: int) -> int:
    """Random changes by somebody else while everything fails now and then. Returns how often something did."""
    token = both.sandbox.token(ADDRESS)
    other = OtherSide(both.sandbox.url, token, ADDRESS, seed)
    both.faults(bad_day(quick=True), seed=seed, except_token=token)
    for _ in range(changes // AT_ONCE):
        other.steps(AT_ONCE)
        both.take_pushed()
        both.settle(mailbox, ahead=timedelta(seconds=10))
    both.follow(mailbox, ahead=timedelta(minutes=10))  # in the middle of it, too, it must not stumble
    struck = both.struck()
    both.calm()
    return struck
