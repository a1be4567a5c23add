"""Finding messages: newest first, or best first where few enough are found to compare them.

Words rarely met are looked up in the index and sorted; words met in every second mail are found by walking back from
the newest mail. A glance at the newest mail mostly fills the page where words are common; where it does not, a capped
probe tells which of the two it is, because the planner's guess is wrong just often enough. Which messages a page has is
found first, then they are read. Only mailboxes that were given are ever looked into.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from django.db import connection, transaction
from django.db.models import Q

from postroom.mail.models import Folder
from postroom.mail.queries import Cursor, read_cursor
from postroom.mailboxes.access import mailboxes_visible_to
from postroom.mailboxes.models import Mailbox
from postroom.records import finding
from postroom.records.record import TYPES
from postroom.search.query import Query, Term, parse
from postroom.search.snippets import Segment, marked, needles, snippet
from postroom.workspaces.models import Membership

FEW = 5_000  # hits up to which they are all looked at; among a million mails that takes a tenth of a second
WALKED = 5_000  # rows per mailbox that one page of a query without words walks back
GLANCE = 2_000  # rows of all mailboxes together that are looked at before anything is counted
MOST_GLANCED = 100  # mailboxes; of more than these each would have too few rows


@dataclass(frozen=True)
class Hit:
    """A message that answers a query."""

    message: int
    conversation: int
    thread: int
    mailbox: int
    received: datetime
    from_name: str
    from_address: str
    folder: str
    is_read: bool
    flagged: bool
    has_attachments: bool
    subject: Sequence[Segment]
    snippet: Sequence[Segment]

    def as_json(self) -> dict[str, Any]:
        """For scripts (``postroom search``)."""
        return {
            "message": self.message,
            "conversation": self.conversation,
            "received": self.received.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "from": self.from_address,
            "folder": self.folder,
            "subject": "".join(one.text for one in self.subject),
            "snippet": "".join(one.text for one in self.snippet),
        }


@dataclass(frozen=True)
class Found:
    """One page of hits. ``few``: all hits are known, so they can be ordered by how well they answer."""

    hits: Sequence[Hit] = ()
    next: str = ""
    few: bool = True
    problems: Sequence[str] = field(default_factory=tuple)


def search(
    member: Membership, text: str, *, order: Literal["newest", "best"] = "newest", cursor: str = "", limit: int = 30
) -> Found:
    """What the member finds in the mailboxes they may read."""
    mailboxes = list(mailboxes_visible_to(member).order_by().values_list("pk", flat=True))
    return hits(mailboxes, text, order=order, cursor=cursor, limit=limit)


def hits(
    mailboxes: Sequence[int],
    text: str,
    *,
    order: Literal["newest", "best"] = "newest",
    cursor: str = "",
    limit: int = 30,
) -> Found:
    """What is found in the given mailboxes. ``best`` is only possible for the first page of few hits."""
    query = parse(text)
    if query.empty or not mailboxes:
        return Found(problems=query.problems)
    look = _Look(query, mailboxes, cursor, limit)
    if look.pointless:
        return Found(problems=query.problems)
    best = order == "best" and not cursor
    page, count = look.probe(glance=not best) if look.words else ((), None)
    few = count is not None and count <= FEW
    rows = look.read(page) if page else look.by_index(best=best) if few else look.by_walking()
    pattern = needles((term.text, term.begins) for term in query.terms if not term.absent)
    more = look.floor.write() if look.floor else ""
    if rows and (page or len(rows) > limit):  # one of the page may have gone since it was found
        last = rows[:limit][-1]
        more = Cursor(last[_RECEIVED], last[0]).write()
    return Found([_hit(row, pattern) for row in rows[:limit]], more, few, query.problems)


def _hit(row: Sequence[Any], pattern: re.Pattern[str] | None) -> Hit:
    known: dict[str, Any] = dict(zip(_FIELDS, row, strict=False))
    subject, text, preview = row[len(_FIELDS) :]
    return Hit(**known, subject=marked(subject, pattern), snippet=snippet(text or preview, pattern))


# --- statements --------------------------------------------------------------------------------------------------

_COLUMNS = """m.id, t.conversation_id, m.thread_id, m.mailbox_id, m.received, m.from_name, m.from_address, f.name,
m.is_read, m.flag = 'flagged', m.has_attachments, m.subject, left(b.new_text, 60000), m.preview"""
_FIELDS = (  # of a hit, in the order of the columns; subject, text and preview follow
    *("message", "conversation", "thread", "mailbox", "received", "from_name", "from_address", "folder"),
    *("is_read", "flagged", "has_attachments"),
)
_RECEIVED = _FIELDS.index("received")
_HERE = "({at}, {id}) < (%(at)s, %(id)s) AND {at} >= %(since)s"
_WORDS = " AND s.document @@ %(words)s::tsquery"


class _Walk(NamedTuple):
    """What is walked back from the newest mail, in the order of an index: of each of `places` (mailboxes or folders,
    the parameter with their ids) the rows whose column `place` names it."""

    rows: str
    place: str = "m.mailbox_id"
    at: str = "m.received"
    id: str = "m.id"
    places: str = "mailboxes"

    def part(self, joined: str = "") -> str:
        """The rows from a moment on; their conditions and limit follow."""
        here = _HERE.format(at=self.at, id=self.id)
        return f"FROM {self.rows} {joined} WHERE {self.place} = box.id AND {here}"

    @property
    def order(self) -> str:
        return f"ORDER BY {self.at} DESC, {self.id} DESC"


_BY_MESSAGE = "mail_message m JOIN mail_messagesearch s ON s.message_id = m.id"
_ALL = _Walk("mail_messagesearch s", "s.mailbox_id", "s.received", "s.message_id")
# Less is to be walked where an index knows the few that can be meant: their condition is its own.
_FLAGGED = _Walk(f"{_BY_MESSAGE} AND m.flag = 'flagged'")
_WITH_FILES = _Walk(f"{_BY_MESSAGE} AND m.has_attachments")
_IN_FOLDERS = _Walk(_BY_MESSAGE, "m.folder_id", places="folders")
_MESSAGE = "JOIN mail_message m ON m.id = s.message_id"
_THREAD = "JOIN mail_thread t ON t.id = m.thread_id"

# In all of these the conditions are ours and every value is a parameter. Those that find tell (message_id, received).
_COUNT = """SELECT count(*) FROM (
SELECT 1 FROM mail_messagesearch s WHERE s.document @@ %(words)s::tsquery LIMIT %(few)s) AS counted"""
_READ = f"""SELECT {_COLUMNS} FROM ({{found}}) s {_MESSAGE} {_THREAD} JOIN mail_folder f ON f.id = m.folder_id
LEFT JOIN mail_messagebody b ON b.message_id = m.id ORDER BY {{order}}"""  # noqa: S608
_BY_INDEX = f"""WITH hit AS MATERIALIZED (
    SELECT s.message_id, s.received, {{rank}} AS rank FROM mail_messagesearch s
    WHERE s.document @@ %(words)s::tsquery AND s.mailbox_id = ANY(%(mailboxes)s)
    AND {_HERE.format(at="s.received", id="s.message_id")})
SELECT s.message_id, s.received, s.rank FROM hit s {{joined}} WHERE true {{filters}}
ORDER BY {{order}} LIMIT %(limit)s"""  # noqa: S608
_BY_WALKING = """SELECT h.* FROM unnest(%({walk.places})s::bigint[]) AS box (id) CROSS JOIN LATERAL (
    SELECT {walk.id} AS message_id, {walk.at} AS received {part} {filters} {walk.order} LIMIT %(limit)s
) h ORDER BY h.received DESC, h.message_id DESC LIMIT %(limit)s"""
# The rows a glance takes in go down to the moment at which the first mailbox has more of them. A full page of hits
# among these is the page; else it is counted.
_GLANCE = f"""WITH newest AS MATERIALIZED (
    SELECT box.id AS box, h.* FROM unnest(%(mailboxes)s::bigint[]) AS box (id) CROSS JOIN LATERAL (
        SELECT s.message_id, s.received {_ALL.part()} {_ALL.order} LIMIT %(glance)s
    ) h
), hit AS MATERIALIZED (
    SELECT s.message_id FROM newest JOIN mail_messagesearch s ON s.message_id = newest.message_id {{joined}}
    WHERE newest.received > (SELECT coalesce(max(lowest), '-infinity') FROM (
        SELECT min(received) AS lowest FROM newest GROUP BY box HAVING count(*) = %(glance)s) cut)
    {_WORDS} {{filters}} ORDER BY s.received DESC, s.message_id DESC LIMIT %(limit)s
)
SELECT CASE WHEN full_page.is_so THEN ARRAY(SELECT message_id FROM hit) END,
       CASE WHEN NOT full_page.is_so THEN ({_COUNT}) END
FROM (SELECT count(*) = %(limit)s AS is_so FROM hit) full_page"""  # noqa: S608
_FLOOR = f"""SELECT max(last.received) FROM unnest(%(mailboxes)s::bigint[]) AS box (id) CROSS JOIN LATERAL (
    SELECT s.received {_ALL.part()} {_ALL.order} OFFSET %(walked)s LIMIT 1) last"""  # noqa: S608


class _Look:
    """One query with its conditions as SQL; every value is a parameter."""

    def __init__(self, query: Query, mailboxes: Sequence[int], cursor: str, limit: int) -> None:
        start = read_cursor(cursor)
        self.words, self.absent = _words(query.terms)
        self.floor: Cursor | None = None  # how far back a bounded walk went
        self.parameters: dict[str, Any] = {
            "mailboxes": list(mailboxes),
            "words": self.words or self.absent,
            "at": min(start.at, query.before) if query.before else start.at,
            "id": 0 if query.before and query.before <= start.at else start.id,
            "since": query.after or _BEGINNING,
            "limit": limit + 1,
            "few": FEW + 1,
            "walked": WALKED,
            "glance": max(1, GLANCE // max(1, len(mailboxes))),
        }
        self.filters = self._filters(query)
        self.walk = _walk(query)
        self.threads = f" {_THREAD}" if query.records else ""
        self.joined = _MESSAGE + self.threads if self.filters else ""  # what the filters look at
        asked = any(not term.absent for term in query.terms)
        limited = self.filters or query.before or query.after
        self.pointless = asked and not self.words and not limited  # signs and blanks, nothing to look for

    def probe(self, *, glance: bool) -> tuple[Sequence[int], int | None]:
        """The messages of the page, where they are among the newest; else how many messages anywhere have the words,
        up to ``FEW`` + 1."""
        if not glance or len(self.parameters["mailboxes"]) > MOST_GLANCED:
            return (), int(self._rows(_COUNT)[0][0])
        page, count = self._rows(_GLANCE.format(joined=self.joined, filters=self.filters))[0]
        return page or (), count

    def read(self, page: Sequence[int]) -> list[Any]:
        """These messages."""
        found = f"SELECT message_id, received FROM mail_messagesearch WHERE message_id = ANY({self._parameter(page)})"  # noqa: S608
        return self._rows(_READ.format(found=found, order=_NEWEST))

    def by_index(self, *, best: bool) -> list[Any]:
        """All hits from the index, then sorted."""
        order = "s.rank DESC, s.received DESC" if best else _NEWEST
        rank = "ts_rank(s.document, %(words)s::tsquery)" if best else "0"
        found = _BY_INDEX.format(rank=rank, joined=self.joined, filters=self.filters, order=order)
        return self._rows(_READ.format(found=found, order=order))

    def by_walking(self) -> list[Any]:
        """Back from the newest mail of each mailbox; without words, which say how far, only some way."""
        filters = self.filters + (_WORDS if self.words or self.absent else "")
        if not self.words and (reached := self._rows(_FLOOR)[0][0]):
            self.floor = Cursor(reached, 0)
            self.parameters["since"] = reached
        part = self.walk.part(self.joined if self.walk is _ALL else self.threads)
        found = _BY_WALKING.format(walk=self.walk, part=part, filters=filters)
        with transaction.atomic(), connection.cursor() as db:
            # The planner believes that few rows pass the filters and would fetch and sort all that have the words.
            db.execute("SET LOCAL enable_bitmapscan = off")
            return self._rows(_READ.format(found=found, order=_NEWEST))

    def _rows(self, statement: str) -> list[Any]:
        with connection.cursor() as db:
            db.execute(statement, self.parameters)
            return list(db.fetchall())

    def _parameter(self, value: Any) -> str:
        name = f"p{len(self.parameters)}"
        self.parameters[name] = value
        return f"%({name})s"

    def _filters(self, query: Query) -> str:
        found = [self._person(term) for term in query.terms if term.where in {"from", "to"}]
        if query.attachments:
            found.append("m.has_attachments")
        found += [_STATES[state] for state in sorted(query.states)]
        found += [self._record(*one) for one in query.records]
        if query.folders:
            self.parameters["folders"] = self._folders(query.folders)
            found.append("m.folder_id = ANY(%(folders)s::bigint[])")
        return " ".join(f"AND {one}" for one in found)

    def _person(self, term: Term) -> str:
        """The index only knows that a person takes part; the row knows how."""
        value = self._parameter(f"%{_escaped(term.text)}%")
        return f"{'NOT ' if term.absent else ''}(mail_plain({_PEOPLE[term.where]}) LIKE mail_plain({value}))"

    def _record(self, name: str, absent: bool) -> str:
        """The conversation is linked to a record that is called so."""
        ids = finding.called(Mailbox.objects.filter(pk__in=self.parameters["mailboxes"]).values("workspace"), name)
        any_of = " OR ".join(
            f"l.{kind.pointer}_id = ANY({self._parameter(ids[kind.key])}::bigint[])" for kind in TYPES if ids[kind.key]
        )
        linked = f"l.conversation_id = t.conversation_id AND l.removed_at IS NULL AND ({any_of or 'false'})"
        return f"{'NOT ' if absent else ''}EXISTS (SELECT FROM timeline_link l WHERE {linked})"

    def _folders(self, names: Sequence[str]) -> list[int]:
        wanted = Q()
        for name in names:
            wanted |= Q(role__iexact=_ROLES.get(name.lower(), name)) | Q(name__iexact=name)
        rows = Folder.objects.filter(wanted, mailbox__in=self.parameters["mailboxes"])
        return list(rows.values_list("pk", flat=True))


def _walk(query: Query) -> _Walk:
    """The fewest rows, as far as one can tell from what is asked."""
    if "flagged" in query.states:
        return _FLAGGED
    return _WITH_FILES if query.attachments else _IN_FOLDERS if query.folders else _ALL


_NEWEST = "s.received DESC, s.message_id DESC"
_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
_STATES = {"unread": "NOT m.is_read", "read": "m.is_read", "flagged": "m.flag = 'flagged'"}
_ROLES = {"trash": "deleted", "bin": "deleted", "spam": "junk", "draft": "drafts"}
_PEOPLE = {"from": "m.from_name || ' ' || m.from_address", "to": 'm."to"::text || m.cc::text || m.bcc::text'}
_WEIGHTS = {"any": "", "subject": "A", "from": "B", "to": "B"}
_LEXEME = re.compile(r"'(?:[^']|'')*'")


def _words(terms: Sequence[Term]) -> tuple[str, str]:
    """The terms as PostgreSQL's tsquery, cut into words by the same parser as the index. Second, when nothing is left
    that must occur: what must not.

    Absent people are left to the filters: somebody who is not the author may still take part.
    """
    asked = [term for term in terms if not (term.absent and term.where in {"from", "to"})]
    if not asked:
        return "", ""
    made = ", ".join(f"{'phraseto' if t.phrase else 'plainto'}_tsquery('simple', mail_plain(%s))::text" for t in asked)
    with connection.cursor() as db:
        db.execute(f"SELECT {made}", [term.text for term in asked])
        row = db.fetchone()
    parts = [_refined(text, term) for text, term in zip(row or (), asked, strict=True) if text]
    together = " & ".join(parts)
    return (together, "") if any(not part.startswith("!") for part in parts) else ("", together)


def _refined(text: str, term: Term) -> str:
    """'a' & 'b' -> ('a':A & 'b':*A)"""
    count = len(_LEXEME.findall(text))
    weight = _WEIGHTS[term.where]
    numbers = iter(range(1, count + 1))

    def suffix(lexeme: re.Match[str]) -> str:
        begins = "*" if term.begins and next(numbers) == count else ""
        return f"{lexeme[0]}:{begins}{weight}" if begins or weight else lexeme[0]

    return f"{'!' if term.absent else ''}({_LEXEME.sub(suffix, text)})"


def _escaped(text: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", text)
