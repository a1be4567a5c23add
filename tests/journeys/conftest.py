"""What every journey needs: nothing of the last one still runs when the database is emptied for the next."""

import time
from collections.abc import Iterator

import pytest
from django.db import connection

_BUSY = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'
"""


@pytest.fixture(autouse=True)
def _requests_have_ended(transactional_db: None) -> Iterator[None]:
    """A closed browser leaves requests behind that the server still works on; emptying tables under them deadlocks."""
    yield
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(_BUSY)
            if cursor.fetchone()[0] == 0:
                return
        time.sleep(0.02)
