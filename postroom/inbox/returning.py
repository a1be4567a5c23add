"""Snooze until somebody is back: by the day their automatic reply names, or by their next mail."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.utils import timezone

from postroom.inbox.accounts import Accounts
from postroom.lib.clock import now
from postroom.mail import absences
from postroom.mail.models import Message, MessageBody, Thread
from postroom.timeline.team.snoozes import MORNING, Preset

LOOKED_AT = 30  # the newest messages of the conversation
AT_MOST = timedelta(days=90)  # then it comes back although nobody wrote


def presets(thread: Thread, known: Accounts) -> list[Preset]:
    """Until who wrote last from outside is back, and until they write again; none where only we wrote. One query."""
    rows = Message.objects.filter(thread__conversation=thread.conversation_id, mailbox__in=known.ids, is_draft=False)
    newest = list(
        rows.select_related("body").defer("body__html", "body__text").order_by("-received", "-pk")[:LOOKED_AT]
    )
    them = next((one for one in newest if _is_outside(one, known)), None)
    if them is None:
        return []
    name, address = _called(them), them.from_address.strip().lower()
    found = []
    if (back := _back(newest, address)) is not None:
        at = timezone.make_aware(datetime.combine(back, MORNING))
        found.append(Preset("back", f"{name} is back", at))
    return [*found, Preset("writes", f"{name} writes again", now() + AT_MOST, writes=address)]


def back_on(message: Message) -> date | None:
    """The day an automatic reply says its sender is back, in the reader's calendar."""
    body: MessageBody | None = getattr(message, "body", None)
    if message.kind != Message.Kind.AUTO_REPLY or body is None:
        return None
    return absences.returns(body.new_text, timezone.localdate(message.received))


def _back(newest: Sequence[Message], address: str) -> date | None:
    """If an automatic reply is the last they wrote here, and that day is still to come."""
    last = next(one for one in newest if one.from_address.strip().lower() == address)
    back = back_on(last)
    return back if back and back > timezone.localdate(now()) else None


def _is_outside(message: Message, known: Accounts) -> bool:
    address = message.from_address.strip().lower()
    return bool(address) and address not in known.ours and message.kind not in (Message.Kind.BOUNCE, Message.Kind.BULK)


def _called(message: Message) -> str:
    """The first name, where there is one."""
    name = message.from_name.strip()
    if not name or "@" in name:
        return message.from_address.partition("@")[0]
    return (name.partition(",")[2].strip() or name).split()[0][:40]
