"""What comes back after a message was sent (product.md SE11): who could not be reached, who is away.

A report or an automatic reply is matched to what was sent by the Message-IDs it names, and is kept under that name and
each recipient's address, so a colleague who reads the same message sees it, too. So is the address it really went out
under, if it is another than was asked for. What failed for good at the address
itself marks the address in the whole workspace; the next mail from it takes the mark away.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db.models import Case, OuterRef, Subquery, Value, When
from django.db.models.functions import Concat

from postroom.lib.clock import now
from postroom.mail import reports
from postroom.mail.models import Composition
from postroom.mail.reports import Failed
from postroom.mail.ways import DeadAddress, Returned
from postroom.providers.contract import RemoteMessage

What = Returned.What
_THE_SENDERS = ("5.1.7", "5.1.8", "5.1.90")  # of the address class, and about who sent it


def keep(workspace_id: int, sent: str, one: Failed, *, at: datetime) -> None:
    """What a report says about one recipient of the message with the Message-ID ``sent``. The latest counts."""
    what = one.action if one.action in What.values else What.FAILED
    told = {"what": what, "status": one.status[:12], "why": (one.why or one.said)[:300], "at": at}
    Returned.objects.update_or_create(
        workspace_id=workspace_id, internet_message_id=sent, address=one.address.lower(), defaults=told
    )
    if one.hard and one.status not in _THE_SENDERS:
        mark_dead(workspace_id, one, at=at)


def keep_away(workspace_id: int, sent: str, address: str, why: str, *, at: datetime) -> None:
    """Somebody's mailbox answered by itself. A failure that is known of the same recipient stays."""
    known = Returned.objects.filter(workspace_id=workspace_id, internet_message_id=sent, address=address.lower())
    if not known.exclude(what=What.AWAY).exists():
        told = {"what": What.AWAY, "why": why[:300], "at": at}
        Returned.objects.update_or_create(
            workspace_id=workspace_id, internet_message_id=sent, address=address.lower(), defaults=told
        )


def keep_sender(composition: Composition, sent: RemoteMessage, *, own: Collection[str], server: str = "") -> None:
    """Under which address it really went out, if that is not what was asked (graph.md 6): the provider may put back an
    alias, and shows who sends on behalf of somebody. ``own``: the mailbox's addresses; ``server``: the mail server that
    carried it instead."""
    if sent.from_ is None or not sent.from_.address:
        return
    address, asked = sent.from_.address, composition.from_address or composition.mailbox.address
    if address.lower() != asked.lower() and (composition.from_address or address.lower() not in own):
        who = f"{server} may not send" if server else f"{composition.mailbox.address} is not let send"
        why = f"{who} as {asked}"
    elif sent.sender is not None and sent.sender.address.lower() not in ("", address.lower()):
        why = f"everybody sees that {sent.sender.address} sent it on its behalf"
    else:
        return
    Returned.objects.update_or_create(
        workspace_id=composition.mailbox.workspace_id,
        internet_message_id=composition.internet_message_id,
        address=address.lower(),
        defaults={"what": What.SENT_AS, "why": why[:300], "at": now()},
    )


def mark_dead(workspace_id: int, one: Failed, *, at: datetime) -> None:
    told = {"status": one.status[:12], "why": (one.why or one.said)[:300], "at": at}
    DeadAddress.objects.update_or_create(workspace_id=workspace_id, address=one.address.lower(), defaults=told)


def alive(workspace_id: int, addresses: Collection[str]) -> None:
    """Mail came from these (lower-cased): whatever was said of them is over."""
    if addresses:
        DeadAddress.objects.filter(workspace_id=workspace_id, address__in=list(addresses)).delete()


def refused_at_once(composition: Composition, address: str, said: str) -> None:
    """The workspace's mail server did not take this recipient; the others got it."""
    words = next(iter(reports.guessed(f"{address} {said}")), None)
    status = words.status if words else ""
    one = Failed(address, "failed", status, reports.why(status), said)
    keep(composition.mailbox.workspace_id, composition.internet_message_id, one, at=now())


# --- asked by screens ----------------------------------------------------------------------------------------------


def dead(workspace_id: int, addresses: Collection[str]) -> dict[str, DeadAddress]:
    """Which of these addresses mail cannot reach, by lower-cased address. One query."""
    wanted = {address.lower() for address in addresses if address}
    rows = DeadAddress.objects.filter(workspace_id=workspace_id, address__in=wanted) if wanted else ()
    return {row.address: row for row in rows}


def unreachable(workspace_id: int, addresses: Collection[str]) -> dict[str, str]:
    """What to say beside an address that mail cannot reach, by lower-cased address."""
    found = dead(workspace_id, addresses)
    return {one: f"{CAME_BACK}: {row.why}" if row.why else CAME_BACK for one, row in found.items()}


CAME_BACK = "Mail to it came back"


def came_back() -> Subquery:
    """The same as an expression over rows with a ``workspace`` and a lower-cased ``address``."""
    said = Case(When(why="", then=Value(CAME_BACK)), default=Concat(Value(f"{CAME_BACK}: "), "why"))
    found = DeadAddress.objects.filter(workspace=OuterRef("workspace"), address=OuterRef("address"))
    return Subquery(found.values(said=said)[:1])


def of_messages(workspace_id: int, names: Collection[str]) -> dict[str, list[Returned]]:
    """What came back, by Message-ID. One query."""
    wanted = [name for name in names if name]
    rows = Returned.objects.filter(workspace_id=workspace_id, internet_message_id__in=wanted) if wanted else ()
    found: dict[str, list[Returned]] = {}
    for row in sorted(rows, key=lambda row: (row.what, row.address)):
        found.setdefault(row.internet_message_id, []).append(row)
    return found


_LABELS = {
    What.FAILED: "Not delivered to",
    What.DELAYED: "Delayed for",
    What.DELIVERED: "Delivered to",
    What.AWAY: "Answered by itself:",
    What.SENT_AS: "Went out as",
}


def told(rows: Sequence[Returned]) -> str:
    """All of them in words, failures first."""
    order = list(_LABELS)
    ordered = sorted(rows, key=lambda row: (order.index(What(row.what)), row.address))
    return " ".join(f"{_LABELS[What(row.what)]} {row.address}{f': {row.why}' if row.why else ''}." for row in ordered)
