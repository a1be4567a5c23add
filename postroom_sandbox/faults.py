"""Accidents on demand: rules that turn single requests or notifications into failures (interfaces.md, Sandbox).

A rule: `{"match": {"method", "path", "mailbox"}, "rate" | "nth", "times", …what happens…}`. A path pattern with `*`
is a glob, without it a prefix. `nth` is the number (from 1) of the matching call that is hit, or a list of such
numbers; `times` bounds how often the rule strikes (after `nth`: how many calls in a row). What happens, in any
combination: `status` (+ `code`, `message`, `retry_after`, `after_work`), `latency_ms` (number or [min, max]), `reset`
("before" or "after" the work), `truncate` (true or a number of bytes), `notifications` (`drop`, `duplicate`,
`delay_ms`, `reorder`).
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from fnmatch import translate
from typing import Any

_KEYS = {
    "match", "rate", "nth", "times", "seed", "status", "code", "message", "retry_after", "after_work", "latency_ms",
    "reset", "truncate", "notifications", "name",
}  # fmt: skip
_MATCH_KEYS = {"method", "path", "mailbox"}
_NOTIFICATION_KEYS = {"drop", "duplicate", "delay_ms", "reorder"}


@dataclass(frozen=True, slots=True)
class RequestFault:
    """What shall happen to one request; the default is nothing."""

    status: int = 0
    code: str = ""
    message: str = ""
    retry_after: str = ""
    after_work: bool = False
    latency: float = 0.0  # seconds
    reset: str = ""
    truncate: int = 0  # bytes of the body that get through; 0 means all, -1 half


@dataclass(frozen=True, slots=True)
class NotificationFault:
    """What shall happen to one notification; the default is nothing."""

    drop: bool = False
    duplicate: bool = False
    delay_ms: float = 0.0
    reorder: bool = False


def _number(value: Any, name: str, *, low: float = 0.0, high: float = 1e9) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ValueError(f"{name} must be a number from {low:g} to {high:g}, not {value!r}")
    return float(value)


@dataclass(slots=True)
class Rule:
    """One rule and how often it has matched and struck."""

    spec: dict[str, Any]
    chance: random.Random
    method: str = ""
    path: re.Pattern[str] | None = None
    mailbox: str = ""
    rate: float = 1.0
    nth: frozenset[int] = frozenset()
    times: int | None = None
    seen: int = 0
    struck: int = 0

    @classmethod
    def read(cls, spec: Any, seed: str) -> Rule:
        """Checks a rule. Raises ValueError with what is wrong."""
        if not isinstance(spec, dict):
            raise ValueError("a rule must be an object")
        match = spec.get("match") or {}
        unknown = (
            (set(spec) - _KEYS)
            | (set(match) - _MATCH_KEYS)
            | (set(spec.get("notifications") or {}) - _NOTIFICATION_KEYS)
        )
        if unknown:
            raise ValueError(f"unknown word in a rule: {', '.join(sorted(unknown))}")
        rule = cls(spec, random.Random(str(spec.get("seed", seed))))  # noqa: S311 - repeatable, not secret
        rule.method = str(match.get("method") or "").upper()
        pattern = str(match.get("path") or "")
        if pattern:
            rule.path = re.compile(translate(pattern if "*" in pattern else f"{pattern}*"), re.IGNORECASE)
        rule.mailbox = str(match.get("mailbox") or "").lower()
        rule._read_counts(spec)
        _check_effects(spec)
        return rule

    def _read_counts(self, spec: dict[str, Any]) -> None:
        self.rate = _number(spec.get("rate", 1.0), "rate", high=1.0)
        nth = spec.get("nth", [])
        self.nth = frozenset(int(_number(n, "nth", low=1)) for n in (nth if isinstance(nth, list) else [nth]))
        times = spec.get("times")
        self.times = None if times is None else int(_number(times, "times"))
        if isinstance(nth, int) and self.times:
            self.nth = frozenset(range(nth, nth + self.times))

    def concerns(self, method: str, path: str, mailbox: str) -> bool:
        """Whether the rule is about such a call at all."""
        return (
            (not self.method or self.method == method)
            and (self.path is None or self.path.match(path) is not None)
            and (not self.mailbox or self.mailbox == mailbox.lower())
        )

    def strikes(self) -> bool:
        """Counts one matching call and decides."""
        self.seen += 1
        if self.times is not None and self.struck >= self.times:
            return False
        hit = self.seen in self.nth if self.nth else self.chance.random() < self.rate
        self.struck += hit
        return hit

    def latency(self) -> float:
        """Seconds to wait, drawn from the range when there is one."""
        value = self.spec.get("latency_ms", 0)
        low, high = (value, value) if not isinstance(value, list) else value
        return self.chance.uniform(float(low), float(high)) / 1000


def _check_effects(spec: dict[str, Any]) -> None:
    if "status" in spec:
        _number(spec["status"], "status", low=400, high=599)
    latency = spec.get("latency_ms", 0)
    for value in latency if isinstance(latency, list) else [latency]:
        _number(value, "latency_ms")
    if isinstance(latency, list) and len(latency) != 2:
        raise ValueError("latency_ms must be a number or [min, max]")
    if spec.get("reset") not in (None, "before", "after", True, False):
        raise ValueError('reset must be "before" or "after"')


@dataclass
class Faults:
    """The rules in force."""

    rules: list[Rule] = field(default_factory=list)
    except_token: str = ""

    def configure(self, body: dict[str, Any]) -> None:
        """Replaces all rules by `{"rules": […], "seed": N, "except_token": "…"}`. Raises ValueError."""
        specs = body.get("rules", [body["rule"]] if "rule" in body else [])
        if not isinstance(specs, list):
            raise ValueError("rules must be a list")
        seed = body.get("seed", 0)
        self.rules = [Rule.read(spec, f"{seed}:{number}") for number, spec in enumerate(specs)]
        self.except_token = str(body.get("except_token") or "")

    def clear(self) -> None:
        """No more accidents."""
        self.rules = []
        self.except_token = ""

    def for_request(self, method: str, path: str, *, mailbox: str = "", token: str = "") -> RequestFault | None:
        """What shall happen to this call, all striking rules combined; None for nothing."""
        if not self.rules or (self.except_token and token == self.except_token):
            return None
        struck = [
            rule
            for rule in self.rules
            if "notifications" not in rule.spec and rule.concerns(method, path, mailbox) and rule.strikes()
        ]
        return _combined(struck) if struck else None

    def for_notification(self, mailbox: str = "", path: str = "") -> NotificationFault:
        """What shall happen to one notification about `mailbox` on its way to `path` (the notification URL)."""
        drop = duplicate = reorder = False
        delay = 0.0
        for rule in self.rules:
            effect = rule.spec.get("notifications")
            if effect and rule.concerns("", path, mailbox) and rule.strikes():
                drop = drop or bool(effect.get("drop"))
                duplicate = duplicate or bool(effect.get("duplicate"))
                reorder = reorder or bool(effect.get("reorder"))
                delay += _delay(effect.get("delay_ms", 0), rule.chance)
        return NotificationFault(drop, duplicate, delay, reorder)


def _delay(value: Any, chance: random.Random) -> float:
    return chance.uniform(*value) if isinstance(value, list) else float(value)


def _combined(rules: list[Rule]) -> RequestFault:
    status = next((rule.spec for rule in rules if "status" in rule.spec), {})
    reset = next((rule.spec["reset"] for rule in rules if rule.spec.get("reset")), "")
    cut = next((rule.spec["truncate"] for rule in rules if rule.spec.get("truncate")), 0)
    retry_after = status.get("retry_after")
    return RequestFault(
        status=int(status.get("status", 0)),
        code=str(status.get("code", "")),
        message=str(status.get("message", "")),
        retry_after="" if retry_after is None else str(retry_after),
        after_work=bool(status.get("after_work")),
        latency=sum(rule.latency() for rule in rules),
        reset="before" if reset is True else str(reset),
        truncate=-1 if cut is True else int(cut),
    )
