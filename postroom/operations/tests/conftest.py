"""A mailbox of the in-process provider, and the clock held still."""

from collections.abc import Iterator

import pytest

from postroom.lib import clock
from postroom.mail.tests.conftest import box, connect, mailbox, member, settle

__all__ = ["box", "connect", "mailbox", "member", "settle"]


@pytest.fixture
def held() -> Iterator[clock.Clock]:
    with clock.frozen() as held:
        yield held
