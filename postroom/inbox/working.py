"""Working together, in the list: the chips of what is the member's, and what a line says of assignment and snooze."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast

from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from postroom.inbox import rows
from postroom.inbox.rows import Row
from postroom.lib.clock import now
from postroom.mail import queries as mail_queries
from postroom.mail.models import ThreadFolder
from postroom.mail.queries import Cursor, Line, Page, read_cursor
from postroom.timeline.models import Snooze
from postroom.timeline.team import mentions
from postroom.timeline.team import queries as team
from postroom.ui import words
from postroom.workspaces.models import Membership

CHIPS: Mapping[str, str] = {"mine": "Assigned", "mentions": "Mentions", "snoozed": "Snoozed"}
"""The chips beside All, Unread …, by ``?work=``; the keys are those of ``team.queries.page``."""

NOTHING: Mapping[str, tuple[str, str, str]] = {
    "mine": (
        "user-check",
        "Nothing is assigned to you",
        "Press T in a thread to take it, or to give it to a colleague.",
    ),
    "mentions": ("at-sign", "Nobody mentioned you", "Where a colleague writes @ and your name, it appears here."),
    "snoozed": ("alarm-clock", "Nothing sleeps", "Press S in a thread to have it back later."),
}


def page(member: Membership, mailboxes: Sequence[int], work: str, filter: str, after: str, *, limit: int) -> Page[Line]:
    """What is the member's, in these mailboxes; ``filter`` as that of the Inbox."""
    found = team.page(
        work, member, mailboxes, after=read_cursor(after), limit=limit + 1,
        unread=filter == "unread", flagged=filter == "flagged",
    )  # fmt: skip
    more = Cursor(found[limit - 1][1], found[limit - 1][0]).write() if len(found) > limit else ""
    return Page(mail_queries.lines_of(found[:limit]), more)


def with_woken(
    page: Page[Line], folders: Sequence[int], woken: Mapping[int, datetime], after: str, *, limit: int
) -> Page[Line]:
    """What woke stands in a page of the Inbox (read without it) where it would if it had come at that moment."""
    start = read_cursor(after)
    last = page.items[-1] if page.next else None
    below = (last.at, last.thread.pk) if last else None
    places = [
        one
        for one in _woken(folders, woken)
        if (one.at, one.thread.pk) < start and (below is None or (one.at, one.thread.pk) > below)
    ]
    merged = sorted([*page.items, *places], key=lambda one: (one.at, one.thread.pk), reverse=True)
    if len(merged) <= limit:
        return Page(merged, page.next)
    cut = merged[limit - 1]
    return Page(merged[:limit], Cursor(cut.at, cut.thread.pk).write())


def _woken(folders: Sequence[int], woken: Mapping[int, datetime]) -> list[Line]:
    found = ThreadFolder.objects.filter(folder__in=folders, thread__conversation__in=list(woken))
    newest = found.order_by("thread__conversation", "-last_at", "-thread").distinct("thread__conversation")
    told = newest.values_list("thread", "last_at", "unread", "thread__conversation")
    lines = [(thread, max(at, woken[conversation]), unread) for thread, at, unread, conversation in told]
    return mail_queries.lines_of(lines)


def slept_of(request: HttpRequest) -> dict[int, Snooze]:
    """How the request's member has put conversations to sleep; asked once per page."""
    found = cast(dict[int, Snooze] | None, getattr(request, "_slept", None))
    if found is None:
        found = team.slept(request.member)  # type: ignore[attr-defined]
        request._slept = found  # type: ignore[attr-defined]
    return found


def marked(
    lines: Sequence[Row],
    items: Sequence[Line],
    member: Membership,
    marks: Mapping[int, team.Marks],
    work: str = "",
) -> list[Row]:
    """Lines with whose they are and how they sleep; among the mentions with who mentioned the member, and how."""
    conversations = [one.thread.conversation_id for one in items]
    said = team.last_mentions(conversations, member) if work == "mentions" and lines else {}
    shown = []
    for line, conversation in zip(lines, conversations, strict=True):
        labels = [*_labels(marks[conversation], member), *line.tags]
        comment = said.get(conversation)
        if comment is None:
            shown.append(replace(line, tags=labels))
        else:
            author = comment.author
            name = author.name if author else "Somebody"
            face = rows.Face(name, author.address if author else "")
            shown.append(replace(line, tags=labels, who=f"{name} mentioned you", snippet=comment.text[:200], face=face))
    return shown


def _labels(marks: team.Marks, member: Membership) -> list[rows.Label]:
    found = []
    if marks.snooze is not None and (text := slept(marks.snooze)):
        found.append(rows.Label(text, "snoozed"))
    if marks.assignee is not None:
        found.append(rows.Label("For you" if marks.assignee == member else f"For {marks.assignee.name}", "assigned"))
    return found


def slept(snooze: Snooze) -> str:
    """ "Snoozed until 9:00": while it sleeps, and from when it woke until it is opened."""
    if snooze.seen_at is not None:
        return ""
    if snooze.answered:
        return "They wrote" if snooze.writes else "Answered"
    if snooze.woke_at is None and snooze.until > now():
        if snooze.writes:
            return f"Until {snooze.writes} writes"
        return f"{'Until answered or ' if snooze.unless_answered else 'Snoozed until '}{when(snooze.until)}"
    return "Nobody answered" if snooze.unless_answered else f"Snoozed until {when(snooze.until)}"


def comment_html(text: str, named: Sequence[team.Mentioned], member: Membership) -> SafeString:
    """The text with its lines, and mentions that stand out; those of the member most."""
    parts = (mentions.pieces(line, named) for line in text.split("\n"))
    return format_html_join(
        mark_safe("<br>"),
        "{}",
        ((format_html_join("", "{}", ((_piece(*one, member),) for one in line)),) for line in parts),
    )


def _piece(text: str, who: team.Mentioned | None, member: Membership) -> str:
    if who is None:
        return text
    return format_html('<b class="mention{}">{}</b>', " mention-me" if who.pk == member.pk else "", text)


def clock(at: datetime) -> str:
    """The same beside a word that says the day: "13:30", "Mon 8:00", "28 Nov 8:00"."""
    local, today = timezone.localtime(at), timezone.localtime(now())
    tomorrow = (local.date() - today.date()).days == 1
    return f"{local:%a} {local.hour}:{local.minute:02}" if tomorrow else when(at)


def when(at: datetime) -> str:
    """A moment near now, past or to come, as one says it: "13:30", "tomorrow 8:00", "Mon 8:00", "14 Nov 8:00"."""
    local, today = timezone.localtime(at), timezone.localtime(now())
    hour = f"{local.hour}:{local.minute:02}"
    days = (local.date() - today.date()) // timedelta(days=1)
    if days in (0, 1):
        return hour if days == 0 else f"tomorrow {hour}"
    return f"{local:%a} {hour}" if 1 < days < 7 else f"{words.short(at)} {hour}"
