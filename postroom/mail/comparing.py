"""A folder's rows against a listing of the provider's: the questions and the small writes of ``mail.sync.coverage``."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import JSONObject

from postroom.mail.checks import FolderCheck, Kept
from postroom.mail.models import Folder, Known, Message
from postroom.mail.store.types import cursor
from postroom.mailboxes.models import Mailbox
from postroom.providers.contract import Gone, RemoteMessage, Unusable
from postroom.sync.models import Lane, OutboxEntry

SUMS = ("missing", "extra", "wrong", "repaired", "unread")


class State(NamedTuple):
    """What a listing tells of a message and we have too."""

    folder: str
    change_key: str
    is_read: bool
    flag: str
    categories: tuple[str, ...]
    is_draft: bool


@dataclass(slots=True)
class Findings:
    """What a page of a listing shows. All by the provider's id."""

    missing: list[str] = field(default_factory=list)  # to fetch whole
    outside: list[RemoteMessage] = field(default_factory=list)  # older than the chosen history, and not noted yet
    wrong: list[str] = field(default_factory=list)  # to ask for their state
    drafts: list[str] = field(default_factory=list)  # the same, whole: their body changes


def compare(mailbox: Mailbox, folder: Folder, rows: Sequence[RemoteMessage], *, since: datetime | None) -> Findings:
    """``rows`` of a listing of ``folder`` against what is here."""
    ids = [row.id for row in rows]
    ours = _states(mailbox, ids)
    known = Known.objects.filter(mailbox=mailbox, remote_id__in=ids).values_list("remote_id", "folder_id", "state")
    noted = {remote_id: (place, state) for remote_id, place, state in known}
    pinned = _pinned(mailbox, ids)
    found = Findings()
    for row in rows:
        have = ours.get(row.id)
        if have is not None:
            if row.id not in pinned and _differs(row, have):
                (found.drafts if have.is_draft or row.is_draft else found.wrong).append(row.id)
        elif _only_noted(row, noted.get(row.id), since):
            if noted.get(row.id, (None, 0))[0] != folder.pk:
                found.outside.append(row)
        else:
            found.missing.append(row.id)
    return found


def _only_noted(row: RemoteMessage, noted: tuple[int, int] | None, since: datetime | None) -> bool:
    """Whether nothing of it is wanted here but that it exists: it is kept as a number, or older than the history."""
    if noted is not None and noted[1] == Known.State.COUNTED:
        return True
    return since is not None and row.received is not None and row.received < since


def _differs(row: RemoteMessage, have: State) -> bool:
    """A field that was not told does not differ."""
    told: list[tuple[Any, Any]] = [
        (row.folder_id, have.folder),
        (row.change_key, have.change_key),
        (row.is_read, have.is_read),
        (None if row.flag is None else str(row.flag), have.flag),
        (None if row.categories is None else sorted(row.categories), sorted(have.categories)),
        (row.is_draft, have.is_draft),
    ]
    return any(theirs is not None and theirs != ours for theirs, ours in told)


def _states(mailbox: Mailbox, remote_ids: Sequence[str]) -> dict[str, State]:
    with cursor() as db:
        db.execute(
            """SELECT m.remote_id, f.remote_id, m.change_key, m.is_read, m.flag, m.categories, m.is_draft
               FROM mail_message m JOIN mail_folder f ON f.id = m.folder_id
               WHERE m.mailbox_id = %s AND m.remote_id = ANY(%s)""",
            [mailbox.pk, list(remote_ids)],
        )
        return {row[0]: State(row[1], row[2], row[3], row[4], tuple(row[5]), row[6]) for row in db.fetchall()}


def _pinned(mailbox: Mailbox, remote_ids: Sequence[str]) -> set[str]:
    """Those that differ for a reason: a local change is on its way, or a member decided to keep them."""
    waiting = OutboxEntry.objects.filter(
        mailbox=mailbox, remote_id__in=list(remote_ids), state__in=OutboxEntry.OPEN
    ).values_list("remote_id", flat=True)
    decided = Kept.objects.filter(mailbox=mailbox, remote_id__in=list(remote_ids)).values_list("remote_id", flat=True)
    return {*waiting, *decided}


def held(folder: Folder) -> int:
    """Messages here that the provider should have too."""
    mine = folder.messages.exclude(
        remote_id__in=Kept.objects.filter(mailbox_id=folder.mailbox_id).values("remote_id")
    ).count()
    return mine + Known.objects.filter(folder=folder).count()


def differs(check: FolderCheck) -> bool:
    """Whether the counts differ by more than the last listing explained."""
    return check.theirs is not None and check.theirs - check.not_mail - check.unread != check.ours


def forget_versions(mailbox: Mailbox, remote_ids: Collection[str]) -> None:
    """What the provider says next of these is news, whatever version we believed to have."""
    if remote_ids:
        rows = Message.objects.filter(mailbox=mailbox, remote_id__in=list(remote_ids))
        rows.update(change_key="", modified=None)


def sight(folder: Folder, remote_ids: Sequence[str]) -> None:
    """Note that the listing named these."""
    if not remote_ids:
        return
    with cursor() as db:
        db.execute(
            """INSERT INTO mail_sighting (folder_id, remote_id)
               SELECT %s, id FROM unnest(%s::text[]) AS listed (id) ON CONFLICT DO NOTHING""",
            [folder.pk, list(remote_ids)],
        )


def unsighted(folder: Folder, *, limit: int) -> list[str]:
    """Provider's ids of what we have in ``folder`` and the listing did not name. Not those that are moved by us just
    now, nor those a member decided to keep."""
    with cursor() as db:
        db.execute(_UNSIGHTED, {"folder": folder.pk, "mailbox": folder.mailbox_id, "limit": limit})
        return [row[0] for row in db.fetchall()]


_UNSIGHTED = """
SELECT ours.remote_id FROM (
    SELECT remote_id FROM mail_message WHERE folder_id = %(folder)s
    UNION SELECT remote_id FROM mail_known WHERE folder_id = %(folder)s
) ours
WHERE NOT EXISTS (SELECT 1 FROM mail_sighting s WHERE s.folder_id = %(folder)s AND s.remote_id = ours.remote_id)
  AND NOT EXISTS (SELECT 1 FROM mail_kept k WHERE k.mailbox_id = %(mailbox)s AND k.remote_id = ours.remote_id)
  AND NOT EXISTS (SELECT 1 FROM sync_outboxentry o WHERE o.mailbox_id = %(mailbox)s AND o.remote_id = ours.remote_id
                  AND o.state IN ('waiting', 'working'))
LIMIT %(limit)s
"""


def absent(mailbox: Mailbox, remote_ids: Sequence[str]) -> set[str]:
    """Those of ``remote_ids`` that are not here."""
    here = Message.objects.filter(mailbox=mailbox, remote_id__in=list(remote_ids)).values_list("remote_id", flat=True)
    return set(remote_ids) - set(here)


def add(check: FolderCheck, findings: Findings, *, gone: Collection[str], still: Collection[str]) -> None:
    """Add a page's findings to the comparison under way. What was gone when asked for was not missing."""

    missing = [one for one in findings.missing if one not in gone]
    unread = [one for one in missing if one in still]
    wrong = [one for one in (*findings.wrong, *findings.drafts) if one not in gone]
    found = check.found
    found["missing"] += len(missing) + len(findings.outside)
    found["unread"] += len(unread)
    found["wrong"] += len(wrong)
    found["repaired"] += len(missing) - len(unread) + len(findings.outside) + len(wrong)


def noted(mailbox: Mailbox, remote_ids: Sequence[str]) -> set[str]:
    """Those only noted, as older than the chosen history: they must not become rows without a body."""
    rows = Known.objects.filter(mailbox=mailbox, remote_id__in=list(remote_ids))
    return set(rows.values_list("remote_id", flat=True))


def place_known(mailbox: Mailbox, answers: Sequence[RemoteMessage | Gone | Unusable]) -> None:
    """Where those that are only noted are now; what is gone is forgotten."""
    rows = {row.remote_id: row for row in Known.objects.filter(mailbox=mailbox, remote_id__in=[a.id for a in answers])}
    folders = dict(Folder.objects.filter(mailbox=mailbox).values_list("remote_id", "pk"))
    for answer in answers:
        row = rows.get(answer.id)
        if row is None:
            continue
        place = folders.get(answer.folder_id or "") if isinstance(answer, RemoteMessage) else None
        if place is None:
            row.delete()
        elif place != row.folder_id:
            row.folder_id = place
            row.save(update_fields=["folder"])


# --- what is shown -------------------------------------------------------------------------------------------------


class Summary(NamedTuple):
    """A mailbox's completeness, in figures. ``share`` of what should be here is right, in hundredths of a percent,
    rounded down; ``None`` when nothing was compared yet."""

    share: int | None
    theirs: int
    ours: int
    repaired: int
    unread: int
    noted: int  # of ``ours``: older than the chosen history, so only known to exist
    counted: int  # of ``ours``: kept only as a number, because they touch no record
    checking: bool
    counted_at: datetime | None

    @property
    def percent(self) -> str:
        if self.share is None:
            return ""
        whole, rest = divmod(self.share, 100)
        return f"{whole} %" if not rest else f"{whole}.{rest:02} %"

    @property
    def words(self) -> str:
        """99.99 %, 3 repaired"""
        if self.share is None:
            return "Checking" if self.checking else "Not checked yet"
        more = [f"{self.repaired:,} repaired"] if self.repaired else []
        more += [f"{self.unread:,} set aside"] if self.unread else []
        return ", ".join([self.percent, *more])


def summary(mailbox: Mailbox) -> Summary:
    """Of all folders together. What was found wrong counts as wrong, though it was repaired: that is the figure."""
    return summaries(list(with_noted(Mailbox.objects.filter(pk=mailbox.pk))))[mailbox.pk]


def with_noted(mailboxes: QuerySet[Mailbox]) -> QuerySet[Mailbox]:
    """Mailboxes with what ``summaries`` is to know of each: whether it is being compared, and of how many messages only
    a line is kept."""
    lanes = Lane.objects.filter(mailbox=OuterRef("pk"), activity="coverage", wanted__gt=F("seen"))
    known = Known.objects.filter(mailbox=OuterRef("pk"), folder__synced=True).order_by().values("mailbox")
    older, counted = (Count("pk", filter=Q(state=one)) for one in (Known.State.NOTED, Known.State.COUNTED))
    told = known.annotate(told=JSONObject(older=older, counted=counted)).values("told")
    return mailboxes.annotate(is_compared=Exists(lanes), noted=Subquery(told))


def summaries(mailboxes: Sequence[Any]) -> dict[int, Summary]:
    """The same of several that were read ``with_noted``, by mailbox; one query."""
    checks: dict[int, list[FolderCheck]] = {one.pk: [] for one in mailboxes}
    for one in FolderCheck.objects.filter(mailbox__in=mailboxes, counted_at__isnull=False, folder__synced=True):
        checks[one.mailbox_id].append(one)
    found = {}
    for row in mailboxes:
        noted = row.noted or {"older": 0, "counted": 0}
        pair = (noted["older"], noted["counted"])
        found[row.pk] = _summary(checks[row.pk], noted=pair, wanted=row.is_compared)
    return found


def _summary(checks: Sequence[FolderCheck], *, noted: tuple[int, int], wanted: bool) -> Summary:
    theirs = sum(max(0, (one.theirs or 0) - one.not_mail) for one in checks)
    faults = sum(one.missing + one.wrong + one.extra for one in checks)
    faults += sum(abs((one.theirs or 0) - one.not_mail - one.unread - one.ours) for one in checks)
    size = max(theirs, 1)
    return Summary(
        share=max(0, (size - faults) * 10_000 // size) if checks else None,
        theirs=theirs,
        ours=sum(one.ours for one in checks),
        repaired=sum(one.repaired for one in checks),
        unread=sum(one.unread for one in checks),
        noted=noted[0],
        counted=noted[1],
        checking=any(one.wanted for one in checks) or wanted,
        counted_at=max((one.counted_at for one in checks if one.counted_at), default=None),
    )
