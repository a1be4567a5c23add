"""Is everything here? Per folder the provider's counts and ids against ours, and repair (product.md SY15, design.md
section 3 step 9; when what is compared: docs/architecture.md).

count every folder -> for each folder whose ids are wanted: list it anew, page by page, repair each page, then ask where
those are that we have and the listing has not

The listing is a fresh one: the live cursor of the folder is not touched. Each page is stored with the cursor that
follows it and with the ids it named (``Sighting``), so a run may be killed or step aside after any page. What is
repaired goes the way of every other answer (``taking.take``), the brake included.
"""

import logging
from collections.abc import Sequence
from datetime import timedelta
from random import uniform

from postroom.lib.clock import now
from postroom.mail import comparing, store
from postroom.mail.checks import FolderCheck, Sighting
from postroom.mail.comparing import Findings
from postroom.mail.models import Folder
from postroom.mail.sync.arriving import arrivals
from postroom.mail.sync.asking import ask
from postroom.mail.sync.history import reach
from postroom.mail.sync.states import RESOURCE
from postroom.mail.sync.taking import placed, read, take
from postroom.mail.sync.tree import unknown_folders
from postroom.mailboxes.models import Mailbox
from postroom.providers.contract import DeltaPage, Gone, RemoteMessage, Removed, Unusable, Urgency
from postroom.providers.errors import CursorExpired, NotFound
from postroom.sync import lanes, silence
from postroom.sync.contract import Run, Steps, Work
from postroom.sync.models import Activity, SyncState

log = logging.getLogger(__name__)

NIGHTLY = timedelta(hours=24)
IDS_EVERY = timedelta(days=7)  # each folder's ids, although its counts agree
NIGHTS = 7  # a seventh of the folders a night, the longest unchecked first
_ASK_AT_ONCE = 200
_RESTARTS = 3  # of one listing whose cursor dies, before the run gives up until later


def check_now(mailbox: Mailbox) -> None:
    """Compare the ids of every folder as soon as nothing more urgent is to do."""
    FolderCheck.objects.filter(mailbox=mailbox, folder__synced=True).update(wanted=True)
    for lane in mailbox.lanes.filter(activity=Activity.COVERAGE):
        lane.cursor["all"] = True
        lane.save(update_fields=["cursor"])
    lanes.want(mailbox.pk, Activity.COVERAGE)


def coverage(run: Run) -> Steps:
    """Count, compare the ids that are wanted, repair. Goes on where the last run stopped."""
    if not run.cursor.get("counted"):
        if unfollowed := _unfollowed(run):
            yield _follow_again(run, unfollowed)
        yield _store_counts(run, _counts(run))
    while check := _next(run):
        yield from _compare(run, check)
    yield lambda: run.cursor.update(counted="")
    run.due_by(now() + NIGHTLY * uniform(0.9, 1.0))  # noqa: S311


def _unfollowed(run: Run) -> list[str]:
    """Folders that are synced but in nobody's list of what to follow: their mail would be missed and not counted.
    What the provider does not know yet begins to be followed when it is made there."""
    made = Folder.objects.filter(mailbox=run.mailbox, synced=True).exclude(remote_id__startswith=store.TEMPORARY)
    synced = made.values_list("remote_id", flat=True)
    followed = SyncState.objects.filter(mailbox=run.mailbox, resource=RESOURCE).values_list("scope", flat=True)
    return sorted(set(synced) - set(followed))


def _follow_again(run: Run, scopes: Sequence[str]) -> Work:
    def work() -> None:
        rows = [SyncState(mailbox=run.mailbox, resource=RESOURCE, scope=scope) for scope in scopes]
        SyncState.objects.bulk_create(rows, ignore_conflicts=True)
        lanes.want(run.mailbox.pk, Activity.BACKFILL)
        log.warning("mailbox %s: %s folders were not followed; they are listed anew", run.mailbox.pk, len(scopes))

    return work


# --- counts --------------------------------------------------------------------------------------------------------


def _counts(run: Run) -> dict[str, int]:
    """The provider's count of every folder that is followed."""
    followed = SyncState.objects.filter(mailbox=run.mailbox, resource=RESOURCE, phase=SyncState.Phase.FOLLOWING)
    counts: dict[str, int] = {}
    for scope in followed.exclude(scope="").values_list("scope", flat=True):
        try:
            counts[scope] = run.source.count(scope).total or 0
        except NotFound:
            continue  # the folder tree's next round tells
    return counts


def _store_counts(run: Run, counts: dict[str, int]) -> Work:
    everything = bool(run.cursor.get("all"))

    def work() -> None:
        folders = Folder.objects.filter(mailbox=run.mailbox, remote_id__in=counts, synced=True)
        for folder in folders:
            check, _ = FolderCheck.objects.get_or_create(folder=folder, defaults={"mailbox": run.mailbox})
            check.theirs, check.ours, check.counted_at = counts[folder.remote_id], comparing.held(folder), now()
            check.wanted = check.wanted or everything or comparing.differs(check)
            check.save()
        _rotate(run.mailbox)
        run.cursor.update(counted=now().isoformat(), all=False)
        run.progress.update(at=now().isoformat())

    return work


def _rotate(mailbox: Mailbox) -> None:
    """Nightly some of those that were not compared for a week, although their counts agree."""
    checks = list(FolderCheck.objects.filter(mailbox=mailbox))
    due = [one for one in checks if not one.wanted and (one.checked_at or one.since) < now() - IDS_EVERY]
    due.sort(key=lambda one: one.checked_at or one.since)
    some = [one.pk for one in due[: -(-len(checks) // NIGHTS)]]
    FolderCheck.objects.filter(pk__in=some).update(wanted=True)


# --- ids -----------------------------------------------------------------------------------------------------------


def _next(run: Run) -> FolderCheck | None:
    """One under way first, then the smallest: many folders are done soon."""
    wanted = FolderCheck.objects.filter(mailbox=run.mailbox, wanted=True, folder__synced=True, counted_at__isnull=False)
    return wanted.select_related("folder").order_by("-cursor", "ours", "pk").first()


def _compare(run: Run, check: FolderCheck) -> Steps:
    cursor, restarts = check.cursor or None, 0
    if not check.found.get("listed_all"):
        if cursor is None:
            yield _begin(check)
        while True:
            try:
                page = run.source.spine(check.folder.remote_id, cursor)
            except CursorExpired:
                restarts += 1
                if restarts > _RESTARTS:
                    raise
                yield _begin(check)
                cursor = None
                continue
            except NotFound:
                yield lambda: _not_wanted(check)
                return
            yield from _take_page(run, check, page)
            if page.next is None:
                break
            cursor = page.next
    yield from _not_listed(run, check)
    total = run.source.count(check.folder.remote_id).total or 0
    yield lambda: _finish(check, total)


def _begin(check: FolderCheck) -> Work:
    def work() -> None:
        Sighting.objects.filter(folder_id=check.folder_id).delete()
        check.cursor, check.found = "", {"began": now().isoformat(), **dict.fromkeys(comparing.SUMS, 0)}
        check.save(update_fields=["cursor", "found"])

    return work


def _not_wanted(check: FolderCheck) -> None:
    Sighting.objects.filter(folder_id=check.folder_id).delete()
    FolderCheck.objects.filter(pk=check.pk).update(wanted=False, cursor="", found={})


def _take_page(run: Run, check: FolderCheck, page: DeltaPage[RemoteMessage | Removed]) -> Steps:
    rows = {item.id: placed(item, check.folder.remote_id) for item in page.items if isinstance(item, RemoteMessage)}
    findings = comparing.compare(run.mailbox, check.folder, list(rows.values()), since=reach(run.mailbox))
    answers: list[RemoteMessage | Gone | Unusable] = []
    if findings.missing or findings.drafts:
        answers += run.source.get([*findings.missing, *findings.drafts], urgency=Urgency.BACKFILL)
    if findings.wrong:
        answers += ask(run, findings.wrong, urgency=Urgency.BACKFILL)
    yield from unknown_folders(run, answers)
    yield _store_page(run, check, page, list(rows), findings, answers)


def _store_page(
    run: Run,
    check: FolderCheck,
    page: DeltaPage[RemoteMessage | Removed],
    listed: Sequence[str],
    findings: Findings,
    answers: Sequence[RemoteMessage | Gone | Unusable],
) -> Work:
    batch = read(run, answers)
    arrived = arrivals(run, findings.missing, answers)
    state = SyncState.objects.filter(mailbox=run.mailbox, resource=RESOURCE, scope=check.folder.remote_id).first()

    def work() -> None:
        if silence.note(run.mailbox, arrived, looked_before=state.updated_at if state else None):
            lanes.want(run.mailbox.pk, Activity.LIVE)
        comparing.forget_versions(run.mailbox, [*findings.wrong, *findings.drafts])
        take(run, batch, fresh=False)
        store.keep_known(run.mailbox, findings.outside)
        comparing.sight(check.folder, listed)
        comparing.add(check, findings, gone=batch.gone, still=comparing.absent(run.mailbox, findings.missing))
        check.cursor = page.next or ""
        if page.next is None:
            check.found["listed_all"] = True
        check.save(update_fields=["cursor", "found"])

    return work


def _not_listed(run: Run, check: FolderCheck) -> Steps:
    """Where are those that we have in this folder and its listing did not name?"""
    while ids := comparing.unsighted(check.folder, limit=_ASK_AT_ONCE):
        answers = ask(run, ids, urgency=Urgency.BACKFILL)
        yield from unknown_folders(run, answers)
        yield _take_not_listed(run, check, ids, answers)


def _take_not_listed(
    run: Run, check: FolderCheck, ids: Sequence[str], answers: Sequence[RemoteMessage | Gone | Unusable]
) -> Work:
    noted = comparing.noted(run.mailbox, ids)
    batch = read(run, [one for one in answers if one.id not in noted])
    gone = sum(isinstance(one, Gone) for one in answers)
    elsewhere = [
        one.id
        for one in answers
        if isinstance(one, RemoteMessage) and one.folder_id not in (None, check.folder.remote_id)
    ]

    def work() -> None:
        comparing.forget_versions(run.mailbox, elsewhere)
        take(run, batch, fresh=False)
        comparing.place_known(run.mailbox, answers)
        comparing.sight(check.folder, ids)  # not asked for again
        check.found["extra"] += len(elsewhere) + gone
        check.found["repaired"] += len(elsewhere) + gone
        check.save(update_fields=["found"])

    return work


def _finish(check: FolderCheck, total: int) -> None:
    Sighting.objects.filter(folder_id=check.folder_id).delete()
    for name in comparing.SUMS:
        setattr(check, name, int(check.found.get(name, 0)))
    check.theirs, check.ours = total, comparing.held(check.folder)
    check.not_mail = (
        check.theirs - check.ours - check.unread
    )  # the new listing explains it: left alone until it changes
    check.counted_at = check.checked_at = now()
    check.wanted, check.cursor, check.found = False, "", {}
    check.save()
