"""Writing state and place of messages. Source: graph.md 2.5, 2.6.

Graph runs the requests of a batch in any order, so two changes of one message never share a batch: the work is cut
into rounds, each message at most once in a round. Everything here may be repeated without harm.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Raw

from postroom.providers.contract import Applied, Change, RemoteMessage, Unusable, Urgency
from postroom.providers.errors import AccessLost, Conflict, NotFound, ProviderError, Refused, Transient
from postroom.providers.microsoft.client import BATCH, Ask
from postroom.providers.microsoft.decode import decode_item
from postroom.providers.microsoft.mailbox import Mailbox
from postroom.providers.microsoft.messages import FLAG_STATUS, WireMessage, message


class Changes(Mailbox):
    def apply(self, changes: Sequence[Change]) -> list[Applied]:
        applied: dict[int, Applied] = {}
        stopped: dict[str, Exception] = {}  # a message whose earlier change failed keeps its later ones waiting
        for round_ in _rounds(changes):
            due = [(index, change) for index, change in round_ if change.id not in stopped]
            for (index, change), outcome in zip(due, self._write([change for _, change in due]), strict=True):
                applied[index] = outcome
                if outcome.refused:
                    stopped[change.id] = outcome.refused
        return [
            applied.get(index) or Applied(change.id, refused=stopped[change.id]) for index, change in enumerate(changes)
        ]

    def _write(self, changes: Sequence[Change]) -> list[Applied]:
        outcomes = self._graph.batch([self._ask(change) for change in changes], urgency=Urgency.USER)
        retry = [index for index, outcome in enumerate(outcomes) if isinstance(outcome, Conflict)]
        # Somebody else changed it in between (or Exchange thinks so, graph.md 14.40). We send no If-Match and write
        # only the fields that were changed here, so writing again is what re-reading would lead to.
        again = self._graph.batch([self._ask(changes[index]) for index in retry], urgency=Urgency.USER)
        for index, outcome in zip(retry, again, strict=True):
            outcomes[index] = outcome
        return [_applied(change, outcome) for change, outcome in zip(changes, outcomes, strict=True)]

    def _ask(self, change: Change) -> Ask:
        if change.move_to is not None:
            path = self._message(change.id, "/move")
            return Ask(path=path, method="POST", body={"destinationId": change.move_to})
        return Ask(path=self._message(change.id), method="PATCH", body=_fields(change))


def _rounds(changes: Sequence[Change]) -> Iterator[list[tuple[int, Change]]]:
    """(index, change) in rounds of at most 20, each message once per round, its changes in their order."""
    seen: Counter[str] = Counter()
    rounds: dict[int, list[tuple[int, Change]]] = {}
    for index, change in enumerate(changes):
        if change.move_to is not None and _fields(change):
            raise ValueError("a move goes alone")
        rounds.setdefault(seen[change.id], []).append((index, change))
        seen[change.id] += 1
    for number in sorted(rounds):
        whole = rounds[number]
        yield from (whole[start : start + BATCH] for start in range(0, len(whole), BATCH))


def _fields(change: Change) -> dict[str, Any]:
    told = {
        "isRead": change.is_read,
        "flag": None if change.flag is None else {"flagStatus": FLAG_STATUS[change.flag]},
        "categories": change.categories,
    }
    return {name: value for name, value in told.items() if value is not None}


def _applied(change: Change, outcome: Raw | ProviderError) -> Applied:
    """Refusals and troubles of one message are values; what concerns the whole mailbox is raised."""
    match outcome:
        case Raw():
            wire = decode_item(outcome, WireMessage)
            found: RemoteMessage = RemoteMessage(id=change.id) if isinstance(wire, Unusable) else message(wire)
            return Applied(change.id, message=found)
        case Refused() | NotFound() | Conflict() | Transient() | AccessLost(reason="access") as error:
            return Applied(change.id, refused=error)
        case error:
            raise error
