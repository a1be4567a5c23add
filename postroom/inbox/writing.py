"""What a member types and what a composition keeps: recipients and text, there and back."""

import html
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from postroom.inbox.accounts import Account, Accounts
from postroom.mail import commands, text
from postroom.mail import html as mail_html
from postroom.mail.models import Composition, CompositionFile, Message
from postroom.mailboxes import sending
from postroom.mailboxes.models import Mailbox
from postroom.timeline import written
from postroom.workspaces.models import Membership

LARGEST = 150 * 1024 * 1024  # bytes of all attachments together (product.md SE5)
HOWS = ("reply", "reply_all", "forward")

_PART = re.compile(r'(?:"[^"]*"|<[^>]*>|[^,;\n])+')
_NAMED = re.compile(r"^(?P<name>.*?)\s*<(?P<address>[^<>]*)>\s*$", re.DOTALL)
_PLAIN = re.compile(r"(?:</?p>|<br\s*/?>|[^<])*")  # what was typed into a plain box
_NEEDS_QUOTES = re.compile(r'[,;<>"]')


# --- people ------------------------------------------------------------------------------------------------------


def people(text: str) -> list[list[str]]:
    """'Ines <ines@x>, paul@x' as [[name, address], …], each address once. Never raises: sending checks addresses."""
    found: dict[str, list[str]] = {}
    for part in _PART.findall(text.replace("\0", "")):
        named = _NAMED.match(part.strip())
        name, address = (named["name"].strip().strip('"').strip(), named["address"]) if named else ("", part)
        address = address.strip().removeprefix("mailto:").strip()
        if address:
            found.setdefault(address.lower(), [name[:200], address[:320]])
    return list(found.values())


def as_typed(rows: Sequence[Any]) -> str:
    """The reverse of ``people``."""
    return ", ".join(_as_typed(name or "", address) for name, address in rows)


def _as_typed(name: str, address: str) -> str:
    plain = name.replace('"', "").strip()
    if not plain or plain.lower() == address.lower():
        return address
    return f'"{plain}" <{address}>' if _NEEDS_QUOTES.search(plain) else f"{plain} <{address}>"


# --- text --------------------------------------------------------------------------------------------------------


def to_text(written: str) -> str:
    """The reverse of ``commands.text_to_html``; of a draft written elsewhere, what one reads in it."""
    if not _PLAIN.fullmatch(written):
        return text.from_html(mail_html.sanitise(written).html)
    plain = re.sub(r"<br\s*/?>", "\n", written)
    plain = re.sub(r"</p>\s*<p>", "\n\n", plain)
    return html.unescape(re.sub(r"<[^>]+>", "", plain))


def says_the_same(typed: str, written: str) -> bool:
    """Whether a plain box still holds what was put into it: then a draft keeps its formatting."""
    return " ".join(typed.split()) == " ".join(to_text(written).split())


def has_formatting(written: str) -> bool:
    return bool(written) and not _PLAIN.fullmatch(written)


# --- compositions ------------------------------------------------------------------------------------------------


def begin(
    member: Membership, known: Accounts, *, to: str = "", subject: str = "", about: str = ""
) -> Composition | None:
    """A new message, or the untouched one the member already has; ``None`` when there is no mailbox to send from.

    ``about``: the record it is written from, as "ticket-12"; mail about a ticket goes out from its queue's mailbox.
    """
    record = written.record_of(member.workspace_id, about)
    account = _sender(known, written.queue_mailbox(record)) or default_sender(member, known)
    if account is None:
        return None
    empty = Composition.objects.filter(
        author=member,
        state=Composition.State.DRAFT,
        how="new",
        html="",
        subject="",
        to=[],
        cc=[],
        bcc=[],
        files=None,
        draft_id="",
    )
    composition = empty.filter(mailbox__in=[one.pk for one in known.senders]).order_by("-pk").first()
    if composition is None:
        composition = commands.compose(account.mailbox, member, to=_pairs(to), subject=subject[:900])
    told: dict[str, Any] = {"to": people(to), "subject": subject[:900], "about": about if record else ""}
    told["from_address"] = _last_alias(member, account.mailbox)
    commands.save(composition, mailbox=account.mailbox, **told)
    return composition


def _last_alias(member: Membership, mailbox: Mailbox) -> str:
    """The address of the mailbox that was chosen last; empty: its own."""
    written = Composition.objects.filter(author=member, how="new", mailbox=mailbox).exclude(html="")
    last = written.order_by("-updated_at").values_list("from_address", flat=True).first() or ""
    return last if last in commands.aliases(mailbox) else ""


def _pairs(text: str) -> list[tuple[str, str]]:
    return [(name, address) for name, address in people(text)]


def default_sender(member: Membership, known: Accounts) -> Account | None:
    """The member's default for sending, else the mailbox they wrote from last (SE2), else the workspace's default, else
    their own, else any they may send from."""
    senders = known.senders
    mine, everybodys = sending.defaults(member)
    chosen = Composition.objects.filter(author=member, how="new", mailbox__in=[one.pk for one in senders])
    last = chosen.exclude(html="").order_by("-updated_at").values_list("mailbox", flat=True).first()
    own = [one for one in senders if one.mailbox.owner_id == member.pk and not one.shared]
    named = [one for wanted in (mine, last, everybodys) for one in senders if one.pk == wanted]
    return next(iter([*named, *own, *senders]), None)


class Answer(NamedTuple):
    """``made``: just now, so it has neither files nor more than its mailbox gives it."""

    composition: Composition
    made: bool


def answer(member: Membership, known: Accounts, message: Message, how: str) -> Answer | None:
    """An answer to a message, from the mailbox it was written to (SE2); the one already begun, if there is one."""
    account = _sender(known, written.queue_mailbox_of(message.thread.conversation_id))
    if account is not None and account.pk != message.mailbox_id:  # the ticket's mailbox has it, too, or answers anew
        same = Message.objects.filter(mailbox=account.pk, internet_message_id=message.internet_message_id)
        message = same.exclude(internet_message_id="").select_related("thread", "mailbox").first() or message
    account = account or _sender(known, message.mailbox_id) or default_sender(member, known)
    if account is None:
        return None
    begun = Composition.objects.filter(author=member, answers=message, how=how, state=Composition.State.DRAFT)
    found = begun.select_related("mailbox__workspace").order_by("-pk").first()
    if found is None:
        return Answer(commands.compose(account.mailbox, member, answers=message, how=how), made=True)
    found.author = member  # with their user
    return Answer(found, made=False)


def _sender(known: Accounts, mailbox: int | None) -> Account | None:
    """The mailbox with this id, if the member may send from it."""
    return next((one for one in known.senders if one.pk == mailbox), None)


def mailbox_of(known: Accounts, value: str) -> Mailbox | None:
    """The mailbox the From selector names ("7", or "7:alias@…"), if the member may send from it."""
    found = next((one for one in known.senders if str(one.pk) == value.partition(":")[0]), None)
    return found.mailbox if found else None


def froms(known: Accounts, composition: Composition) -> list[dict[str, Any]]:
    """What the From selector offers: every mailbox the member may send from, each with its aliases (SE2)."""
    alias = composition.from_address.lower()
    offered = []
    for one in known.senders:
        mine = one.pk == composition.mailbox_id
        others = commands.aliases(one.mailbox)
        under = next((other for other in others if mine and other.lower() == alias), "")
        label = f"{one.address} (shared)" if one.shared else one.address
        offered.append({"value": str(one.pk), "label": label, "current": mine and not under})
        offered += [{"value": f"{one.pk}:{other}", "label": other, "current": other == under} for other in others]
    return offered


def from_address(composition: Composition, mailbox: Mailbox, value: str) -> str:
    """The alias the From selector names; the mailbox's own address, where an alias has to be taken back; or nothing."""
    wanted = value.partition(":")[2].lower()
    alias = next((one for one in commands.aliases(mailbox) if one.lower() == wanted), "")
    if alias or not composition.from_address or mailbox.pk != composition.mailbox_id:
        return alias
    return mailbox.address


class Size(NamedTuple):
    used: int
    left: int


def size(composition: Composition) -> Size:
    """Bytes of a composition's attachments, and how many more it may have."""
    used = sum(file.size for file in CompositionFile.objects.filter(composition=composition).select_related("blob"))
    return Size(used, max(0, LARGEST - used))
