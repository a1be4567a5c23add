"""Hooks that write down what they were told (`settings.MAILBOX_HOOKS` of these tests)."""

from collections.abc import Sequence

from postroom.mailboxes.hooks import Card, Held, SyncResult
from postroom.mailboxes.models import Mailbox

TOLD: list[str] = []
CARD: Card = {}
RESULT: list[SyncResult] = []
TO_ERASE: list[int] = []  # portions that are left to delete


def connected(mailbox: Mailbox) -> None:
    TOLD.append(f"connected {mailbox.address}")


def reconnected(mailbox: Mailbox) -> None:
    TOLD.append(f"reconnected {mailbox.address}")


def history_chosen(mailbox: Mailbox) -> None:
    TOLD.append(f"history {mailbox.history}")


def pause(mailbox: Mailbox) -> None:
    TOLD.append("pause")


def resume(mailbox: Mailbox) -> None:
    TOLD.append("resume")


def cancel(mailbox: Mailbox) -> None:
    TOLD.append("cancel")


def sync_now(mailbox: Mailbox) -> str:
    TOLD.append("sync")
    return "7"


def sync_result(mailbox: Mailbox, ticket: str) -> SyncResult | None:
    return RESULT[0] if RESULT and ticket == "7" else None


def disconnecting(mailbox: Mailbox, delete: bool) -> None:
    TOLD.append(f"disconnecting {mailbox.address} {'delete' if delete else 'keep'}")
    assert mailbox.connection is None or mailbox.connection.sealed_grant, "the grant must still be there"


def cards(mailboxes: Sequence[Mailbox]) -> dict[int, Card]:
    return {one.pk: CARD for one in mailboxes}


def delegate_lost(mailbox: Mailbox) -> None:
    TOLD.append(f"delegate lost {mailbox.address}")


def erase_some(mailbox: Mailbox, contacts: bool) -> int:
    return TO_ERASE.pop(0) if TO_ERASE else 0


def holds(mailbox: Mailbox) -> list[Held]:
    return [Held("messages", 61204), Held("conversations", 20417)]
