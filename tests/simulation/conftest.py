from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture
def database(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The suite's database without a transaction around the test: a history opens its own, and undoes it."""
    with django_db_blocker.unblock():
        yield
