"""Is everything here? Per folder the provider's count against ours; where they differ, the folder is listed again and
what is missing or too much is repaired (product.md SY15, design.md section 3 step 9).

A provider may count what is no mail (graph.md 2.2), so a difference that a new listing did not change is left alone
until it changes.
"""

from datetime import timedelta
from random import uniform
from typing import Any

from postroom.lib.clock import now
from postroom.mail.models import Folder, Known
from postroom.providers.errors import NotFound
from postroom.sync import lanes
from postroom.sync.contract import Run, Steps, Work
from postroom.sync.models import Activity, SyncState

NIGHTLY = timedelta(hours=24)


def coverage(run: Run) -> Steps:
    """Compare every folder that is followed; the live lane does the repairs."""
    followed = SyncState.objects.filter(mailbox=run.mailbox, resource="mail", phase=SyncState.Phase.FOLLOWING)
    counts: dict[str, list[int]] = {}
    for state in followed.exclude(scope=""):
        try:
            theirs = run.source.count(state.scope).total
        except NotFound:
            continue  # the folder tree's next round tells
        ours = _held(run, state.scope)
        counts[state.scope] = [theirs or 0, ours]
    yield _compare(run, counts)
    run.due_by(now() + NIGHTLY * uniform(0.9, 1.0))  # noqa: S311


def _held(run: Run, remote_id: str) -> int:
    folder = Folder.objects.filter(mailbox=run.mailbox, remote_id=remote_id).first()
    if folder is None:
        return 0
    return folder.messages.count() + Known.objects.filter(folder=folder).count()


def _compare(run: Run, counts: dict[str, list[int]]) -> Work:
    before: dict[str, Any] = dict(run.progress.get("counts") or {})  # type: ignore[call-overload]
    differ = [scope for scope, (theirs, ours) in counts.items() if theirs != ours]
    again = [scope for scope in differ if before.get(scope) != counts[scope]]

    def work() -> None:
        for state in SyncState.objects.filter(mailbox=run.mailbox, resource="mail", scope__in=again):
            state.phase, state.cursor, state.due_at = SyncState.Phase.RELISTING, "", now()
            state.round, state.listed = state.round + 1, 0
            state.save()
        if again:
            lanes.want(run.mailbox.pk, Activity.LIVE)
        run.progress.update(
            counts=counts,
            theirs=sum(theirs for theirs, _ in counts.values()),
            ours=sum(ours for _, ours in counts.values()),
            relisted=len(again),
            at=now().isoformat(),
        )

    return work
