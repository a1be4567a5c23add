"""A message is out, and its copy is what it will be from now on: waiting for that, and what is said when none comes.

The copy may come late, or never: somebody deletes it for good on another device before we have seen it. A message that
was taken is sent all the same; of one nobody knows the fate of, its author decides.
"""

from datetime import timedelta

from postroom.lib.clock import now
from postroom.mail.models import Composition
from postroom.sync.contract import Work
from postroom.sync.models import OutboxEntry

COMES = timedelta(minutes=10)
UNCLEAR = "unclear"  # the failure of a composition nobody knows the fate of
State = OutboxEntry.State

# By step: the step it went out with, and whether the other side has said that it has it.
_OUT = {
    "sending": ("sending", False),
    "handed_over": ("handed_over", True),
    "server": ("server", False),
    "taken": ("server", True),
}


def wait_for(entry: OutboxEntry, composition: Composition) -> Work:
    """Look again soon, later less often, and not for ever."""
    since, taken = _OUT[entry.step]
    waited = now().timestamp() - float(entry.fields.get(f"{since}_at", 0))
    if waited < COMES.total_seconds():
        pause = timedelta(seconds=1 if waited < 60 else 20)
        return lambda: _update(entry, due_at=now() + pause)
    return lambda: _without_copy(entry, composition, taken=taken)


def _without_copy(entry: OutboxEntry, composition: Composition, *, taken: bool) -> None:
    from postroom.mail.outbound import tell

    _update(entry, state=State.DONE, done_at=now(), reason="" if taken else UNCLEAR)
    states = Composition.State
    fields = {"state": states.SENT, "sent_at": now()} if taken else {"state": states.HELD, "failure": UNCLEAR}
    Composition.objects.filter(pk=composition.pk).update(**fields, via=entry.fields.get("via", ""))
    tell(composition, "sent" if taken else "held")


def _update(entry: OutboxEntry, **fields: object) -> None:
    OutboxEntry.objects.filter(pk=entry.pk, state__in=OutboxEntry.OPEN).update(**fields)
