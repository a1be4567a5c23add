"""The statements behind linking, each with what it does. Parameters are named; `sources` are described at each."""

from __future__ import annotations

from postroom.records.record import POINTERS
from postroom.timeline.sharing.levels import LEVEL_OF_T, NEVER

_NEVER = NEVER.format(thread="t.id", workspace="%(workspace)s")

# Who is heard in the conversations of just stored messages, and which records are known under those addresses; the
# links the conversations have already are brought to the time of the newest mail on the way. Rows are locked in the
# order of their ids: two mailboxes often store copies of the same mail at the same moment.
HEARD = """
with heard as materialized (
    select t.conversation_id, p.address, split_part(p.address, '@', 2) as domain, max(t.last_at) as last_at,
           bool_or(p.role = 'from') as wrote, min(p.crowd) as crowd
    from (
        select message_id, address, role, count(*) over (partition by message_id) as crowd
        from mail_participant where message_id = any(%(messages)s) and role <> 'bcc'
    ) p
    join mail_message m on m.id = p.message_id
    join mail_thread t on t.id = m.thread_id
    where not {never}
    group by 1, 2
), newest as (
    select conversation_id, max(last_at) as last_at from heard group by 1
), stale as (
    select l.id, n.last_at from timeline_link l join newest n using (conversation_id)
    where l.last_at < n.last_at order by l.id for update of l
), brought as (
    update timeline_link l set last_at = s.last_at from stale s where l.id = s.id
), own as (
    select lower(address) as address, split_part(lower(address), '@', 2) as domain
    from mailboxes_mailbox where workspace_id = %(workspace)s
)
select h.conversation_id, h.address, h.wrote, h.crowd, h.last_at,
       exists (select from own where own.address = h.address) as ours,
       exists (select from own where own.domain = h.domain) as our_domain,
       a.person_id, person.company_id, d.company_id
from heard h
left join records_personaddress a on a.workspace_id = %(workspace)s and a.address = h.address
left join records_person person on person.id = a.person_id
left join records_companydomain d on d.workspace_id = %(workspace)s and d.domain = h.domain
where a.person_id is not null or d.company_id is not null
order by h.conversation_id
""".replace("{never}", _NEVER)

# Links that follow from the rules. What is there, also what was unlinked by hand, stays as it is.
ADD = """
insert into timeline_link
    (workspace_id, conversation_id, person_id, company_id, how, last_at, created_at, changed_at)
select %(workspace)s, conversation, person, company, 'auto', last_at, %(now)s, %(now)s
from unnest(%(conversations)s::bigint[], %(persons)s::bigint[], %(companies)s::bigint[], %(times)s::timestamptz[])
    as t (conversation, person, company, last_at)
order by conversation, person, company
on conflict do nothing
"""

# The mail with a set of addresses before a moment, newest first: at most `each` mails per address and mailbox. Where
# there is more, `until` is the moment down to which this is complete.
_LOOK = """
with looked as materialized (
    select a.address, b.mailbox, p.message_id, p.received, p.role
    from unnest(%(addresses)s::text[]) as a (address)
    cross join unnest(%(mailboxes)s::bigint[]) as b (mailbox)
    cross join lateral (
        select message_id, received, role from mail_participant
        where address = a.address and mailbox_id = b.mailbox and received <= %(before)s and role <> 'bcc'
        order by received desc limit %(each)s
    ) p
), bound as (
    select max(oldest) as until from (
        select min(received) as oldest from looked group by address, mailbox having count(*) >= %(each)s
    ) full_ones
), found as (
    select t.conversation_id, max(t.last_at) as last_at
    from looked l join mail_message m on m.id = l.message_id join mail_thread t on t.id = m.thread_id
    where (l.role = 'from' or (select count(*) from mail_participant c where c.message_id = l.message_id) <= %(crowd)s)
      and not {never}
    group by 1
)
""".replace("{never}", _NEVER)

# Link what was found to one record; answers `until`.
_THEN_LINK = """
, added as (
    insert into timeline_link
        (workspace_id, conversation_id, person_id, company_id, how, last_at, created_at, changed_at)
    select %(workspace)s, conversation_id, %(person)s::bigint, %(company)s::bigint, 'auto', last_at, %(now)s, %(now)s
    from found order by conversation_id
    on conflict do nothing
)
select until from bound
"""
LINK_FOUND = _LOOK + _THEN_LINK

# The same mail for a reader: conversations without a link to the record, placed at their newest mail with those
# addresses.
_THEN_SHOW = """
, placed as (
    select f.conversation_id, (
        select max(p.received) from mail_thread t
        join mail_message m on m.thread_id = t.id join mail_participant p on p.message_id = m.id
        where t.conversation_id = f.conversation_id and t.mailbox_id = any(%(mailboxes)s)
          and p.address = any(%(addresses)s) and p.role <> 'bcc'
    ) as at
    from found f
    where not exists (
        select from timeline_link l where l.conversation_id = f.conversation_id
        and (l.person_id = %(person)s or l.company_id = %(company)s)
    )
)
select bound.until, placed.conversation_id, placed.at
from bound left join placed on (placed.at, placed.conversation_id) < (%(before)s, %(conversation)s)
order by placed.at desc, placed.conversation_id desc
"""
SHOW_FOUND = _LOOK + _THEN_SHOW

# A record's linked conversations that are shown to the reader, newest first. One such part per kind of pointer.
LINKED = """
select l.conversation_id, l.last_at
from unnest(%({pointer})s::bigint[]) as wanted (id)
cross join lateral (
    select link.conversation_id, link.last_at from timeline_link link
    where link.{pointer}_id = wanted.id and link.removed_at is null
      and (link.last_at, link.conversation_id) < (%(before)s, %(conversation)s)
      and exists (
          select from mail_thread t where t.conversation_id = link.conversation_id and ({level}) > 0
      )
      and not exists (
          select from timeline_link hidden where hidden.conversation_id = link.conversation_id
          and hidden.{hidden_by}_id = %(hidden_by)s and hidden.removed_at is not null
      )
    order by link.last_at desc, link.conversation_id desc limit %(limit)s
) l
""".replace("{level}", LEVEL_OF_T)

# Conversations turned out to be one: the links of `gone` become links of `kept`. Where both have one, what a member did
# by hand wins over what was matched, and the later deed over the earlier.
MERGE = """
insert into timeline_link
    (workspace_id, conversation_id, {pointers}, how, by_id, removed_at, last_at, created_at, changed_at)
select distinct on (pair.kept, {of_link})
       l.workspace_id, pair.kept, {of_link}, l.how, l.by_id, l.removed_at, l.last_at, l.created_at, l.changed_at
from unnest(%(gone)s::bigint[], %(kept)s::bigint[]) as pair (gone, kept)
join timeline_link l on l.conversation_id = pair.gone
order by pair.kept, {of_link}, l.how = 'manual' desc, l.changed_at desc
on conflict (conversation_id, {pointers}) do update
set how = excluded.how, by_id = excluded.by_id, removed_at = excluded.removed_at, changed_at = excluded.changed_at
where excluded.how = 'manual' and (timeline_link.how <> 'manual' or timeline_link.changed_at < excluded.changed_at)
""".format(pointers=", ".join(f"{one}_id" for one in POINTERS), of_link=", ".join(f"l.{one}_id" for one in POINTERS))

LEVEL = """
update timeline_link l set last_at = newest.last_at
from (
    select pair.kept, max(x.last_at) as last_at from unnest(%(gone)s::bigint[], %(kept)s::bigint[]) as pair (gone, kept)
    join timeline_link x on x.conversation_id in (pair.gone, pair.kept) group by 1
) newest
where l.conversation_id = newest.kept and l.last_at < newest.last_at
"""

# Threads that are one now show what the strictest of them showed.
STRICTEST = """
update timeline_threadsharing s set level = strict.level
from (
    select pair.kept, x.mailbox_id, min(x.level) as level
    from unnest(%(gone)s::bigint[], %(kept)s::bigint[]) as pair (gone, kept)
    join timeline_threadsharing x on x.conversation_id in (pair.gone, pair.kept) group by 1, 2
) strict
where s.mailbox_id = strict.mailbox_id and s.level > strict.level and (s.conversation_id = strict.kept or exists (
    select from unnest(%(gone)s::bigint[], %(kept)s::bigint[]) as pair (gone, kept)
    where pair.kept = strict.kept and pair.gone = s.conversation_id
))
"""

FORGET = "delete from timeline_link where conversation_id = any(%(gone)s)"

COUNT_LINKED = """
select t.mailbox_id, count(*) from mail_thread t where t.mailbox_id = any(%(mailboxes)s) and exists (
    select from timeline_link l where l.conversation_id = t.conversation_id and l.removed_at is null
) group by 1
"""
