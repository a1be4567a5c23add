"""Filing what was taken: repeatable, and what cannot be filed waits where people see it, with the reason.

claim -> read -> loops, automatic mail, doubles -> what is it -> is it from its member -> the mirror of mail
"""

from __future__ import annotations

import logging
import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from hashlib import blake2b

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F

from postroom.dropbox import addresses, forwards, placing, verdicts
from postroom.dropbox.letter import Letter, message_of, read
from postroom.dropbox.mime import Octets, parsed
from postroom.dropbox.models import DropBox, Dropped, Sender
from postroom.files import storage
from postroom.lib.clock import now
from postroom.mail import kinds
from postroom.mail.text import storable
from postroom.workspaces.models import Membership

log = logging.getLogger(__name__)
State = Dropped.State

HOPS = 50  # Received headers: what has more goes in circles
MARKER = "x-postroom-loop"  # mail of Postroom's own: it is never filed
ATTEMPTS = 3  # at what raises; a mail that ends a worker counts, too
QUESTIONS = 10  # at what the DNS does not answer
LEASE = timedelta(minutes=5)
KEPT = timedelta(days=30)  # what is settled, for the list of what came lately
AT_ONCE = 200
COUNTED = {State.FILED: "filed", State.AUTOMATIC: "automatic", State.LOOP: "loops"}

resolver: verdicts.Resolver = verdicts.Dns()


class Held(Exception):
    """This mail waits for somebody; the text says why, for them."""


def due() -> list[int]:
    rows = Dropped.objects.filter(state=State.NEW, due_at__lte=now()).order_by("due_at")
    return list(rows.values_list("pk", flat=True)[:AT_ONCE])


def take(pk: int, *, ask: verdicts.Resolver | None = None) -> None:
    """File one mail, or let it wait. Harmless when it was done already or somebody is at it."""
    row = _claim(pk)
    if row is None:
        return
    if row.attempts > QUESTIONS:
        _hold(row, "It could not be worked on: whoever tried was ended by it.")
        return
    try:
        _file(row, ask or resolver, by=None)
    except Held as why:
        _hold(row, str(why))
    except verdicts.Unanswered:
        _later(row, QUESTIONS, "Whether it is from its sender could not be checked: the DNS did not answer.")
    except Exception:
        log.exception("dropped mail %s could not be filed", row.pk)
        _later(row, ATTEMPTS, "It could not be read or stored.")


def by_hand(row: Dropped, *, by: Membership) -> bool:
    """File what waits, because somebody says so. False when it cannot be, with the reason in the row."""
    try:
        _file(row, resolver, by=by)
    except Exception:
        log.exception("dropped mail %s could not be filed by hand", row.pk)
        _hold(row, "It could not be read or stored.")
        return False
    return True


def discard(row: Dropped, *, by: Membership) -> None:
    """Forget what waits. The same mail may come again."""
    row.same, row.raw, row.settled_by = None, None, by
    _settle(row, State.DISCARDED)


def forget_old() -> None:
    """What was settled long ago; what waits never."""
    rows = Dropped.objects.filter(settled_at__lt=now() - KEPT).exclude(state__in=(State.NEW, State.HELD))
    Dropped.objects.filter(pk__in=list(rows.values_list("pk", flat=True)[:AT_ONCE])).delete()


# --- one mail --------------------------------------------------------------------------------------------------------


@transaction.atomic
def _claim(pk: int) -> Dropped | None:
    rows = Dropped.objects.select_for_update(skip_locked=True, of=("self",)).filter(state=State.NEW, due_at__lte=now())
    row = rows.select_related("box__member__user", "box__mailbox", "raw", "workspace").filter(pk=pk).first()
    if row is not None:
        row.attempts, row.due_at = row.attempts + 1, now() + LEASE
        row.save(update_fields=["attempts", "due_at"])
    return row


@contextmanager
def _octets(row: Dropped) -> Iterator[Octets]:
    """The raw text, mapped: only what is looked at comes into memory."""
    if row.raw is None:
        raise Held("Its text is gone.")
    with storage.path(row.raw).open("rb") as file:
        if not row.size:
            yield b""
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            yield mapped


def _file(row: Dropped, ask: verdicts.Resolver, *, by: Membership | None) -> None:
    with _octets(row) as octets:
        letter = read(parsed(octets))
        row.subject = letter.subject[:300]
        row.author = storable(", ".join(one.address for one in letter.authors))[:320]
        own = addresses.own_addresses(row.box)
        if (stop := _never_filed(letter, own)) is not None and by is None:
            _settle(row, stop)
            return
        if not _is_first(row, _same(letter, octets)):
            _settle(row, State.DOUBLE)
            return
        sender = row.sender.lower() if row.sender.lower() in own else addresses.bare(row.sender)
        known = forwards.understand(letter, own=own, drop=_domains(), sender=sender)
        row.way = known.way
        if by is None:
            _check(row, letter, known.speaker, octets, ask, own=own)
            if known.original is not None and known.original.author is None:
                raise Held("It forwards a mail, but its text does not say with which address that was written.")
        placing.place(row, known, own=own, by=by or row.box.member)
        row.settled_by = by
        _settle(row, State.FILED)


def _domains() -> frozenset[str]:
    return frozenset({settings.POSTROOM_DROPBOX_DOMAIN})


def _never_filed(letter: Letter, own: frozenset[str]) -> Dropped.State | None:
    """Of the member's own mail only what says of itself that a program sent it: "Out of office on Friday" is a subject
    like any other."""
    if len(letter.root.headers("received")) > HOPS or letter.root.headers(MARKER):
        return State.LOOP
    told = message_of(letter, id_="", folder_id="", received=now())
    automatic = letter.root.header("auto-submitted").lower().startswith("auto-replied")
    return State.AUTOMATIC if automatic or kinds.kind_of(told, own) in ("bounce", "auto_reply") else None


def _same(letter: Letter, octets: Octets) -> bytes:
    """What is equal in two deliveries of one mail, whatever servers wrote above it on the way."""
    digest = blake2b(digest_size=16)
    for name in ("message-id", "date", "from", "subject"):
        digest.update("\0".join(letter.root.headers(name)).encode("utf-8", "replace") + b"\1")
    for at in range(letter.root.start, letter.root.end, storage.CHUNK):
        digest.update(octets[at : min(at + storage.CHUNK, letter.root.end)])
    return digest.digest()


def _is_first(row: Dropped, same: bytes) -> bool:
    """Remember the mail under what makes it the same; false when another delivery of it was first."""
    if row.same is not None:
        return True
    row.same = same
    try:
        with transaction.atomic():
            row.save(update_fields=["same"])
    except IntegrityError:
        row.same = None
        return False
    return True


def _check(
    row: Dropped, letter: Letter, speaker: str, octets: Octets, ask: verdicts.Resolver, *, own: frozenset[str]
) -> None:
    """Only mail that is proven to be its member's is filed by itself (H5). Raises ``Held``, ``Unanswered``."""
    if len(letter.authors) != 1:
        raise Held("It names no author, or several.")
    if speaker not in own:
        raise Held(f"It is from {letter.authors[0].address[:100]}, which is none of your addresses.")
    domain = speaker.rpartition("@")[2]
    authserv = settings.POSTROOM_DROPBOX_AUTHSERV
    found = verdicts.told(letter.root.headers("authentication-results"), authserv, domain) if authserv else None
    if found is None:
        came = verdicts.Came(peer=row.peer, helo=row.helo, sender=row.sender)
        found = verdicts.judge(octets[:], came, domain, ask=ask)
    row.verdicts = found.as_json()
    if not found.proven:
        raise Held(f"Nothing proves that it was sent by {domain}: neither SPF nor DKIM passed for that domain.")
    Sender.objects.filter(box=row.box_id, address=speaker, proved_at=None).update(proved_at=now())


# --- what became of it -----------------------------------------------------------------------------------------------

_TOLD = ("state", "reason", "way", "verdicts", "subject", "author", "message", "same", "raw", "due_at", "settled_at")


def _settle(row: Dropped, state: Dropped.State) -> None:
    row.state, row.settled_at = state, now()
    with transaction.atomic():
        row.save(update_fields=[*_TOLD, "settled_by"])
        if column := COUNTED.get(state):
            DropBox.objects.filter(pk=row.box_id).update(**{column: F(column) + 1})


def _hold(row: Dropped, reason: str) -> None:
    row.state, row.reason, row.message = State.HELD, reason[:300], None
    row.save(update_fields=_TOLD)


def _later(row: Dropped, most: int, reason: str) -> None:
    if row.attempts >= most:
        _hold(row, reason)
        return
    row.due_at = now() + timedelta(minutes=2 ** min(row.attempts, 6))
    row.save(update_fields=["due_at"])
