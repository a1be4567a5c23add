from collections.abc import Iterator
from typing import Any

import pytest

from postroom.providers.microsoft import client
from tests.proofs.together import Together, running


@pytest.fixture
def both(transactional_db: None, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Together]:
    """Product and provider together; after a fault the product tries again sooner than in earnest."""
    monkeypatch.setattr(client, "BACKOFF", 0.005)
    with running(monkeypatch, settings) as together:
        yield together
