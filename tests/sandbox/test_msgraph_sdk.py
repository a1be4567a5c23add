"""Microsoft's own SDK does a day's work on the sandbox; every exchange obeys Microsoft's schema."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import httpx
import pytest
from kiota_abstractions.api_error import APIError
from kiota_abstractions.authentication import AuthenticationProvider
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.models.attachment_item import AttachmentItem
from msgraph.generated.models.attachment_type import AttachmentType
from msgraph.generated.models.body_type import BodyType
from msgraph.generated.models.email_address import EmailAddress
from msgraph.generated.models.exchange_id_format import ExchangeIdFormat
from msgraph.generated.models.file_attachment import FileAttachment
from msgraph.generated.models.followup_flag import FollowupFlag
from msgraph.generated.models.followup_flag_status import FollowupFlagStatus
from msgraph.generated.models.internet_message_header import InternetMessageHeader
from msgraph.generated.models.item_body import ItemBody
from msgraph.generated.models.mail_folder import MailFolder
from msgraph.generated.models.message import Message
from msgraph.generated.models.outlook_category import OutlookCategory
from msgraph.generated.models.recipient import Recipient
from msgraph.generated.models.single_value_legacy_extended_property import SingleValueLegacyExtendedProperty
from msgraph.generated.models.subscription import Subscription
from msgraph.generated.users.item.mail_folders.item.copy.copy_post_request_body import (
    CopyPostRequestBody as FolderCopy,
)
from msgraph.generated.users.item.mail_folders.item.messages.messages_request_builder import MessagesRequestBuilder
from msgraph.generated.users.item.mail_folders.item.move.move_post_request_body import (
    MovePostRequestBody as FolderMove,
)
from msgraph.generated.users.item.messages.item.attachments.create_upload_session.create_upload_session_post_request_body import (  # noqa: E501
    CreateUploadSessionPostRequestBody,
)
from msgraph.generated.users.item.messages.item.copy.copy_post_request_body import CopyPostRequestBody
from msgraph.generated.users.item.messages.item.create_forward.create_forward_post_request_body import (
    CreateForwardPostRequestBody,
)
from msgraph.generated.users.item.messages.item.create_reply.create_reply_post_request_body import (
    CreateReplyPostRequestBody,
)
from msgraph.generated.users.item.messages.item.create_reply_all.create_reply_all_post_request_body import (
    CreateReplyAllPostRequestBody,
)
from msgraph.generated.users.item.messages.item.forward.forward_post_request_body import ForwardPostRequestBody
from msgraph.generated.users.item.messages.item.message_item_request_builder import MessageItemRequestBuilder
from msgraph.generated.users.item.messages.item.move.move_post_request_body import MovePostRequestBody
from msgraph.generated.users.item.messages.item.reply.reply_post_request_body import ReplyPostRequestBody
from msgraph.generated.users.item.send_mail.send_mail_post_request_body import SendMailPostRequestBody
from msgraph.generated.users.item.translate_exchange_ids.translate_exchange_ids_post_request_body import (
    TranslateExchangeIdsPostRequestBody,
)

from postroom_sandbox.testing import Sandbox

from .contract import require_schema, violations
from .mail import ADA, BOB, deliver_thread, send_everything, webhook

_SDK_BUG = ".depends_on: did you mean dependsOn?"  # msgraph-core writes it so in every batch
_MARK = "String {66f5a359-4659-4830-9070-00047ec6ac6e} Name Marker"


class _Bearer(AuthenticationProvider):
    def __init__(self, token: str) -> None:
        self._token = token

    async def authenticate_request(self, request: Any, additional_authentication_context: Any = None) -> None:
        request.headers.add("Authorization", f"Bearer {self._token}")


def _client(sandbox: Sandbox, address: str = ADA) -> GraphServiceClient:
    adapter = GraphRequestAdapter(_Bearer(sandbox.token(address)))
    adapter.base_url = f"{sandbox.url}/v1.0"
    return GraphServiceClient(request_adapter=adapter)


def _run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def _to(*addresses: str) -> list[Recipient]:
    return [Recipient(email_address=EmailAddress(address=address)) for address in addresses]


def _message(subject: str, *to: str) -> Message:
    body = ItemBody(content_type=BodyType.Html, content=f"<p>{subject}</p>")
    return Message(subject=subject, body=body, to_recipients=_to(*to))


@pytest.fixture(autouse=True)
def _obeys_the_schema(sandbox: Sandbox) -> Any:
    require_schema()
    sandbox.user(ADA, "Ada Love")
    sandbox.user(BOB, "Bob Stone")
    yield
    assert [line for line in violations(sandbox) if _SDK_BUG not in line] == []


def test_reading_folders_pages_and_single_messages(sandbox: Sandbox) -> None:
    deliver_thread(sandbox, ADA, count=25)

    async def work() -> None:
        graph = _client(sandbox)
        me = await graph.me.get()
        assert me is not None and me.mail == ADA
        folders = await graph.me.mail_folders.get()
        assert {folder.display_name for folder in folders.value} >= {"Inbox", "Drafts", "Sent Items"}
        inbox = graph.me.mail_folders.by_mail_folder_id("inbox")
        assert (await inbox.get()).total_item_count == 25
        assert await inbox.messages.count.get() == 25
        query = MessagesRequestBuilder.MessagesRequestBuilderGetQueryParameters(
            top=10, select=["subject", "from", "body"], count=True, filter="isRead eq false"
        )
        page = await inbox.messages.get(RequestConfiguration(query_parameters=query))
        assert page.odata_count == 25
        seen = [item.id for item in page.value]
        while page.odata_next_link:
            page = await inbox.messages.with_url(page.odata_next_link).get()
            seen += [item.id for item in page.value]
        assert len(set(seen)) == 25
        first = graph.me.messages.by_message_id(seen[0])
        assert (await first.get()).body.content_type == BodyType.Html
        assert b"Message-ID" in await first.content.get()
        with pytest.raises(APIError) as refused:
            await graph.me.messages.by_message_id("nonsense").get()
        assert refused.value.response_status_code == 400
        settings = await graph.me.mailbox_settings.get()
        assert settings.time_zone == "UTC"

    _run(work())


def test_folders_are_made_renamed_moved_copied_and_deleted(sandbox: Sandbox) -> None:
    async def work() -> None:
        graph = _client(sandbox)
        made = await graph.me.mail_folders.post(MailFolder(display_name="Projects / 2026"))
        folder = graph.me.mail_folders.by_mail_folder_id(made.id)
        child = await folder.child_folders.post(MailFolder(display_name="Écran 🖥"))
        assert (await folder.patch(MailFolder(display_name="Old"))).display_name == "Old"
        moved = await graph.me.mail_folders.by_mail_folder_id(child.id).move.post(FolderMove(destination_id="archive"))
        assert moved.id == child.id
        twin = await folder.copy.post(FolderCopy(destination_id="archive"))
        assert twin.id != made.id
        assert len((await graph.me.mail_folders.by_mail_folder_id("archive").child_folders.get()).value) == 2
        changes = await graph.me.mail_folders.delta.get()
        assert changes.odata_delta_link
        await folder.delete()
        later = await graph.me.mail_folders.delta.with_url(changes.odata_delta_link).get()
        assert [item.id for item in later.value] == [made.id]
        assert (await folder.get()).parent_folder_id == (
            await graph.me.mail_folders.by_mail_folder_id("deleteditems").get()
        ).id

    _run(work())


def test_delta_rounds_tell_what_happened(sandbox: Sandbox) -> None:
    deliver_thread(sandbox, ADA, count=25)

    async def work() -> None:
        graph = _client(sandbox)
        delta = graph.me.mail_folders.by_mail_folder_id("inbox").messages.delta
        known: dict[str, Message] = {}

        async def follow(page: Any) -> str:
            while True:
                for item in page.value:
                    if "@removed" in (item.additional_data or {}):
                        known.pop(item.id, None)
                    elif item.id in known:
                        known[item.id].is_read = item.is_read
                    else:
                        known[item.id] = item
                if page.odata_delta_link:
                    return str(page.odata_delta_link)
                page = await delta.with_url(page.odata_next_link).get()

        link = await follow(await delta.get())
        assert len(known) == 25
        ids = list(known)
        await graph.me.messages.by_message_id(ids[0]).patch(Message(is_read=True))
        await graph.me.messages.by_message_id(ids[1]).move.post(MovePostRequestBody(destination_id="archive"))
        await graph.me.messages.by_message_id(ids[2]).delete()
        sandbox.deliver(ADA, b"Subject: one more\r\n\r\nhello")
        await follow(await delta.with_url(link).get())
        assert len(known) == 24
        assert known[ids[0]].is_read is True

    _run(work())


def test_a_conversation_is_written_answered_forwarded_and_sent(sandbox: Sandbox) -> None:
    deliver_thread(sandbox, ADA, count=1)

    async def work() -> None:
        graph = _client(sandbox)
        received = (await graph.me.messages.get()).value[0]
        item = graph.me.messages.by_message_id(received.id)
        reply = await item.create_reply.post(CreateReplyPostRequestBody())
        assert reply.is_draft and reply.conversation_id == received.conversation_id
        draft = graph.me.messages.by_message_id(reply.id)
        answered = ItemBody(content_type=BodyType.Html, content="Yes!" + reply.body.content)
        await draft.patch(Message(body=answered, to_recipients=_to(BOB)))
        await draft.send.post()
        everyone = await item.create_reply_all.post(CreateReplyAllPostRequestBody())
        await graph.me.messages.by_message_id(everyone.id).delete()
        forwarded = await item.create_forward.post(CreateForwardPostRequestBody(to_recipients=_to(BOB)))
        await graph.me.messages.by_message_id(forwarded.id).send.post()
        await item.reply.post(ReplyPostRequestBody(comment="And again"))
        await item.forward.post(ForwardPostRequestBody(comment="See below", to_recipients=_to(BOB)))
        await graph.me.send_mail.post(SendMailPostRequestBody(message=_message("New", BOB), save_to_sent_items=True))
        send_everything(sandbox)
        theirs = await _client(sandbox, BOB).me.messages.get()
        assert {m.subject for m in theirs.value} == {"RE: Plan", "FW: Plan", "New"}
        sent = await graph.me.mail_folders.by_mail_folder_id("sentitems").messages.get()
        assert len(sent.value) == 5

    _run(work())


def test_drafts_carry_marks_headers_flags_and_categories(sandbox: Sandbox) -> None:
    async def work() -> None:
        graph = _client(sandbox)
        category = await graph.me.outlook.master_categories.post(OutlookCategory(display_name="Customer"))
        assert category.id
        assert len((await graph.me.outlook.master_categories.get()).value) == 7
        draft = _message("Marked", BOB)
        draft.internet_message_headers = [InternetMessageHeader(name="x-postroom", value="42")]
        draft.single_value_extended_properties = [SingleValueLegacyExtendedProperty(id=_MARK, value="outbox-7")]
        made = await graph.me.messages.post(draft)
        item = graph.me.messages.by_message_id(made.id)
        flag = FollowupFlag(flag_status=FollowupFlagStatus.Flagged)
        changed = await item.patch(Message(categories=["Customer"], flag=flag))
        assert changed.categories == ["Customer"] and changed.change_key != made.change_key
        query = MessageItemRequestBuilder.MessageItemRequestBuilderGetQueryParameters(
            select=["internetMessageHeaders"], expand=[f"singleValueExtendedProperties($filter=id eq '{_MARK}')"]
        )
        read = await item.get(RequestConfiguration(query_parameters=query))
        assert read.single_value_extended_properties[0].value == "outbox-7"
        assert ("x-postroom", "42") in [(h.name, h.value) for h in read.internet_message_headers]
        await graph.me.messages.by_message_id(made.id).delete()

    _run(work())


def test_attachments_small_and_large(sandbox: Sandbox) -> None:
    data = bytes(range(256)) * 4096 * 5

    async def work() -> None:
        graph = _client(sandbox)
        made = await graph.me.messages.post(_message("Files", BOB))
        item = graph.me.messages.by_message_id(made.id)
        small = await item.attachments.post(
            FileAttachment(odata_type="#microsoft.graph.fileAttachment", name="a.txt", content_bytes=b"small")
        )
        assert small.size == 5
        wanted = AttachmentItem(attachment_type=AttachmentType.File, name="big.bin", size=len(data))
        session = await item.attachments.create_upload_session.post(
            CreateUploadSessionPostRequestBody(attachment_item=wanted)
        )
        await _upload(session.upload_url, data)
        listed = (await item.attachments.get()).value
        assert [file.size for file in listed] == [5, len(data)]
        one = item.attachments.by_attachment_id(listed[1].id)
        assert (await one.get()).content_bytes == data
        await item.attachments.by_attachment_id(small.id).delete()
        assert (await item.get()).has_attachments is True
        await item.send.post()
        send_everything(sandbox)
        theirs = (await _client(sandbox, BOB).me.messages.get()).value[0]
        assert theirs.has_attachments is True

    _run(work())


async def _upload(url: str, data: bytes) -> None:
    step = 3 * 1024 * 1024
    async with httpx.AsyncClient() as http:
        for start in range(0, len(data), step):
            chunk = data[start : start + step]
            headers = {"Content-Range": f"bytes {start}-{start + len(chunk) - 1}/{len(data)}"}
            answer = await http.put(url, content=chunk, headers=headers)
            assert answer.status_code in (200, 201)


def test_moving_copying_and_translating_ids(sandbox: Sandbox) -> None:
    deliver_thread(sandbox, ADA, count=1)

    async def work() -> None:
        graph = _client(sandbox)
        received = (await graph.me.messages.get()).value[0]
        body = TranslateExchangeIdsPostRequestBody(
            input_ids=[received.id],
            source_id_type=ExchangeIdFormat.RestId,
            target_id_type=ExchangeIdFormat.RestImmutableEntryId,
        )
        stable = (await graph.me.translate_exchange_ids.post(body)).value[0].target_id
        moved = await graph.me.messages.by_message_id(received.id).move.post(
            MovePostRequestBody(destination_id="archive")
        )
        assert moved.id != received.id
        assert (await graph.me.messages.by_message_id(stable).get()).parent_folder_id == moved.parent_folder_id
        twin = await graph.me.messages.by_message_id(moved.id).copy.post(CopyPostRequestBody(destination_id="inbox"))
        await graph.me.messages.by_message_id(twin.id).permanent_delete.post()
        with pytest.raises(APIError) as gone:
            await graph.me.messages.by_message_id(twin.id).get()
        assert gone.value.response_status_code == 404

    _run(work())


def _stand_in() -> ModuleType:
    module = ModuleType("deprecated")
    module.deprecated = lambda *_args, **_kwargs: lambda decorated: decorated  # type: ignore[attr-defined]
    return module


def test_batches_of_requests(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    deliver_thread(sandbox, ADA, count=3)

    # msgraph-core needs `deprecated` for its batches and does not say so in its requirements
    monkeypatch.setitem(sys.modules, "deprecated", _stand_in())
    from msgraph_core.requests.batch_request_builder import BatchRequestBuilder
    from msgraph_core.requests.batch_request_content import BatchRequestContent

    async def work() -> None:
        graph = _client(sandbox)
        content = BatchRequestContent()
        content.add_request_information(graph.me.to_get_request_information(), "1")
        content.add_request_information(graph.me.messages.to_get_request_information(), "2")
        content.add_request_information(graph.me.mail_folders.to_get_request_information(), "3")
        answer = await BatchRequestBuilder(graph.request_adapter).post(content)
        assert sorted(item.status for item in answer.responses.values()) == [200, 200, 200]

    _run(work())


def test_subscriptions_are_made_renewed_and_deleted(sandbox: Sandbox) -> None:
    async def work(address: str) -> None:
        graph = _client(sandbox)
        wanted = Subscription(
            change_type="created,updated,deleted",
            notification_url=address,
            resource="/me/messages",
            client_state="secret",
            expiration_date_time=datetime.now(UTC) + timedelta(days=2),
        )
        made = await graph.subscriptions.post(wanted)
        item = graph.subscriptions.by_subscription_id(made.id)
        with pytest.raises(APIError) as double:
            await graph.subscriptions.post(wanted)
        assert double.value.response_status_code == 409
        assert [known.id for known in (await graph.subscriptions.get()).value] == [made.id]
        later = datetime.now(UTC) + timedelta(days=5)
        assert (await item.patch(Subscription(expiration_date_time=later))).expiration_date_time == later
        assert (await item.get()).resource == "/me/messages"
        await item.reauthorize.post()
        await item.delete()
        assert (await graph.subscriptions.get()).value == []

    with webhook() as address:
        _run(work(address))
