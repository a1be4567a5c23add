"""Hooks that write down what they were told (`settings.MAILBOX_HOOKS` of these tests)."""

from postroom.mailboxes.hooks import Card, SyncResult
from postroom.mailboxes.models import Mailbox

TOLD: list[str] = []
CARD: Card = {}
RESULT: list[SyncResult] = []


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


def card(mailbox: Mailbox) -> Card:
    return CARD


def holds(mailbox: Mailbox) -> list[tuple[str, int]]:
    return [("messages", 61204), ("conversations", 20417)]
