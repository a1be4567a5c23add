"""Asking, claiming, holding, giving back: what must stay true whatever happens in between."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from postroom.lib.clock import now
from postroom.mailboxes.models import Mailbox
from postroom.sync import jobs, lanes, mailbox_hooks
from postroom.sync.models import Activity, Lane, Notification

pytestmark = pytest.mark.django_db


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    calls: list[int] = []
    monkeypatch.setattr(lanes, "wake", lambda *mailbox_ids: calls.extend(mailbox_ids))
    return calls


def take(mailbox: Mailbox, owner: str = "me") -> Lane:
    lane = lanes.claim(mailbox.pk, owner)
    assert lane is not None
    return lane


def expire(lane: Lane) -> None:
    Lane.objects.filter(pk=lane.pk).update(lease_until=now() - timedelta(seconds=1))


def test_asking_wakes_a_worker_when_the_caller_commits(
    mailbox: Mailbox, woken: list[int], django_capture_on_commit_callbacks: object
) -> None:
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        lanes.want(mailbox.pk, Activity.LIVE)
        assert woken == []
    assert woken == [mailbox.pk]


def test_nothing_is_claimed_when_nothing_is_due(mailbox: Mailbox) -> None:
    assert lanes.claim(mailbox.pk, "me") is None


def test_the_most_urgent_lane_comes_first(mailbox: Mailbox) -> None:
    for activity in (Activity.BACKFILL, Activity.OUTBOX, Activity.LIVE):
        lanes.want(mailbox.pk, activity)
    assert take(mailbox).activity == Activity.OUTBOX


def test_a_mailbox_has_one_writer_at_a_time(mailbox: Mailbox) -> None:
    lanes.want(mailbox.pk, Activity.LIVE)
    lanes.want(mailbox.pk, Activity.BACKFILL)
    take(mailbox)
    assert lanes.claim(mailbox.pk, "other") is None


def test_who_stalls_right_after_claiming_has_not_the_fence_of_who_took_over(mailbox: Mailbox) -> None:
    lanes.want(mailbox.pk, Activity.LIVE)
    successors: list[Lane] = []

    def stall(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        done = execute(sql, params, many, context)
        if sql.startswith("RELEASE") and not successors:  # the claim is kept; here the process stands still
            successors.append(Lane())
            expire(Lane.objects.get(mailbox=mailbox, activity=Activity.LIVE))
            successors[0] = take(mailbox, "other")
        return done

    with connection.execute_wrapper(stall):
        stalled = take(mailbox)
    assert stalled.fence < successors[0].fence
    with pytest.raises(lanes.LeaseLost):
        lanes.hold(stalled)


def test_a_thousand_requests_during_a_run_lead_to_one_more(mailbox: Mailbox) -> None:
    lanes.want(mailbox.pk, Activity.LIVE)
    lane = take(mailbox)
    for _ in range(1000):
        lanes.want(mailbox.pk, Activity.LIVE)
    lanes.finish(lane, next_due=None)
    again = take(mailbox)
    lanes.finish(again, next_due=None)
    assert lanes.claim(mailbox.pk, "me") is None


def test_a_finished_lane_comes_back_when_it_said_it_would(mailbox: Mailbox) -> None:
    lanes.want(mailbox.pk, Activity.LIVE)
    later = now() + timedelta(hours=1)
    lanes.finish(take(mailbox), next_due=later)
    assert Lane.objects.get(mailbox=mailbox, activity=Activity.LIVE).due_at == later


def test_a_dead_workers_lane_is_taken_over_after_its_lease(mailbox: Mailbox) -> None:
    lanes.want(mailbox.pk, Activity.LIVE)
    dead = take(mailbox, "dead")
    expire(dead)
    alive = take(mailbox, "alive")
    assert alive.fence == dead.fence + 1


def test_a_stale_owner_can_neither_hold_nor_save_nor_give_back(mailbox: Mailbox) -> None:
    lanes.want(mailbox.pk, Activity.LIVE)
    stale = take(mailbox, "stale")
    expire(stale)
    owner = take(mailbox, "owner")
    with pytest.raises(lanes.LeaseLost):
        lanes.hold(stale)
    stale.cursor = {"x": 1}
    lanes.save(stale)
    lanes.finish(stale, next_due=None)
    row = Lane.objects.get(pk=owner.pk)
    assert (row.cursor, row.lease_owner) == ({}, "owner")


def test_place_and_progress_are_written_when_they_changed_and_only_then(
    mailbox: Mailbox, django_assert_num_queries: Any
) -> None:
    lanes.want(mailbox.pk, Activity.LIVE)
    lane = take(mailbox)
    with django_assert_num_queries(0):
        lanes.save(lane)
    lane.cursor["page"] = {"next": "p2"}
    with django_assert_num_queries(1):
        lanes.save(lane)
        lanes.save(lane)
    lane.cursor["page"]["next"] = "p3"
    lanes.save(lane)
    assert Lane.objects.get(pk=lane.pk).cursor == {"page": {"next": "p3"}}


def test_a_paused_lane_is_not_claimed_and_stops_at_its_next_step(mailbox: Mailbox) -> None:
    lanes.want(mailbox.pk, Activity.BACKFILL)
    lane = take(mailbox)
    lanes.set_paused(mailbox.pk, Activity.BACKFILL, True)
    assert lanes.must_stop(lane)
    lanes.step_aside(lane)
    assert lanes.claim(mailbox.pk, "me") is None
    lanes.set_paused(mailbox.pk, Activity.BACKFILL, False)
    assert take(mailbox).pk == lane.pk


def test_a_backfill_steps_aside_for_new_mail(mailbox: Mailbox) -> None:
    lanes.want(mailbox.pk, Activity.BACKFILL)
    lane = take(mailbox)
    assert not lanes.must_stop(lane)
    lanes.want(mailbox.pk, Activity.LIVE)
    assert lanes.must_stop(lane)


def test_a_run_stops_when_its_mailbox_is_disconnected(mailbox: Mailbox) -> None:
    lanes.want(mailbox.pk, Activity.LIVE)
    lane = take(mailbox)
    Mailbox.objects.filter(pk=mailbox.pk).update(state="disconnected")
    assert lanes.must_stop(lane)


@pytest.mark.parametrize("failure", ["reauth", "revoked", "breaker"])
def test_a_mailbox_that_needs_a_person_is_left_alone(mailbox: Mailbox, failure: str) -> None:
    lanes.want(mailbox.pk, Activity.LIVE)
    Mailbox.objects.filter(pk=mailbox.pk).update(failure=failure)
    assert lanes.claim(mailbox.pk, "me") is None
    assert lanes.due() == []


def test_the_sweep_finds_what_a_lost_wake_up_left(mailbox: Mailbox) -> None:
    lanes.want(mailbox.pk, Activity.LIVE)
    assert lanes.due() == [mailbox.pk]
    take(mailbox)
    assert lanes.due() == []


@pytest.mark.django_db(transaction=True)
def test_two_claims_at_the_same_moment_give_one_lease(mailbox: Mailbox) -> None:
    lanes.want(mailbox.pk, Activity.LIVE)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        other = connection.copy()
        try:
            with other.cursor() as raw:
                raw.execute("BEGIN")
                raw.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [lanes._ADVISORY_CLASS, mailbox.pk])
                assert lanes.claim(mailbox.pk, "late") is None
                raw.execute("ROLLBACK")
        finally:
            other.close()
    assert take(mailbox)


def test_a_late_heartbeat_does_not_hold_a_lane_that_was_given_back(mailbox: Mailbox) -> None:
    lanes.want(mailbox.pk, Activity.LIVE)
    lane = lanes.claim(mailbox.pk, "one")
    assert lane is not None
    lanes.step_aside(lane)
    with pytest.raises(lanes.LeaseLost):
        lanes.hold(lane)
    assert lanes.claim(mailbox.pk, "two") is not None


@pytest.mark.parametrize("ticket", ["abc", "9" * 5000, ""])
def test_a_ticket_that_is_none_of_ours_has_no_result(mailbox: Mailbox, ticket: str) -> None:
    assert mailbox_hooks.sync_result(mailbox, ticket) is None


def test_sync_now_of_a_mailbox_that_waits_for_a_sign_in_says_so_instead_of_turning_for_ever(mailbox: Mailbox) -> None:
    ticket = mailbox_hooks.sync_now(mailbox)
    assert mailbox_hooks.sync_result(mailbox, ticket) is None
    Mailbox.objects.filter(pk=mailbox.pk).update(failure="reauth", failure_detail="Sign in again.")
    found = mailbox_hooks.sync_result(mailbox, ticket)
    assert found is not None and found.error == "Sign in again."


def test_the_lease_of_a_process_that_is_gone_ends_at_once_and_no_other(mailbox: Mailbox) -> None:
    lanes.want(mailbox.pk, Activity.LIVE)
    lanes.want(mailbox.pk, Activity.BACKFILL)
    dead = take(mailbox, "host.1:77:5")
    assert lanes.release_dead("host.2", lambda process: False) == 0
    assert lanes.release_dead("host.1", lambda process: True) == 0
    assert lanes.release_dead("host.1", lambda process: process != 77) == 1
    assert take(mailbox, "host.1:78:5").pk == dead.pk
    with pytest.raises(lanes.LeaseLost):
        lanes.hold(dead)


def test_what_was_noted_and_whose_wish_got_lost_is_found_by_the_sweep(mailbox: Mailbox) -> None:
    Notification.objects.create(mailbox=mailbox, remote_id="A", change="created", received_at=now() - lanes.LEASE * 2)
    lanes.catch_up()
    assert lanes.due() == [mailbox.pk]
    wanted = Lane.objects.get(mailbox=mailbox, activity=Activity.LIVE).wanted
    lanes.catch_up()
    assert Lane.objects.get(mailbox=mailbox, activity=Activity.LIVE).wanted == wanted


def test_sweeps_do_not_heap_up_wake_ups_while_every_worker_is_busy(mailbox: Mailbox) -> None:
    lanes.want(mailbox.pk, Activity.LIVE)
    assert jobs.sweep() == 1
    assert jobs.sweep() == 0
    assert ProcrastinateJob.objects.filter(task_name="sync.run", status="todo").count() == 1
    with connection.cursor() as cursor:  # a worker takes it
        cursor.execute("update procrastinate_jobs set status = 'doing'")
    assert jobs.sweep() == 1
