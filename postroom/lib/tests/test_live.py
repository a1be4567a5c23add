"""Live events: after the commit, to those who may see them, in order, and never silently lost."""

from __future__ import annotations

import asyncio
import json

import psycopg
import pytest
from django.db import connection, transaction

from postroom.lib.live import CHANNEL, MAX_BYTES, MOST_NAMED, QUEUE_LENGTH, REMEMBERED, RESYNC, Event, Hub, publish


def run(coroutine):
    return asyncio.run(coroutine)


def payload(number: int, *, workspace: int = 1, members: list[int] | None = None) -> str:
    event = {"w": workspace, "t": "mail", "d": {"n": number}}
    return json.dumps(event | ({"m": members} if members is not None else {}))


def drain(queue: asyncio.Queue[Event]) -> list[tuple[str, str]]:
    found = []
    while not queue.empty():
        event = queue.get_nowait()
        found.append((event.topic, event.data))
    return found


def test_a_screen_gets_its_workspaces_events_only() -> None:
    async def story() -> None:
        hub = Hub("")
        async with hub.listen(1, 10) as mine, hub.listen(2, 20) as theirs:
            hub.receive(payload(1))
            hub.receive(payload(2, workspace=2))
            assert drain(mine.queue) == [("mail", '{"n":1}')]
            assert drain(theirs.queue) == [("mail", '{"n":2}')]
        assert hub.size == 0

    run(story())


def test_an_event_for_named_members_reaches_nobody_else() -> None:
    async def story() -> None:
        hub = Hub("")
        async with hub.listen(1, 10) as owner, hub.listen(1, 11) as colleague:
            hub.receive(payload(1, members=[10]))
            assert drain(owner.queue) == [("mail", '{"n":1}')]
            assert drain(colleague.queue) == []

    run(story())


def test_a_screen_that_comes_back_gets_what_it_missed() -> None:
    async def story() -> None:
        hub = Hub("")
        for number in range(1, 6):
            hub.receive(payload(number))
        async with hub.listen(1, 10, after=3) as screen:
            assert [data for _, data in drain(screen.queue)] == ['{"n":4}', '{"n":5}']

    run(story())


@pytest.mark.parametrize("after", [-1, 0, 10**6])
def test_a_screen_that_was_away_too_long_is_told_to_look_again(after: int) -> None:
    async def story() -> None:
        hub = Hub("")
        for number in range(REMEMBERED + 5):
            hub.receive(payload(number))
        async with hub.listen(1, 10, after=after) as screen:
            assert drain(screen.queue) == [(RESYNC, "{}")]

    run(story())


def test_a_screen_that_does_not_read_is_told_to_look_again_instead_of_growing() -> None:
    async def story() -> None:
        hub = Hub("")
        async with hub.listen(1, 10) as screen:
            for number in range(QUEUE_LENGTH + 3):
                hub.receive(payload(number))
            found = drain(screen.queue)
            assert found[0] == (RESYNC, "{}")
            assert len(found) <= 3

    run(story())


@pytest.mark.parametrize("text", ["", "no json", "[]", "{}", '{"w": 1}', '{"w":1,"t":"x","d":1,"m":3}'])
def test_a_strange_notification_is_ignored(text: str) -> None:
    hub = Hub("")
    hub.receive(text)
    hub.receive(payload(1))
    assert hub.number == 1


@pytest.mark.django_db(transaction=True)
class TestThroughPostgres:
    def dsn(self) -> str:
        parameters = connection.get_connection_params()
        keep = {k: parameters[k] for k in ("dbname", "host", "port", "user", "password") if parameters.get(k)}
        return psycopg.conninfo.make_conninfo("", **keep)

    def test_events_arrive_on_commit_and_not_after_a_rollback(self) -> None:
        def do() -> None:
            with transaction.atomic():
                publish(1, "mail", {"n": 1})
                transaction.set_rollback(True)
            with transaction.atomic():
                publish(1, "mail", {"n": 2})
                publish(1, "mail", {"n": 2})  # the same thing twice in one transaction is one event
            publish(1, "mail", {"n": 3}, members=[11])
            publish(1, "mail", {"n": 4})
            connection.close()

        async def story() -> None:
            hub = Hub(self.dsn())
            listening = asyncio.create_task(hub.run())
            await hub.wait_connected()
            async with hub.listen(1, 10) as screen:
                await asyncio.to_thread(do)
                got = [(await asyncio.wait_for(screen.queue.get(), 10)).data for _ in range(2)]
            assert got == ['{"n":2}', '{"n":4}']
            listening.cancel()

        run(story())

    def test_a_lost_connection_is_made_anew_and_screens_look_again(self) -> None:
        def cut() -> None:
            with connection.cursor() as cursor:
                cursor.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity where query = %s", [f"listen {CHANNEL}"]
                )
            connection.close()

        def say() -> None:
            publish(1, "mail", {"n": 5})
            connection.close()

        async def story() -> None:
            hub = Hub(self.dsn())
            listening = asyncio.create_task(hub.run())
            await hub.wait_connected()
            async with hub.listen(1, 10) as screen:
                await asyncio.to_thread(cut)
                assert (await asyncio.wait_for(screen.queue.get(), 10)).topic == RESYNC
                await hub.wait_connected()
                await asyncio.to_thread(say)
                assert (await asyncio.wait_for(screen.queue.get(), 10)).data == '{"n":5}'
            listening.cancel()

        run(story())

    def test_too_many_ids_become_look_at_everything(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"listen {CHANNEL}")
        publish(1, "mail", {"threads": list(range(MAX_BYTES))})
        connection.ensure_connection()
        (heard,) = connection.connection.notifies(timeout=5, stop_after=1)
        assert json.loads(heard.payload)["d"] == {"all": True}
        connection.close()

    def test_an_event_for_very_many_members_is_told_in_portions(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"listen {CHANNEL}")
        members = range(10**9, 10**9 + 2 * MOST_NAMED + 1)
        publish(1, "mail", {"mailbox": 1}, members=members)
        connection.ensure_connection()
        heard = [json.loads(one.payload) for one in connection.connection.notifies(timeout=5, stop_after=3)]
        assert [pk for one in heard for pk in one["m"]] == list(members)
        assert all(one["d"] == {"mailbox": 1} for one in heard)
        connection.close()
