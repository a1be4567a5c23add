"""`postroom dropbox` as a process of its own: it takes mail over TLS, is seen by who watches, and says goodbye."""

import os
import re
import signal
import smtplib
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from postroom.dropbox import addresses
from postroom.dropbox.tests.conftest import ADELE
from postroom.dropbox.tests.test_tls import made
from postroom.operations import beats
from postroom.operations.models import Process
from postroom.timeline.tests.world import World, build
from tests.platform.waiting import eventually


@pytest.fixture
def world(transactional_db: None) -> World:
    return build()


@pytest.fixture
def process(world: World, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    made(tmp_path)
    known = connection.get_connection_params()
    environment = {
        **os.environ,
        "DATABASE_URL": f"postgresql://{known['user']}@/{known['dbname']}?host={known['host']}&port={known['port']}",
        "DJANGO_SETTINGS_MODULE": "postroom.config.settings",
        "POSTROOM_HOME": str(tmp_path),
        "POSTROOM_DROPBOX_DOMAIN": "in.postroom.example",
        "POSTROOM_DROPBOX_CERTIFICATE": str(tmp_path / "chain.pem"),
        "POSTROOM_DROPBOX_KEY": str(tmp_path / "key.pem"),
    }
    command = [sys.executable, "-m", "postroom.config.cli", "dropbox", "--smtp", "127.0.0.1:0"]
    with (tmp_path / "log").open("wb") as out:
        running = subprocess.Popen(command, env=environment, stdout=out, stderr=out, start_new_session=True)
    try:
        yield running
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
        running.wait(10)


def test_it_takes_mail_beats_and_says_goodbye(process: subprocess.Popen[bytes], world: World, tmp_path: Path) -> None:
    address, log = addresses.address_of(addresses.open_box(world.adele)), tmp_path / "log"
    told = eventually(
        lambda: re.search(r"^smtp 127\.0\.0\.1:(\d+)$", log.read_text(), re.MULTILINE), seconds=90, what="it listens"
    )
    with smtplib.SMTP("127.0.0.1", int(told[1]), timeout=30) as client:
        client.starttls(context=ssl.create_default_context(cafile=tmp_path / "chain.pem"))
        client.ehlo("mail.northwind.example")
        client.mail(ADELE)
        assert client.rcpt(f"log-{'a' * 24}@in.postroom.example")[0] == 550
        assert client.rcpt(address)[0] == 250
    eventually(lambda: beats.heard(Process.Kind.DROPBOX).living, what="it beats")
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0, log.read_text()
    row = Process.objects.get(kind=Process.Kind.DROPBOX)
    assert row.pid == process.pid and row.stopped_at is not None
