"""A large file into a draft, in parts, through an upload session. Source: graph.md 2.10.

The session's address is pre-authenticated: no token is sent there, and it is never logged. When a part is lost on its
way the session is asked what it has. When the session is gone, either the file is complete (the answer to the last
part was lost) or the upload starts over in a new one.
"""

from collections.abc import Callable, Iterator

from msgspec import Struct

from postroom.providers.contract import OutgoingAttachment, Urgency
from postroom.providers.errors import NotFound, ProviderError, Refused, Transient
from postroom.providers.microsoft.client import BACKOFF, Ask, Graph, path_of
from postroom.providers.microsoft.decode import decode
from postroom.providers.microsoft.messages import ATTACHMENTS, WireMessage

PART = 12 * 320 * 1024  # bytes; at most 4 MB in one request
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


class Upload:
    """One file on its way into the draft at ``message_path``."""

    def __init__(
        self, graph: Graph, message_path: str, file: OutgoingAttachment, *, sleep: Callable[[float], object]
    ) -> None:
        self._graph = graph
        self._message_path = message_path
        self._file = file
        self._sleep = sleep
        self._lost = 0

    def run(self) -> None:
        """Upload the whole file. Raises ``Transient`` when it cannot be finished now, ``Refused`` when never."""
        while True:
            try:
                return self._through(self._session())
            except NotFound:  # the session is gone
                self._count_loss(None)
                if self._arrived():
                    return None

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

    def _through(self, url: str) -> None:
        start: int | None = 0
        while start is not None and start < self._file.size:
            start = self._parts(url, start)

    def _parts(self, url: str, start: int) -> int | None:
        """Send parts from ``start`` until the end (``None``) or until one is lost (where to go on)."""
        for part in _parts(self._file.open(start)):
            try:
                expected = self._put(url, start, part)
            except Transient as error:
                self._count_loss(error)
                return self._missing_from(url)
            start += len(part)
            if start < self._file.size and expected is not None and expected != start:
                return expected
        if start < self._file.size:
            raise Refused(f"the file ended after {start} of {self._file.size} bytes", code="FileTooShort")
        return None

    def _put(self, url: str, start: int, part: bytes) -> int | None:
        end = start + len(part) - 1
        headers = {
            "Content-Range": f"bytes {start}-{end}/{self._file.size}",
            "Content-Type": "application/octet-stream",
        }
        answer = self._graph.elsewhere("PUT", url, headers=headers, content=part)
        return None if end + 1 >= self._file.size else decode(answer, _Progress).start

    def _missing_from(self, url: str) -> int:
        progress = decode(self._graph.elsewhere("GET", url), _Progress)
        if progress.start is None:
            raise NotFound("the session expects nothing more")
        return progress.start

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
