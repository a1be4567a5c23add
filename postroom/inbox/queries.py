"""What only these screens ask for. Everything else is read through ``mail.queries``."""

from collections.abc import Collection, Sequence
from typing import Any

from django.db.models import Exists, OuterRef, Q

from postroom.inbox.accounts import Accounts
from postroom.mail.drafts import UNSENT
from postroom.mail.models import Composition, CompositionFile, Folder, Message, Thread, ThreadFolder
from postroom.mail.queries import PAGE, Cursor, Line, Page, best_copy, lines_of, read_cursor
from postroom.providers.contract import FolderRole
from postroom.timeline.team import queries as team
from postroom.workspaces.models import Membership

DONE_WITH = (FolderRole.DELETED, FolderRole.JUNK, FolderRole.DRAFTS, FolderRole.OUTBOX)


def flagged(
    folders: Sequence[int], cursor: str = "", *, limit: int = PAGE, without: Collection[int] = ()
) -> Page[Line]:
    """Threads of some folders in which a message is flagged, newest first; ``without`` these conversations."""
    start = read_cursor(cursor)
    before = Q(last_at__lt=start.at) | Q(last_at=start.at, thread_id__lt=start.id)
    mailboxes = Folder.objects.filter(pk__in=folders).values("mailbox")  # few are flagged: these are looked at, not all
    rows_of = ThreadFolder.objects.filter(thread__flagged=True, thread__mailbox__in=mailboxes)
    places = rows_of.filter(before, folder__in=folders, last_at__lte=start.at)
    if without:
        places = places.exclude(thread__conversation__in=without)
    rows = list(
        places.order_by("-last_at", "-thread_id").values_list("thread_id", "last_at", "unread")[: limit + 1],
    )
    more = Cursor(rows[limit - 1][1], rows[limit - 1][0]).write() if len(rows) > limit else ""
    return Page(lines_of(rows[:limit]), more)


def line_of(thread: int, folders: Sequence[int]) -> Line | None:
    """One thread as a line of these folders, if it lies in one of them."""
    rows = ThreadFolder.objects.filter(thread=thread, folder__in=folders).order_by("-last_at")
    found = rows.values_list("thread_id", "last_at", "unread")[:1]
    return next(iter(lines_of(list(found))), None)


def recipients(folder: Folder, threads: Collection[int]) -> dict[int, list[Any]]:
    """To whom the newest message of each thread in a folder went: [[name, address], …] by thread."""
    rows = Message.objects.filter(folder=folder, thread__in=threads).order_by("thread", "-received", "-pk")
    return dict(rows.distinct("thread").values_list("thread_id", "to"))


def visible_threads(pk: int, accounts: Accounts, *, marked_for: Membership | None = None) -> list[Thread]:
    """The thread first, then those of the same conversation in other mailboxes; none when it may not be read.
    ``marked_for``: whose marks of it are wanted, too (``team.marks_of``)."""
    rows = Thread.objects.filter(conversation__threads=pk, mailbox__in=accounts.ids).select_related("mailbox")
    found = rows if marked_for is None else team.with_marks(rows, marked_for)
    threads = sorted(found, key=lambda one: (one.pk != pk, -one.last_at.timestamp()))
    return threads if threads and threads[0].pk == pk else []


def answerable(thread: int, accounts: Accounts, message: int | None = None) -> Message | None:
    """The message of a thread's conversation with this id, else the newest that arrived: of copies the best."""
    rows = Message.objects.filter(thread__conversation__threads=thread, mailbox__in=accounts.ids)
    whole = rows.select_related("mailbox__workspace", "mailbox__connection", "folder", "body", "thread")
    if message is not None:
        return whole.filter(pk=message).first()
    newest = list(whole.filter(is_draft=False).order_by("-received", "-pk")[: max(1, len(accounts.ids))])
    return best_copy(newest) if newest else None


def messages_in(conversation: int, mailboxes: Sequence[int]) -> list[Message]:
    """All of a conversation in these mailboxes, with folder and mailbox, oldest first."""
    rows = Message.objects.filter(thread__conversation=conversation, mailbox__in=mailboxes)
    return list(rows.select_related("folder", "mailbox").order_by("received", "pk"))


def compositions(
    conversation: int, member: Membership, mailboxes: Sequence[int], *, also: int | None = None
) -> list[Composition]:
    """What the member is writing in a conversation, and what anybody's mail of it is still on its way. ``also``: one
    of the member's that was asked for, whatever it is."""
    on_the_way = Q(state__in=[Composition.State.SENDING, Composition.State.FAILED, Composition.State.HELD])
    begun = ~Q(html="") | Exists(CompositionFile.objects.filter(composition=OuterRef("pk")))
    own = Q(author=member, state=Composition.State.DRAFT) & begun
    shown = Q(on_the_way | own, mailbox__in=mailboxes) | Q(pk=also, author=member)
    rows = Composition.objects.filter(shown, conversation=conversation)
    return list(rows.select_related("mailbox", "author__user").order_by("created_at", "pk"))


def drafts(member: Membership, *, limit: int = 100) -> list[Composition]:
    """What the member has begun and not sent, newest first; what is quite empty is not worth showing."""
    unsent = [*UNSENT, Composition.State.SENDING]
    rows = Composition.objects.filter(author=member, state__in=unsent)
    begun = ~Q(html="") | Q(files__isnull=False) | (Q(how="new") & (~Q(subject="") | ~Q(to=[])))
    return list(rows.filter(begun).distinct().select_related("mailbox").order_by("-updated_at")[:limit])


def drafts_elsewhere(accounts: Accounts, *, limit: int = 100) -> list[Message]:
    """Drafts begun in Outlook that nobody goes on with here, newest first."""
    rows = Message.objects.filter(
        mailbox__in=accounts.worked_in(), folder__role=FolderRole.DRAFTS, is_draft=True
    ).exclude(
        Exists(
            Composition.objects.filter(
                mailbox=OuterRef("mailbox"),
                draft_id=OuterRef("remote_id"),
                state__in=[*UNSENT, Composition.State.SENDING],
            )
        )
    )
    return list(rows.order_by("-received", "-pk")[:limit])


def own_composition(member: Membership, pk: int) -> Composition | None:
    """Only its author writes and sends a composition."""
    rows = Composition.objects.filter(pk=pk, author=member, mailbox__workspace=member.workspace_id)
    found = rows.select_related("mailbox__workspace", "answers__thread", "answers__folder").first()
    if found is not None:
        found.author = member  # with their user
    return found


def conversations_of(threads: Collection[int], accounts: Accounts) -> list[list[Message]]:
    """The messages of the conversations these threads belong to, in mailboxes the member works in, oldest first."""
    visible = Thread.objects.filter(pk__in=threads, mailbox__in=accounts.ids).values("conversation")
    rows = Message.objects.filter(thread__conversation__in=visible, mailbox__in=accounts.worked_in())
    found: dict[int, list[Message]] = {}
    for one in rows.select_related("folder", "mailbox", "thread").order_by("received", "pk"):
        found.setdefault(one.thread.conversation_id, []).append(one)
    return list(found.values())
