"""A large file into a draft, in parts, through an upload session. Source: graph.md 2.10.

The session's address is pre-authenticated: no token is sent there, and it is never logged. When a part is lost on its
way, or the process that sent it, the session is asked what it has. When the session is over, either the file is
complete (the answer to the last part was lost) or the upload starts over in a new one.
"""

from collections.abc import Callable, Generator, Iterator
from typing import Any

from msgspec import Struct

from postroom.providers.contract import OutgoingAttachment, Uploading, Urgency
from postroom.providers.errors import (
    AccessLost,
    CursorExpired,
    NotFound,
    ProviderError,
    ReauthNeeded,
    Refused,
    Transient,
)
from postroom.providers.microsoft.client import BACKOFF, Ask, Graph, path_of
from postroom.providers.microsoft.decode import decode
from postroom.providers.microsoft.messages import ATTACHMENTS, WireMessage

PART = 12 * 320 * 1024  # bytes; at most 4 MB in one request
OUT_OF_PLACE = 416  # the status of a part that is not the one expected
LOST = 6  # parts that may be lost before the upload gives up for now
TOO_SMALL = "errorattachmentsizeshouldnotbelessthanminimumsize"


class UploadTooSmall(Exception):
    """Microsoft wants a file of this size posted whole."""


class _Session(Struct, rename="camel"):
    upload_url: str


class _Progress(Struct):
    NextExpectedRanges: list[str] = []
    nextExpectedRanges: list[str] = []

    @property
    def start(self) -> int | None:
        """The first byte that is missing; the range is written ``5``, ``5-`` or ``5-9``."""
        ranges = self.NextExpectedRanges or self.nextExpectedRanges
        return int(ranges[0].split("-")[0]) if ranges else None


class _SessionOver(Exception):
    """The session is done, expired or was called off: its address answers no more."""


class Upload:
    """One file on its way into the draft at ``message_path``. ``fresh`` repeats what is not there yet for a moment."""

    def __init__(
        self,
        graph: Graph,
        message_path: str,
        file: OutgoingAttachment,
        *,
        fresh: Callable[[Callable[[], str]], str],
        sleep: Callable[[float], object],
    ) -> None:
        self._graph = graph
        self._message_path = message_path
        self._file = file
        self._fresh = fresh
        self._sleep = sleep
        self._lost = 0
        self._last_sent = False  # whether the last part was on its way

    def run(self, session: str = "") -> Iterator[Uploading]:
        """Upload the file, from where ``session`` stands, if it is given and still open. Says where it stands when a
        session begins and after each part. Raises ``Transient`` when it cannot be finished now, ``Refused`` when never.
        """
        while True:
            try:
                start = self._missing_from(session) if session else 0
                if not session:
                    session = self._fresh(self._session)
                    yield Uploading(session=session, position=0)
                yield from self._through(session, start)
                return
            except _SessionOver:
                session = ""
                if self._last_sent and self._arrived():
                    return
                self._count_loss(None)

    def _session(self) -> str:
        file = self._file
        item = {
            "attachmentType": "file",
            "name": file.name,
            "size": file.size,
            "contentType": file.content_type,
            "isInline": file.is_inline,
        }
        if file.content_id:
            item["contentId"] = file.content_id.strip("<>")
        path = f"{self._message_path}/attachments/createUploadSession"
        ask = Ask(path=path, method="POST", body={"AttachmentItem": item})  # an unused session does no harm
        try:
            return decode(self._graph.call(ask, urgency=Urgency.USER).body, _Session).upload_url
        except Refused as error:
            if error.code.lower() == TOO_SMALL:
                raise UploadTooSmall from None
            raise

    def _through(self, url: str, start: int) -> Iterator[Uploading]:
        while start < self._file.size:
            start = yield from self._parts(url, start)

    def _parts(self, url: str, start: int) -> Generator[Uploading, None, int]:
        """Send parts from ``start`` until the end or until one is lost; returns where to go on."""
        for part in _parts(self._file.open(start)):
            try:
                expected = self._put(url, start, part)
            except Transient as error:
                self._count_loss(error)
                return self._missing_from(url)
            start += len(part)
            if start < self._file.size:
                yield Uploading(session=url, position=start)
                if expected is not None and expected != start:
                    return expected
        if start < self._file.size:
            raise Refused(f"the file ended after {start} of {self._file.size} bytes", code="FileTooShort")
        return start

    def _put(self, url: str, start: int, part: bytes) -> int | None:
        end = start + len(part) - 1
        headers = {
            "Content-Range": f"bytes {start}-{end}/{self._file.size}",
            "Content-Type": "application/octet-stream",
        }
        self._last_sent = end + 1 >= self._file.size
        answer = self._ask(url, "PUT", headers=headers, content=part)
        return None if self._last_sent else decode(answer, _Progress).start

    def _missing_from(self, url: str) -> int:
        progress = decode(self._ask(url, "GET"), _Progress)
        if progress.start is None:
            raise _SessionOver
        return progress.start

    def _ask(self, url: str, method: str, **more: Any) -> bytes:
        try:
            return self._graph.elsewhere(method, url, **more)
        except (NotFound, CursorExpired, AccessLost, ReauthNeeded):  # about the session, never about the mailbox
            raise _SessionOver from None
        except Refused as error:
            if error.status != OUT_OF_PLACE:
                raise
            raise Transient(str(error), code=error.code, status=error.status) from None  # another attempt was quicker

    def _arrived(self) -> bool:
        path = f"{self._message_path}{path_of(select='id', expand=ATTACHMENTS)}"
        wire = self._graph.get(path, WireMessage, urgency=Urgency.USER)
        there = [] if not isinstance(wire.attachments, list) else wire.attachments
        # Graph's size counts some overhead of its own, so it is at least the file's.
        return any(one.name == self._file.name and (one.size or 0) >= self._file.size for one in there)

    def _count_loss(self, error: ProviderError | None) -> None:
        self._lost += 1
        if self._lost > LOST:
            raise error or Transient("the upload of a file was interrupted too often", code="UploadInterrupted")
        self._sleep(BACKOFF * 2.0 ** (self._lost - 1))


def _parts(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in parts of ``PART``; memory holds one part and one chunk."""
    gathered = bytearray()
    for chunk in chunks:
        gathered += chunk
        while len(gathered) >= PART:
            yield bytes(gathered[:PART])
            del gathered[:PART]
    if gathered:
        yield bytes(gathered)
