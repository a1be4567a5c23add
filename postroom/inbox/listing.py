"""The list pane: which threads, in which order, and the chips above them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.http import HttpRequest, QueryDict

from postroom.inbox import queries, rows, working
from postroom.inbox.accounts import Accounts, accounts
from postroom.inbox.rows import Row
from postroom.lib.paths import path_to
from postroom.mail import categories
from postroom.mail import queries as mail_queries
from postroom.mail.models import Folder
from postroom.mail.queries import PAGE, Line, Page
from postroom.providers.contract import FolderRole
from postroom.records.saved import bar
from postroom.timeline import panel
from postroom.timeline.team import queries as team
from postroom.workspaces.models import Membership

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
    """What the address says of a list. ``filter`` and ``work`` combine. ``shown``: how many lines the page has
    already; ``open``: the open thread."""

    filter: str = "all"
    work: str = ""
    mailbox: int | None = None
    after: str = ""
    shown: int = PAGE
    open: int | None = None

    @classmethod
    def of(cls, request: HttpRequest, open: int | None = None) -> "Asked":
        return cls.read(request.GET, open)

    @classmethod
    def read(cls, told: QueryDict, open: int | None = None) -> "Asked":
        mailbox, shown = told.get("mailbox", ""), told.get("shown", "")
        opened = told.get("open", "")
        return cls(
            filter=told.get("filter", "") if told.get("filter") in FILTERS else "all",
            work=told.get("work", "") if told.get("work") in working.CHIPS else "",
            mailbox=int(mailbox) if mailbox.isdecimal() and len(mailbox) < 18 else None,
            after=told.get("after", "")[:200],
            shown=max(PAGE, min(int(shown), MOST_AT_ONCE)) if shown.isdecimal() and len(shown) < 6 else PAGE,
            open=open or (int(opened) if opened.isdecimal() and len(opened) < 18 else None),
        )


NO_MAILBOX = "The mailbox of this view is no longer here, or not yours to read. This is all your mailboxes."
FILTERS = {"all": "All", "unread": "Unread", "flagged": "Flagged", "drafts": "Drafts"}


@dataclass(frozen=True)
class Listing:
    """A list as it is drawn. ``url`` shows it again, ``more`` its next page; ``close`` is the list without a thread;
    ``later`` is where it comes from, when only its place is drawn."""

    title: str
    url: str
    close: str
    more: str = ""
    rows: Sequence[Row] = ()
    chips: Sequence[Chip] = ()
    boxes: Sequence[Chip] = ()
    views: bar.Bar | None = None  # its saved views, where it may have some
    note: str = ""  # why it shows something else than was asked for
    going_on: bool = False
    place: str = "inbox"
    empty: tuple[str, str, str] = ("", "", "")
    folder: Folder | None = None
    account: object = None
    later: str = ""


def state_of(asked: Asked) -> str:
    """What a saved view keeps of a list."""
    return _query(filter=asked.filter, work=asked.work, mailbox=asked.mailbox).removeprefix("?")


# --- the inbox ---------------------------------------------------------------------------------------------------


def to_come(title: str, close: str, *, open: int, folder: Folder | None = None) -> Listing:
    """The place of a list beside the thread ``open``, which is what was asked for; ``close``: the list's address."""
    place = str(folder.pk) if folder else "inbox"
    later = f"{close}{'&' if '?' in close else '?'}{urlencode({'open': open})}"
    return Listing(title, close, close, place=place, folder=folder, later=later)


def inbox(request: HttpRequest, asked: Asked) -> Listing:
    """The Inbox of all mailboxes the member may read."""
    known = accounts(request)
    mailbox = asked.mailbox if asked.mailbox in known.ids else None
    kept = {"filter": asked.filter, "work": asked.work, "mailbox": mailbox or ""}
    query = _query(**kept)
    base = path_to("inbox:list")
    member: Membership = request.member  # type: ignore[attr-defined]
    page = Page[Line]([]) if asked.filter == "drafts" else _inbox_page(request, known, asked, mailbox)
    conversations = [line.thread.conversation_id for line in page.items]
    tags, marks = panel.tags_of(conversations), team.marks(conversations, working.slept_of(request))
    lines = [_row(line, known, asked, tags, known.colors, name="inbox:thread", query=query) for line in page.items]
    address = f"{base}{query}"
    return Listing(
        title="Inbox",
        url=address,
        close=address,
        more=f"{base}{_query(**kept, after=page.next)}" if page.next else "",
        rows=working.marked(lines, page.items, member, marks, asked.work),
        chips=_chips(member, known, asked, mailbox),
        boxes=_boxes(known, asked, mailbox),
        views=None if asked.after else bar.of("inbox", member).drawn(state_of(asked), by_state=True),
        note=NO_MAILBOX if asked.mailbox and mailbox is None else "",
        going_on=bool(asked.after),
        empty=_nothing(asked, known),
    )


def _inbox_page(request: HttpRequest, known: Accounts, asked: Asked, mailbox: int | None) -> Page[Line]:
    if asked.work:
        member: Membership = request.member  # type: ignore[attr-defined]
        wanted = [mailbox] if mailbox else known.ids
        return working.page(member, wanted, asked.work, asked.filter, asked.after, limit=asked.shown)
    account = known.get(mailbox) if mailbox else None
    folders = [account.inbox] if account and account.inbox else [] if account else known.inboxes
    if not folders:
        return Page([])
    sleeping, woken = team.hidden(working.slept_of(request))
    if asked.filter == "flagged":
        return queries.flagged(folders, asked.after, limit=asked.shown, without=sleeping)
    if asked.filter == "unread":
        page = mail_queries.threads_in(folders, asked.after, unread_only=True, limit=asked.shown, without=sleeping)
        return _with_open(page, asked, folders)
    page = mail_queries.threads_in(folders, asked.after, limit=asked.shown, without=[*sleeping, *woken])
    return working.with_woken(page, folders, woken, asked.after, limit=asked.shown) if woken else page


def _with_open(page: Page[Line], asked: Asked, folders: Sequence[int]) -> Page[Line]:
    """The thread that is open stays in the list of unread ones although it is read now."""
    if not asked.open or asked.after or any(line.thread.pk == asked.open for line in page.items):
        return page
    line = queries.line_of(asked.open, folders)
    if line is None or (page.next and page.items and line.at < page.items[-1].at):
        return page
    return Page(sorted([*page.items, line], key=lambda one: (one.at, one.thread.pk), reverse=True), page.next)


def _chips(member: Membership, known: Accounts, asked: Asked, mailbox: int | None) -> list[Chip]:
    """What is read and what is the member's combine; a chip that is on is taken off by pressing it again."""
    account = known.get(mailbox) if mailbox else None
    unread, base = account.unread if account else known.unread, path_to("inbox:list")
    counts = team.counts(member, [mailbox] if mailbox else known.ids)._asdict()
    chips = []
    for key, label in FILTERS.items():
        on = asked.filter == key and not (key == "all" and asked.work)
        alone = key in ("all", "drafts") or (on and not asked.work)
        wanted = {"filter": "" if on and asked.work else key, "work": "" if alone else asked.work}
        href = base + _query(**wanted, mailbox=mailbox or "")
        chips.append(Chip(label, href, on, unread if key == "unread" else 0))
    kept = "" if asked.filter == "drafts" else asked.filter
    for key, label in working.CHIPS.items():
        on = asked.work == key
        href = base + _query(filter=kept, work="" if on else key, mailbox=mailbox or "")
        chips.append(Chip(label, href, on, counts[key]))
    return chips


def _boxes(known: Accounts, asked: Asked, mailbox: int | None) -> list[Chip]:
    """The account filter, where there is something to choose."""
    if len(known.readable) < 2:
        return []
    base, filter = path_to("inbox:list"), "" if asked.filter == "all" else asked.filter
    every = Chip("All mailboxes", base + _query(filter=filter, work=asked.work), mailbox is None)
    return [
        every,
        *(
            Chip(
                one.address,
                base + _query(filter=filter, work=asked.work, mailbox=one.pk),
                one.pk == mailbox,
                one.unread,
            )
            for one in known.readable
        ),
    ]


def _nothing(asked: Asked, known: Accounts) -> tuple[str, str, str]:
    """Icon, headline and next step of an empty list."""
    if not known.readable:
        return "mail-plus", "No mailbox yet", "Connect your Outlook mailbox, and its mail appears here."
    if asked.work and asked.filter != "drafts":
        return working.NOTHING[asked.work]
    return {
        "unread": ("mail-check", "Everything is read", "New mail appears here by itself."),
        "flagged": ("star", "Nothing is flagged", "Press * in a thread to flag it for later."),
        "drafts": ("file-pen", "No drafts", "What you begin to write and do not send is kept here."),
    }.get(asked.filter, ("inbox", "Nothing waits for you", "New mail appears here by itself."))


# --- one folder --------------------------------------------------------------------------------------------------


def of_folder(request: HttpRequest, folder: Folder, asked: Asked) -> Listing:
    """The threads of a folder of a mailbox the member may read."""
    known = accounts(request)
    base = path_to("inbox:folder", folder.mailbox_id, folder.pk)
    unread = asked.filter == "unread"
    page = mail_queries.folder_threads(folder, asked.after, unread_only=unread, limit=asked.shown)
    page = _with_open(page, asked, [folder.pk]) if unread else page
    conversations = [line.thread.conversation_id for line in page.items]
    tags, marks = panel.tags_of(conversations), team.marks(conversations, working.slept_of(request))
    query = _query(filter="unread" if unread else "")
    sent = folder.role in WRITTEN_BY_US
    went = queries.recipients(folder, [line.thread.pk for line in page.items]) if sent and page.items else {}
    lines = [
        _row(line, known, asked, tags, known.colors, name="inbox:folder-thread", query=query, folder=folder)
        for line in page.items
    ]
    lines = working.marked(lines, page.items, request.member, marks)  # type: ignore[attr-defined]
    return Listing(
        title=folder.name,
        url=f"{base}{query}",
        close=f"{base}{query}",
        more=f"{base}{_query(filter='unread' if unread else '', after=page.next)}" if page.next else "",
        rows=[_as_sent(row, went[row.thread]) if row.thread in went else row for row in lines],
        chips=[Chip("All", base, not unread), Chip("Unread", f"{base}?filter=unread", unread, folder.unread)],
        going_on=bool(asked.after),
        place=str(folder.pk),
        empty=("mail-check", "Everything is read", "All shows what was read too.")
        if unread
        else ("folder-open", "This folder is empty", "What arrives or is moved here appears by itself."),
        folder=folder,
        account=known.get(folder.mailbox_id),
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
    path = path_to(name, *where, thread.pk) + query
    return rows.row(
        line,
        href=path,
        part=path,
        current=thread.pk == asked.open,
        accounts=known,
        labels=rows.tags(thread, tags, known, colors),
    )


def _query(**told: object) -> str:
    given = {name: value for name, value in told.items() if value not in ("", None, "all")}
    return f"?{urlencode(given)}" if given else ""
