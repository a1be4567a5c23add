import base64
import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from postroom.providers.contract import Address, Change, Flag, Outgoing, OutgoingAttachment, RemoteMessage
from postroom.providers.errors import AccessLost, ConnectRefused, NotFound, Refused, Throttled, Transient
from postroom.providers.microsoft.messages import MARKER
from postroom.providers.microsoft.tests.world import URL, Microsoft, batched, no, ok, refusal
from postroom.providers.microsoft.upload import PART

OUT = Outgoing(
    marker="mark-1",
    internet_message_id="<1@postroom.example>",
    subject="Hello",
    html="<p>Hello</p>",
    to=(Address("bob@contoso.example", "Bob"),),
    bcc=(Address("eve@contoso.example"),),
    from_=Address("sales@northwind.example", "Sales"),
)
DRAFT = {"id": "d1", "changeKey": "k1", "conversationId": "c1", "isDraft": True, "hasAttachments": False}


def answer_to(how: str) -> Outgoing:
    return Outgoing(marker="m", internet_message_id="<2@x>", subject="Re", html="<p>", answers="q/1", how=how)  # type: ignore[arg-type]


def file(content: bytes, name: str = "a.bin", size: int | None = None) -> OutgoingAttachment:
    def open_at(start: int = 0) -> Iterator[bytes]:
        for at in range(start, len(content), 100_000):
            yield content[at : at + 100_000]

    return OutgoingAttachment(
        name=name, content_type="application/x-thing", size=len(content) if size is None else size, open=open_at
    )


def test_a_new_draft_carries_our_marker_and_message_id_from_its_first_moment() -> None:
    world = Microsoft(ok(DRAFT, 201))
    draft = world.mail().create_draft(OUT)
    assert (draft.id, draft.change_key, draft.conversation_id, draft.attachments) == ("d1", "k1", "c1", ())
    body = world.body()
    assert body["internetMessageId"] == "<1@postroom.example>"
    assert body["singleValueExtendedProperties"] == [{"id": MARKER, "value": "mark-1"}]
    assert body["body"] == {"contentType": "html", "content": "<p>Hello</p>"}
    assert body["toRecipients"] == [{"emailAddress": {"address": "bob@contoso.example", "name": "Bob"}}]
    assert body["from"]["emailAddress"]["address"] == "sales@northwind.example"
    assert "sender" not in body


@pytest.mark.parametrize(
    ("how", "verb"), [("reply", "createReply"), ("reply_all", "createReplyAll"), ("forward", "createForward")]
)
def test_an_answer_starts_from_graphs_own_draft_marked_at_once(how: str, verb: str) -> None:
    world = Microsoft(ok(DRAFT, 201), no(404, "ErrorItemNotFound"), no(412, "ErrorIrresolvableConflict"), ok(DRAFT))
    assert world.mail().create_draft(answer_to(how)).id == "d1"
    begun, *_, filled = world.asked
    assert begun.url.raw_path == f"/v1.0/me/messages/q%2F1/{verb}".encode()
    assert world.body(0)["message"]["singleValueExtendedProperties"][0]["value"] == "m"
    assert (filled.method, world.body()["body"]["content"]) == ("PATCH", "<p>")
    assert world.body()["internetMessageId"] == "<2@x>"


def test_a_forwarded_draft_tells_the_files_it_took_over() -> None:
    whole = {**DRAFT, "hasAttachments": True}
    files = [{"id": "a1", "name": "x.pdf", "contentType": "application/pdf", "size": 5, "isInline": False}]
    world = Microsoft(ok(whole, 201), ok(whole), ok({**whole, "attachments": files}))
    draft = world.mail().create_draft(answer_to("forward"))
    assert [one.name for one in draft.attachments] == ["x.pdf"]


def test_creating_is_never_repeated() -> None:
    for trouble in (no(500), httpx2.ReadError("reset"), httpx2.Response(201, content=b"{")):
        world = Microsoft(trouble)
        with pytest.raises(Transient) as caught:
            world.mail().create_draft(OUT)
        assert caught.value.maybe_done
        assert len(world.asked) == 1


def test_sending_posts_nothing_once() -> None:
    world = Microsoft(httpx2.Response(202, headers={"Retry-After": "30"}))
    world.mail().send("d/1")
    request = world.asked[0]
    assert request.url.raw_path == b"/v1.0/me/messages/d%2F1/send"
    assert (request.headers["Content-Length"], request.content) == ("0", b"")
    assert world.budget.paused_for == 0


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_an_error_after_sending_may_mean_that_it_went_out(status: int) -> None:
    world = Microsoft(no(status, "UnknownError"))
    with pytest.raises(Transient) as caught:
        world.mail().send("d1")
    assert caught.value.maybe_done
    assert isinstance(caught.value, Throttled) is (status == 429)
    assert len(world.asked) == 1


def test_a_draft_just_saved_may_be_unknown_for_a_moment() -> None:
    world = Microsoft(no(404, "ErrorItemNotFound"), no(404, "ErrorItemNotFound"), httpx2.Response(202))
    world.mail().send("d1")
    assert world.sleep.slept == [0.2, 0.5]
    world = Microsoft(handler=lambda request: no(404, "ErrorItemNotFound"))
    with pytest.raises(NotFound):
        world.mail().send("d1")


def finding(by_marker: list[dict[str, Any]], by_id: list[dict[str, Any]]) -> Microsoft:
    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/$batch"):
            return batched(lambda inner: (200, {"id": inner["url"].split("/")[-1].split("?")[0]}))(request)
        return ok({"value": by_marker if "singleValueExtendedProperties/Any" in str(request.url) else by_id})

    return Microsoft(handler=answer)


def row(identifier: str, folder: str, *, draft: bool = False) -> dict[str, Any]:
    return {"id": identifier, "parentFolderId": folder, "isDraft": draft, "attachments": []}


def test_the_sent_copy_is_found_before_the_draft_and_before_the_one_that_came_to_ourselves() -> None:
    def find(world: Microsoft) -> RemoteMessage | None:
        return world.mail().find_sent(marker="it's", internet_message_id="<1@x>")

    assert find(finding([], [])) is None
    draft = find(finding([row("d", "drafts", draft=True)], []))
    assert draft is not None
    assert (draft.id, draft.is_draft) == ("d", True)
    world = finding([row("d", "drafts", draft=True)], [row("i", "inbox"), row("s", "sentitems")])
    sent = find(world)
    assert sent is not None
    assert (sent.id, sent.attachments) == ("s", ())
    assert "ep/value eq 'it''s'" in world.asked[0].url.params["$filter"]
    assert world.asked[1].url.params["$filter"] == "internetMessageId eq '<1@x>'"


def test_a_small_file_is_posted_whole() -> None:
    world = Microsoft(ok({"id": "a1"}, 201))
    list(world.mail().attach("d1", file(b"x" * 250_000)))
    body = world.body()
    assert body["@odata.type"] == "#microsoft.graph.fileAttachment"
    assert base64.b64decode(body["contentBytes"]) == b"x" * 250_000


class Session:
    """An upload session as Outlook runs it, which loses what ``lose`` says: (number of the PUT, when)."""

    def __init__(self, size: int, lose: dict[int, str] | None = None) -> None:
        self.size, self.lose, self.got, self.puts, self.closed = size, lose or {}, b"", 0, False
        self.sessions, self.over = 0, 0  # how many were begun; the status with which an old one is no more

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path
        if path.endswith("/createUploadSession"):
            self.got, self.closed, self.over, self.sessions = b"", False, 0, self.sessions + 1
            return ok({"uploadUrl": "https://outlook.example/up?authtoken=secret", "nextExpectedRanges": ["0-"]}, 201)
        if request.url.host == "graph.example":
            size = self.size + 300 if self.closed else 1
            return ok({"id": "d1", "attachments": [{"id": "a", "name": "a.bin", "size": size}]})
        if self.closed or self.over:
            return no(self.over or 404, "itemNotFound" if self.closed else "")
        if request.method == "GET":
            return ok({"NextExpectedRanges": [f"{len(self.got)}-"]})
        return self.put(request)

    def put(self, request: httpx2.Request) -> httpx2.Response:
        assert "Authorization" not in request.headers
        self.puts += 1
        span, _, total = request.headers["Content-Range"].removeprefix("bytes ").partition("/")
        start, _, end = span.partition("-")
        assert (int(total), int(start)) == (self.size, len(self.got))
        assert int(end) - int(start) + 1 == len(request.content) <= 4 * 1024 * 1024
        loss = self.lose.get(self.puts)
        if loss == "before":
            raise httpx2.WriteError("reset")
        self.got += request.content
        self.closed = len(self.got) == self.size
        if loss == "twice":
            return no(416, "invalidRange")
        if loss == "after":
            raise httpx2.ReadError("reset")
        return httpx2.Response(201) if self.closed else ok({"NextExpectedRanges": [str(len(self.got))]})


@pytest.mark.parametrize(
    "lose", [{}, {1: "before"}, {2: "before", 3: "before"}, {1: "after", 2: "after"}, {3: "after"}]
)
def test_a_large_file_goes_up_in_parts_and_survives_lost_connections(
    monkeypatch: pytest.MonkeyPatch, lose: dict[int, str]
) -> None:
    content = bytes(range(256)) * (3 * PART // 256 - 1000)
    session = Session(len(content), lose)
    world = Microsoft(handler=session)
    monkeypatch.setattr("postroom.providers.microsoft.client.pool", lambda origin: world.http)
    list(world.mail().attach("d1", file(content)))
    assert session.closed
    assert session.got == content
    assert session.puts == 3 + sum(when == "before" for when in lose.values())


def test_an_upload_goes_on_where_another_process_left_it(monkeypatch: pytest.MonkeyPatch) -> None:
    content = bytes(range(256)) * (3 * PART // 256)
    session = Session(len(content))
    world = Microsoft(handler=session)
    monkeypatch.setattr("postroom.providers.microsoft.client.pool", lambda origin: world.http)
    steps = world.mail().attach("d1", file(content))
    begun, after_one = next(steps), next(steps)
    assert (begun.position, after_one.position) == (0, PART) and begun.session == after_one.session
    assert "secret" not in repr(begun)
    steps.close()  # type: ignore[attr-defined]  # the process ends
    assert [one.position for one in world.mail().attach("d1", file(content), session=begun.session)] == [2 * PART]
    assert session.closed and session.got == content
    assert (session.puts, session.sessions) == (3, 1)


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_an_upload_whose_session_is_over_begins_anew_and_says_so(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    content = bytes(range(256)) * 14_000
    session = Session(len(content))
    session.over = status
    world = Microsoft(handler=session)
    monkeypatch.setattr("postroom.providers.microsoft.client.pool", lambda origin: world.http)
    told = list(world.mail().attach("d1", file(content), session="https://outlook.example/old"))
    assert [one.session for one in told] == ["https://outlook.example/up?authtoken=secret"]
    assert session.closed and session.got == content and session.sessions == 1


def test_a_part_that_another_attempt_had_sent_already_is_not_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    content = bytes(range(256)) * (3 * PART // 256)
    session = Session(len(content), {1: "twice"})
    world = Microsoft(handler=session)
    monkeypatch.setattr("postroom.providers.microsoft.client.pool", lambda origin: world.http)
    list(world.mail().attach("d1", file(content)))
    assert session.closed and session.got == content


def test_an_upload_that_is_lost_again_and_again_gives_up_for_now(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session(5_000_000, dict.fromkeys(range(100), "before"))
    world = Microsoft(handler=session)
    monkeypatch.setattr("postroom.providers.microsoft.client.pool", lambda origin: world.http)
    with pytest.raises(Transient):
        list(world.mail().attach("d1", file(b"x" * 5_000_000)))
    assert session.puts < 10


def test_an_upload_never_goes_to_an_address_that_is_not_https() -> None:
    world = Microsoft(ok({"uploadUrl": "http://10.0.0.1/x"}, 201))
    with pytest.raises(Exception, match="https"):
        list(world.mail().attach("d1", file(b"x" * 3_500_000)))


def test_a_file_shorter_than_was_said_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session(9_000_000)
    world = Microsoft(handler=session)
    monkeypatch.setattr("postroom.providers.microsoft.client.pool", lambda origin: world.http)
    with pytest.raises(Refused, match="ended after"):
        list(world.mail().attach("d1", file(b"x" * 3_500_000, size=9_000_000)))


def test_when_microsoft_counts_3_mb_otherwise_the_file_is_posted() -> None:
    too_small = no(400, "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize")
    world = Microsoft(too_small, ok({"id": "a"}, 201))
    list(world.mail().attach("d1", file(b"x" * 3_000_001)))
    assert "contentBytes" in world.body()


def test_a_large_file_in_a_shared_mailbox_is_refused_not_access_lost() -> None:
    world = Microsoft(no(403, "ErrorAccessDenied"))
    with pytest.raises(Refused):
        list(world.mail("sales@northwind.example").attach("d1", file(b"x" * 3_500_000)))


def test_deleting_a_draft_that_is_gone_is_done() -> None:
    Microsoft(no(404, "ErrorItemNotFound")).mail().delete_draft("d1")


# Changes


def test_changes_of_one_message_keep_their_order_and_never_share_a_batch() -> None:
    asked: list[list[tuple[str, str]]] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        inner = json.loads(request.content)["requests"]
        asked.append([(one["method"], one["url"]) for one in inner])
        return batched(lambda one: (200, {"id": one["url"].split("/")[3]}))(request)

    changes = [
        Change(id="a", is_read=True),
        Change(id="b", is_read=True),
        Change(id="a", move_to="f"),
        Change(id="a", flag=Flag.FLAGGED),
    ]
    applied = Microsoft(handler=answer).mail().apply(changes)
    assert [one.id for one in applied] == ["a", "b", "a", "a"]
    assert asked == [
        [("PATCH", "/me/messages/a"), ("PATCH", "/me/messages/b")],
        [("POST", "/me/messages/a/move")],
        [("PATCH", "/me/messages/a")],
    ]


def test_only_what_changed_is_written() -> None:
    world = Microsoft(handler=batched(lambda one: (200, {"id": "a"})))
    world.mail().apply([Change(id="a", categories=(), flag=Flag.COMPLETE)])
    assert world.body()["requests"][0]["body"] == {"categories": [], "flag": {"flagStatus": "complete"}}


def test_a_conflict_is_tried_once_more_and_refusals_stay_with_their_message() -> None:
    seen: list[str] = []

    def answer(one: dict[str, Any]) -> tuple[int, Any]:
        identifier = one["url"].split("/")[3]
        seen.append(identifier)
        if identifier == "clash" or (identifier == "once" and seen.count("once") == 1):
            return 412, refusal("ErrorIrresolvableConflict")
        if identifier == "gone":
            return 404, refusal("ErrorItemNotFound")
        return 200, {"id": identifier, "isRead": True}

    changes = [Change(id=name, is_read=True) for name in ("ok", "once", "clash", "gone")]
    changes.append(Change(id="gone", move_to="f"))
    applied = Microsoft(handler=batched(answer)).mail().apply(changes)
    assert [one.refused and type(one.refused).__name__ for one in applied] == [
        None,
        None,
        "Conflict",
        "NotFound",
        "NotFound",
    ]
    assert applied[1].message == RemoteMessage(id="once", is_read=True)
    assert seen.count("clash") == 2
    assert seen.count("gone") == 1


# Folders and probing


def test_roles_are_asked_in_one_request_and_archive_may_be_missing() -> None:
    def answer(inner: dict[str, Any]) -> tuple[int, Any]:
        name = inner["url"].split("/")[3].split("?")[0]
        return (404, refusal("ErrorItemNotFound")) if name == "archive" else (200, {"id": f"id-{name}"})

    world = Microsoft(handler=batched(answer))
    mail = world.mail()
    assert mail.roles()["id-sentitems"] == "sent"
    assert "archive" not in mail.roles().values()
    assert len(world.asked) == 1


@pytest.mark.parametrize(
    ("status", "code", "address", "expected", "reason"),
    [
        (404, "MailboxNotEnabledForRESTAPI", None, ConnectRefused, "no_mailbox"),
        (404, "ResourceNotFound", None, ConnectRefused, "no_mailbox"),
        (403, "ErrorAccessDenied", "s@x", AccessLost, "access"),
        (404, "ErrorItemNotFound", "s@x", AccessLost, "access"),
        (404, "ErrorInvalidUser", "s@x", ConnectRefused, "no_mailbox"),
    ],
)
def test_probing_says_why_a_mailbox_cannot_be_had(
    status: int, code: str, address: str | None, expected: type[ConnectRefused | AccessLost], reason: str
) -> None:
    with pytest.raises(expected) as caught:
        Microsoft(no(status, code)).mail(address).probe()
    assert caught.value.reason == reason


def test_folders_of_a_delta_have_roles_and_a_row_without_a_name_is_looked_up() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("$batch"):
            return batched(lambda inner: (200, {"id": inner["url"].split("/")[3].split("?")[0]}))(request)
        if request.url.path.endswith("delta"):
            rows = [
                {"id": "inbox", "displayName": "Posteingang", "parentFolderId": "msgfolderroot", "totalItemCount": 7},
                {"id": "f1"},
                {"id": "f2"},
                {"id": "f3", "@removed": {"reason": "deleted"}},
            ]
            return ok({"value": rows, "@odata.deltaLink": f"{URL}/me/mailFolders/delta?$deltatoken=t"})
        return no(404, "ErrorItemNotFound") if "f2" in str(request.url) else ok({"id": "f1", "displayName": "A/B ☕"})

    page = Microsoft(handler=answer).mail().folders()
    inbox, named, gone, removed = page.items
    assert (getattr(inbox, "role", None), getattr(inbox, "total", None)) == ("inbox", 7)
    assert getattr(named, "name", None) == "A/B ☕"
    assert [type(one).__name__ for one in (gone, removed)] == ["Removed", "Removed"]
    assert page.done == "/me/mailFolders/delta?$deltatoken=t"
