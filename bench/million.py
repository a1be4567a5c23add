"""A large workspace, made by the database itself: as many messages as wanted, in twenty mailboxes over two years.

Threads of three messages in mean, a contact each (some far busier than others), real search documents of some forty
words from a vocabulary in which few words are common. Indexes are dropped first and built at the end, as for a restore.
"""

from __future__ import annotations

from typing import Any

from bench.common import OWNER, note

MAILBOXES, READABLE = 20, 5  # of which the member may read so many
PEOPLE, CONTACTS, COMPANIES, DOMAINS = 20_000, 2_000, 200, 500
RARE, MID, COMMON = "zebrafish", "renewal", "regards"
ROLES = (("inbox", "Inbox"), ("sent", "Sent Items"), ("archive", "Archive"), ("drafts", "Drafts"))

_SETTINGS = (
    "SET session_replication_role = replica",  # foreign keys hold by construction
    "SET synchronous_commit = off",
    "SET work_mem = '256MB'",
    "SET maintenance_work_mem = '512MB'",
    "SELECT setseed(0.42)",
)
_TABLES = ("message", "messagebody", "messagesearch", "participant", "thread", "threadfolder", "conversation")
# The n-th of twenty thousand words; small numbers are drawn far more often.
_WORD = "substr(translate(md5('w' || {n}), '0123456789', 'ghijklmnop'), 1, 3 + {n} % 7)"
_PARAGRAPHS = """CREATE TEMP TABLE paragraphs AS
SELECT p AS id, (SELECT string_agg({random_word}, ' ') FROM
    (SELECT floor(20000 * power(random(), 3))::int AS n FROM generate_series(1, 34 + p % 2)) drawn) AS text
FROM generate_series(0, 19999) p"""
# In blocks of three hundred messages of a mailbox a hundred threads run side by side.
_PLAN = """CREATE TEMP TABLE plan AS
SELECT i + 1 AS id, b.mailbox, b.folders, ((j / 300) * 100 + j % 100) * {mailboxes} + i % {mailboxes} + 1 AS thread,
       j % 300 >= 100 AND j % 2 = 1 AS ours, now() - ({size} - i) * (interval '730 days' / {size}) AS received,
       i % 100 >= 97 OR (i > {size} * 0.98 AND i % 3 = 0) AS unread, i % 20000 AS paragraph,
       CASE WHEN i % 199999 = 4 THEN ' {rare}' ELSE '' END || CASE WHEN i % 83 = 0 THEN ' {mid}' ELSE '' END
       || CASE WHEN i % 3 = 0 THEN ' {common}' ELSE '' END AS marked
FROM (SELECT i, i / {mailboxes} AS j FROM generate_series(0, {size} - 1) i) made
JOIN boxes b ON b.number = i % {mailboxes}"""
_THREADS = """CREATE TEMP TABLE subjects AS
SELECT thread AS id, floor({people} * power(random(), 3))::int AS contact,
       {thread_word} || ' ' || thread % 997 || ' ' || left(md5(thread::text), 5) AS subject
FROM (SELECT DISTINCT thread FROM plan) t"""
_OTHER = "'person' || s.contact || '@domain' || s.contact % {domains} || '.example'"
_FROM = "CASE WHEN p.ours THEN b.address ELSE {other} END"
_TO = "CASE WHEN p.ours THEN {other} ELSE b.address END"
_ROWS = "FROM plan p JOIN subjects s ON s.id = p.thread JOIN boxes b ON b.mailbox = p.mailbox"
_MESSAGES = """INSERT INTO mail_message (id, mailbox_id, folder_id, thread_id, remote_id, change_key,
    internet_message_id, in_reply_to, remote_conversation_id, subject, from_name, from_address, "to", cc, bcc, reply_to,
    received, sent, modified, is_read, is_draft, flag, categories, importance, has_attachments, preview, kind,
    body_state, round)
SELECT p.id, p.mailbox, p.folders[CASE WHEN p.ours THEN 2 WHEN p.thread % 10 < 6 THEN 1 ELSE 3 END], p.thread,
    'AAkALgAAAAAAHYQDEapmEc2byACqAC' || '-EWg0A' || md5(p.id::text) || p.id, 'CQAAABYAAAC' || p.id,
    '<' || md5(p.id::text) || '@mail.example>', '', 'AAQkAG' || p.thread, initcap(s.subject),
    CASE WHEN p.ours THEN 'Member' ELSE 'Person ' || s.contact END, {from_},
    jsonb_build_array(jsonb_build_array('', {to})), '[]', '[]', '[]', p.received,
    p.received, p.received, NOT p.unread, false, CASE WHEN p.id % 50 = 0 THEN 'flagged' ELSE 'none' END, '{{}}',
    'normal', p.id % 9 = 0, left(t.text, 200), 'mail', 'stored', 0
{rows} JOIN paragraphs t ON t.id = p.paragraph ORDER BY p.id"""
_BODIES = """INSERT INTO mail_messagebody (message_id, content_type, html, text, new_text, sha256, made_by)
SELECT p.id, 'html', '<p>' || t.text || p.marked || '</p>', '', t.text || p.marked, '\\x00', 1
FROM plan p JOIN paragraphs t ON t.id = p.paragraph ORDER BY p.id"""
_SEARCH = """INSERT INTO mail_messagesearch (message_id, mailbox_id, received, document)
SELECT p.id, p.mailbox, p.received, setweight(to_tsvector('simple', s.subject), 'A')
    || setweight(to_tsvector('simple', {other} || ' ' || b.address), 'B')
    || setweight(to_tsvector('simple', t.text || p.marked), 'C')
{rows} JOIN paragraphs t ON t.id = p.paragraph ORDER BY p.id"""
_PEOPLE = """INSERT INTO mail_participant (message_id, mailbox_id, address, role, received)
SELECT p.id, p.mailbox, {from_}, 'from', p.received {rows}
UNION ALL SELECT p.id, p.mailbox, {to}, 'to', p.received {rows}
UNION ALL SELECT p.id, p.mailbox, 'person' || (s.contact + 7) % {people} || '@domain' || (s.contact + 7) % {people}
    % {domains} || '.example', 'cc', p.received {rows} WHERE p.thread % 2 = 0"""
_DERIVED = (
    "INSERT INTO mail_conversation (id, workspace_id, created_at) SELECT id, {workspace}, now() FROM subjects",
    """INSERT INTO mail_thread (id, mailbox_id, conversation_id, subject, snippet, people, last_at, first_at, count,
        unread, flagged, has_attachments, has_draft, categories)
    SELECT thread_id, mailbox_id, thread_id, max(subject), max(preview),
        jsonb_build_array(jsonb_build_array(max(from_name), max(from_address))), max(received), min(received), count(*),
        count(*) FILTER (WHERE NOT is_read), bool_or(flag = 'flagged'), bool_or(has_attachments), false, '{{}}'
    FROM mail_message GROUP BY thread_id, mailbox_id""",
    """INSERT INTO mail_threadfolder (thread_id, folder_id, last_at, count, unread)
    SELECT thread_id, folder_id, max(received), count(*), count(*) FILTER (WHERE NOT is_read)
    FROM mail_message GROUP BY thread_id, folder_id""",
    """UPDATE mail_folder f SET total = m.total, unread = m.unread FROM (
        SELECT folder_id, count(*) AS total, count(*) FILTER (WHERE NOT is_read) AS unread
        FROM mail_message GROUP BY folder_id) m WHERE m.folder_id = f.id""",
    """INSERT INTO mail_correspondent (workspace_id, address, name, domain, last_at, received, sent)
    SELECT {workspace}, address, '', split_part(address, '@', 2), max(received), count(*), 0
    FROM mail_participant WHERE address LIKE 'person%%' GROUP BY address""",
    """INSERT INTO timeline_link (workspace_id, conversation_id, person_id, how, last_at, created_at, changed_at)
    SELECT {workspace}, t.id, a.person_id, 'auto', t.last_at, now(), now() FROM subjects s
    JOIN mail_thread t ON t.id = s.id JOIN records_personaddress a ON a.address = {other}""",
    """INSERT INTO timeline_link (workspace_id, conversation_id, company_id, how, last_at, created_at, changed_at)
    SELECT {workspace}, t.id, d.company_id, 'auto', t.last_at, now(), now() FROM subjects s
    JOIN mail_thread t ON t.id = s.id
    JOIN records_companydomain d ON d.domain = 'domain' || s.contact % {domains} || '.example'""",
    "INSERT INTO timeline_reach (workspace_id, person_id) SELECT workspace_id, id FROM records_person",
    "INSERT INTO timeline_reach (workspace_id, company_id) SELECT workspace_id, id FROM records_company",
)


def load(size: int) -> None:
    """Makes everything; the current database is migrated and empty."""
    from django.db import connection

    member = _people()
    with connection.cursor() as db:
        for statement in _SETTINGS:
            db.execute(statement)
        indexes = _without_indexes(db)
        _boxes(db, member)
        values: dict[str, Any] = {"size": size, "mailboxes": MAILBOXES, "people": PEOPLE, "domains": DOMAINS}
        values |= {"rare": RARE, "mid": MID, "common": COMMON, "rows": _ROWS, "workspace": member.workspace_id}
        values |= {"random_word": _WORD.format(n="n"), "thread_word": _WORD.format(n="thread")}
        values["other"] = _OTHER.format(**values)
        values |= {"from_": _FROM.format(**values), "to": _TO.format(**values)}
        steps = (_PARAGRAPHS, _PLAN, _THREADS, "ANALYZE plan", "ANALYZE subjects", _MESSAGES, _BODIES, _SEARCH)
        for statement in (*steps, _PEOPLE, *_DERIVED):
            note(f"  {' '.join(statement.split())[:60]}")
            db.execute(statement.format(**values))
        for definition in indexes:
            note(f"  {definition[:90]}")
            db.execute(definition)
        _set_sequences(db)
        db.execute("VACUUM ANALYZE")
        db.execute("CHECKPOINT")


def _people() -> Any:
    """The workspace, its contacts and their companies."""
    from bench.common import owner_and_contacts

    addresses = [f"person{n}@domain{n % DOMAINS}.example" for n in range(CONTACTS)]
    return owner_and_contacts(addresses, companies=COMPANIES)


def _boxes(db: Any, member: Any) -> None:
    """Mailboxes and their folders, in a temporary table too."""
    from postroom.accounts.models import User
    from postroom.mail.models import Folder
    from postroom.mailboxes.models import Mailbox
    from postroom.workspaces.commands import add_member

    other = add_member(member.workspace, User.objects.create_user("other@northwind.example", "Other"))
    db.execute("CREATE TEMP TABLE boxes (number int, mailbox bigint, address text, folders bigint[])")
    for number in range(MAILBOXES):
        shared = Mailbox.Visibility.WORKSPACE if number < READABLE else Mailbox.Visibility.PRIVATE
        address = OWNER if number == 0 else f"box{number}@northwind.example"
        mailbox = Mailbox.objects.create(
            workspace=member.workspace,
            owner=other if number else member,
            provider="microsoft",
            address=address,
            state=Mailbox.State.LIVE,
            history=Mailbox.History.ALL,
            visibility=shared,
        )
        folders = [Folder.objects.create(mailbox=mailbox, remote_id=r, name=name, role=r).pk for r, name in ROLES]
        db.execute("INSERT INTO boxes VALUES (%s, %s, %s, %s)", [number, mailbox.pk, address, folders])


def _without_indexes(db: Any) -> list[str]:
    """Drops the indexes that no constraint needs; returns how to make them again."""
    db.execute(
        """SELECT i.indexname, i.indexdef FROM pg_indexes i
        WHERE i.tablename = ANY(%s) AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conname = i.indexname)""",
        [[f"mail_{name}" for name in _TABLES]],
    )
    found = db.fetchall()
    for name, _ in found:
        db.execute(f'DROP INDEX "{name}"')
    return [definition for _, definition in found]


def _set_sequences(db: Any) -> None:
    for table in ("mail_message", "mail_thread", "mail_conversation"):
        db.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")
