"""The connection test (product.md CN15): a message to oneself, watched step by step on its way.

    begin     one test per mailbox at a time; the message is handed to whoever sends
    look      what is known by now; asked by the page every second, so a reload loses nothing
    shown     the browser has drawn the mail

What happened is asked of the packages above (``hooks.test_…``); here stand the steps, how long each may take, and what
to do when it does not come about. A test that ends, well or not, has its mails moved to Deleted Items.
"""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction

from postroom.lib.clock import now
from postroom.mailboxes import failures, features, hooks
from postroom.mailboxes.hooks import Seen
from postroom.mailboxes.models import ConnectionTest, Mailbox
from postroom.workspaces.models import Membership


class Step(NamedTuple):
    """``seconds`` after the step before it is when it counts as failed; ``todo`` says what to do then."""

    name: str
    label: str
    seconds: int
    todo: str


STEPS: tuple[Step, ...] = (
    Step("accepted", "Accepted by the mail server", 60, "The mailbox’s card says what waits to be sent, and why."),
    Step("sent", "In Sent Items", 60, "Somebody may have switched off keeping sent mail here. Ask your IT."),
    Step(
        "delivered", "Delivered to the Inbox", 120,
        "Look in Outlook: it may lie in Junk Email, or a rule or forwarding took it elsewhere.",
    ),
    Step(
        "notified", "Postroom was told", 120,
        "The mail came by looking, so nothing is lost, only later. Check that POSTROOM_PUBLIC_URL can be reached from "
        "the internet; `postroom doctor` tests it.",
    ),
    Step("stored", "Stored in Postroom", 120, "Choose Sync now on the card; the error it shows is the reason."),
    Step("linked", "Linked to a contact", 30, "Give the reference on the mailbox’s card to whoever runs Postroom."),
    Step("shown", "On your screen", 30, "Reload this page. If it stays so, your browser may block Postroom’s scripts."),
)  # fmt: skip
LOOK_AFTER = timedelta(seconds=30)  # nothing came by itself: ask for a sync, to learn whether delivery or push failed
SUBJECT = "Postroom connection test"


class Line(NamedTuple):
    """A step as the page shows it: ``done``, ``failed``, ``now`` (waited for) or ``later``."""

    step: Step
    state: str
    at: datetime | None
    detail: str


def why_not(mailbox: Mailbox) -> str:
    """Why this mailbox cannot be tested now, as a sentence; "" when it can."""
    if mailbox.state != Mailbox.State.LIVE:
        return "Only a mailbox that syncs can be tested."
    if mailbox.direction == Mailbox.Direction.ONE_WAY:
        return "It is one-way: incoming mail is not pulled, so the test message would never arrive here."
    if mailbox.failure:
        return "Something else has to be mended first: see its card."
    states = features.states(mailbox.connection) if mailbox.connection else []
    if any(one.feature.name == "sending" and not one.on for one in states):
        return "The permission to send is off: allow it first."
    return ""


@transaction.atomic
def begin(mailbox: Mailbox, member: Membership) -> ConnectionTest:
    """Start a test; one that is still running is returned instead."""
    Mailbox.objects.select_for_update(no_key=True).get(pk=mailbox.pk)
    known = ConnectionTest.objects.filter(mailbox=mailbox).first()
    if known is not None and known.finished_at is None:
        return known
    if known is not None:
        known.delete()
    made = ConnectionTest.objects.create(mailbox=mailbox, member=member, marker=secrets.token_hex(4))
    made.message = hooks.test_send(mailbox, member, f"{SUBJECT} {made.marker}")
    made.save(update_fields=["message"])
    return made


@transaction.atomic
def look(mailbox: Mailbox) -> ConnectionTest | None:
    """The mailbox's latest test, brought up to date; ``None`` when there never was one."""
    rows = ConnectionTest.objects.select_for_update(of=("self",)).select_related("mailbox__connection", "member__user")
    test = rows.filter(mailbox=mailbox).first()
    if test is None or test.finished_at is not None or test.message is None:
        return test
    seen = hooks.test_look(test.mailbox, test.member, test.message, test.started_at)
    _take(test, seen)
    _give_up(test, seen)
    if test.failed not in ("", "notified") or all(one.name in test.steps for one in _expected(test)):
        _finish(test)
    test.save()
    return test


@transaction.atomic
def shown(mailbox: Mailbox) -> None:
    """The browser has drawn the test's mail."""
    test = ConnectionTest.objects.select_for_update().filter(mailbox=mailbox, finished_at=None).first()
    if test is not None and "stored" in test.steps and "shown" not in test.steps:
        test.steps["shown"] = _entry(Seen(now()))
        test.save(update_fields=["steps"])


def lines(test: ConnectionTest) -> list[Line]:
    """Every step as it stands."""
    found: list[Line] = []
    waiting = test.finished_at is None
    for step in STEPS:
        told = test.steps.get(step.name)
        if step.name == test.failed:
            found.append(Line(step, "failed", None, f"{test.reason} {step.todo}".strip()))
        elif told:
            found.append(Line(step, "done", datetime.fromisoformat(told["at"]), str(told["detail"])))
        else:
            found.append(Line(step, "now" if waiting else "later", None, ""))
            waiting = False
    return found


def _expected(test: ConnectionTest) -> list[Step]:
    return [one for one in STEPS if one.name != test.failed]


def _entry(seen: Seen) -> dict[str, str]:
    return {"at": (seen.at or now()).isoformat(), "detail": seen.detail}


def _take(test: ConnectionTest, seen: Mapping[str, Seen]) -> None:
    """Note what came about; a refusal is noted with its reason."""
    for step in STEPS:
        told = seen.get(step.name)
        if told is None or step.name in test.steps:
            continue
        if told.failed and not test.failed:
            test.failed, test.reason = step.name, told.failed[:400]
        elif not told.failed:
            test.steps[step.name] = _entry(told)
    if "stored" in test.steps and "notified" not in test.steps and test.failed != "notified":
        _not_told(test, seen)


def _not_told(test: ConnectionTest, seen: Mapping[str, Seen]) -> None:
    """It is here, and nobody told us: fine where Postroom looks by itself, a failure where push is on."""
    if "push" not in seen:
        test.steps["notified"] = _entry(Seen(now(), "Real-time is off here; found by looking."))
    elif not test.failed:
        test.failed, test.reason = "notified", "Real-time is on, but nothing was pushed."


def _give_up(test: ConnectionTest, seen: Mapping[str, Seen]) -> None:
    """Ask by ourselves when nothing came; say which step took too long."""
    missing = next((one for one in _expected(test) if one.name not in test.steps), None)
    if missing is None or test.failed not in ("", "notified"):
        return
    if test.mailbox.failure and missing.name != "shown":
        told = failures.advice(test.mailbox, provider=features.company(test.mailbox.provider))
        test.failed, test.reason = missing.name, told.happened if told else ""
        return
    since = max((datetime.fromisoformat(one["at"]) for one in test.steps.values()), default=test.started_at)
    waited = now() - max(since, test.started_at)
    if "accepted" in test.steps and "stored" not in test.steps and test.asked_at is None and waited > LOOK_AFTER:
        test.asked_at = now()
        hooks.sync_now(test.mailbox)
    if waited > timedelta(seconds=missing.seconds):
        told_why = f"Not seen within {missing.seconds} seconds."
        test.failed, test.reason = missing.name, told_why


def _finish(test: ConnectionTest) -> None:
    test.finished_at = now()
    if test.message is not None:
        hooks.test_clean(test.mailbox, test.member, test.message)
