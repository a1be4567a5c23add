"""Who may write to which drop address, and keeping what was taken until it is filed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

from django.db import close_old_connections, transaction
from django.db.models import F

from postroom.dropbox import addresses, jobs
from postroom.dropbox.models import DropBox, Dropped
from postroom.dropbox.smtp import AWAY, OK, TAKEN, Envelope, Reply
from postroom.files import storage
from postroom.lib.clock import now
from postroom.mail.text import storable

log = logging.getLogger(__name__)

AN_HOUR = timedelta(hours=1)
MAILS_AN_HOUR = 300  # to one box; more wait at their sender
THREADS = 4
T = TypeVar("T")

UNKNOWN = Reply(550, "5.1.1", "No such address here")
STRANGER = Reply(550, "5.7.1", "Mail from this address is not taken here")
BUSY = Reply(451, "4.7.1", "Too much mail for this address at the moment")


def asked(sender: str, recipient: str) -> Reply:
    """May this return path write to this address? Names nobody, so that guessing learns nothing."""
    box = addresses.box_of(recipient)
    if box is None:
        return UNKNOWN
    if not addresses.may_write(box, sender):
        DropBox.objects.filter(pk=box.pk).update(turned_away=F("turned_away") + 1)
        return STRANGER
    if Dropped.objects.filter(box=box, taken_at__gt=now() - AN_HOUR).count() >= MAILS_AN_HOUR:
        return BUSY
    return OK


def keep(envelope: Envelope, recipient: str, text: Path, size: int) -> Reply:
    """Text and envelope, for good: both are on disk when this returns ``TAKEN``."""
    box, known = addresses.box_of(recipient), addresses.named(recipient)
    if box is None or known is None:  # its member changed it in this moment
        return UNKNOWN
    raw = storage.store_stream(box.workspace, _chunks(text), content_type="message/rfc822")
    with transaction.atomic():
        row = Dropped.objects.create(
            workspace_id=box.workspace_id,
            box=box,
            raw=raw,
            size=size,
            sender=_kept(envelope.sender, 320),
            about=known.about,
            peer=_kept(envelope.peer, 64),
            helo=_kept(envelope.helo, 255),
            via=envelope.via,
        )
        DropBox.objects.filter(pk=box.pk).update(used_at=row.taken_at)
        jobs.soon(row.pk)
    return TAKEN


def _kept(text: str, most: int) -> str:
    return storable(text)[:most]


def _chunks(text: Path) -> Iterator[bytes]:
    with text.open("rb") as file:
        while chunk := file.read(storage.CHUNK):
            yield chunk


class Reception:
    """The desk of a receiver: asks the database in threads of its own, so that connections do not wait for each
    other. What the database cannot answer is answered as "later"."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="reception")

    async def recipient(self, envelope: Envelope, address: str) -> Reply:
        return await self._in_thread(partial(asked, envelope.sender, address))

    async def deliver(self, envelope: Envelope, text: Path, size: int) -> list[Reply]:
        replies = []
        for recipient in dict.fromkeys(envelope.recipients):
            try:
                replies.append(await self._in_thread(partial(keep, envelope, recipient, text, size)))
            except Exception as trouble:
                log.error("a mail could not be kept: %s", type(trouble).__name__)
                replies.append(AWAY)
        told = dict(zip(dict.fromkeys(envelope.recipients), replies, strict=True))
        return [told[recipient] for recipient in envelope.recipients]

    async def _in_thread(self, work: partial[T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, _with_fresh_connection, work)


def _with_fresh_connection(work: partial[T]) -> T:
    close_old_connections()  # a restarted database costs one reconnect
    return work()
