"""`postroom worker` killed in the middle of a backfill: the next one goes on where it stopped, and nothing is twice."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection

from postroom.lib import clock
from postroom.mail.models import Message, MessageBody
from postroom.mailboxes.models import Mailbox
from postroom.sync import jobs
from postroom.sync.models import Activity, Lane
from tests.mirror import corpus
from tests.platform.waiting import eventually
from tests.proofs.together import ADDRESS, microsoft, running

MESSAGES = 2_000
KILLED_AT = (300, 1_000)  # messages stored


def start_worker(sandbox: str, log: Path) -> subprocess.Popen[bytes]:
    known = connection.get_connection_params()
    environment = {
        **os.environ,
        **microsoft(sandbox),
        "DATABASE_URL": f"postgresql://{known['user']}@/{known['dbname']}?host={known['host']}&port={known['port']}",
        "POSTROOM_PUBLIC_URL": django_settings.POSTROOM_PUBLIC_URL,
        "DJANGO_SETTINGS_MODULE": "postroom.config.settings",
    }
    command = [sys.executable, "-m", "postroom.config.cli", "worker"]
    with log.open("ab") as out:
        return subprocess.Popen(command, env=environment, stdout=out, stderr=out, start_new_session=True)


def stored() -> int:
    return MessageBody.objects.count()


def complete() -> bool:
    lane = Lane.objects.get(activity=Activity.BACKFILL)
    return bool(lane.progress.get("complete")) and lane.lease_until is None


def test_a_backfill_survives_two_killed_workers(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
) -> None:
    log = tmp_path / "worker.log"
    workers: list[subprocess.Popen[bytes]] = []

    def until(question: Callable[[], bool], what: str) -> None:
        try:
            eventually(question, seconds=40, what=what)
        except AssertionError as late:
            raise AssertionError(f"{late}\n{log.read_text()[-3000:]}") from None

    with running(monkeypatch, settings) as both:
        for folder, mbox in corpus.generated(MESSAGES):
            both.import_(ADDRESS, mbox, folder=folder)
        settings.POSTROOM_PUBLIC_URL = ""  # no push: nobody would take it
        mailbox = both.connect()
        since = both.mark()
        try:
            for wanted in (*KILLED_AT, MESSAGES):
                jobs.wake(mailbox.pk)  # what connecting did, or the sweep seconds after a death
                workers.append(start_worker(both.sandbox.url, log))
                until(lambda wanted=wanted: stored() >= wanted, f"{wanted} messages stored")
                if wanted < MESSAGES:
                    kill(workers[-1])
                    assert stored() < MESSAGES, "it was too quick to be killed"
                    lease_runs_out(mailbox)
            until(complete, "the history is complete")
        finally:
            for worker in workers:
                kill(worker)
        assert both.difference(mailbox) == []
        assert Message.objects.count() == MESSAGES
        pulls = [row for row in both.requests(since) if row["url"].partition("?")[0].endswith("/me/messages")]
        whole = sum(len(row["response_body"]["value"]) for row in pulls)
        # A page being stored and one read ahead are lost at each death, one when a more urgent lane cuts in; the
        # newest hundred are asked for on their own.
        page = max(len(row["response_body"]["value"]) for row in pulls)
        assert whole <= MESSAGES + 100 + len(KILLED_AT) * 4 * page, [len(r["response_body"]["value"]) for r in pulls]


def kill(worker: subprocess.Popen[bytes]) -> None:
    if worker.poll() is None:
        os.killpg(worker.pid, signal.SIGKILL)
    worker.wait(10)


def lease_runs_out(mailbox: Mailbox) -> None:
    """What ten seconds of waiting would do."""
    Lane.objects.filter(mailbox=mailbox, lease_until__isnull=False).update(lease_until=clock.now())
