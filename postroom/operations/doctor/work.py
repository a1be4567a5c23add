"""Checks of what runs: workers, queue, sealed rows, mailboxes. They need the tables."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.db.models import Count, Min, Q

from postroom.accounts.keys import keyring
from postroom.lib.clock import now
from postroom.mailboxes import features
from postroom.mailboxes.models import Connection, Failure, Mailbox
from postroom.operations import beats, dropping
from postroom.operations.decoder.remedies import ENTERPRISE, REGISTRATION
from postroom.operations.doctor.findings import Check, Finding, Installation, fail, none, ok, warn
from postroom.operations.models import Process
from postroom.providers.budget import REQUESTS
from postroom.providers.registry import PROVIDERS
from postroom.sync.models import Lane
from postroom.ui.words import ago
from postroom.workspaces.models import Workspace

LATE = timedelta(minutes=2)
SHOWN = 5  # mailboxes that are named; more are counted
FULL = 0.8  # of the provider's allowance


def workers(here: Installation) -> Iterator[Finding]:
    """Who carries out the work."""
    heard = beats.heard(Process.Kind.WORKER)
    living, gone = len(heard.living), heard.gone
    key, what = "workers", "Workers"
    if not living:
        yield fail(
            key, what, "none is running: nothing is synced or sent", "Start `postroom worker`.", "postroom worker"
        )
    elif gone:
        mend = "Look into its log; its mailboxes go on elsewhere."
        yield warn(key, what, f"{living} running, {len(gone)} fell silent on {gone[0].host}", mend)
    else:
        yield ok(key, what, f"{living} running")


def drop_boxes(here: Installation) -> Iterator[Finding]:
    """Who takes mail for drop addresses (docs/drop-boxes.md)."""
    key, what, known = "drop_boxes", "Drop boxes", dropping.taking(now())
    if known is None:
        has = "nobody has an address" if settings.POSTROOM_DROPBOX_DOMAIN else "off: POSTROOM_DROPBOX_DOMAIN is not set"
        yield none(key, what, has)
        return
    living, gone, last = known.heard
    if not living:
        seen = f"the last was seen {ago(last.seen_at)} on {last.host}" if last else "none was seen within a day"
        mend = "Start `postroom dropbox` and keep it running (docs/drop-boxes.md); mail waits where it was sent."
        yield fail(key, what, f"nothing takes mail: {seen}", mend, "postroom dropbox")
    elif gone:
        yield warn(key, what, f"{_places(living)}; {len(gone)} fell silent on {gone[0].host}", "Look into its log.")
    else:
        yield ok(key, what, f"{_places(living)}, seen {ago(living[0].seen_at)}")


def _places(living: list[Process]) -> str:
    hosts = sorted({one.host for one in living})
    return f"{len(living)} running on {', '.join(hosts[:SHOWN])}{' and more' if len(hosts) > SHOWN else ''}"


def queue(here: Installation) -> Iterator[Finding]:
    """How long the oldest work waits that could be done now."""
    waiting = Lane.objects.filter(
        due_at__lte=now(),
        paused=False,
        lease_until=None,
        mailbox__state__in=("live", "connecting"),
        mailbox__failure="",
    )
    oldest = waiting.aggregate(oldest=Min("due_at"))["oldest"]
    late = now() - oldest if oldest else timedelta()
    found = f"the longest wait is {late.total_seconds():.0f} s"
    if late < LATE:
        yield ok("queue", "Queue", found)
    else:
        mend = "More workers, or more threads each (POSTROOM_WORKER_THREADS)."
        yield warn("queue", "Queue", found, mend, "postroom worker")


def sealed(here: Installation) -> Iterator[Finding]:
    """Grants still under an older key (product.md AD1)."""
    old = whole = 0
    for box in Connection.objects.exclude(sealed_grant=b"").values_list("sealed_grant", flat=True).iterator(2000):
        whole += 1
        old += not keyring().is_current(box)
    if old:
        mend = "Seal them anew, then remove the older keys."
        yield warn("sealed", "Sealed grants", f"{old} of {whole} under an older key", mend, "postroom rotate-keys")
    else:
        yield ok("sealed", "Sealed grants", f"all {whole} under the newest key")


def credentials(here: Installation) -> Iterator[Finding]:
    """Whether Entra takes our secret, by what happened last: a check of our own would need somebody's sign-in."""
    ours = Connection.objects.filter(provider="microsoft")
    refused, renewed = ours.aggregate(
        refused=Min("failure_code", filter=Q(failure=Failure.OPERATOR) & ~Q(failure_code="")),
        renewed=Count("pk", filter=Q(access_expires__gt=now())),
    ).values()
    step = f"{REGISTRATION} → Certificates & secrets → New client secret"
    if refused:
        mend = "Entra refuses the registration itself; look the code up below."
        yield fail("credentials", "Credentials in use", f"refused with {refused}", mend, step)
    elif renewed:
        yield ok("credentials", "Credentials in use", "Entra renews sign-ins with them")
    else:
        yield none("credentials", "Credentials in use", "no sign-in was renewed within the last hour")


def permissions(here: Installation, workspace: Workspace | None = None) -> Iterator[Finding]:
    """What each connection was granted, and what is missing (product.md CN2)."""
    connections = Connection.objects.filter(provider__in=PROVIDERS).exclude(sealed_grant=b"")
    if workspace is not None:
        connections = connections.filter(workspace=workspace)
    lacking = optional = whole = 0
    for one in connections.order_by("pk").iterator(2000):
        whole += 1
        off = [state for state in features.states(one) if not state.on and not state.impossible]
        needed = [scope for state in off if state.feature.required for scope in features.permissions(state.feature)]
        if needed:
            lacking += 1
            if lacking <= SHOWN:
                yield _lacks(one, needed)
        optional += bool(off) and not needed
    if lacking > SHOWN:
        yield fail("permissions", "Permissions", f"{lacking - SHOWN} more lack one that is needed", "See their cards.")
    if not lacking:
        have = "1 connection has what it needs" if whole == 1 else f"{whole} connections have what they need"
        found = have + (f"; {optional} could allow more" if optional else "")
        yield (
            ok("permissions", "Permissions", found) if whole else none("permissions", "Permissions", "nobody connected")
        )


def _lacks(owner: Connection, scopes: list[str]) -> Finding:
    steps = ("In Postroom: Settings → Outlook → Reconnect", f"{ENTERPRISE} → Permissions → Grant admin consent")
    found = f"{owner.address} lacks {', '.join(scopes)}"
    return fail("permissions", "Permissions", found, "Sign in again and allow it, or have it approved for all.", *steps)


def throttling(here: Installation, workspace: Workspace | None = None) -> Iterator[Finding]:
    """How much of Microsoft's allowance the busiest mailboxes use (graph.md 4)."""
    key, what = "throttling", "Throttling"
    mailboxes = Mailbox.objects.filter(state__in=(Mailbox.State.LIVE, Mailbox.State.CONNECTING))
    if workspace is not None:
        mailboxes = mailboxes.filter(workspace=workspace)
    slowed = list(mailboxes.filter(throttled_until__gt=now()).values_list("address", flat=True)[: SHOWN + 1])
    if slowed:
        named = ", ".join(slowed[:SHOWN]) + (" and more" if len(slowed) > SHOWN else "")
        mend = "Nothing to do: Postroom waits as long as Microsoft asks. If it lasts, does another app read them too?"
        yield warn(key, what, f"slowed by Microsoft: {named}", mend)
        return
    spent = busiest()
    mine = Q(address__in=[address for address, _ in spent[:50]])
    own = {address.lower() for address in mailboxes.filter(mine).values_list("address", flat=True)}
    top = next(((address, count) for address, count in spent if address in own), None)
    if top is None:
        yield ok(key, what, f"head-room 100 % of {REQUESTS:,} requests in 10 minutes")
        return
    found = f"busiest {top[0]}: {top[1]:,} of {REQUESTS:,} requests in 10 minutes"
    full = top[1] > REQUESTS * FULL
    yield warn(key, what, found, "Postroom slows down by itself.") if full else ok(key, what, found)


def busiest() -> list[tuple[str, int]]:
    """Addresses with the requests of the last ten minutes, over all processes, the busiest first."""
    sums: dict[str, int] = {}
    living = Process.objects.filter(stopped_at=None, seen_at__gte=now() - beats.DEAD_AFTER)
    for budgets in living.values_list("budgets", flat=True):
        for key, spent, _ in budgets:
            address = str(key).partition(":")[2]
            sums[address] = sums.get(address, 0) + int(spent)
    return sorted(sums.items(), key=lambda one: -one[1])


def alerts_leave(here: Installation) -> Iterator[Finding]:
    """Whether anybody hears of trouble who is not looking."""
    if settings.SMTP_URL:
        yield ok("alerts", "Alerts by mail", "SMTP_URL is set")
    else:
        mend = "Set SMTP_URL, or a webhook in Settings → Alerts, so that somebody hears of it who is not looking."
        yield warn("alerts", "Alerts by mail", "SMTP_URL is not set", mend)


CHECKS: tuple[Check, ...] = (workers, drop_boxes, queue, sealed, credentials, alerts_leave)


def of_mailboxes(workspace: Workspace | None) -> tuple[Check, ...]:
    """Those whose answers name mailboxes: of one workspace, or (None) of all."""
    return tuple(partial(check, workspace=workspace) for check in (permissions, throttling))
