"""What the doctor says must be true of the rest; what the command prints."""

import json
from contextlib import nullcontext
from typing import Any

import pytest
from django.urls import reverse

from postroom.config import doctor
from postroom.operations.doctor import round
from postroom.operations.doctor.findings import ok


def test_the_redirect_uri_to_register_is_the_one_that_is_answered() -> None:
    assert reverse("mailboxes:callback", args=["microsoft"]) == doctor.CALLBACK


def test_the_command_says_everything_and_ends_with_the_worst(
    db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(round, "side_by_side", lambda checks, here: [ok("x", "X", "y")])
    said: list[str] = []
    assert doctor.examine(said.append, lambda: nullcontext(), as_json=True) == 1  # no worker, no registration
    told = json.loads(said[0])
    assert told["state"] == "fail" and {"keys", "workers", "x"} <= {one["key"] for one in told["findings"]}
    assert settings.POSTROOM_ENCRYPTION_KEYS[0] not in said[0]


def test_the_command_explains_and_writes_the_letter() -> None:
    said: list[str] = []
    assert doctor.explain_text(said.append, "AADSTS65001", with_letter=True, reference="7ABC-2345") == 0
    assert "Grant admin consent" in "\n".join(said) and "7ABC-2345" in said[-1]
    assert doctor.explain_text(said.append, "nothing") == 1
