"""Figures of the whole installation, each from one SQL statement: for the operator page and for Prometheus.

No statement reads mail, and none grows with the number of mailboxes in how often it is asked; what is listed is cut off.
"""

# ruff: noqa: E501 -- SQL reads better unbroken

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import connection

from postroom.lib.clock import now
from postroom.sync.lanes import BLOCKING_FAILURES

Row = dict[str, Any]
LISTED = 20


def ask(sql: str, **parameters: Any) -> list[Row]:
    """Rows as dictionaries."""
    with connection.cursor() as cursor:
        cursor.execute(sql, {"now": now(), "listed": LISTED, **parameters})
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def mailboxes() -> list[Row]:
    """Count by state and failure."""
    return ask("select state, failure, count(*) as count from mailboxes_mailbox group by 1, 2 order by 3 desc")


def health() -> Row:
    """Working mailboxes by health, as cards show it (product.md SY17), and how many are slowed."""
    [row] = ask(
        """select count(*) as working,
                  count(*) filter (where failure <> '') as error,
                  count(*) filter (where failure = '' and last_success_at is null) as never,
                  count(*) filter (where failure = '' and last_success_at < %(now)s - interval '25 hours') as stale,
                  count(*) filter (where throttled_until > %(now)s) as slowed
           from mailboxes_mailbox where state in ('live', 'connecting')"""
    )
    return row


def lanes() -> list[Row]:
    """Per activity: due, running, failing, and how long what is due has waited (p50, p99, longest), in seconds."""
    return ask(
        """with lane as (
             select l.activity, l.priority, l.attempts, l.lease_until > %(now)s as running,
                    case when l.due_at <= %(now)s and not l.paused and m.state in ('live', 'connecting')
                              and not m.failure = any(%(blocked)s) and (l.lease_until is null or l.lease_until <= %(now)s)
                         then extract(epoch from %(now)s - l.due_at)::float end as waited
             from sync_lane l join mailboxes_mailbox m on m.id = l.mailbox_id)
           select activity, count(waited) as due, count(*) filter (where running) as running,
                  count(*) filter (where attempts > 0) as failing,
                  coalesce(percentile_cont(0.5) within group (order by waited), 0) as p50,
                  coalesce(percentile_cont(0.99) within group (order by waited), 0) as p99,
                  coalesce(max(waited), 0) as longest
           from lane group by activity, priority order by priority""",
        blocked=list(BLOCKING_FAILURES),
    )


def jobs() -> list[Row]:
    """Wake-ups of the job engine by state."""
    return ask("select status::text as status, count(*) as count from procrastinate_jobs group by 1 order by 1")


def processes() -> list[Row]:
    """Every process that was seen within a day, the living first."""
    return ask(
        """select id, kind, host, pid, threads, version, started_at, seen_at, stopped_at,
                  stopped_at is null and seen_at > %(now)s - interval '60 seconds' as alive
           from operations_process order by alive desc, stopped_at is not null, kind, started_at desc limit 50"""
    )


def subscriptions() -> Row:
    """Push: alive, soon to end, ended; notifications not yet taken."""
    [row] = ask(
        """select count(*) filter (where expires_at > %(now)s) as alive,
                  count(*) filter (where expires_at > %(now)s and expires_at < %(now)s + interval '24 hours') as expiring,
                  count(*) filter (where expires_at <= %(now)s) as ended,
                  count(*) filter (where last_notified_at > %(now)s - interval '24 hours') as told_today,
                  (select count(*) from sync_lane where activity = 'renewal' and progress->>'push' = 'refused') as refused,
                  (select count(*) from sync_notification) as waiting,
                  (select coalesce(extract(epoch from %(now)s - min(received_at)), 0)::float from sync_notification)
                    as oldest
           from sync_subscription"""
    )
    return row


def errors() -> list[Row]:
    """Failures by kind with the latest reference of each."""
    return ask(
        """select failure, failure_detail as code, count(*) as count,
                  (array_agg(failure_reference order by id desc))[1] as reference,
                  (array_agg(id order by id desc))[1:5] as mailboxes
           from mailboxes_mailbox where failure <> '' and state <> 'disconnected'
           group by 1, 2 order by 3 desc limit %(listed)s"""
    )


def lane_errors() -> list[Row]:
    """What lanes are being tried again for."""
    return ask(
        """select activity, failure, count(*) as count, max(attempts) as attempts, min(due_at) as next
           from sync_lane where attempts > 0 or failure <> '' group by 1, 2 order by 3 desc limit %(listed)s"""
    )


def outbox() -> list[Row]:
    """Local changes by kind and state; done ones are left out. What is to go out later is not old before its time."""
    return ask(
        """select kind, state, count(*) as count,
                  greatest(0, extract(epoch from %(now)s - min(
                      case when attempts = 0 then greatest(created_at, due_at) else created_at end)))::float as oldest
           from sync_outboxentry where state <> 'done' group by 1, 2 order by 1, 2"""
    )


def quarantine() -> Row:
    """What could not be taken over."""
    [row] = ask(
        """select count(*) as items, count(distinct mailbox_id) as mailboxes,
                  count(*) filter (where at > %(now)s - interval '24 hours') as today from sync_quarantined"""
    )
    return row


def slowed() -> list[Row]:
    """Mailboxes that the provider slows down now."""
    return ask(
        """select id, extract(epoch from throttled_until - %(now)s)::float as seconds from mailboxes_mailbox
           where throttled_until > %(now)s order by 2 desc limit %(listed)s"""
    )


def busiest() -> list[Row]:
    """Mailboxes by requests of the last ten minutes, over all living processes."""
    return ask(
        """with spent as (
             select b->>0 as key, sum((b->>1)::int) as requests, max((b->>2)::float) as paused
             from operations_process, jsonb_array_elements(budgets) b
             where stopped_at is null and seen_at > %(now)s - interval '60 seconds' group by 1)
           select m.id, s.requests, s.paused from spent s
           join mailboxes_mailbox m on m.provider || ':' || lower(m.address) = s.key and m.state <> 'disconnected'
           order by s.requests desc limit %(listed)s"""
    )


def tables() -> list[Row]:
    """The largest tables with their indexes; rows as PostgreSQL estimates them."""
    return ask(
        """select c.relname as name, greatest(c.reltuples, 0)::bigint as rows,
                  pg_total_relation_size(c.oid) as bytes, pg_indexes_size(c.oid) as indexes,
                  s.n_dead_tup as dead, greatest(s.last_autovacuum, s.last_vacuum) as vacuumed
           from pg_class c join pg_namespace n on n.oid = c.relnamespace
           left join pg_stat_user_tables s on s.relid = c.oid
           where c.relkind = 'r' and n.nspname = current_schema() order by 3 desc limit %(listed)s"""
    )


def database() -> Row:
    """Size and connections."""
    [row] = ask(
        """select pg_database_size(current_database()) as bytes,
                  (select count(*) from pg_stat_activity where backend_type = 'client backend') as connections,
                  current_setting('max_connections')::int as most,
                  (select coalesce(max(extract(epoch from clock_timestamp() - xact_start)), 0)::float
                     from pg_stat_activity where state <> 'idle' and pid <> pg_backend_pid()
                       and backend_type = 'client backend') as longest"""
    )
    return row


def slow_queries() -> list[Row] | None:
    """The statements that cost most, where pg_stat_statements is installed; constants are `$1` there. Else None."""
    if not ask("select 1 from pg_extension where extname = 'pg_stat_statements'"):
        return None
    return ask(
        """select left(regexp_replace(query, '\\s+', ' ', 'g'), 160) as query, calls, mean_exec_time as mean,
                  total_exec_time as total from pg_stat_statements
           where dbid = (select oid from pg_database where datname = current_database())
           order by total_exec_time desc limit 10"""
    )


def alerts() -> list[Row]:
    """Open alerts by kind and level."""
    return ask(
        """select kind, level, count(*) as count from operations_alert where closed_at is null
           group by 1, 2 order by 2 desc, 3 desc"""
    )


def coverage() -> Row:
    """How complete folders are, as the last comparison with the provider found (product.md SY15)."""
    [row] = ask(
        """select count(*) as folders, count(checked_at) as checked, coalesce(sum(repaired), 0) as repaired,
                  count(*) filter (where theirs is not null and ours < theirs - unread - not_mail) as short,
                  coalesce(sum(greatest(theirs - unread - not_mail - ours, 0)), 0) as missing,
                  min(checked_at) as oldest
           from mail_foldercheck"""
    )
    return row


def strays() -> list[Row]:
    """Notifications of the last days that are nobody's."""
    return ask(
        """select kind, sum(count)::bigint as count, max(last_at) as last from sync_stray
           where day > %(now)s::date - 7 group by 1 order by 2 desc"""
    )


def everything() -> Mapping[str, Any]:
    """All that the operator page shows."""
    return {
        "health": health(), "mailboxes": mailboxes(), "lanes": lanes(), "jobs": jobs(), "processes": processes(),
        "subscriptions": subscriptions(), "errors": errors(), "lane_errors": lane_errors(), "outbox": outbox(),
        "quarantine": quarantine(), "slowed": slowed(), "busiest": busiest(), "tables": tables(),
        "database": database(), "slow_queries": slow_queries(), "alerts": alerts(), "coverage": coverage(), "strays": strays(),
    }  # fmt: skip
