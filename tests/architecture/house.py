"""The house as `pyproject.toml` draws it: which package may lean on which."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@cache
def layers() -> list[list[str]]:
    """The layers of the import contract, highest first; packages of one layer do not know each other."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    house = next(one for one in contracts if one["type"] == "layers")
    return [[name.strip() for name in layer.split("|")] for layer in house["layers"]]


def height(package: str) -> int:
    """0 is the lowest layer. Raises LookupError for a package that is in none."""
    for rank, names in enumerate(reversed(layers())):
        if package in names:
            return rank
    raise LookupError(f"{package} is in no layer of pyproject.toml")


def may_use(package: str, other: str) -> bool:
    """Whether `package` may lean on `other`: on itself, or on what lies below."""
    return package == other or height(other) < height(package)
