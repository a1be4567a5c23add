"""`postroom dropbox`: it listens, beats while it does, and says clearly why it cannot."""

import threading
from collections.abc import Sequence
from typing import Any

import pytest

from postroom.config.dropbox import take_mail
from postroom.config.errors import UsageError
from postroom.dropbox import running, tls
from postroom.lib import process
from postroom.operations import watch


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What happens, in order; nothing listens and nobody watches."""
    said: list[str] = []

    def start(kind: str, threads: int, *, rounds: bool) -> threading.Thread:
        said.append(f"watch {kind} {rounds}")
        thread = threading.Thread(target=lambda: said.append("goodbye"))
        thread.start()
        return thread

    def run(doors: Sequence[running.Door], *, ready: Any) -> None:
        said.append(" ".join(f"{door.kind}={door.place}" for door in doors))
        ready(["where"])

    monkeypatch.setattr(watch, "start", start)
    monkeypatch.setattr(running, "run", run)
    monkeypatch.setattr(process, "request_stop", lambda: said.append("stop"))
    return said


def test_it_beats_while_it_listens_and_says_goodbye(told: list[str]) -> None:
    take_mail({"lmtp": [], "smtp": ["127.0.0.1:2525"], "policy": []}, say=told.append)
    assert told[:3] == ["smtp=127.0.0.1:2525", "where", "watch dropbox False"] and set(told[3:]) == {"stop", "goodbye"}


def test_without_places_it_listens_where_postfix_looks(told: list[str]) -> None:
    take_mail({"lmtp": [], "smtp": [], "policy": []}, say=told.append)
    assert told[0] == "lmtp=127.0.0.1:8024 policy=127.0.0.1:8025"


def test_who_cannot_listen_never_beats(told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def taken(*_: object, **__: object) -> None:
        raise OSError(98, "Address already in use")

    monkeypatch.setattr(running, "run", taken)
    with pytest.raises(UsageError, match="Address already in use"):
        take_mail({"lmtp": ["127.0.0.1:1"]}, say=told.append)
    assert told == ["stop"]


def test_without_a_domain_there_is_nothing_to_take(told: list[str], settings: Any) -> None:
    settings.POSTROOM_DROPBOX_DOMAIN = ""
    with pytest.raises(UsageError, match="POSTROOM_DROPBOX_DOMAIN"):
        take_mail({}, say=told.append)
    assert told == []


def test_a_certificate_that_cannot_be_used_is_told_in_one_line(
    told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise tls.Unusable("chain.pem cannot be read (No such file or directory)")

    monkeypatch.setattr(running, "run", refused)
    with pytest.raises(UsageError, match=r"POSTROOM_DROPBOX_CERTIFICATE.*chain\.pem cannot be read"):
        take_mail({"smtp": ["127.0.0.1:1"]}, say=told.append)
    assert told == ["stop"]
