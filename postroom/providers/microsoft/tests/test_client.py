import base64
import json

import httpx2
import pytest
from msgspec import Raw, Struct

from postroom.providers.contract import Urgency
from postroom.providers.errors import (
    AccessLost,
    Conflict,
    Malformed,
    NotFound,
    ReauthNeeded,
    Refused,
    Throttled,
    Transient,
)
from postroom.providers.microsoft.client import ATTEMPTS, SIGN_INS, Ask
from postroom.providers.microsoft.tests.world import URL, Microsoft, batched, no, ok, refusal

USER = Urgency.USER


def ident(outcome: object) -> str:
    assert isinstance(outcome, Raw)
    return str(json.loads(bytes(outcome))["id"])


class Thing(Struct):
    id: str


def test_every_request_asks_for_immutable_ids_and_says_its_own_id() -> None:
    world = Microsoft(ok({"id": "a"}), ok({"id": "a"}))
    world.graph.get("/me", Thing, urgency=USER, prefer="odata.maxpagesize=5")
    world.graph.get("/me", Thing, urgency=USER)
    first, second = world.asked
    assert first.headers["Prefer"] == 'IdType="ImmutableId", odata.maxpagesize=5'
    assert second.headers["Prefer"] == 'IdType="ImmutableId"'
    assert first.headers["Authorization"] == "Bearer token-0"
    assert first.headers["client-request-id"] != second.headers["client-request-id"]


def test_a_safe_request_is_tried_again_with_growing_patience() -> None:
    world = Microsoft(no(503, "ErrorServerBusy"), no(504), httpx2.ReadTimeout("slow"), ok({"id": "a"}))
    assert world.graph.get("/me", Thing, urgency=USER).id == "a"
    assert world.sleep.slept == [0.25, 0.5, 1.0]


def test_patience_ends() -> None:
    world = Microsoft(handler=lambda request: no(503, "ErrorServerBusy"))
    with pytest.raises(Transient) as caught:
        world.graph.get("/me", Thing, urgency=USER)
    assert (len(world.asked), caught.value.maybe_done, caught.value.request_id) == (ATTEMPTS, False, "r1")


def test_a_conflict_while_reading_is_a_hiccup() -> None:
    world = Microsoft(no(412, "ErrorIrresolvableConflict"), ok({"id": "a"}))
    assert world.graph.get("/me", Thing, urgency=USER).id == "a"
    with pytest.raises(Conflict):
        Microsoft(no(412, "ErrorIrresolvableConflict")).graph.call(Ask(path="/me", method="PATCH"), urgency=USER)


def test_a_write_that_is_not_safe_is_never_repeated() -> None:
    for trouble in (no(503), no(429, "ApplicationThrottled"), httpx2.ReadError("reset"), httpx2.ReadTimeout("slow")):
        world = Microsoft(trouble)
        with pytest.raises(Transient) as caught:
            world.graph.call(Ask(path="/me/messages/1/send", method="POST", safe=False), urgency=USER)
        assert caught.value.maybe_done
        assert len(world.asked) == 1


def test_a_write_that_never_left_is_known_not_to_be_done() -> None:
    world = Microsoft(httpx2.ConnectError("refused"))
    with pytest.raises(Transient) as caught:
        world.graph.call(Ask(path="/me/sendMail", method="POST", safe=False), urgency=USER)
    assert not caught.value.maybe_done


def test_retry_after_pauses_the_mailbox_and_the_request_waits_there() -> None:
    world = Microsoft(no(429, "ApplicationThrottled", Retry_After="2.128"), ok({"id": "a"}))
    assert world.graph.get("/me", Thing, urgency=USER).id == "a"
    assert world.now == pytest.approx(2.128)
    assert world.sleep.slept == []


def test_a_long_retry_after_comes_back_as_throttled_and_holds_everybody() -> None:
    world = Microsoft(no(429, "TooManyRequests", Retry_After="300"))
    with pytest.raises(Throttled) as caught:
        world.graph.get("/me", Thing, urgency=USER)
    assert caught.value.retry_after == 300
    with pytest.raises(Throttled):
        world.graph.get("/me", Thing, urgency=USER)
    assert len(world.asked) == 1


def test_a_refused_token_is_replaced_and_only_a_row_of_refusals_concerns_the_member() -> None:
    world = Microsoft(no(401, "InvalidAuthenticationToken"), ok({"id": "a"}))
    world.graph.get("/me", Thing, urgency=USER)
    assert world.tokens == [("token-0", None)]
    assert world.asked[1].headers["Authorization"] == "Bearer token-1"
    world = Microsoft(handler=lambda request: no(401, "InvalidAuthenticationToken"))
    with pytest.raises(ReauthNeeded) as caught:
        world.graph.get("/me", Thing, urgency=USER)
    assert (caught.value.reason, len(world.asked)) == ("rejected", SIGN_INS)


def test_a_claims_challenge_reaches_the_token_source_and_then_the_member() -> None:
    claims = '{"access_token":{"nbf":{"essential":true, "value":"1604106651"}}}'
    coded = base64.urlsafe_b64encode(claims.encode()).decode().rstrip("=")
    challenge = f'Bearer realm="", error="insufficient_claims", claims="{coded}", authorization_uri="https://x"'
    world = Microsoft(*[no(401, "InvalidAuthenticationToken", WWW_Authenticate=challenge) for _ in range(2)])
    with pytest.raises(ReauthNeeded) as caught:
        world.graph.get("/me", Thing, urgency=USER)
    assert world.tokens == [("token-0", claims)]
    assert (caught.value.reason, caught.value.claims) == ("claims", claims)


@pytest.mark.parametrize("body", [b'{"id": "a', b"<html>Bad gateway</html>", b""])
def test_an_answer_cut_off_on_its_way_is_asked_for_again(body: bytes) -> None:
    world = Microsoft(httpx2.Response(200, content=body), ok({"id": "a"}))
    assert world.graph.get("/me", Thing, urgency=USER).id == "a"


def test_links_are_kept_as_path_and_query_and_sent_back_verbatim() -> None:
    world = Microsoft(ok({"id": "a"}))
    link = f"{URL}/me/mailFolders('A%2Fb==')/messages/delta?$skiptoken=a%2Bb%20c_-=="
    cursor = world.graph.follow(link)
    world.graph.get(cursor, Thing, urgency=USER)
    assert str(world.asked[0].url) == link


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/v1.0/me/messages",
        "http://graph.example/v1.0/me",
        "https://graph.example.evil.example/v1.0/me",
        "https://graph.example/beta/me",
        "//evil.example/v1.0/me",
    ],
)
def test_a_link_to_a_foreign_place_is_never_followed(link: str) -> None:
    with pytest.raises(Malformed):
        Microsoft().graph.follow(link)


@pytest.mark.parametrize("cursor", ["https://evil.example/", "//evil.example/x", "@evil.example", ""])
def test_a_tampered_cursor_leads_nowhere(cursor: str) -> None:
    world = Microsoft()
    with pytest.raises(Malformed):
        world.graph.get(cursor, Thing, urgency=USER)
    assert not world.asked


def test_a_batch_keeps_order_and_gives_each_item_its_own_outcome() -> None:
    answers = {
        "/a": (200, {"id": "a"}),
        "/b": (404, refusal("ErrorItemNotFound")),
        "/c": (412, refusal("ErrorIrresolvableConflict")),
        "/d": (403, refusal("ErrorAccessDenied")),
        "/e": (400, refusal("ErrorInvalidPropertySet")),
    }
    world = Microsoft(handler=batched(lambda inner: answers[inner["url"]]))
    asks = [Ask(path=path, method="PATCH" if path == "/c" else "GET") for path in answers]
    outcomes = world.graph.batch(asks, urgency=USER)
    assert [type(one) for one in outcomes] == [Raw, NotFound, Conflict, AccessLost, Refused]
    inner = world.body()["requests"][0]
    assert inner["headers"]["Prefer"] == 'IdType="ImmutableId"'
    assert (world.budget.calls, world.budget.requests) == (1, 5)


def test_a_batch_is_cut_at_twenty() -> None:
    world = Microsoft(handler=batched(lambda inner: (200, {"id": inner["url"]})))
    outcomes = world.graph.batch([Ask(path=f"/{n}") for n in range(45)], urgency=USER)
    assert [ident(one) for one in outcomes] == [f"/{n}" for n in range(45)]
    assert [len(json.loads(one.content)["requests"]) for one in world.asked] == [20, 20, 5]


def test_throttled_items_of_a_batch_are_asked_again_alone_after_their_pause() -> None:
    asked: list[str] = []

    def answer(inner: dict[str, str]) -> tuple[int, object, dict[str, str]]:
        asked.append(inner["url"])
        if inner["url"] == "/b" and asked.count("/b") == 1:
            return 429, refusal("ApplicationThrottled"), {"Retry-After": "1.5"}
        return 200, {"id": inner["url"]}, {}

    world = Microsoft(handler=batched(answer))
    outcomes = world.graph.batch([Ask(path="/a"), Ask(path="/b"), Ask(path="/c")], urgency=USER)
    assert all(isinstance(one, Raw) for one in outcomes)
    assert asked == ["/c", "/b", "/a", "/b"]


def test_an_item_the_batch_forgot_is_asked_again() -> None:
    world = Microsoft(
        ok({"responses": [{"id": "0", "status": 200, "body": {"id": "a"}}]}),
        ok({"responses": [{"id": "1", "status": 200, "body": {"id": "b"}}]}),
    )
    outcomes = world.graph.batch([Ask(path="/a"), Ask(path="/b")], urgency=USER)
    assert [ident(one) for one in outcomes] == ["a", "b"]


def test_an_inner_401_is_answered_with_one_fresh_token() -> None:
    def answer(inner: dict[str, str]) -> tuple[int, object]:
        return (200, {"id": "a"}) if world.tokens else (401, refusal("InvalidAuthenticationToken"))

    world = Microsoft(handler=batched(answer))
    outcomes = world.graph.batch([Ask(path="/a"), Ask(path="/b")], urgency=USER)
    assert all(isinstance(one, Raw) for one in outcomes)
    assert len(world.tokens) == 1


def test_a_stream_is_retried_until_its_first_byte_and_gives_its_place_back() -> None:
    world = Microsoft(no(503), no(401), httpx2.Response(200, content=b"x" * 100_000))
    assert b"".join(world.graph.stream("/me/messages/1/$value")) == b"x" * 100_000
    assert world.tokens == [("token-0", None)]
    with world.budget.place(USER, width=4):
        pass


def test_an_abandoned_stream_gives_its_place_back() -> None:
    world = Microsoft(httpx2.Response(200, content=b"x" * 100_000))
    stream = world.graph.stream("/me/messages/1/$value")
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    with world.budget.place(USER, width=4):
        pass


def test_addresses_are_not_logged_because_they_hold_message_ids_and_upload_secrets(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    world = Microsoft(ok({"id": "a"}))
    world.graph.get("/me/messages?$filter=internetMessageId eq '<private@x>'", Thing, urgency=USER)
    assert "private" not in caplog.text


def test_errors_hold_no_secret_and_nobodys_words() -> None:
    world = Microsoft(no(400, "ErrorInvalidRecipients"))
    with pytest.raises(Refused) as caught:
        world.graph.call(Ask(path="/me/sendMail", method="POST", body={"a": "private"}, safe=False), urgency=USER)
    assert "ErrorInvalidRecipients" in str(caught.value)
    assert not any(word in str(caught.value) for word in ("Somebody", "private", "token-"))
