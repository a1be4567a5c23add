"""Why is this mail not here? The way of one message, step by step, to the first that failed (product.md SY15).

    at the provider -> notified -> listed -> fetched -> stored -> matched -> visible to you

Asked is the provider itself, at this moment, and every row we have. Only mailboxes the member may read are looked into:
of a colleague's private mailbox nothing is said, not even whether something was found.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from django.core import signing
from django.db import transaction

from postroom.lib.clock import now
from postroom.mail import trace_facts
from postroom.mail.folders import folder_path
from postroom.mail.models import Message
from postroom.mail.sync.history import reach
from postroom.mail.trace_facts import MOST, Asked, Box, Facts
from postroom.mailboxes.access import mailboxes_visible_to
from postroom.mailboxes.failures import failure_of
from postroom.mailboxes.models import Failure, Mailbox
from postroom.mailboxes.session import open_mail
from postroom.providers.contract import FolderRole, RemoteMessage
from postroom.providers.errors import ProviderError
from postroom.sync import lanes
from postroom.sync.models import Activity, Notification, Quarantined, SyncState
from postroom.workspaces.models import Membership

MOST_MAILBOXES = 8  # asked at the provider for one question
_SALT = "mail.trace"

Outcome = Literal["done", "failed", "waiting", "unknown"]


@dataclass(frozen=True)
class Step:
    name: str
    outcome: Outcome
    fact: str
    at: datetime | None = None


@dataclass(frozen=True)
class Trace:
    """One message's way. ``why`` is empty when it is here; ``mend``: what the page offers to do about it."""

    mailbox: Mailbox
    subject: str
    who: str
    received: datetime | None
    steps: Sequence[Step]
    why: str
    mend: Literal["", "fetch", "again", "folder"]
    outside: bool  # a longer history would bring it
    token: str  # for "fetch" and "again"
    row: Message | None = None


@dataclass
class Answer:
    """What one mailbox says. ``trouble``: why it cannot bring anything, or could not be asked, just now."""

    mailbox: Mailbox
    traces: list[Trace] = field(default_factory=list)
    trouble: str = ""
    asked: bool = False


def ask(member: Membership, text: str, *, mailbox: int | None = None) -> list[Answer]:
    """What each mailbox the member may read (or that one) says about a Message-ID or words of a subject."""
    text = text.replace("\x00", "").strip()[:998]
    mailboxes = mailboxes_visible_to(member)
    if mailbox is not None:
        mailboxes = mailboxes.filter(pk=mailbox)
    if not text:
        return []
    message_id = f"<{text.strip('<>')}>" if is_message_id(text) else ""
    boxes = trace_facts.boxes(mailboxes[:MOST_MAILBOXES], message_id=message_id, words=text)
    answers = [Answer(one.mailbox, trouble=_trouble(one.mailbox)) for one in boxes]
    asked = [_ask_provider(*pair, message_id, text) for pair in zip(boxes, answers, strict=True)]
    for answer, found in zip(answers, trace_facts.of(asked), strict=True):
        answer.traces = [_trace(facts) for facts in found]
    return answers


def is_message_id(text: str) -> bool:
    return "@" in text and not any(sign.isspace() for sign in text)


def _ask_provider(box: Box, answer: Answer, message_id: str, text: str) -> Asked:
    """What it has at this moment; why it could not be asked is noted in the answer."""
    remote: list[RemoteMessage] = []
    try:
        source = open_mail(box.mailbox, just_read=True)
        remote = source.find(internet_message_id=message_id, subject="" if message_id else text, most=MOST)
        answer.asked = True
    except ProviderError as problem:
        answer.trouble = answer.trouble or _unreachable(problem)
    return Asked(box, {one.id: one for one in remote}, answer.asked)


def _trace(facts: Facts) -> Trace:
    steps = [step(facts) for step in _STEPS]
    first = next((one for one in steps if one.outcome in ("failed", "waiting")), None)
    remote, row = facts.remote, facts.row
    author = remote.from_ if remote else None
    remote_id = remote.id if remote else row.remote_id if row else ""
    return Trace(
        mailbox=facts.mailbox,
        subject=(remote.subject if remote else row.subject if row else "") or "",
        who=(author.name or author.address) if author else (row.from_name or row.from_address) if row else "",
        received=remote.received if remote else row.received if row else None,
        steps=steps,
        why=first.fact if first else "",
        mend=_mend(facts),
        outside=not facts.counted and (facts.known is not None or _is_outside(facts)),
        token=signing.dumps([facts.mailbox.pk, remote_id], salt=_SALT),
        row=row,
    )


def _mend(facts: Facts) -> Literal["", "fetch", "again", "folder"]:
    if facts.mailbox.direction == Mailbox.Direction.ONE_WAY or _trouble(facts.mailbox):
        return ""
    if facts.folder is not None and not facts.folder.synced:
        return "folder"
    if facts.aside is not None:
        return "again"
    missing = facts.row is None or facts.row.body_state != Message.BodyState.STORED
    return "fetch" if facts.remote is not None and missing and not facts.counted else ""


# --- the steps -----------------------------------------------------------------------------------------------------


def _there(facts: Facts) -> Step:
    name = "At the provider"
    if facts.remote is not None:
        place = folder_path(facts.folder) if facts.folder else "a folder that Postroom does not know yet"
        return Step(name, "done", f"It lies in {place}.", facts.remote.received)
    if not facts.asked:
        return Step(name, "unknown", "The provider could not be asked just now.")
    if facts.kept:
        return Step(name, "unknown", "It is gone there; somebody decided to keep it here.")
    return Step(
        name, "failed", "The provider does not have it any more, in no folder, Deleted Items and Junk included."
    )


def _notified(facts: Facts) -> Step:
    if facts.named is not None:
        return Step("Notified", "done", "Named to Postroom; it is fetched in a moment.", facts.named.at)
    if facts.pushed:
        return Step("Notified", "unknown", "Push is on. Single notices are not kept once they are taken in.")
    return Step("Notified", "unknown", "Push is off for this mailbox: its folders are looked at regularly instead.")


def _listed(facts: Facts) -> Step:
    name, state = "Listed", facts.state
    if facts.mailbox.direction == Mailbox.Direction.ONE_WAY and facts.row is None:
        return Step(name, "failed", "This mailbox is one-way: what arrives in it is not pulled.")
    if facts.folder is not None and not facts.folder.synced:
        return Step(name, "failed", f"The folder {facts.folder.name} is switched off in this mailbox's settings.")
    if facts.row is not None or facts.known is not None:
        return Step(name, "done", "A listing or a notice has named it.", state.updated_at if state else None)
    if facts.remote is None:
        return Step(name, "unknown", "There is nothing to list.")
    if facts.folder is None or state is None or state.phase == SyncState.Phase.NEW:
        return Step(name, "waiting", "Its folder has not been listed yet; it is next in line.")
    if state.phase == SyncState.Phase.FOLLOWING and (facts.remote.received or now()) < state.updated_at:
        fact = "Its folder was looked at since, and yet it is not here. The next comparison would fetch it; so can you."
        return Step(name, "failed", fact, state.updated_at)
    if state.phase == SyncState.Phase.FOLLOWING:
        return Step(name, "failed", "Its folder was looked at, and it was not named: it came later.", state.updated_at)
    return Step(name, "waiting", f"Its folder is being listed: {state.listed:,} messages so far.", state.updated_at)


def _is_outside(facts: Facts) -> bool:
    since = reach(facts.mailbox)
    told = facts.remote.received if facts.remote else None
    return facts.row is None and since is not None and told is not None and told < since


def _fetched(facts: Facts) -> Step:
    name = "Fetched"
    if facts.aside is not None:
        return Step(name, "failed", f"It was fetched and could not be read: {facts.aside.words}.", facts.aside.at)
    if facts.row is not None and facts.row.body_state == Message.BodyState.STORED:
        return Step(name, "done", "With its text and its list of attachments.")
    if facts.counted:
        return Step(name, "failed", _COUNTED)
    if facts.known is not None or _is_outside(facts):
        chosen = (facts.mailbox.get_history_display() or "new mail only").lower()
        return Step(name, "failed", f"It is older than the history that was chosen for this mailbox ({chosen}).")
    if facts.row is not None:
        return Step(name, "waiting", f"Its text waits in the history pull{_pull_words(facts.pull)}.")
    return Step(name, "failed" if facts.remote else "unknown", "It has not been fetched.")


_COUNTED = (
    "It touches no record, and of such mail only a number is kept here (Settings › Privacy). "
    "Once one of its people is a contact, or their domain a company’s, it is fetched."
)


def _pull_words(pull: Mapping[str, Any] | None) -> str:
    if pull is None or not pull["progress"].get("total"):
        return ""
    paused = ", which is paused" if pull["paused"] else ""
    return f" ({pull['progress']['done']:,} of {pull['progress']['total']:,} messages){paused}"


def _stored(facts: Facts) -> Step:
    if facts.row is None:
        return Step("Stored", "failed" if facts.remote else "unknown", "Postroom has no copy of it.")
    kept = " It is gone at the provider; somebody decided to keep it." if facts.kept else ""
    return Step("Stored", "done", f"In {folder_path(facts.row.folder)}.{kept}", facts.row.modified)


def _matched(facts: Facts) -> Step:
    if facts.row is None:
        return Step("Matched", "unknown", "Nothing to match yet.")
    told = " ".join(facts.records)
    return Step("Matched", "done" if told else "unknown", told or "No record has one of its people.")


_BINS = {FolderRole.JUNK: "Junk", FolderRole.DELETED: "Deleted Items"}


def _visible(facts: Facts) -> Step:
    name = "Visible to you"
    if facts.row is None:
        return Step(name, "unknown", "You may read this mailbox: once it is here, you see it.")
    folder = facts.row.folder
    if folder.hidden:
        return Step(name, "failed", f"It lies in {folder.name}, a folder that is hidden at the provider.")
    if not folder.synced:
        return Step(name, "failed", f"It lies in {folder.name}, which is switched off: lists do not show it.")
    if folder.role in _BINS:
        return Step(name, "done", f"Yes, in {_BINS[FolderRole(folder.role)]}: not in the Inbox.")
    return Step(name, "done", f"Yes, in {folder_path(folder)}.")


_STEPS = (_there, _notified, _listed, _fetched, _stored, _matched, _visible)


# --- the mailbox ---------------------------------------------------------------------------------------------------


def _trouble(mailbox: Mailbox) -> str:
    """Why nothing arrives in this mailbox at all."""
    if mailbox.state == Mailbox.State.DISCONNECTED:
        return "This mailbox is disconnected: nothing has arrived since, and its provider cannot be asked."
    if mailbox.state == Mailbox.State.PAUSED:
        return "This mailbox is paused: nothing arrives until somebody resumes it."
    if mailbox.failure == Failure.BREAKER:
        return "Sync of this mailbox has stopped and waits for a decision: an unusual share of it would go."
    if mailbox.failure in lanes.BLOCKING_FAILURES:
        return f"Sync of this mailbox has stopped: {Failure(mailbox.failure).label}."
    return ""


def _unreachable(problem: ProviderError) -> str:
    words = {Failure.PROVIDER: "The provider does not answer as it should. Try again in a minute."}
    failure = failure_of(problem)
    return words.get(failure, f"The provider could not be asked: {failure.label}.")


@transaction.atomic
def fetch(member: Membership, token: str) -> Mailbox | None:
    """Have the message of a trace fetched at once, as if the provider had just named it. ``None`` for a token that is
    not ours or a mailbox the member may not read."""
    try:
        mailbox_id, remote_id = signing.loads(token, salt=_SALT, max_age=24 * 3600)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    mailbox = mailboxes_visible_to(member).filter(pk=mailbox_id).first()
    if mailbox is None or not remote_id:
        return None
    lanes.want(mailbox.pk, Activity.LIVE)  # first: the engine too locks its lane before rows
    Quarantined.objects.filter(mailbox=mailbox, remote_id=remote_id).update(version="")
    Notification.objects.create(mailbox=mailbox, remote_id=remote_id, change="updated", received_at=now())
    return mailbox
