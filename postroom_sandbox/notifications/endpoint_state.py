"""How well a webhook endpoint answers: normal, slow or drop (graph.md 3.6)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

WINDOW = 600.0
ENOUGH = 20  # answers before an endpoint is judged
SLOW_AFTER, DROP_AFTER = 3.0, 10.0
SLOW_SHARE, DROP_SHARE = 0.10, 0.15


@dataclass
class EndpointState:
    """The answers of one endpoint in the last ten minutes, and the penalty in force. Times are Unix seconds."""

    answers: deque[tuple[float, float]] = field(default_factory=deque)
    slow_until: float = 0.0
    drop_until: float = 0.0

    def answered(self, now: float, took: float) -> None:
        """Counts one answer (a timeout counts as long as was waited)."""
        self.answers.append((now, took))
        while self.answers and self.answers[0][0] < now - WINDOW:
            self.answers.popleft()
        if len(self.answers) < ENOUGH:
            return
        late = sum(seconds >= SLOW_AFTER for _, seconds in self.answers) / len(self.answers)
        lost = sum(seconds >= DROP_AFTER for _, seconds in self.answers) / len(self.answers)
        if lost > DROP_SHARE:
            self._penalty("drop_until", now)
        elif late > SLOW_SHARE:
            self._penalty("slow_until", now)

    def _penalty(self, name: str, now: float) -> None:
        setattr(self, name, now + WINDOW)
        self.answers.clear()

    def state(self, now: float) -> str:
        """`normal`, `slow` or `drop`."""
        return "drop" if now < self.drop_until else "slow" if now < self.slow_until else "normal"
