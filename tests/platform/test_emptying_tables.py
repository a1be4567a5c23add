"""The suite empties its tables after a test; a request that came late must not fail the next one (conftest.py)."""

import threading

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection

from postroom.workspaces.models import Workspace

_WAITS = "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'"


@pytest.mark.django_db(transaction=True)
def test_emptying_goes_on_after_a_deadlock_with_a_late_request() -> None:
    Workspace.objects.create(name="Left over")
    params = {k: v for k, v in connection.get_connection_params().items() if k in {"host", "port", "user", "dbname"}}
    with connection.cursor() as cursor:
        cursor.execute("SET deadlock_timeout = '10ms'")  # so that the emptying is the one that is refused
        cursor.execute("SELECT pg_backend_pid()")
        emptying = cursor.fetchone()[0]
    done: list[str] = []

    def late_request(started: threading.Event) -> None:
        with psycopg.connect(**params) as other, psycopg.connect(**params, autocommit=True) as watch:
            other.execute("SELECT count(*) FROM mail_participant")
            started.set()
            while not watch.execute(_WAITS, [emptying]).fetchone():
                pass  # until the emptying holds every table but ours
            for table in ("workspaces_workspace", "accounts_user", "files_blob"):
                other.execute(f"SELECT count(*) FROM {table}")
            done.append("answered")

    started = threading.Event()
    thread = threading.Thread(target=late_request, args=[started])
    thread.start()
    started.wait(10)
    call_command("flush", interactive=False, verbosity=0, inhibit_post_migrate=True, allow_cascade=True)
    thread.join(20)
    assert done == ["answered"]
    assert not Workspace.objects.exists()
    connection.close()  # the setting goes with it
