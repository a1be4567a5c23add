"""Bad usage and missing settings end with one clear line and exit code 2, without a trace of Python."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from postroom.config import cli
from postroom.lib.crypto import generate_key

GOOD = {"POSTROOM_SECRET_KEY": "s" * 40, "POSTROOM_ENCRYPTION_KEYS": generate_key()}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "required: command"),
        (["paint"], "invalid choice: 'paint'"),
        (["demo", "--ports", "1"], "unrecognized arguments: --ports"),
        (["demo", "--port", "99999"], "'99999' is not a port"),
        (["demo", "--port", "-1"], "'-1' is not a port"),
        (["demo", "--port", "http"], "'http' is not a port"),
        (["demo", "--mail", "/no/such.mbox"], "there is no file /no/such.mbox"),
        (["worker", "--threads", "0"], "is not a number above 0"),
        (["mailbox"], "required: action"),
        (["mailbox", "connect", "a@b.c", "--sandbox", "--since", "ever"], "invalid choice: 'ever'"),
        (["mailbox", "dump"], "required: address"),
        (["search", "a@b.c"], "required: query"),
    ],
)
def test_bad_usage_is_one_line(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    error = capsys.readouterr().err
    assert ended.value.code == 2
    assert said in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "POSTROOM_SECRET_KEY is not set"),
        ({"POSTROOM_SECRET_KEY": "short"}, "at least 32 characters"),
        ({"POSTROOM_SECRET_KEY": "s" * 40}, "POSTROOM_ENCRYPTION_KEYS is not set"),
        ({**GOOD, "POSTROOM_ENCRYPTION_KEYS": "abc"}, "POSTROOM_ENCRYPTION_KEYS: key 1"),
        ({**GOOD, "DATABASE_URL": "mysql://x"}, "DATABASE_URL must start with postgresql://"),
        ({**GOOD, "POSTROOM_PUBLIC_URL": "crm"}, "POSTROOM_PUBLIC_URL must be an address"),
        ({**GOOD, "POSTROOM_WORKER_THREADS": "many"}, "POSTROOM_WORKER_THREADS must be a whole number"),
        ({**GOOD, "POSTROOM_LOG_LEVEL": "loud"}, "POSTROOM_LOG_LEVEL must be"),
    ],
)
def test_a_bad_setting_is_one_line(tmp_path: Path, environment: dict[str, str], said: str) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "postroom.config.cli", "serve", "--port", "0"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (run.returncode, run.stderr.count("\n")) == (2, 1)
    assert run.stderr.startswith("postroom: ")
    assert said in run.stderr


def test_the_demo_refuses_a_foreign_database(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://production/postroom")
    assert cli.main(["demo"]) == 2
    assert "unset DATABASE_URL" in capsys.readouterr().err


def test_generated_keys_are_good_settings(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor", "--generate-keys"]) == 0
    lines = dict(line.split("=", 1) for line in capsys.readouterr().out.splitlines())
    assert set(lines) == set(GOOD)
    assert len(lines["POSTROOM_SECRET_KEY"]) >= 32
