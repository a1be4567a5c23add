"""Sending, step by step. Source: graph.md 2.9, 2.10, 2.11.

    find_sent -> create_draft -> attach … -> send -> find_sent

Nothing here that creates or sends is repeated blindly: an error raises ``Transient(maybe_done=True)`` and whoever sends
looks with ``find_sent`` first. The marker and the Message-ID are ours and on the draft from its first moment, also on
answers, so that no crash leaves a draft we cannot find.
"""

import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from postroom.providers.contract import (
    Address,
    FolderRole,
    Outgoing,
    OutgoingAttachment,
    RemoteDraft,
    RemoteMessage,
    Unusable,
    Uploading,
    Urgency,
)
from postroom.providers.errors import AccessLost, Conflict, NotFound, Refused
from postroom.providers.microsoft.client import Ask, literal, path_of, segment
from postroom.providers.microsoft.decode import decode
from postroom.providers.microsoft.folders import Folders
from postroom.providers.microsoft.messages import (
    ATTACHMENTS,
    MARKER,
    STATE,
    WITH_MARKER,
    WireMessage,
    message,
)
from postroom.providers.microsoft.upload import Upload, UploadTooSmall

T = TypeVar("T")

INLINE_MOST = 3_000_000  # bytes; larger files go through an upload session
ANSWERS = {"reply": "createReply", "reply_all": "createReplyAll", "forward": "createForward"}
FRESH = (0.2, 0.5, 1.0)  # seconds: something just saved may be 404 for a moment (graph.md 14.41)


class Sending(Folders):
    _sleep: Callable[[float], object] = staticmethod(time.sleep)

    def find_sent(self, *, marker: str, internet_message_id: str) -> RemoteMessage | None:
        """The sent copy if there is one, else the draft. With its attachments, so that a crash repeats none."""
        named = f"singleValueExtendedProperties/Any(ep: ep/id eq '{MARKER}' and ep/value eq {literal(marker)})"
        found = self._matching(named)
        if not any(one.is_draft is False for one in found) and internet_message_id:
            found += self._matching(f"internetMessageId eq {literal(internet_message_id)}")
        different = list({one.id: one for one in found}.values())
        return min(different, key=self._likeness) if len(different) > 1 else next(iter(different), None)

    def _matching(self, filter_: str) -> list[RemoteMessage]:
        path = f"{self._root}/messages{path_of(filter=filter_, select=STATE, expand=WITH_MARKER, top=10)}"
        page = self._graph.page(path, WireMessage, urgency=Urgency.USER)
        return [message(wire) for wire in page.value if not isinstance(wire, Unusable)]

    def _likeness(self, found: RemoteMessage) -> tuple[bool, bool]:
        """Sent before draft; the copy in Sent Items before the one that arrived because we wrote to ourselves."""
        return bool(found.is_draft), self.roles().get(found.folder_id or "") is not FolderRole.SENT

    def create_draft(self, outgoing: Outgoing) -> RemoteDraft:
        """A draft with everything but the files. Answers start from the provider's own draft, because Graph threads
        only what was made with createReply and its like; its body is replaced, so ``html`` holds the quoted text too.
        """
        if not outgoing.answers or outgoing.how == "new":
            return self._draft(self._create(f"{self._root}/messages", {**_named(outgoing), **_content(outgoing)}))
        path = self._message(outgoing.answers, f"/{ANSWERS[outgoing.how]}")
        try:
            begun = self._create(path, {"message": _named(outgoing)})
        except Refused:  # names are accepted there as writable properties; if not, they come with the next request
            begun = self._create(path, {})
        return self._draft(self._fresh(lambda: self._fill(begun.id, {**_named(outgoing), **_content(outgoing)})))

    def _create(self, path: str, body: dict[str, Any]) -> WireMessage:
        answer = self._graph.call(Ask(path=path, method="POST", body=body, safe=False), urgency=Urgency.USER)
        return decode(answer.body, WireMessage, safe=False)

    def update_draft(self, draft_id: str, outgoing: Outgoing, *, key: str = "") -> RemoteDraft:
        """Source: graph.md 2.5: text is writable while it is a draft; ``key`` goes out as If-Match."""
        body = {**_named(outgoing), **_content(outgoing)}
        ask = Ask(path=self._message(draft_id), method="PATCH", body=body, if_match=key)
        return self._draft(decode(self._graph.call(ask, urgency=Urgency.USER).body, WireMessage))

    def _fill(self, draft_id: str, body: dict[str, Any]) -> WireMessage:
        ask = Ask(path=self._message(draft_id), method="PATCH", body=body)
        try:
            answer = self._graph.call(ask, urgency=Urgency.USER)
        except Conflict:  # seen for no reason (graph.md 14.40); the content is ours alone, so write it again
            answer = self._graph.call(ask, urgency=Urgency.USER)
        return decode(answer.body, WireMessage)

    def _draft(self, wire: WireMessage) -> RemoteDraft:
        draft = message(wire)
        return RemoteDraft(
            id=draft.id,
            change_key=draft.change_key or "",
            conversation_id=draft.conversation_id,
            attachments=self._attached(draft.id) if draft.has_attachments else (),
        )

    def _attached(self, draft_id: str) -> tuple[Any, ...]:
        path = self._message(draft_id, path_of(select="id", expand=ATTACHMENTS))
        wire = self._fresh(lambda: self._graph.get(path, WireMessage, urgency=Urgency.USER))
        return message(wire).attachments or ()

    def attach(self, draft_id: str, attachment: OutgoingAttachment, *, session: str = "") -> Iterator[Uploading]:
        """Add a file. Raises ``Refused`` when the provider does not take it (too large; shared mailbox, graph.md 6)."""
        try:
            yield from self._attach(draft_id, attachment, session)
        except AccessLost as error:
            raise Refused(str(error), code=error.code, status=error.status) from None

    def _attach(self, draft_id: str, file: OutgoingAttachment, session: str) -> Iterator[Uploading]:
        if file.size >= INLINE_MOST:
            upload = Upload(self._graph, self._message(draft_id), file, fresh=self._fresh, sleep=self._sleep)
            try:
                yield from upload.run(session)
                return
            except UploadTooSmall:  # Microsoft's "3 MB" may be counted otherwise than ours
                pass
        self._fresh(lambda: self._attach_inline(draft_id, file))

    def _attach_inline(self, draft_id: str, file: OutgoingAttachment) -> None:
        body = {
            "@odata.type": "#microsoft.graph.fileAttachment",
            "name": file.name,
            "contentType": file.content_type,
            "contentBytes": b64encode(b"".join(file.open())).decode(),
            "isInline": file.is_inline,
        }
        if file.content_id:
            body["contentId"] = file.content_id.strip("<>")
        path = self._message(draft_id, "/attachments")
        ask = Ask(path=path, method="POST", body=body, safe=False)
        try:
            self._graph.call(ask, urgency=Urgency.USER)
        except Conflict:
            self._graph.call(ask, urgency=Urgency.USER)

    def detach(self, draft_id: str, attachment_id: str) -> None:
        """Nothing to do when it is gone already. A conflict is seen for no reason here (graph.md 2.5)."""
        ask = Ask(path=self._message(draft_id, f"/attachments/{segment(attachment_id)}"), method="DELETE")
        with suppress(NotFound):
            try:
                self._graph.call(ask, urgency=Urgency.USER)
            except Conflict:
                self._graph.call(ask, urgency=Urgency.USER)

    def send(self, draft_id: str) -> None:
        ask = Ask(path=self._message(draft_id, "/send"), method="POST", safe=False)
        self._fresh(lambda: self._graph.call(ask, urgency=Urgency.USER))

    def delete_draft(self, draft_id: str) -> None:
        """Nothing to do when it is gone already."""
        with suppress(NotFound):
            self._graph.call(Ask(path=self._message(draft_id), method="DELETE"), urgency=Urgency.USER)

    def _fresh(self, call: Callable[[], T]) -> T:
        """``call``, tried again while it says that what was just saved does not exist. Then nothing was done."""
        for delay in FRESH:
            try:
                return call()
            except NotFound:
                self._sleep(delay)
        return call()


def _named(outgoing: Outgoing) -> dict[str, Any]:
    return {
        "internetMessageId": outgoing.internet_message_id,
        "singleValueExtendedProperties": [{"id": MARKER, "value": outgoing.marker}],
    }


def _content(outgoing: Outgoing) -> dict[str, Any]:
    content: dict[str, Any] = {
        "subject": outgoing.subject,
        "body": {"contentType": "html", "content": outgoing.html},
        "toRecipients": _recipients(outgoing.to),
        "ccRecipients": _recipients(outgoing.cc),
        "bccRecipients": _recipients(outgoing.bcc),
    }
    if outgoing.from_:  # never ``sender``: Graph fills it (graph.md 6)
        content["from"] = _recipients([outgoing.from_])[0]
    return content


def _recipients(people: Sequence[Address]) -> list[dict[str, Any]]:
    return [{"emailAddress": {"address": one.address, "name": one.name or one.address}} for one in people]
