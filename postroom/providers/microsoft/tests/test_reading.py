import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from postroom.providers.contract import Gone, RemoteMessage, Removed, Unusable
from postroom.providers.errors import CursorExpired, Malformed, Refused, Transient
from postroom.providers.microsoft.reading import PULL_LEAST, PULL_MOST
from postroom.providers.microsoft.tests.world import URL, Microsoft, batched, no, ok, refusal

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def query(request: httpx2.Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(str(request.url)).query).items()}


class Store:
    """``/me/messages`` as Graph gives it: newest first, ``lt``/``ge`` filters, ``$top`` and ``$skip`` links."""

    def __init__(self, dates: list[datetime]) -> None:
        self.all = sorted(((date, f"m{n:04}") for n, date in enumerate(dates)), reverse=True)

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        options = query(request)
        found = [row for row in self.all if self.passes(row[0], options.get("$filter", ""))]
        skip, top = int(options.get("$skip", 0)), int(options["$top"])
        rows = found[skip : skip + top]
        page: dict[str, Any] = {"value": [{"id": i, "receivedDateTime": f"{d:%Y-%m-%dT%H:%M:%SZ}"} for d, i in rows]}
        if len(found) > skip + top:
            rest = httpx2.QueryParams({**options, "$skip": str(skip + top)})
            page["@odata.nextLink"] = f"{URL}/me/messages?{rest}"
        return ok(page)

    @staticmethod
    def passes(date: datetime, filter_: str) -> bool:
        for clause in filter(None, filter_.split(" and ")):
            _, operator, value = clause.split()
            moment = datetime.fromisoformat(value)
            if not (date < moment if operator == "lt" else date >= moment):
                return False
        return True


def pulled(world: Microsoft, **options: Any) -> list[str]:
    mail, cursor, found = world.mail(), None, []
    for _ in range(200):
        page = mail.pull(cursor=cursor, **(options if cursor is None else {}))
        found += [one.id for one in page.items]
        if page.next is None:
            return found
        cursor = page.next
        mail = world.mail()  # a restart: nothing but the cursor is kept
    raise AssertionError("does not end")


def test_a_pull_gives_every_message_once_newest_first_with_few_requests() -> None:
    store = Store([START + timedelta(minutes=n) for n in range(1000)])
    world = Microsoft(handler=store)
    assert pulled(world) == [identifier for _, identifier in store.all]
    assert len(world.asked) <= 1000 / 40


def test_dates_finer_than_a_second_are_not_missed() -> None:
    store = Store([START + timedelta(milliseconds=37 * n) for n in range(1000)])
    assert pulled(Microsoft(handler=store)) == [identifier for _, identifier in store.all]


def test_a_thousand_messages_of_one_second_are_passed_by_the_link() -> None:
    dates = [START + timedelta(hours=1)] * 30 + [START] * 1000 + [START - timedelta(hours=n) for n in range(1, 300)]
    store = Store(dates)
    world = Microsoft(handler=store)
    assert sorted(pulled(world)) == sorted(identifier for _, identifier in store.all)
    assert len(world.asked) <= 16


def test_the_range_is_kept_to_its_last_second() -> None:
    dates = [START + timedelta(hours=n, milliseconds=500) for n in range(500)]
    store = Store(dates)
    since, before = START + timedelta(hours=100), START + timedelta(hours=300, milliseconds=500)
    wanted = [identifier for date, identifier in store.all if since <= date <= before]
    assert pulled(Microsoft(handler=store), since=since, before=before) == wanted


def test_mail_that_arrives_meanwhile_neither_shifts_nor_repeats_the_pages() -> None:
    store = Store([START + timedelta(minutes=n) for n in range(250)])
    world = Microsoft(handler=store)
    first = world.mail().pull()
    store.all = [(START + timedelta(days=9, minutes=n), f"new{n}") for n in range(120)] + store.all
    second = world.mail().pull(cursor=first.next)
    assert not {one.id for one in first.items} & {one.id for one in second.items}
    assert second.items[0].id == store.all[120 + PULL_MOST][1]


def test_the_sort_stands_first_in_the_filter_and_metadata_of_attachments_comes_along() -> None:
    world = Microsoft(ok({"value": []}))
    world.mail().pull(before=START, since=START)
    options = query(world.asked[0])
    assert options["$filter"] == "receivedDateTime lt 2026-03-01T12:00:01Z and receivedDateTime ge 2026-03-01T12:00:00Z"
    assert options["$orderby"] == "receivedDateTime desc"
    assert "contentBytes" not in options["$expand"]
    assert {"body", "internetMessageHeaders", "parentFolderId"} <= set(options["$select"].split(","))


def test_pages_that_take_too_long_become_smaller_and_grow_again() -> None:
    store = Store([START + timedelta(minutes=n) for n in range(400)])
    tops: list[int] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        tops.append(int(query(request)["$top"]))
        return no(504, "UnknownError") if tops[-1] > 30 and len(tops) < 30 else store(request)

    world = Microsoft(handler=answer)
    mail = world.mail()
    page = mail.pull()
    assert len(page.items) == 25
    mail.pull(cursor=page.next)
    assert tops == [100, 50, 25, 35, 17]


def test_a_page_never_becomes_smaller_than_ten() -> None:
    tops: list[int] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        tops.append(int(query(request)["$top"]))
        raise httpx2.ReadTimeout("slow")

    with pytest.raises(Transient):
        Microsoft(handler=answer).mail().pull()
    assert tops == [100, 50, 25, 12, *[PULL_LEAST] * 5]


def test_an_empty_page_that_leads_on_is_followed() -> None:
    world = Microsoft(ok({"value": [], "@odata.nextLink": f"{URL}/me/messages?$skip=10"}), ok({"value": []}))
    first = world.mail().pull()
    assert first.items == ()
    assert first.next is not None
    assert world.mail().pull(cursor=first.next).next is None


def test_a_foreign_cursor_is_refused() -> None:
    for cursor in ("nonsense", '{"until":7}', '{"link":"//evil.example/"}'):
        with pytest.raises(Malformed):
            Microsoft().mail().pull(cursor=cursor)


def test_the_spine_asks_for_large_pages_each_time_and_keeps_links_short() -> None:
    delta = f"{URL}/me/mailFolders('in/box')/messages/delta"
    world = Microsoft(
        ok({"value": [], "@odata.nextLink": f"{delta}?$skiptoken=s"}),
        ok(
            {
                "value": [{"id": "a", "subject": "A"}, {"id": "b", "@removed": {"reason": "deleted"}}],
                "@odata.deltaLink": f"{delta}?$deltatoken=d",
            }
        ),
    )
    first = world.mail().spine("in/box")
    assert (first.items, first.done) == ((), None)
    second = world.mail().spine("in/box", first.next)
    assert second.items == (RemoteMessage(id="a", subject="A"), Removed("b"))
    assert (second.next, second.done) == (None, "/me/mailFolders('in/box')/messages/delta?$deltatoken=d")
    assert world.asked[0].url.raw_path.startswith(b"/v1.0/me/mailFolders/in%2Fbox/messages/delta?")
    assert query(world.asked[0])["$orderby"] == "receivedDateTime desc"
    assert "body" not in query(world.asked[0])["$select"].split(",")
    assert query(world.asked[1]) == {"$skiptoken": "s"}
    assert all("odata.maxpagesize=" in request.headers["Prefer"] for request in world.asked)


def test_a_dead_cursor_is_said_to_be_dead_however_graph_puts_it() -> None:
    gone = no(410, "SyncStateNotFound", Location=f"{URL}/me/mailFolders/a/messages/delta?$deltatoken=")
    for answer in (gone, no(400, "BadRequest"), no(404, "syncStateInvalid")):
        with pytest.raises(CursorExpired):
            Microsoft(answer).mail().spine("a", "/me/mailFolders/a/messages/delta?$deltatoken=x")
    with pytest.raises(Refused):
        Microsoft(no(400, "BadRequest")).mail().spine("a")


def test_a_delta_link_to_another_host_is_refused() -> None:
    with pytest.raises(Malformed):
        Microsoft(ok({"value": [], "@odata.deltaLink": "https://evil.example/v1.0/x"})).mail().spine("a")


def test_get_tells_each_message_alone_in_order() -> None:
    def answer(inner: dict[str, Any]) -> tuple[int, Any]:
        identifier = inner["url"].split("/messages/")[1].partition("?")[0]
        match identifier:
            case "gone":
                return 404, refusal("ErrorItemNotFound")
            case "broken":
                return 500, refusal("ErrorInternalServerError")
            case "odd":
                return 200, {"id": "odd", "isRead": "perhaps"}
            case "bad%2Fid":
                return 400, refusal("ErrorInvalidIdMalformed")
        return 200, {"id": identifier, "subject": "S"}

    found = Microsoft(handler=batched(answer)).mail().get(["a", "gone", "broken", "odd", "bad/id", "b"])
    assert [type(one) for one in found] == [RemoteMessage, Gone, Unusable, Unusable, Unusable, RemoteMessage]
    assert [one.id for one in found] == ["a", "gone", "broken", "odd", "bad/id", "b"]


def test_get_raises_when_nothing_could_be_read() -> None:
    with pytest.raises(Transient):
        Microsoft(handler=batched(lambda inner: (500, refusal("x")))).mail().get(["a", "b"])


def test_where_is_it_asks_for_the_state_without_the_body() -> None:
    world = Microsoft(handler=batched(lambda inner: (200, {"id": "a", "parentFolderId": "f", "changeKey": "c"})))
    assert world.mail().get(["a"], whole=False) == [RemoteMessage(id="a", folder_id="f", change_key="c")]
    url = world.body()["requests"][0]["url"]
    assert "parentFolderId" in url and "isRead" in url
    assert "body," not in url and "$expand" not in url


def test_a_shared_mailbox_is_asked_by_its_address() -> None:
    world = Microsoft(ok({"value": []}))
    world.mail("sales team@northwind.example").pull()
    assert world.asked[0].url.raw_path.startswith(b"/v1.0/users/sales%20team%40northwind.example/messages?")


def test_bytes_of_an_attachment_come_from_its_own_address() -> None:
    world = Microsoft(httpx2.Response(200, content=b"pdf"))
    assert b"".join(world.mail().attachment("m/1", "a=1")) == b"pdf"
    assert world.asked[0].url.raw_path == b"/v1.0/me/messages/m%2F1/attachments/a%3D1/$value"


def test_a_cursor_is_small_and_plain() -> None:
    store = Store([START + timedelta(minutes=n) for n in range(250)])
    cursor = Microsoft(handler=store).mail().pull().next
    assert cursor is not None
    assert set(json.loads(cursor)) == {"until", "had"}
