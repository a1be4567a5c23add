"""Every setting that can be set is in docs/self-hosting.md, and nothing else is."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
INTERNAL = {"POSTROOM_DEMO"}  # set by `postroom demo` for its own children


def test_the_table_of_settings_is_complete() -> None:
    source = (ROOT / "postroom" / "config" / "settings.py").read_text()
    read = set(re.findall(r'_env\.\w+\(\s*"([A-Z_]+)"', source)) - {"MICROSOFT_"}
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs" / "self-hosting.md").read_text(), re.MULTILINE))
    assert documented == (read | {"DATABASE_URL"}) - INTERNAL
