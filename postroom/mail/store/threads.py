"""What lists show of threads, derived anew for the threads a write touched: a few statements for a whole page."""

from collections.abc import Collection, Mapping

from postroom.mail.store.types import cursor

_REFRESH = """
WITH facts AS (
    SELECT thread_id, count(*) AS count, count(*) FILTER (WHERE NOT is_read) AS unread,
           max(received) AS last_at, min(received) AS first_at,
           bool_or(flag = 'flagged') AS flagged, bool_or(has_attachments) AS has_attachments,
           bool_or(is_draft) AS has_draft
    FROM mail_message WHERE thread_id = ANY(%(threads)s) GROUP BY thread_id
), newest AS (
    SELECT DISTINCT ON (thread_id) thread_id, subject, preview
    FROM mail_message WHERE thread_id = ANY(%(threads)s) ORDER BY thread_id, received DESC, id DESC
), speakers AS (
    SELECT thread_id, jsonb_agg(jsonb_build_array(name, address) ORDER BY spoke, address) AS people FROM (
        SELECT thread_id, from_address AS address, max(from_name) AS name, max(received) AS spoke,
               row_number() OVER (PARTITION BY thread_id ORDER BY max(received) DESC, from_address) AS rank
        FROM mail_message WHERE thread_id = ANY(%(threads)s) GROUP BY thread_id, from_address) latest
    WHERE rank <= 6 GROUP BY thread_id
), labels AS (
    SELECT thread_id, array_agg(DISTINCT label ORDER BY label) AS categories
    FROM mail_message, unnest(categories) AS label WHERE thread_id = ANY(%(threads)s) GROUP BY thread_id
)
UPDATE mail_thread t
SET count = facts.count, unread = facts.unread, last_at = facts.last_at, first_at = facts.first_at,
    flagged = facts.flagged, has_attachments = facts.has_attachments, has_draft = facts.has_draft,
    subject = newest.subject, snippet = left(newest.preview, 300), people = speakers.people,
    categories = coalesce(labels.categories, '{}')
FROM facts JOIN newest USING (thread_id) JOIN speakers USING (thread_id) LEFT JOIN labels USING (thread_id)
WHERE t.id = facts.thread_id
"""

_PLACES = """
WITH wanted AS (
    SELECT thread_id, folder_id, max(received) AS last_at, count(*) AS count,
           count(*) FILTER (WHERE NOT is_read) AS unread
    FROM mail_message WHERE thread_id = ANY(%(threads)s) GROUP BY thread_id, folder_id
), left_behind AS (
    DELETE FROM mail_threadfolder p WHERE p.thread_id = ANY(%(threads)s)
      AND NOT EXISTS (SELECT 1 FROM wanted w WHERE w.thread_id = p.thread_id AND w.folder_id = p.folder_id)
)
INSERT INTO mail_threadfolder AS p (thread_id, folder_id, last_at, count, unread)
SELECT thread_id, folder_id, last_at, count, unread FROM wanted
ON CONFLICT (thread_id, folder_id) DO UPDATE
SET last_at = excluded.last_at, count = excluded.count, unread = excluded.unread
WHERE (p.last_at, p.count, p.unread) IS DISTINCT FROM (excluded.last_at, excluded.count, excluded.unread)
"""

_EMPTY = """
DELETE FROM mail_thread t WHERE t.id = ANY(%(threads)s)
  AND NOT EXISTS (SELECT 1 FROM mail_message m WHERE m.thread_id = t.id)
"""


def refresh(thread_ids: Collection[int]) -> None:
    """Derive everything lists show of these threads; those without messages are gone."""
    if not thread_ids:
        return
    parameters = {"threads": sorted(thread_ids)}
    with cursor() as db:
        db.execute(_PLACES, parameters)
        db.execute(_REFRESH, parameters)
        db.execute(_EMPTY, parameters)


def count_folders(differences: Mapping[int, tuple[int, int]]) -> None:
    """Add (total, unread) differences to folders' counts, in the order of their ids."""
    rows = [(total, unread, folder) for folder, (total, unread) in sorted(differences.items()) if total or unread]
    if rows:
        with cursor() as db:
            db.executemany("UPDATE mail_folder SET total = total + %s, unread = unread + %s WHERE id = %s", rows)
