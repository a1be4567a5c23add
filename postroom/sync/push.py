"""The provider's push: subscribing, renewing, taking notifications in (product.md SY3-SY6, graph.md 3).

A notification is never worked on where it arrives: it is checked, noted and answered; the live lane does the rest.
"""

import ipaddress
import secrets
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from hmac import compare_digest
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from postroom.lib.clock import now
from postroom.mailboxes.models import Mailbox
from postroom.providers.contract import Notified
from postroom.providers.errors import NotFound, ProviderError, Refused, Unsupported
from postroom.providers.registry import connector
from postroom.sync import lanes
from postroom.sync.contract import Run, Steps, Work
from postroom.sync.models import Activity, Notification, Subscription, SyncState

LOOK_EVERY = timedelta(hours=6)
RENEW_BEFORE = timedelta(hours=24)
TRY_AGAIN = timedelta(minutes=10)


def url(provider: str) -> str:
    return f"{settings.POSTROOM_PUBLIC_URL.rstrip('/')}/hooks/{provider}"


def reachable(provider: str) -> bool:
    """Whether the provider could reach us: a public https address, or a sandbox on this very machine."""
    parts = urlsplit(settings.POSTROOM_PUBLIC_URL or "")
    if not parts.hostname:
        return False
    if parts.scheme == "https":
        return True
    graph = urlsplit(settings.MICROSOFT_GRAPH_URL).hostname or ""
    return provider == "microsoft" and _loopback(parts.hostname) and _loopback(graph)


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_on(mailbox: Mailbox) -> bool:
    """Real-time: a subscription that has not run out."""
    return Subscription.objects.filter(mailbox=mailbox, expires_at__gt=now()).exists()


def renewal(run: Run) -> Steps:
    """Keep one living subscription per mailbox; without a reachable address there is none, and polling takes over."""
    run.due_by(now() + LOOK_EVERY)
    if run.mailbox.kind == Mailbox.Kind.SHARED or not connector(run.mailbox.provider).capabilities.push:
        return  # a delegated token cannot subscribe to another mailbox (graph.md 6)
    if not reachable(run.mailbox.provider):
        run.progress["push"] = "no_public_url"
        return
    current = Subscription.objects.filter(mailbox=run.mailbox).order_by("-expires_at").first()
    if current is not None and current.expires_at > now():
        if current.expires_at - now() > RENEW_BEFORE and not run.progress.get("must_renew"):
            return
        try:
            fresh = run.source.renew(current.remote_id)
        except NotFound:
            yield _forget(current)
        else:
            yield _renewed(run, current, fresh.expires)
            return
    yield from _subscribe(run)


def _subscribe(run: Run) -> Steps:
    state = secrets.token_urlsafe(32)
    address = url(run.mailbox.provider)
    try:
        made = run.source.subscribe(url=address, client_state=state, lifecycle_url=address)
    except (Refused, Unsupported) as refusal:
        run.progress["push"] = "refused"
        run.progress["push_detail"] = str(refusal)[:200]
        run.due_by(now() + TRY_AGAIN)
        return

    def work() -> None:
        Subscription.objects.filter(mailbox=run.mailbox).delete()
        Subscription.objects.create(mailbox=run.mailbox, remote_id=made.id, client_state=state, expires_at=made.expires)
        run.progress.update(push="on", push_detail="", must_renew=False)
        _look_at_everything(run.mailbox.pk)  # what happened between the last look and the subscription

    yield work


def _renewed(run: Run, subscription: Subscription, expires: object) -> Work:
    def work() -> None:
        Subscription.objects.filter(pk=subscription.pk).update(expires_at=expires, renewed_at=now())
        run.progress.update(push="on", must_renew=False)

    return work


def _forget(subscription: Subscription) -> Work:
    return lambda: (subscription.delete(), None)[1]


def unsubscribe(mailbox: Mailbox) -> None:
    """Take our subscriptions back at the provider, as far as it still lets us; the rows go in any case."""
    from postroom.mailboxes.session import open_mail

    for subscription in Subscription.objects.filter(mailbox=mailbox):
        with suppress(ProviderError):  # it runs out by itself within days, and nobody takes its notifications
            open_mail(mailbox).unsubscribe(subscription.remote_id)
        subscription.delete()


# --- taking notifications in ---------------------------------------------------------------------------------------


def take(items: Sequence[Notified]) -> int:
    """Note what a provider posted and wake the lanes. Returns how many items were for us.

    Unknown subscriptions and wrong client states are left out; the caller answers 202 all the same (design.md 4).
    """
    named = {item.subscription_id for item in items if storable(item.subscription_id)}
    known = {row.remote_id: row for row in Subscription.objects.filter(remote_id__in=named)}
    ours = [
        item
        for item in items
        if (row := known.get(item.subscription_id)) and _proves(item, row) and storable(item.message_id)
    ]
    if not ours:
        return 0
    with transaction.atomic():
        _note(ours, known)
    return len(ours)


def _proves(item: Notified, row: Subscription) -> bool:
    return compare_digest(row.client_state.encode(), item.client_state.encode("utf-8", "surrogatepass"))


def storable(text: str) -> bool:
    """PostgreSQL takes neither NUL nor half a character; no id of a provider's has any."""
    return text.isprintable()


def _note(items: Sequence[Notified], known: dict[str, Subscription]) -> None:
    rows, live, broken = [], set(), set()
    for item in items:
        mailbox_id = known[item.subscription_id].mailbox_id
        if item.lifecycle:
            broken.add((mailbox_id, item.lifecycle))
        else:
            rows.append(Notification(mailbox_id=mailbox_id, remote_id=item.message_id, change=item.change))
            live.add(mailbox_id)
    Notification.objects.bulk_create(rows)
    Subscription.objects.filter(remote_id__in={item.subscription_id for item in items}).update(last_notified_at=now())
    for mailbox_id in sorted(live):
        lanes.want(mailbox_id, Activity.LIVE)
    for mailbox_id, event in sorted(broken):
        _LIFECYCLE[event](mailbox_id)


def _look_at_everything(mailbox_id: int) -> None:
    SyncState.objects.filter(mailbox_id=mailbox_id).update(due_at=now())
    lanes.want(mailbox_id, Activity.LIVE)


def _renew_now(mailbox_id: int) -> None:
    from postroom.sync.models import Lane

    for lane in Lane.objects.select_for_update().filter(mailbox_id=mailbox_id, activity=Activity.RENEWAL):
        lane.progress["must_renew"] = True
        lane.save(update_fields=["progress"])
    lanes.want(mailbox_id, Activity.RENEWAL)


def _removed(mailbox_id: int) -> None:
    Subscription.objects.filter(mailbox_id=mailbox_id).delete()
    lanes.want(mailbox_id, Activity.RENEWAL)
    _look_at_everything(mailbox_id)


_LIFECYCLE = {
    "reauthorizationRequired": _renew_now,
    "subscriptionRemoved": _removed,
    "missed": _look_at_everything,
}


class Push:
    """Keeping the subscription alive, as a resource of its own in the renewal lane."""

    name = "push"

    def activities(self) -> dict[str, object]:
        return {Activity.RENEWAL: renewal}


resource = Push()
