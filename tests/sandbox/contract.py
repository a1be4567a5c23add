"""Checking recorded exchanges against Microsoft's published schema, which lies beside the project when it is there."""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from postroom_sandbox.testing import Sandbox

SCHEMA = Path(__file__).resolve().parents[3] / "shared" / "contracts" / "graph-schema"


def require_schema() -> None:
    """Skips the test when the schema is not there."""
    if not (SCHEMA / "contract_check.py").exists():
        pytest.skip("no ../shared")


@lru_cache(maxsize=1)
def _checker() -> tuple[ModuleType, Any]:
    spec = importlib.util.spec_from_file_location("contract_check", SCHEMA / "contract_check.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module, module.load_contract(SCHEMA / "graph-v1.0-crm.openapi.json.xz")


def violations(sandbox: Sandbox, *, ignore: tuple[str, ...] = ()) -> list[str]:
    """What is wrong with the exchanges so far, one line each; warnings are not violations."""
    module, contract = _checker()
    lines = [line.decode() for line in sandbox.world.traffic.lines()]
    found = module.check_lines(lines, contract).findings
    wrong = [item for item in found if item.rule not in module.WARNINGS and item.rule not in ignore]
    return [f"{item.rule} {item.request} {item.where}: {item.detail}" for item in wrong]
