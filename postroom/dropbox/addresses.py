"""Drop addresses: ``log-TOKEN@domain``, or ``log-TOKEN+deal-42@domain`` to name a record; who may write to them."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Min

from postroom.accounts.keys import keyring
from postroom.dropbox.models import DropBox, Sender
from postroom.lib.clock import now
from postroom.lib.resealing import reseal_rows
from postroom.mailboxes.models import NOT_SYNCED, Mailbox
from postroom.workspaces.models import Membership

TOKEN_BYTES = 15  # 120 bits: 24 letters and digits
_LOCAL = re.compile(r"log-(?P<token>[a-z2-7]{24})(?:\+(?P<about>[a-z0-9-]{1,40}))?")


class Named(NamedTuple):
    """What an address says: the key its box is found by, and what it is about."""

    token_key: bytes
    about: str


def is_on() -> bool:
    """Whether this installation receives mail at all."""
    return bool(settings.POSTROOM_DROPBOX_DOMAIN)


def named(address: str) -> Named | None:
    """Read an address; ``None`` when it cannot be a drop address of ours."""
    local, _, domain = address.strip().lower().rpartition("@")
    found = _LOCAL.fullmatch(local)
    if found is None or not is_on() or domain != settings.POSTROOM_DROPBOX_DOMAIN:
        return None
    return Named(_key(found["token"]), found["about"] or "")


def box_of(address: str) -> DropBox | None:
    """The open box behind an address, of a member who is still one."""
    known = named(address)
    if known is None:
        return None
    rows = DropBox.objects.filter(token_key=known.token_key, member__removed_at=None, workspace__deleted_at=None)
    return rows.select_related("member__user", "workspace").first()


def open_since() -> datetime | None:
    """When the oldest address that somebody may write to was made; ``None`` while there is none."""
    if not is_on():
        return None
    rows = DropBox.objects.exclude(token_key=None).filter(member__removed_at=None, workspace__deleted_at=None)
    since: datetime | None = rows.aggregate(since=Min("made_at"))["since"]
    return since


def address_of(box: DropBox) -> str:
    """The address to copy, empty while the box is closed. Raises ``lib.crypto.CannotOpen``."""
    if box.token_key is None or not is_on():
        return ""
    token = keyring().open(box.sealed_token, _place(box.member_id)).decode()
    return f"log-{token}@{settings.POSTROOM_DROPBOX_DOMAIN}"


@transaction.atomic
def open_box(member: Membership) -> DropBox:
    """The member's box with a new address; the one before is unknown from now on."""
    box, _ = DropBox.objects.select_for_update().get_or_create(member=member, workspace_id=member.workspace_id)
    token = base64.b32encode(secrets.token_bytes(TOKEN_BYTES)).decode().lower()
    box.token_key, box.sealed_token = _key(token), keyring().seal(token.encode(), _place(member.pk))
    box.made_at, box.used_at, box.leaked_at = now(), None, None
    box.save()
    return box


def close_box(box: DropBox) -> None:
    """Nobody can write to it any more. What is here stays."""
    box.token_key, box.sealed_token = None, b""
    box.save(update_fields=["token_key", "sealed_token"])


def of(member: Membership) -> DropBox | None:
    box = DropBox.objects.filter(member=member).first()
    if box is not None:
        box.member = member  # with the user it knows already
    return box


# --- who may write ---------------------------------------------------------------------------------------------------


def bare(address: str) -> str:
    """An address without its plus part, lower-cased: forwarding services put a return path of their own there."""
    local, _, domain = address.strip().lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def own_addresses(box: DropBox) -> frozenset[str]:
    """The addresses of the box's member, lower-cased: of their sign-in, their mailboxes with aliases, and those they
    added."""
    found = {box.member.user.email.lower(), *box.senders.values_list("address", flat=True)}
    own = Mailbox.objects.filter(owner=box.member_id, kind=Mailbox.Kind.OWN, departure=None)
    for mailbox in own.exclude(provider=NOT_SYNCED).select_related("connection"):
        found.add(mailbox.address.lower())
        found.update(alias.lower() for alias in (mailbox.connection.aliases if mailbox.connection else ()))
    return frozenset(found)


# Asks whether mail may be forwarded to an address; its mail waits, and its subject has the code to type.
FORWARDING = "forwarding-noreply@google.com"


def may_write(box: DropBox, sender: str) -> bool:
    """Whether a return path is one of the member's, or of who asks them whether to forward."""
    own = own_addresses(box)
    return sender.strip().lower() in own or bare(sender) in own or sender.strip().lower() == FORWARDING


def add_sender(box: DropBox, address: str) -> Sender:
    return Sender.objects.get_or_create(workspace_id=box.workspace_id, box=box, address=address.strip().lower())[0]


# --- secrets ---------------------------------------------------------------------------------------------------------


def reseal() -> int:
    """Bring every token under the newest key, as ``reseal_rows`` says."""
    rows = DropBox.objects.exclude(token_key=None)
    return reseal_rows(rows, "sealed_token", lambda box: _place(box.member_id), keyring())


def _key(token: str) -> bytes:
    return hashlib.sha256(f"drop box {token}".encode()).digest()


def _place(member_id: int) -> tuple[str, str]:
    return (f"member {member_id}", "drop box")
