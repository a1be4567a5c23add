"""What is still to be pulled of a mailbox's history, and how fast it goes (product.md SY1)."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from postroom.lib.clock import now
from postroom.mail.models import Folder, Message
from postroom.mailboxes.models import Mailbox

MANY = 400  # missing bodies from which on pages are cheaper than asking for each
_COUNT_EVERY = 1.0  # seconds
_RATE_OVER = 8.0  # seconds: how far back "per second" looks

BodyState = Message.BodyState


def is_fresh(before: dict[str, Any]) -> bool:
    """Whether what ``progress`` said last is recent enough; counting a large mailbox takes time."""
    marks = before.get("marks") or []
    return bool(marks) and now().timestamp() - marks[-1][0] < _COUNT_EVERY


def progress(mailbox: Mailbox, before: dict[str, Any], *, since: datetime | None) -> dict[str, Any]:
    """``done`` of ``total`` messages in the chosen history, folder by folder, with rate (messages/s) and seconds left.

    ``before`` is what this function said last time; the rate is taken over the last seconds, not the whole run.
    """
    folders = _by_folder(mailbox.pk, since)
    done, total = sum(f["done"] for f in folders), sum(f["total"] for f in folders)
    marks = [m for m in before.get("marks", []) if now().timestamp() - m[0] <= _RATE_OVER]
    marks.append([now().timestamp(), done])
    seconds = marks[-1][0] - marks[0][0]
    rate = (done - marks[0][1]) / seconds if seconds > 0.5 else float(before.get("rate") or 0)
    return {
        "done": done,
        "total": total,
        "rate": round(rate, 1),
        "eta": round((total - done) / rate) if rate > 0 else None,
        "folders": folders[:12],
        "marks": marks,
    }


def _by_folder(mailbox_id: int, since: datetime | None) -> list[dict[str, Any]]:
    """Only folders with something still to pull are counted row by row; the rest have their totals at hand. Where mail
    is kept only as a number, what was looked at is done, and what still has to be is not."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT f.name, f.total + coalesce(k.looked_at, 0) + coalesce(k.noted, 0),
                      coalesce(m.missing, 0) + coalesce(k.noted, 0)
               FROM mail_folder f
               LEFT JOIN (SELECT folder_id, count(*) FILTER (WHERE state = 1) AS looked_at,
                                 count(*) FILTER (WHERE state <> 1 AND (%(since)s::timestamptz IS NULL
                                                  OR state = 2 OR received >= %(since)s)) AS noted
                          FROM mail_known WHERE mailbox_id = %(mailbox)s
                            AND EXISTS (SELECT FROM mail_known WHERE mailbox_id = %(mailbox)s AND state > 0)
                          GROUP BY folder_id) k ON k.folder_id = f.id
               LEFT JOIN (SELECT folder_id, count(*) AS missing FROM mail_message
                          WHERE mailbox_id = %(mailbox)s AND body_state = 'missing'
                            AND (%(since)s::timestamptz IS NULL OR received >= %(since)s)
                          GROUP BY folder_id) m ON m.folder_id = f.id
               WHERE f.mailbox_id = %(mailbox)s AND f.total + coalesce(k.looked_at, 0) + coalesce(k.noted, 0) > 0
               ORDER BY coalesce(m.missing, 0) + coalesce(k.noted, 0) = 0, 2 DESC""",
            {"mailbox": mailbox_id, "since": since},
        )
        return [{"name": name, "done": total - missing, "total": total} for name, total, missing in cursor.fetchall()]


def many_missing(mailbox: Mailbox, since: datetime | None) -> bool:
    """Whether pages of a hundred of everything cost less than asking for the missing ones, twenty at a time."""
    rows = Message.objects.filter(mailbox=mailbox)
    if since is not None:
        rows = rows.filter(received__gte=since)
    missing = rows.filter(body_state=BodyState.MISSING)
    return missing[: MANY + 1].count() > MANY and missing.count() * 5 > rows.count()


def give_up(mailbox: Mailbox, remote_ids: Sequence[str]) -> None:
    """Those of ``remote_ids`` that were asked for and still have no body are never asked for again by themselves."""
    Message.objects.filter(mailbox=mailbox, remote_id__in=remote_ids, body_state=BodyState.MISSING).update(
        body_state=BodyState.UNUSABLE
    )


def seen_in_round(mailbox: Mailbox, remote_ids: Sequence[str], round: int) -> None:
    """Note that a new listing named these rows, which were unchanged."""
    if remote_ids:
        Message.objects.filter(mailbox=mailbox, remote_id__in=remote_ids).update(round=round)


def in_folders(mailbox: Mailbox, folders: Collection[str]) -> list[str]:
    """The messages of these folders, all by the provider's id."""
    rows = Message.objects.filter(mailbox=mailbox, folder__remote_id__in=list(folders))
    return list(rows.values_list("remote_id", flat=True)) if folders else []


def folder_ids(mailbox: Mailbox) -> set[str]:
    return set(Folder.objects.filter(mailbox=mailbox).values_list("remote_id", flat=True))


def folders_off(mailbox: Mailbox) -> frozenset[str]:
    """Provider's ids of the folders that are switched off."""
    return frozenset(Folder.objects.filter(mailbox=mailbox, synced=False).values_list("remote_id", flat=True))


def folder_roles(mailbox: Mailbox) -> dict[str, str]:
    return dict(Folder.objects.filter(mailbox=mailbox).values_list("remote_id", "role"))


def own_addresses(mailbox: Mailbox) -> frozenset[str]:
    """Lower-cased addresses that are the mailbox itself."""
    aliases = mailbox.connection.aliases if mailbox.connection and mailbox.kind == Mailbox.Kind.OWN else []
    return frozenset(a.lower() for a in (mailbox.address, *aliases))
