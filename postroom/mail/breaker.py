"""The brake: a run that would take away or move an unusual share of a mailbox stops before it does (product.md SY15).

Messages leave their folder for good reasons all day, so what counts is how many did within ``WINDOW``, per mailbox, not
per page:

removed  gone at the provider by its own word, or in a folder that is not in the tree; not from Deleted Items or Junk,
         which people and policies empty
binned   moved to Deleted Items or Junk
moved    moved to another folder; harmless by itself, so only nearly everything is unusual

A mailbox that has fewer messages than a limit's floor cannot trip it, and disconnecting does not come by here at all.
``taking.take``, through which every answer of a provider goes, asks ``guard`` before it applies anything: what trips is
rolled back with its page, the cursor stays, and the same page trips again after a crash.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple

from django.db.models import F, Sum

from postroom.lib.clock import now
from postroom.mail.checks import Brake, Churn, Kept
from postroom.mail.models import Folder
from postroom.mail.store.types import cursor
from postroom.mailboxes.models import Mailbox
from postroom.providers.contract import FolderRole, Gone, RemoteMessage, Urgency
from postroom.sync.contract import Halted, Run, Steps

WINDOW = timedelta(hours=24)
ALLOWED_FOR = timedelta(hours=24)  # a permission is for what is about to happen, not for ever
BINS = frozenset({FolderRole.DELETED, FolderRole.JUNK})


class What(StrEnum):
    REMOVED = "removed"
    BINNED = "binned"
    MOVED = "moved"


class Limit(NamedTuple):
    """Unusual from ``floor`` messages on, when that is more than ``share`` of all there were."""

    floor: int
    share: float


OF_THE_MAILBOX: dict[What, Limit] = {
    What.REMOVED: Limit(100, 0.20),
    What.BINNED: Limit(500, 0.50),
    What.MOVED: Limit(2000, 0.75),
}
OF_A_FOLDER = Limit(100, 0.80)  # removed from one folder: suddenly nearly empty

Left = Mapping[tuple[str, What], int]
"""How many messages left each folder (by the provider's id), and how."""


def unusual(done: Left, coming: Left, present: Mapping[str, int]) -> What | None:
    """Whether ``coming``, after what was ``done`` within the window, is too much. Pure.

    ``present``: messages each folder holds now, before ``coming``.
    """
    if not any(coming.values()):
        return None
    both = Counter(dict(done))
    both.update(dict(coming))
    size = sum(present.values()) + sum(count for (_, what), count in done.items() if what is What.REMOVED)
    for what, limit in OF_THE_MAILBOX.items():
        arriving = sum(count for (_, kind), count in coming.items() if kind is what)
        if arriving and _exceeds(sum(count for (_, kind), count in both.items() if kind is what), size, limit):
            return what
    for (folder, what), count in coming.items():
        removed = both[folder, What.REMOVED]
        if (
            what is What.REMOVED
            and count
            and _exceeds(removed, present.get(folder, 0) + _left(done, folder), OF_A_FOLDER)
        ):
            return what
    return None


def _exceeds(count: int, size: int, limit: Limit) -> bool:
    return count >= limit.floor and count > limit.share * size


def _left(done: Left, folder: str) -> int:
    return sum(count for (name, what), count in done.items() if name == folder and what is What.REMOVED)


@dataclass(frozen=True, slots=True)
class Leaving:
    """One message that would leave its folder."""

    id: str
    folder: str
    what: What


class Tripped(Halted):
    """Raised before anything is applied; the engine then runs ``aftermath``."""

    def __init__(self, leaving: Collection[Leaving]) -> None:
        super().__init__("an unusual share of the mailbox would go")
        self.leaving = list(leaving)

    def aftermath(self, run: Run) -> Steps:
        from postroom.mail.brake import stop

        return stop(run, self.leaving)


def guard(mailbox: Mailbox, places: Mapping[str, str], gone: Iterable[str]) -> None:
    """Note what would leave its folder, in the caller's transaction. Raises ``Tripped`` when that is unusual.

    ``places``: folder of each message (both by the provider's id) as the provider says now; ``gone``: nowhere.
    """
    leaving = classify(mailbox, places, gone)
    if not leaving:
        return
    leaving = _without_allowed(mailbox, leaving)
    coming = counted(leaving)
    if coming and unusual(_done(mailbox), coming, sizes(mailbox)):
        raise Tripped(leaving)
    _note(mailbox, coming)


def look_ahead(run: Run, remote_ids: Iterable[str]) -> None:
    """Before the first of many pages is applied: were all of these gone, would it be unusual? Then ask where they are,
    and stop with nothing applied. Raises ``Tripped``. What is left after the question goes the usual way, by page."""
    ids = list(dict.fromkeys(remote_ids))
    feared = _without_allowed(run.mailbox, classify(run.mailbox, {}, ids))
    if not feared or not unusual(_done(run.mailbox), counted(feared), sizes(run.mailbox)):
        return
    answers = run.source.get([one.id for one in feared], whole=False, urgency=Urgency.DELTA)
    places = {one.id: one.folder_id for one in answers if isinstance(one, RemoteMessage) and one.folder_id}
    leaving = classify(run.mailbox, places, [one.id for one in answers if isinstance(one, Gone)])
    if unusual(_done(run.mailbox), counted(leaving), sizes(run.mailbox)):
        raise Tripped(leaving)


def classify(mailbox: Mailbox, places: Mapping[str, str], gone: Iterable[str]) -> list[Leaving]:
    """Those of our messages that would leave the folder they are in; what a member decided to keep does not."""
    told = {**places, **dict.fromkeys(gone, "")}
    if not told:
        return []
    with cursor() as db:
        db.execute(_LEAVING, {"mailbox": mailbox.pk, "ids": list(told), "folders": list(told.values())})
        rows = db.fetchall()
    found = ((id_, folder, _what(role, target)) for id_, folder, role, target in rows)
    return [Leaving(id_, folder, what) for id_, folder, what in found if what is not None]


_LEAVING = """
SELECT m.remote_id, f.remote_id, f.role, t.role
FROM unnest(%(ids)s::text[], %(folders)s::text[]) AS told (id, folder)
JOIN mail_message m ON m.mailbox_id = %(mailbox)s AND m.remote_id = told.id
JOIN mail_folder f ON f.id = m.folder_id AND f.remote_id <> told.folder
LEFT JOIN mail_folder t ON t.mailbox_id = %(mailbox)s AND t.remote_id = told.folder
WHERE NOT EXISTS (SELECT 1 FROM mail_kept k WHERE k.mailbox_id = m.mailbox_id AND k.remote_id = m.remote_id)
"""


def _what(role: str, target: str | None) -> What | None:
    """``target``: the role of the folder it goes to, ``None`` for none that we know."""
    if target is None:
        return None if role in BINS else What.REMOVED
    if target in BINS:
        return None if role in BINS else What.BINNED
    return What.MOVED


def counted(leaving: Iterable[Leaving]) -> Counter[tuple[str, What]]:
    return Counter((one.folder, one.what) for one in leaving)


def sizes(mailbox: Mailbox) -> dict[str, int]:
    """Messages here, by folder."""
    return dict(Folder.objects.filter(mailbox=mailbox).values_list("remote_id", "total"))


def _without_allowed(mailbox: Mailbox, leaving: list[Leaving]) -> list[Leaving]:
    fresh = Brake.objects.filter(mailbox=mailbox, state=Brake.State.ALLOWED, decided_at__gt=now() - ALLOWED_FOR)
    allowed = {one for ids in fresh.values_list("ids", flat=True) for one in ids}
    return [one for one in leaving if one.id not in allowed]


def _done(mailbox: Mailbox) -> dict[tuple[str, What], int]:
    rows = Churn.objects.filter(mailbox=mailbox, at__gt=now() - WINDOW).values_list("folder", "what")
    return {(folder, What(what)): total for folder, what, total in rows.annotate(total=Sum("count"))}


def _note(mailbox: Mailbox, coming: Left) -> None:
    hour = now().replace(minute=0, second=0, microsecond=0)
    Churn.objects.filter(mailbox=mailbox, at__lte=now() - WINDOW).delete()
    for (folder, what), count in sorted(coming.items()):
        row, made = Churn.objects.get_or_create(
            mailbox=mailbox, at=hour, folder=folder, what=what, defaults={"count": count}
        )
        if not made:
            Churn.objects.filter(pk=row.pk).update(count=F("count") + count)


def kept(mailbox: Mailbox, remote_ids: Collection[str]) -> frozenset[str]:
    """Those a member decided to keep as they are here."""
    if not remote_ids:
        return frozenset()
    rows = Kept.objects.filter(mailbox=mailbox, remote_id__in=list(remote_ids))
    return frozenset(rows.values_list("remote_id", flat=True))
