"""The list pane: which threads, in which order, and the chips above them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from postroom.inbox import queries, rows
from postroom.inbox.accounts import Accounts, accounts
from postroom.inbox.rows import Row
from postroom.mail import categories
from postroom.mail import queries as mail_queries
from postroom.mail.models import Folder
from postroom.mail.queries import PAGE, Line, Page
from postroom.providers.contract import FolderRole
from postroom.timeline import panel

MOST_AT_ONCE = 400  # lines that one look-again draws anew
WRITTEN_BY_US = (FolderRole.SENT, FolderRole.DRAFTS, FolderRole.OUTBOX)


@dataclass(frozen=True)
class Chip:
    """A filter above the list."""

    label: str
    href: str
    current: bool
    count: int = 0


@dataclass(frozen=True)
class Asked:
    """What the address says of a list. ``shown``: how many lines the page has already; ``open``: the open thread."""

    filter: str = "all"
    mailbox: int | None = None
    after: str = ""
    shown: int = PAGE
    open: int | None = None

    @classmethod
    def of(cls, request: HttpRequest, open: int | None = None) -> "Asked":
        told = request.GET
        mailbox, shown = told.get("mailbox", ""), told.get("shown", "")
        opened = told.get("open", "")
        return cls(
            filter=told.get("filter", "") if told.get("filter") in FILTERS else "all",
            mailbox=int(mailbox) if mailbox.isdecimal() and len(mailbox) < 18 else None,
            after=told.get("after", "")[:200],
            shown=max(PAGE, min(int(shown), MOST_AT_ONCE)) if shown.isdecimal() and len(shown) < 6 else PAGE,
            open=open or (int(opened) if opened.isdecimal() and len(opened) < 18 else None),
        )


FILTERS = {"all": "All", "unread": "Unread", "flagged": "Flagged", "drafts": "Drafts"}


@dataclass(frozen=True)
class Listing:
    """A list as it is drawn. ``url`` shows it again, ``more`` its next page; ``close`` is the list without a thread.

    ``tags`` are those of every conversation that was asked for, drawn or not.
    """

    title: str
    url: str
    close: str
    more: str = ""
    rows: Sequence[Row] = ()
    chips: Sequence[Chip] = ()
    boxes: Sequence[Chip] = ()
    going_on: bool = False
    place: str = "inbox"
    empty: tuple[str, str, str] = ("", "", "")
    folder: Folder | None = None
    account: object = None
    tags: Mapping[int, Sequence[panel.Tag]] = field(default_factory=dict)


# --- the inbox ---------------------------------------------------------------------------------------------------


def inbox(request: HttpRequest, asked: Asked, *, also: Sequence[int] = ()) -> Listing:
    """The Inbox of all mailboxes the member may read. ``also``: conversations whose tags are wanted too."""
    known = accounts(request)
    mailbox = asked.mailbox if asked.mailbox in known.ids else None
    query = _query(filter=asked.filter if asked.filter != "all" else "", mailbox=mailbox or "")
    base = reverse("inbox:list")
    page = Page[Line]([]) if asked.filter == "drafts" else _inbox_page(known, asked, mailbox)
    tags = panel.tags_of([*(line.thread.conversation_id for line in page.items), *also])
    address = f"{base}{query}"
    return Listing(
        title="Inbox",
        url=address,
        close=address,
        more=f"{base}{_query(filter=asked.filter, mailbox=mailbox or '', after=page.next)}" if page.next else "",
        rows=[_row(line, known, asked, tags, known.colors, name="inbox:thread", query=query) for line in page.items],
        chips=_chips(known, asked, mailbox),
        boxes=_boxes(known, asked, mailbox),
        going_on=bool(asked.after),
        empty=_nothing(asked.filter, known),
        tags=tags,
    )


def _inbox_page(known: Accounts, asked: Asked, mailbox: int | None) -> Page[Line]:
    account = known.get(mailbox) if mailbox else None
    folders = [account.inbox] if account and account.inbox else [] if account else known.inboxes
    if not folders:
        return Page([])
    if asked.filter == "flagged":
        return queries.flagged(folders, asked.after, limit=asked.shown)
    page = mail_queries.threads_in(folders, asked.after, unread_only=asked.filter == "unread", limit=asked.shown)
    return _with_open(page, asked, folders) if asked.filter == "unread" else page


def _with_open(page: Page[Line], asked: Asked, folders: Sequence[int]) -> Page[Line]:
    """The thread that is open stays in the list of unread ones although it is read now."""
    if not asked.open or asked.after or any(line.thread.pk == asked.open for line in page.items):
        return page
    line = queries.line_of(asked.open, folders)
    if line is None or (page.next and page.items and line.at < page.items[-1].at):
        return page
    return Page(sorted([*page.items, line], key=lambda one: (one.at, one.thread.pk), reverse=True), page.next)


def _chips(known: Accounts, asked: Asked, mailbox: int | None) -> list[Chip]:
    account = known.get(mailbox) if mailbox else None
    unread = account.unread if account else known.unread
    return [
        Chip(
            label,
            reverse("inbox:list") + _query(filter="" if key == "all" else key, mailbox=mailbox or ""),
            asked.filter == key,
            unread if key == "unread" else 0,
        )
        for key, label in FILTERS.items()
    ]


def _boxes(known: Accounts, asked: Asked, mailbox: int | None) -> list[Chip]:
    """The account filter, where there is something to choose."""
    if len(known.readable) < 2:
        return []
    base, filter = reverse("inbox:list"), "" if asked.filter == "all" else asked.filter
    every = Chip("All mailboxes", base + _query(filter=filter), mailbox is None)
    return [
        every,
        *(
            Chip(one.address, base + _query(filter=filter, mailbox=one.pk), one.pk == mailbox, one.unread)
            for one in known.readable
        ),
    ]


def _nothing(filter: str, known: Accounts) -> tuple[str, str, str]:
    """Icon, headline and next step of an empty list."""
    if not known.readable:
        return "mail-plus", "No mailbox yet", "Connect your Outlook mailbox, and its mail appears here."
    return {
        "unread": ("mail-check", "Everything is read", "New mail appears here by itself."),
        "flagged": ("star", "Nothing is flagged", "Press S in a thread to flag it for later."),
        "drafts": ("file-pen", "No drafts", "What you begin to write and do not send is kept here."),
    }.get(filter, ("inbox", "Nothing waits for you", "New mail appears here by itself."))


# --- one folder --------------------------------------------------------------------------------------------------


def of_folder(request: HttpRequest, folder: Folder, asked: Asked, *, also: Sequence[int] = ()) -> Listing:
    """The threads of a folder of a mailbox the member may read."""
    known = accounts(request)
    base = reverse("inbox:folder", args=[folder.mailbox_id, folder.pk])
    unread = asked.filter == "unread"
    page = mail_queries.folder_threads(folder, asked.after, unread_only=unread, limit=asked.shown)
    page = _with_open(page, asked, [folder.pk]) if unread else page
    tags = panel.tags_of([*(line.thread.conversation_id for line in page.items), *also])
    query = _query(filter="unread" if unread else "")
    sent = folder.role in WRITTEN_BY_US
    went = queries.recipients(folder, [line.thread.pk for line in page.items]) if sent and page.items else {}
    lines = [
        _row(line, known, asked, tags, known.colors, name="inbox:folder-thread", query=query, folder=folder)
        for line in page.items
    ]
    return Listing(
        title=folder.name,
        url=f"{base}{query}",
        close=f"{base}{query}",
        more=f"{base}{_query(filter='unread' if unread else '', after=page.next)}" if page.next else "",
        rows=[_as_sent(row, went[row.thread]) if row.thread in went else row for row in lines],
        chips=[Chip("All", base, not unread), Chip("Unread", f"{base}?filter=unread", unread, folder.unread)],
        going_on=bool(asked.after),
        place=str(folder.pk),
        empty=("mail-check", "Everything is read", "") if unread else ("folder-open", "This folder is empty", ""),
        folder=folder,
        account=known.get(folder.mailbox_id),
        tags=tags,
    )


def _as_sent(row: Row, people: Sequence[object]) -> Row:
    return replace(row, who=rows.sent_to(people), face=rows.face(people[:1], frozenset()))


def _row(
    line: Line,
    known: Accounts,
    asked: Asked,
    tags: Mapping[int, Sequence[panel.Tag]],
    colors: categories.Colors,
    *,
    name: str,
    query: str,
    folder: Folder | None = None,
) -> Row:
    thread = line.thread
    where = [folder.mailbox_id, folder.pk] if folder else []
    return rows.row(
        line,
        href=reverse(name, args=[*where, thread.pk]) + query,
        part=reverse(name, args=[*where, thread.pk]) + query,
        current=thread.pk == asked.open,
        accounts=known,
        labels=rows.tags(thread, tags, known, colors),
    )


def _query(**told: object) -> str:
    given = {name: value for name, value in told.items() if value not in ("", None, "all")}
    return f"?{urlencode(given)}" if given else ""
