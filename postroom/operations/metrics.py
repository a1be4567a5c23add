"""Prometheus' text format, made at each scrape: gauges from the database, counters from what every process noted.

Any web process answers for the whole installation, so scrape one. Labels are ids, kinds and states; never an address.
The list with meanings is docs/self-hosting.md; a test compares.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

import postroom
from postroom.lib.clock import now
from postroom.operations import figures
from postroom.operations.counters import BUCKETS
from postroom.operations.models import Process

COUNTED = {  # a counter's name in a process -> (metric, label, help)
    "page": ("postroom_pages", "Answers of the web processes by class of status"),
    "notification": ("postroom_notifications", "Answers to providers' notifications by class of status"),
}
SUMS = {
    "provider_calls": ("postroom_provider_calls", "HTTP calls made to providers"),
    "provider_requests": ("postroom_provider_requests", "Requests as providers count them: a batch of 20 is 20"),
}
DURATIONS = {
    "page_seconds": ("postroom_page_seconds", "How long pages took"),
    "notification_seconds": ("postroom_notification_seconds", "How long notifications took to be answered"),
}


class Collector:
    """What `prometheus_client` asks at a scrape."""

    def collect(self) -> Iterator[Metric]:
        yield from _installation()
        yield from _work()
        yield from _push_and_outbox()
        yield from _counted()


def render() -> bytes:
    """The whole answer."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Collector())
    return generate_latest(registry)


def gauge(name: str, about: str, *labels: str, rows: list[tuple[Any, ...]]) -> GaugeMetricFamily:
    """A gauge; each row is its labels, then its value."""
    family = GaugeMetricFamily(f"postroom_{name}", about, labels=labels)
    for *values, value in rows:
        family.add_metric([str(one) for one in values], float(value or 0))
    return family


def _installation() -> Iterator[Metric]:
    health, database = figures.health(), figures.database()
    yield gauge("info", "Version of this process", "version", rows=[(postroom.__version__, 1)])
    kinds = [(kind, health[kind]) for kind in ("working", "error", "never", "stale", "slowed")]
    yield gauge("mailboxes", "Working mailboxes: all, and by health", "health", rows=kinds)
    failures = [(row["failure"], row["count"]) for row in figures.errors()]
    yield gauge("mailbox_failures", "Mailboxes by why they fail", "failure", rows=_summed(failures))
    living = dict.fromkeys(Process.Kind.values, 0)
    for row in figures.processes():
        living[row["kind"]] += bool(row["alive"])
    yield gauge("processes", "Processes that are alive", "kind", rows=list(living.items()))
    yield gauge("database_bytes", "Size of the database", rows=[(database["bytes"],)])
    yield gauge("database_connections", "Connections in use", rows=[(database["connections"],)])
    yield gauge("database_connections_most", "Connections the server allows", rows=[(database["most"],)])
    yield gauge("database_transaction_seconds", "Age of the longest transaction", rows=[(database["longest"],)])
    alerts = [(row["kind"], row["count"]) for row in figures.alerts()]
    yield gauge("alerts", "Open alerts", "kind", rows=_summed(alerts))
    if ends := settings.MICROSOFT_CLIENT_SECRET_EXPIRES:
        yield gauge("client_secret_days", "Days until the client secret ends", rows=[((ends - now().date()).days,)])


def _work() -> Iterator[Metric]:
    lanes = figures.lanes()
    for key, about in (
        ("due", "Lanes that could be worked on now"),
        ("running", "Lanes being worked on"),
        ("failing", "Lanes being tried again"),
    ):
        yield gauge(f"lanes_{key}", about, "lane", rows=[(row["activity"], row[key]) for row in lanes])
    waits = [(row["activity"], at, row[key]) for row in lanes for at, key in (("0.5", "p50"), ("0.99", "p99"), ("1", "longest"))]  # fmt: skip # noqa: E501
    yield gauge("lane_wait_seconds", "How long what is due has waited", "lane", "quantile", rows=waits)
    yield gauge("jobs", "Wake-ups of the job engine", "status", rows=[(row["status"], row["count"]) for row in figures.jobs()])  # fmt: skip # noqa: E501
    held, covered = figures.quarantine(), figures.coverage()
    yield gauge("quarantined", "Items that could not be taken over", rows=[(held["items"],)])
    yield gauge("folders_short", "Folders that lack something the provider has", rows=[(covered["short"],)])
    yield gauge("messages_missing", "Messages the provider has and we lack", rows=[(covered["missing"],)])


def _push_and_outbox() -> Iterator[Metric]:
    push = figures.subscriptions()
    states = [(state, push[state]) for state in ("alive", "expiring", "ended", "refused")]
    yield gauge("subscriptions", "Push subscriptions", "state", rows=states)
    yield gauge("notifications_waiting", "Notifications not yet taken by a run", rows=[(push["waiting"],)])
    yield gauge("notifications_oldest_seconds", "Age of the oldest of them", rows=[(push["oldest"],)])
    strays = [(row["kind"], row["count"]) for row in figures.strays()]
    yield gauge("notifications_stray", "Notifications of 7 days that were nobody's", "kind", rows=strays)
    waiting = figures.outbox()
    rows = [(row["kind"], row["state"], row["count"]) for row in waiting]
    yield gauge("outbox", "Local changes and sends that the provider does not have", "kind", "state", rows=rows)
    oldest = max((row["oldest"] for row in waiting if row["state"] != "failed"), default=0)
    yield gauge("outbox_oldest_seconds", "Age of the oldest that waits", rows=[(oldest,)])


def _counted() -> Iterator[Metric]:
    """Counters of the processes seen within a day, each with its own label, so that restarts are resets."""
    families: dict[str, CounterMetricFamily] = {}
    for name, about in COUNTED.values():
        families[name] = CounterMetricFamily(name, about, labels=["process", "status"])
    for name, about in SUMS.values():
        families[name] = CounterMetricFamily(name, about, labels=["process"])
    durations = {name: HistogramMetricFamily(name, about, labels=["process"]) for name, about in DURATIONS.values()}
    for row in Process.objects.filter(stopped_at=None).order_by("-seen_at")[:200]:
        label, known = f"{row.kind}-{row.pk}", row.counters
        for key, value in known.items():
            name, _, status = key.partition(":")
            if name in COUNTED and status.endswith("xx"):
                families[COUNTED[name][0]].add_metric([label, status], value)
            elif key in SUMS:
                families[SUMS[key][0]].add_metric([label], value)
        for key, (name, _) in DURATIONS.items():
            if f"{key}:count" in known:
                durations[name].add_metric([label], _buckets(key, known), known[f"{key}:sum"])
    yield from families.values()
    yield from durations.values()


def _buckets(key: str, known: dict[str, float]) -> list[tuple[str, float]]:
    """Cumulative, with +Inf at the end."""
    return [
        *((str(bucket), known.get(f"{key}:le:{bucket}", 0.0)) for bucket in BUCKETS),
        ("+Inf", known[f"{key}:count"]),
    ]


def _summed(rows: list[tuple[str, int]]) -> list[tuple[str, int]]:
    sums: defaultdict[str, int] = defaultdict(int)
    for label, count in rows:
        sums[label] += count
    return sorted(sums.items())
