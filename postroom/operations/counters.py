"""What this process has done since its start: plain numbers, safe for threads, no labels that name anybody."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

Handler = Callable[[HttpRequest], HttpResponse]
BUCKETS = (0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 3.0, 10.0)  # seconds; 3 and 10 are Microsoft's limits for notifications


class Counters:
    """Counters by name, and durations in buckets (cumulative, as Prometheus wants them)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def add(self, name: str, by: float = 1) -> None:
        with self._lock:
            self._counts[name] += by  # type: ignore[assignment]

    def observe(self, name: str, seconds: float) -> None:
        """One duration: `name:count`, `name:sum` and `name:le:…` for every bucket it fits into."""
        with self._lock:
            self._counts[f"{name}:count"] += 1
            self._counts[f"{name}:sum"] += seconds  # type: ignore[assignment]
            for bucket in BUCKETS:
                if seconds <= bucket:
                    self._counts[f"{name}:le:{bucket}"] += 1

    def snapshot(self) -> dict[str, float]:
        with self._lock:
            return {name: round(value, 3) for name, value in self._counts.items()}


counters = Counters()


def count_requests(get_response: Handler) -> Handler:
    """Counts answers by class of status, and how long pages and notifications took."""

    def middleware(request: HttpRequest) -> HttpResponse:
        began = time.monotonic()
        response = get_response(request)
        kind = "notification" if request.path.startswith("/hooks/") else "page"
        counters.add(f"{kind}:{response.status_code // 100}xx")
        counters.observe(f"{kind}_seconds", time.monotonic() - began)
        return response

    return middleware


def providers() -> tuple[dict[str, float], list[list[Any]]]:
    """Calls and requests made to providers, and the busiest budgets: [key, requests in the window, paused seconds]."""
    from postroom.providers.budget import budgets

    known = budgets()
    sums = {"provider_calls": float(sum(one.calls for one in known.values()))}
    sums["provider_requests"] = float(sum(one.requests for one in known.values()))
    lines = [(key, one.spent, round(one.paused_for, 1)) for key, one in known.items()]
    busy = sorted((line for line in lines if line[1] or line[2]), key=lambda line: (-line[2], -line[1]))
    return sums, [list(line) for line in busy[:50]]
