"""The accidents of a bad day: every kind of fault, together about one call in ten."""

from typing import Any

_EFFECTS: list[dict[str, Any]] = [
    {"status": 429, "retry_after": 1},
    {"status": 500},
    {"status": 503},
    {"status": 504},
    {"latency_ms": [50, 300]},
    {"reset": "before"},
    {"reset": "after"},
    {"truncate": True},
]
_NOTIFICATIONS = ("drop", "duplicate", "reorder")


def bad_day(*, rate: float = 0.1, quick: bool = False) -> list[dict[str, Any]]:
    """Rules of which about ``rate`` of all calls to Graph are hit, and as many of each kind of notification trouble.

    ``quick``: the same with shorter waits, for the suite.
    """
    rules = []
    for effect in _EFFECTS:
        shorter = {"retry_after": 0.05} if "retry_after" in effect else {}
        shorter |= {"latency_ms": [1, 20]} if "latency_ms" in effect else {}
        rules.append(
            {"match": {"path": "/v1.0/"}, "rate": rate / len(_EFFECTS), **effect, **(shorter if quick else {})}
        )
    return rules + [{"notifications": {kind: True}, "rate": rate} for kind in _NOTIFICATIONS]
