"""What follows when mail was stored or removed: linking and other hooks at once, live screens on commit."""

from collections.abc import Callable, Collection
from functools import cache
from importlib import import_module
from typing import Any, cast

from django.conf import settings

from postroom.lib.live import publish
from postroom.mail import store
from postroom.mailboxes.models import Mailbox

Hook = Callable[..., None]
_IDS_IN_ONE_EVENT = 40  # a larger change tells screens to look again instead of naming every row


@cache
def hooks() -> tuple[Hook, ...]:
    """``settings.SYNC_HOOKS``: called as ``hook(mailbox, stored, fresh=…)`` in the transaction of every stored page."""
    found = []
    for path in settings.SYNC_HOOKS:
        module, _, name = path.partition(":")
        found.append(cast(Hook, getattr(import_module(module), name)))
    return tuple(found)


def on_stored(mailbox: Mailbox, stored: Any, *, fresh: bool) -> None:
    """``fresh``: news rather than history; only news is announced row by row."""
    for hook in hooks():
        hook(mailbox, stored, fresh=fresh)
    store.drop_conversations([gone for gone, _ in stored.merged])
    if fresh and (stored.threads or stored.removed):
        announce(mailbox, threads=stored.threads, new=len(stored.new))


def announce(mailbox: Mailbox, *, threads: Collection[int] = (), new: int = 0) -> None:
    """Tell the screens of those who may see this mailbox, on commit. No ``threads``: look at the lists again."""
    few = sorted(threads) if len(threads) <= _IDS_IN_ONE_EVENT else []
    publish(mailbox.workspace_id, "mail", {"mailbox": mailbox.pk, "threads": few, "new": new}, members=readers(mailbox))


def readers(mailbox: Mailbox) -> list[int] | None:
    """The members who may read the mailbox, ``None`` for everybody in the workspace (CN14)."""
    if mailbox.visibility == Mailbox.Visibility.WORKSPACE:
        return None
    named = mailbox.members.values_list("pk", flat=True) if mailbox.visibility == Mailbox.Visibility.MEMBERS else ()
    return [mailbox.owner_id, *named]
