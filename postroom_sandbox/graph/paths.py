"""Graph's many spellings of one address, brought to the one the routes are written in."""

from __future__ import annotations

import re

_KEYED = re.compile(r"(\w+)\('((?:[^']|'')*)'\)", re.DOTALL)
_LEAVES = {"delta", "$count"}


def normalise(segments: list[str]) -> tuple[list[str], str | None]:
    """`segments` below the version: `/me` becomes `/users/me`, `messages('x')` becomes `messages/x`, empty
    parentheses and `microsoft.graph.` go, and chains of folders are cut to the last one.

    Returns the segments and, for a message addressed below a folder, that folder's key.
    """
    plain: list[str] = []
    for segment in segments:
        plain.extend(_plain(segment))
    if plain and plain[0].lower() == "me":
        plain[:1] = ["users", "me"]
    return _without_folders(plain)


def _plain(segment: str) -> list[str]:
    if segment.lower().startswith("microsoft.graph."):
        segment = segment[16:]
    if segment.endswith("()"):
        return [segment[:-2]]
    keyed = _KEYED.fullmatch(segment)
    return [keyed[1], keyed[2].replace("''", "'")] if keyed else [segment]


def _without_folders(path: list[str]) -> tuple[list[str], str | None]:
    while len(path) >= 6 and path[2].lower() == "mailfolders" and path[4].lower() == "childfolders":
        if path[5].lower() in _LEAVES:
            break
        path = [*path[:2], "mailFolders", *path[5:]]
    below = len(path) >= 6 and path[2].lower() == "mailfolders" and path[4].lower() == "messages"
    if below and path[5].lower() not in _LEAVES:
        return [*path[:2], *path[4:]], path[3]
    return path, None
