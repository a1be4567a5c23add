"""Alerts in words: what happened, what to do, where. The same in the app, in a mail and in a webhook."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from postroom.mailboxes import failures, features
from postroom.mailboxes.models import Failure
from postroom.operations.models import Alert
from postroom.ui.words import ago, exact

Kind = Alert.Kind


class Words(NamedTuple):
    """`path` leads to the screen where something can be done."""

    title: str
    text: str
    todo: str
    path: str


def words(alert: Alert) -> Words:
    """What to say about an alert; a closed one is said in the past."""
    return _WORDS[Kind(alert.kind)](alert)


def in_sum(kinds: Mapping[str, int]) -> Words:
    """Many alerts that turned at once."""
    lines = [f"{count:,} × {Kind(kind).label}" for kind, count in kinds.items()]
    title = f"{sum(kinds.values()):,} alerts at once"
    todo = "Look for one cause first: Microsoft’s service health, the client secret, the network, the workers."
    return Words(title, "\n".join(lines), todo, reverse("operations:alerts"))


def absolute(path: str) -> str:
    """The address for a mail or webhook."""
    return f"{settings.POSTROOM_BASE_URL.rstrip('/')}{path}"


def _address(alert: Alert) -> str:
    return alert.mailbox.address if alert.mailbox else "A mailbox"


def _since(alert: Alert) -> str:
    when = parse_datetime(str(alert.facts.get("since", ""))) or alert.opened_at
    return f"{exact(when)} ({timezone.get_current_timezone_name()})"


def _advice(alert: Alert) -> failures.Advice | None:
    """What the card says: one mechanism for both."""
    if alert.mailbox is None:
        return None
    return failures.advice(alert.mailbox, provider=features.company(alert.mailbox.provider))


def _mailboxes() -> str:
    return reverse("mailboxes:list")


def _silent(alert: Alert) -> Words:
    advice = _advice(alert)
    text = f"Nothing has been synced since {_since(alert)}."
    todo = (
        f"{advice.happened} {advice.todo}" if advice else "Choose Sync now on its card; if that fails, run the doctor."
    )
    return Words(f"{_address(alert)} has not synced for too long", text, todo, _mailboxes())


def _sign_in(alert: Alert) -> Words:
    advice = _advice(alert)
    text = advice.happened if advice else "Microsoft asked for a new sign-in."
    todo = advice.todo if advice else "Sign in again to continue."
    return Words(f"{_address(alert)} needs a new sign-in", f"{text} Last success: {_since(alert)}.", todo, _mailboxes())


def _breaker(alert: Alert) -> Words:
    advice = failures.ADVICE[Failure.BREAKER]
    return Words(
        f"{_address(alert)} was stopped by the safety brake", advice.happened.format(code=""), advice.todo, _mailboxes()
    )


def _quarantine(alert: Alert) -> Words:
    count = int(alert.facts.get("count", 0))
    mail = "1 message" if count == 1 else f"{count:,} messages"
    return Words(
        f"{mail} of {_address(alert)} held back",
        f"Within the last day {mail} could not be taken over as they are. Nothing is lost: they are in the mailbox.",
        "Look at Held back on the mailbox's card; they are tried again after the next upgrade.",
        _mailboxes(),
    )


def _grant(alert: Alert) -> Words:
    days = int(alert.facts.get("days", 0))
    return Words(
        f"The sign-in of {_address(alert)} ends {_in(days)}",
        "Microsoft ends a sign-in that is not used for 90 days, and this mailbox is not syncing.",
        "Resume the mailbox, or sign in again later.",
        _mailboxes(),
    )


def _secret(alert: Alert) -> Words:
    days = int(alert.facts.get("days", 0))
    ended = days < 0
    return Words(
        "The client secret has ended" if ended else f"The client secret ends {_in(days)}",
        f"Without it no mailbox can renew its sign-in ({alert.facts.get('ends', '')}).",
        "Make a new one in Entra, set MICROSOFT_CLIENT_SECRET and MICROSOFT_CLIENT_SECRET_EXPIRES, and restart.",
        reverse("operations:doctor"),
    )


def _in(days: int) -> str:
    return {0: "today", 1: "tomorrow"}.get(days, f"in {days} days")


def _workers(alert: Alert) -> Words:
    living, gone = int(alert.facts.get("living", 0)), int(alert.facts.get("gone", 1))
    last = parse_datetime(str(alert.facts.get("last", "")))
    seen = f" The last was seen {ago(last)}." if last else ""
    if not living:
        title, text = "No worker is running", f"Nothing is synced or sent.{seen}"
    else:
        title = "A worker is gone" if gone == 1 else f"{gone} workers are gone"
        text = f"{living} still running; their mailboxes go on there.{seen}"
    todo = "Start postroom worker again, and look into its log."
    return Words(title, text, todo, reverse("operations:doctor"))


def _drop_boxes(alert: Alert) -> Words:
    living, gone = int(alert.facts.get("living", 0)), int(alert.facts.get("gone", 0))
    last = parse_datetime(str(alert.facts.get("last", "")))
    seen = f" The last was seen {ago(last)}." if last else ""
    if not living:
        title = "Drop boxes take no mail"
        text = f"No drop box process is running. Mail waits where it was sent, where it is given up after days.{seen}"
    else:
        title = "A drop box process is gone" if gone == 1 else f"{gone} drop box processes are gone"
        text = f"{living} still running.{seen}"
    todo = "Start postroom dropbox again, and look into its log."
    return Words(title, text, todo, reverse("operations:doctor"))


def _webhook(alert: Alert) -> Words:
    return Words(
        "Microsoft cannot reach Postroom",
        f"The notification address does not answer: {alert.facts.get('why', 'no answer')}. Mail is polled meanwhile.",
        "Open the doctor: it says what to change at the proxy, DNS or certificate.",
        reverse("operations:doctor"),
    )


_WORDS: dict[Kind, Callable[[Alert], Words]] = {
    Kind.SILENT: _silent,
    Kind.SIGN_IN: _sign_in,
    Kind.BREAKER: _breaker,
    Kind.QUARANTINE: _quarantine,
    Kind.GRANT: _grant,
    Kind.SECRET: _secret,
    Kind.WORKERS: _workers,
    Kind.WEBHOOK: _webhook,
    Kind.DROPBOX: _drop_boxes,
}
