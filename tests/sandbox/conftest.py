"""Fixtures for everything that talks to the sandbox."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from postroom_sandbox.testing import Sandbox, running_sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """An empty sandbox with state in memory, on a free port."""
    with running_sandbox() as running:
        yield running
