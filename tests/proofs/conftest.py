from collections.abc import Iterator
from typing import Any

import pytest

from tests.proofs.together import Together, running


@pytest.fixture
def both(transactional_db: None, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Together]:
    """Product and provider together, two empty mailboxes there, nothing connected."""
    with running(monkeypatch, settings) as together:
        yield together
