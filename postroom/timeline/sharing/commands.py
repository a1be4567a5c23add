"""What owners and admins decide about mail on records. Open screens hear of it at once.

The caller has checked who asks: a mailbox's owner decides for it and its threads, an admin for the workspace.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Q

from postroom.lib.clock import now
from postroom.lib.live import publish
from postroom.mail.models import Conversation
from postroom.mailboxes.models import Mailbox
from postroom.records.models import CompanyDomain, PersonAddress
from postroom.timeline.sharing import levels
from postroom.timeline.sharing.models import Level, MailboxSharing, NeverLog, Policy, Rule, ThreadSharing
from postroom.timeline.team import readers
from postroom.workspaces.models import Membership, Workspace

TOPIC = "links"
"""The live topic: {"conversation": [ids]}: what these are linked to, or how much of them is shown, changed; {"all":
true}: look at everything again."""

_DOMAIN = re.compile(r"(?!-)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+")
_ADDRESS = re.compile(r"[^@\s<>,;]{1,64}@(?!-)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+")


# --- levels ------------------------------------------------------------------------------------------------------


def policy_of(workspace: Workspace) -> Policy:
    """The workspace's policy; a fresh one, not kept, where nobody decided anything."""
    return Policy.objects.filter(workspace=workspace).first() or Policy(workspace=workspace)


@transaction.atomic
def set_policy(workspace: Workspace, *, given: Level, most: Level, contacts: Rule) -> None:
    """What counts where an owner decided nothing, and the most anybody may show."""
    values = {"given": min(given, most), "most": most, "contacts": contacts}
    Policy.objects.update_or_create(workspace=workspace, defaults=values)
    _tell_all(workspace.pk)


@transaction.atomic
def set_mailbox(mailbox: Mailbox, *, level: Level | None, contacts: str) -> None:
    """How much a mailbox shows on records, and whom it makes contacts of; None and "": as the workspace does."""
    MailboxSharing.objects.update_or_create(mailbox=mailbox, defaults={"level": level, "contacts": contacts})
    _tell_all(mailbox.workspace_id)


@transaction.atomic
def set_thread(
    conversation: Conversation, mailboxes: Iterable[Mailbox], level: Level | None, *, by: Membership
) -> None:
    """How much of one thread these mailboxes show; None: as much as of their other mail."""
    seen = _sees(conversation.pk)
    for mailbox in mailboxes:
        if level is None:
            ThreadSharing.objects.filter(conversation=conversation, mailbox=mailbox).delete()
        else:
            values = {"level": level, "by": by, "at": now()}
            ThreadSharing.objects.update_or_create(conversation=conversation, mailbox=mailbox, defaults=values)
    announce(conversation.workspace_id, conversation.pk, also=seen)


def announce(workspace_id: int, conversation: int, *, also: readers.Audience = frozenset()) -> None:
    """Tell the screens of those who see anything of a conversation (and ``also`` those who did), and nobody else."""
    seen = _sees(conversation)
    audience = None if seen is None or also is None else seen | also
    publish(workspace_id, TOPIC, {"conversation": [conversation]}, members=audience)


def _sees(conversation: int) -> readers.Audience:
    """Who may use a mailbox of it; everybody, where one shows something of it on records."""
    audience = readers.audiences([conversation])[conversation]
    workspace = Conversation.objects.values_list("workspace", flat=True).filter(pk=conversation).first()
    if audience is None or workspace is None:
        return audience
    return None if levels.threads(workspace, []).filter(conversation=conversation).exists() else audience


def _tell_all(workspace_id: int) -> None:
    publish(workspace_id, TOPIC, {"all": True})


# --- never logged ------------------------------------------------------------------------------------------------


def pattern(text: str) -> str:
    """What somebody typed, as an address or a domain. Raises ``ValidationError``."""
    wanted = text.strip().strip("<>").removeprefix("@").removeprefix("*@").removeprefix("*.").lower()
    if "@" not in wanted:
        try:
            wanted = wanted.encode("idna").decode()
        except UnicodeError:
            wanted = ""
    if len(wanted) > 320 or not (_ADDRESS if "@" in wanted else _DOMAIN).fullmatch(wanted):
        raise ValidationError(f"“{text.strip()[:80]}” is neither an address nor a domain, such as example.com.")
    return wanted


@transaction.atomic
def never_log(workspace: Workspace, text: str, *, mailbox: Mailbox | None, by: Membership) -> tuple[NeverLog, int]:
    """From now on mail with an address or domain is on no record and makes no contact; what was linked by address comes
    off. Returns the entry and how many conversations came off. Raises ``ValidationError``."""
    entry, _ = NeverLog.objects.get_or_create(
        workspace=workspace, mailbox=mailbox, what=pattern(text), defaults={"by": by}
    )
    with connection.cursor() as cursor:
        cursor.execute(_OFF, {"entry": entry.pk})
        off = {row[0] for row in cursor.fetchall()}
    _tell_all(workspace.pk)
    return entry, len(off)


@transaction.atomic
def log_again(entry: NeverLog) -> None:
    """The entry goes, and the mail of the records it kept it from is linked again."""
    from postroom.timeline.matching import relink_for  # both read this package's statements
    from postroom.timeline.sharing import only_records

    what, workspace = entry.what, entry.workspace_id
    entry.delete()
    domain = Q(address=what) if "@" in what else Q(address__endswith=f"@{what}") | Q(address__endswith=f".{what}")
    people = PersonAddress.objects.filter(domain, workspace=workspace).select_related("person__company")
    below = Q(domain=what.rpartition("@")[2]) | Q(domain__endswith=f".{what}")
    companies = CompanyDomain.objects.filter(below, workspace=workspace).select_related("company")
    records = {("person", row.person_id): row.person for row in people[:MOST_RELINKED]}
    for record in [*records.values(), *(row.company for row in companies[:MOST_RELINKED])]:
        relink_for(record)
        only_records.look_for(record)
    _tell_all(workspace)


MOST_RELINKED = 200  # records one removal links anew at once; others find their older mail by address as before

# Conversations in which somebody is heard who matches lose what was linked by address; what was linked by hand stays.
_OFF = """
delete from timeline_link l using timeline_neverlog n
where n.id = %(entry)s and l.workspace_id = n.workspace_id and l.how = 'auto' and l.removed_at is null
  and l.conversation_id in (
    select t.conversation_id from (
        select c.address from mail_correspondent c where c.workspace_id = n.workspace_id
        and (c.address = n.what or c.domain = n.what or right(c.domain, length(n.what) + 1) = '.' || n.what)
    ) named
    join mail_participant p on p.address = named.address
    join mail_message m on m.id = p.message_id join mail_thread t on t.id = m.thread_id
    join mailboxes_mailbox b on b.id = m.mailbox_id and b.workspace_id = n.workspace_id
    where n.mailbox_id is null or (n.mailbox_id = m.mailbox_id and not exists (
        select from mail_thread other
        where other.conversation_id = t.conversation_id and other.mailbox_id <> n.mailbox_id))
  )
returning l.conversation_id
"""


def listed(workspace: Workspace, mailboxes: Collection[int]) -> list[NeverLog]:
    """What is never logged: for everybody, and for these mailboxes."""
    rows = NeverLog.objects.for_workspace(workspace).filter(Q(mailbox=None) | Q(mailbox__in=mailboxes))
    return list(rows.select_related("mailbox", "by__user").order_by("mailbox", "what"))
