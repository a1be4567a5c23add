"""The provider's push: subscribing, renewing, replacing (product.md SY3, SY5, SY6, graph.md 3).

What the provider posts is taken in by ``sync.notified``; whether it has gone silent is decided by ``sync.silence``.
"""

import ipaddress
import secrets
from contextlib import suppress
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import QuerySet

from postroom.lib.clock import now
from postroom.mailboxes.models import Mailbox
from postroom.providers.errors import AccessLost, Conflict, NotFound, ProviderError, Refused, Unsupported
from postroom.providers.registry import connector
from postroom.sync import lanes, silence
from postroom.sync.contract import Run, Steps, Work
from postroom.sync.models import Activity, Subscription, SyncState
from postroom.sync.notified import take as take  # for those who speak of push as a whole

LOOK_EVERY = timedelta(hours=6)
RENEW_BEFORE = timedelta(hours=24)
RENEWED_LATELY = timedelta(minutes=10)  # nobody is asked twice within it (graph.md 3.7)
TRY_AGAIN = tuple(
    timedelta(seconds=seconds) for seconds in (30, 60, 120, 300, 600)
)  # after a refusal, by refusals so far


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


def living() -> QuerySet[Subscription]:
    """Subscriptions that have not run out."""
    return Subscription.objects.filter(expires_at__gt=now())


def is_on(mailbox: Mailbox) -> bool:
    """Real-time: a subscription that has not run out."""
    return living().filter(mailbox=mailbox).exists()


def ask_to_renew(mailbox: Mailbox) -> None:
    """Renew before it is time, unless that has only just been done; a subscription that is gone is then made again."""
    at = now()
    own = Subscription.objects.filter(mailbox=mailbox, renewed_at__lt=at - RENEWED_LATELY)
    own.update(renew_asked_at=at)


def renewal(run: Run) -> Steps:
    """Keep one living subscription per mailbox; without a reachable address there is none, and polling takes over."""
    run.due_by(now() + LOOK_EVERY)
    if run.mailbox.kind == Mailbox.Kind.SHARED or not connector(run.mailbox.provider).capabilities.push:
        return  # a delegated token cannot subscribe to another mailbox (graph.md 6)
    if not reachable(run.mailbox.provider):
        yield _without(run, "no_public_url")
        return
    current = Subscription.objects.filter(mailbox=run.mailbox).order_by("-expires_at").first()
    if current is None or current.expires_at <= now():
        yield from _subscribe(run)
    elif silence.is_proven(current.unannounced, current.replaces_silent_at, now()):
        yield from _replace(run, current)
    elif _must_renew(current):
        yield from _renew(run, current)


def _must_renew(current: Subscription) -> bool:
    asked = current.renew_asked_at is not None and current.renew_asked_at > current.renewed_at
    return asked or current.expires_at - now() <= RENEW_BEFORE


def _renew(run: Run, current: Subscription) -> Steps:
    began = now()  # what is asked for while the request is under way is asked for still
    try:
        fresh = run.source.renew(current.remote_id)
    except NotFound:
        yield from _subscribe(run)
    else:
        yield _renewed(run, current, fresh.expires, began)


def _renewed(run: Run, current: Subscription, expires: datetime, began: datetime) -> Work:
    def work() -> None:
        Subscription.objects.filter(pk=current.pk).update(expires_at=expires, renewed_at=began)
        run.progress.update(push="on", push_detail="", refusals=0)

    return work


def _replace(run: Run, silent: Subscription) -> Steps:
    """Another one in place of one that Microsoft no longer serves."""
    with suppress(NotFound):
        run.source.unsubscribe(silent.remote_id)
    yield from _subscribe(run, silent_since=now())


def _subscribe(run: Run, *, silent_since: datetime | None = None) -> Steps:
    """A new subscription in place of whatever is there; one of ours that is in the way, and that a killed worker left,
    is removed by the connector (409, graph.md 3.1)."""
    state = secrets.token_urlsafe(32)
    address = url(run.mailbox.provider)
    try:
        made = run.source.subscribe(url=address, client_state=state, lifecycle_url=address)
    except (Refused, Unsupported, AccessLost, Conflict) as refusal:  # mail itself may be fine: the live lane tells
        yield _without(run, "refused", detail=str(refusal)[:200])
        return

    def work() -> None:
        before = Subscription.objects.filter(mailbox=run.mailbox).order_by("-expires_at").first()
        Subscription.objects.filter(mailbox=run.mailbox).delete()
        Subscription.objects.create(
            mailbox=run.mailbox,
            remote_id=made.id,
            client_state=state,
            expires_at=made.expires,
            replaces_silent_at=silent_since or (before.replaces_silent_at if before else None),
        )
        run.progress.update(push="on", push_detail="", refusals=0)
        _look_at_everything(run.mailbox.pk)  # what happened between the last look and the subscription

    yield work


def _without(run: Run, why: str, *, detail: str = "") -> Work:
    """No push for now: the live lane polls, and this lane tries again where that may help."""

    def work() -> None:
        before = int(str(run.progress.get("refusals") or 0))
        refusals = before + 1 if why == "refused" else 0
        run.progress.update(push=why, push_detail=detail, refusals=refusals)
        if refusals:
            run.due_by(now() + TRY_AGAIN[min(before, len(TRY_AGAIN) - 1)])
        gone, _ = Subscription.objects.filter(mailbox=run.mailbox).delete()
        if gone:
            lanes.want(run.mailbox.pk, Activity.LIVE)  # to begin polling

    return work


def _look_at_everything(mailbox_id: int) -> None:
    SyncState.objects.filter(mailbox_id=mailbox_id).update(due_at=now())
    lanes.want(mailbox_id, Activity.LIVE)


def unsubscribe(mailbox: Mailbox) -> None:
    """Take our subscriptions back at the provider, as far as it still lets us; the rows go in any case."""
    from postroom.mailboxes.session import open_mail

    for subscription in Subscription.objects.filter(mailbox=mailbox):
        with suppress(ProviderError):  # it runs out by itself within days, and nobody takes its notifications
            open_mail(mailbox).unsubscribe(subscription.remote_id)
        subscription.delete()


def ended(run: Run) -> Steps:
    """A one-way mailbox wants to be told nothing (product.md CN11)."""
    for subscription in Subscription.objects.filter(mailbox=run.mailbox):
        with suppress(ProviderError):  # as above: it runs out by itself
            run.source.unsubscribe(subscription.remote_id)
        yield _gone(subscription)


def _gone(subscription: Subscription) -> Work:
    return lambda: (subscription.delete(), None)[1]


class Push:
    """Keeping the subscription alive, as a resource of its own in the renewal lane."""

    name = "push"

    def activities(self) -> dict[str, object]:
        return {Activity.RENEWAL: renewal}

    def one_way(self) -> dict[str, object]:
        return {Activity.RENEWAL: ended}


resource = Push()
