"""What may be meant while a query is typed: operators by their first letters, and the values they take."""

import re
from typing import NamedTuple

from postroom.mail import queries
from postroom.mail.models import Folder
from postroom.mailboxes.access import mailboxes_visible_to
from postroom.records import finding
from postroom.workspaces.models import Membership

MOST = 8
_LAST = re.compile(r'(?:^|\s)(-?)([^\s"]*)\Z')


class Suggestion(NamedTuple):
    """``query``: the whole of it, completed; ``shown``: the piece that completes it; ``finds``: what that means."""

    query: str
    shown: str
    finds: str


_OPERATORS: tuple[tuple[str, str], ...] = (
    ("from:", "Written by somebody"),
    ("to:", "Sent to somebody, also as a copy"),
    ("subject:", "With a word in the subject"),
    ("has:attachment", "With a file"),
    ("in:", "In a folder"),
    ("record:", "On a contact, company, deal, ticket or candidate"),
    ("is:unread", "Not read yet"),
    ("is:read", "Read"),
    ("is:flagged", "Flagged"),
    ("before:", "Received before a day, month or year"),
    ("after:", "Received since a day, month or year"),
)


def suggestions(member: Membership, text: str) -> list[Suggestion]:
    """For the last word, while nothing stands behind it; at most one query to the database."""
    last = _LAST.search(text[:500])
    if last is None or not last[2]:
        return []
    minus, word = last[1], last[2]
    before = text[: last.start(2)]
    name, sign, value = word.partition(":")
    if sign and name.lower() in ("from", "to"):
        people = queries.correspondents(member, value, limit=MOST) if value else []
        pieces = [(f"{name}:{one.address}", one.name or one.address) for one in people]
    elif sign and name.lower() == "record":
        called = finding.found(member, value.strip('"')) if value else []
        pieces = [(f"record:{_quoted(one.name)}", one.note) for one in called if '"' not in one.name]
    elif sign and name.lower() == "in":
        pieces = [(f"{name}:{_quoted(folder)}", "Folder") for folder in _folders(member, value)]
    else:
        pieces = [(one, finds) for one, finds in _OPERATORS if one.startswith(word.lower()) and one != word.lower()]
    return [Suggestion(f"{before}{piece}{_gap(piece)}", f"{minus}{piece}", finds) for piece, finds in pieces[:MOST]]


def _gap(piece: str) -> str:
    """A finished piece is followed by the next word."""
    return "" if piece.endswith(":") else " "


def _quoted(name: str) -> str:
    return f'"{name}"' if " " in name else name


def _folders(member: Membership, begun: str) -> list[str]:
    rows = Folder.objects.filter(mailbox__in=mailboxes_visible_to(member).order_by(), hidden=False)
    names = rows.filter(name__icontains=begun.strip('"')).order_by("name").values_list("name", flat=True)
    return list(dict.fromkeys(name for name in names[:200] if '"' not in name))[:MOST]
