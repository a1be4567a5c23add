"""Which conversation a message belongs to, across all mailboxes of a workspace.

Messages lead to each other by keys: hashes of the Message-IDs they carry and refer to, and of the provider's own
conversation id within one mailbox. Messages that share a key are one conversation; a message that knows keys of two
conversations makes them one. The older conversation stays.
"""

from collections.abc import Iterable, Mapping, Sequence

from postroom.mail.store.locks import NeedsAlone
from postroom.mail.store.types import Stored, cursor

_CLAIM = """
INSERT INTO mail_conversationkey AS k (workspace_id, key, conversation_id)
SELECT %(workspace)s, key, conversation
FROM unnest(%(keys)b::bytea[], %(conversations)b::bigint[]) AS new (key, conversation) ORDER BY key
ON CONFLICT (workspace_id, key) DO UPDATE SET conversation_id = k.conversation_id
RETURNING key, conversation_id
"""


class Groups:
    """Union-find over keys."""

    def __init__(self) -> None:
        self._above: dict[bytes, bytes] = {}

    def find(self, key: bytes) -> bytes:
        above = self._above.setdefault(key, key)
        while above != key:
            grand = self._above[above]
            self._above[key] = grand
            key, above = above, grand
        return key

    def join(self, keys: Sequence[bytes]) -> None:
        first = self.find(keys[0])
        for key in keys[1:]:
            self._above[self.find(key)] = first


def assign(
    workspace_id: int,
    keys_of: Mapping[str, Sequence[bytes]],
    stored: Stored,
    *,
    already: Mapping[str, int],
    alone: bool,
) -> dict[str, int]:
    """Conversation of each message (by provider's id). Every message has at least one key; ``already`` names those
    that have a conversation and may have learnt new keys.

    Adds to ``stored.merged`` what became one; the caller tells the packages above before the rows go. Raises
    ``NeedsAlone`` when conversations become one and other writers may be about.
    """
    groups = Groups()
    for keys in keys_of.values():
        groups.join(keys)
    every_key = sorted({key for keys in keys_of.values() for key in keys})
    found = _lookup(workspace_id, every_key)
    settled = [(key, found[key]) for key in every_key if key in found]
    settled += [(keys_of[remote_id][0], conversation) for remote_id, conversation in already.items()]
    of_group, merges = _settle(groups, settled)
    if merges and not alone:
        raise NeedsAlone
    unowned = sorted({groups.find(k) for k in every_key} - of_group.keys())
    of_group |= dict(zip(unowned, _create(workspace_id, len(unowned)), strict=True))
    fresh = [key for key in every_key if key not in found]
    winners = _claim(workspace_id, fresh, [of_group[groups.find(key)] for key in fresh])
    if _lost_races(winners, groups, of_group):  # another mailbox has stored the same mail this very moment
        raise NeedsAlone
    kept = merge(workspace_id, merges, stored) if merges else {}
    return {
        remote_id: kept.get(of_group[groups.find(keys[0])], of_group[groups.find(keys[0])])
        for remote_id, keys in keys_of.items()
    }


def _lookup(workspace_id: int, keys: Sequence[bytes]) -> dict[bytes, int]:
    with cursor() as db:
        db.execute(
            "SELECT key, conversation_id FROM mail_conversationkey WHERE workspace_id = %s AND key = ANY(%b)",
            [workspace_id, list(keys)],
        )
        return {bytes(key): conversation for key, conversation in db.fetchall()}


def _settle(groups: Groups, settled: Iterable[tuple[bytes, int]]) -> tuple[dict[bytes, int], list[tuple[int, int]]]:
    """The conversation of each group that has one; where it has several, pairs that say they are one."""
    of_group: dict[bytes, int] = {}
    pairs = []
    for key, conversation in settled:
        other = of_group.setdefault(groups.find(key), conversation)
        if other != conversation:
            pairs.append((other, conversation))
    return of_group, pairs


def _create(workspace_id: int, count: int) -> list[int]:
    if not count:
        return []
    with cursor() as db:
        db.execute(
            """INSERT INTO mail_conversation (workspace_id, created_at)
               SELECT %s, now() FROM generate_series(1, %s) RETURNING id""",
            [workspace_id, count],
        )
        return [row[0] for row in db.fetchall()]


def _claim(workspace_id: int, keys: Sequence[bytes], conversations: Sequence[int]) -> dict[bytes, int]:
    """Write keys down. Another mailbox may have written the same one a moment ago: then its conversation is told."""
    if not keys:
        return {}
    with cursor() as db:
        db.execute(_CLAIM, {"workspace": workspace_id, "keys": list(keys), "conversations": list(conversations)})
        return {bytes(key): conversation for key, conversation in db.fetchall()}


def _lost_races(winners: Mapping[bytes, int], groups: Groups, of_group: Mapping[bytes, int]) -> bool:
    return any(of_group[groups.find(key)] != winner for key, winner in winners.items())


def merge(workspace_id: int, pairs: Sequence[tuple[int, int]], stored: Stored) -> dict[int, int]:
    """Make conversations one. Returns gone -> kept; threads of one mailbox that meet in it become one too."""
    kept_by = _survivors(pairs)
    gone = sorted(kept_by)
    parameters = {"gone": gone, "kept": [kept_by[one] for one in gone], "workspace": workspace_id}
    with cursor() as db:
        for statement in _MERGE:
            db.execute(statement, parameters)
        db.execute(_SAME_THREADS, parameters)
        doubles = db.fetchall()
    _join_threads(doubles, stored)
    stored.merged += [(one, kept_by[one]) for one in gone]
    return kept_by


def _survivors(pairs: Sequence[tuple[int, int]]) -> dict[int, int]:
    above: dict[int, int] = {}

    def top(one: int) -> int:
        while one in above:
            one = above[one]
        return one

    for left, right in pairs:
        kept, gone = sorted((top(left), top(right)))
        if kept != gone:
            above[gone] = kept
    return {one: top(one) for one in above}


_PAIRS = "(SELECT gone, kept FROM unnest(%(gone)s::bigint[], %(kept)s::bigint[]) AS p (gone, kept)) p"
_MERGE = (  # constant text all of it
    f"""UPDATE mail_conversationkey k SET conversation_id = p.kept FROM {_PAIRS}
        WHERE k.workspace_id = %(workspace)s AND k.conversation_id = p.gone""",
    f"UPDATE mail_composition c SET conversation_id = p.kept FROM {_PAIRS} WHERE c.conversation_id = p.gone",
    f"UPDATE mail_known k SET conversation_id = p.kept FROM {_PAIRS} WHERE k.state = 1 AND k.conversation_id = p.gone",
)
# For each mailbox the oldest thread stays; the others' messages move into it.
_SAME_THREADS = f"""
WITH theirs AS (
    SELECT t.id, t.mailbox_id, coalesce(p.kept, t.conversation_id) AS conversation
    FROM mail_thread t LEFT JOIN {_PAIRS} ON p.gone = t.conversation_id
    WHERE t.conversation_id = ANY(%(gone)s || %(kept)s)
)
SELECT id, min(id) OVER (PARTITION BY mailbox_id, conversation), conversation FROM theirs ORDER BY id
"""  # constant text


def _join_threads(rows: Sequence[tuple[int, int, int]], stored: Stored) -> None:
    moves = [(kept, thread) for thread, kept, _ in rows if thread != kept]
    with cursor() as db:
        if moves:
            db.executemany("UPDATE mail_message SET thread_id = %s WHERE thread_id = %s", moves)
            gone = [thread for _, thread in moves]
            db.execute("DELETE FROM mail_threadfolder WHERE thread_id = ANY(%s)", [gone])
            db.execute("DELETE FROM mail_thread WHERE id = ANY(%s)", [gone])
        stay = [(conversation, thread) for thread, kept, conversation in rows if thread == kept]
        if stay:
            db.executemany("UPDATE mail_thread SET conversation_id = %s WHERE id = %s", stay)
    stored.threads |= {kept for _, kept, _ in rows}
