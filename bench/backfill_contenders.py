"""Those who take the same mailbox: Postroom, and what it is measured beside. Each runs in a process of its own.

`python -m bench.backfill_contenders NAME --database DB` with the settings in the environment prints one JSON line:
{"seconds", "messages", "requests", …}. Starting the interpreter, importing and connecting to the database do not count.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from bench.common import OWNER, set_up, token

TOP = 100
Outcome = dict[str, Any]


def _origin() -> str:
    return os.environ["MICROSOFT_GRAPH_URL"]


# -- Postroom ------------------------------------------------------------------------------------------------------


def postroom() -> Outcome:
    """From connecting to the last body stored, as the product does it."""
    from django.db import connection

    from postroom.mail.models import Message
    from postroom.mailboxes import commands
    from postroom.mailboxes.session import budget_key
    from postroom.providers.budget import budget_of
    from postroom.providers.microsoft.client import pool
    from postroom.sync import lanes, runner

    lanes.wake = lambda *mailbox_ids: None  # this process is the worker
    pulls: list[str] = []
    pool(_origin()).event_hooks["request"].append(lambda request: pulls.append(request.url.path))
    connection.ensure_connection()
    began = time.perf_counter()
    watch = _Watch(began)
    mailbox = commands.connect_sandbox(OWNER, "all")
    while runner.run_mailbox(mailbox.pk) or not _at_rest(mailbox.pk):
        pass
    seconds = time.perf_counter() - began
    watch.stop()
    stored = Message.objects.filter(body_state="stored").count()
    bodies = sum(path.endswith("/me/messages") for path in pulls)
    requests = budget_of(budget_key("microsoft", OWNER)).requests
    return {"seconds": seconds, "messages": stored, "requests": requests, "pulls": bodies, "newest": watch.seconds}


def _at_rest(mailbox_id: int) -> bool:
    from postroom.sync.models import Activity, Lane

    lane = Lane.objects.get(mailbox_id=mailbox_id, activity=Activity.BACKFILL)
    return lane.seen >= lane.wanted and not lane.lease_until


class _Watch:
    """When the newest hundred messages can be read, seen by another connection."""

    def __init__(self, began: float, count: int = 100) -> None:
        self.seconds: float | None = None
        self._began, self._count, self._done = began, count, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        from django.db import connection

        from postroom.mail.models import Message

        while not self._done.wait(0.02):
            if Message.objects.filter(body_state="stored")[: self._count].count() >= self._count:
                self.seconds = time.perf_counter() - self._began
                break
        connection.close()


# -- (a) Microsoft's own SDK, reading only --------------------------------------------------------------------------


def msgraph_sdk() -> Outcome:
    """Pages with bodies, the same properties, read and dropped."""
    from kiota_abstractions.authentication import AuthenticationProvider
    from kiota_abstractions.base_request_configuration import RequestConfiguration
    from msgraph import GraphRequestAdapter, GraphServiceClient  # type: ignore[attr-defined]
    from msgraph.generated.users.item.messages.messages_request_builder import MessagesRequestBuilder

    bearer = token(_origin())

    class Bearer(AuthenticationProvider):
        async def authenticate_request(self, request: Any, additional_authentication_context: Any = None) -> None:
            request.headers.add("Authorization", f"Bearer {bearer}")

    async def read() -> Outcome:
        adapter = GraphRequestAdapter(Bearer())
        adapter.base_url = f"{_origin()}/v1.0"
        messages = GraphServiceClient(request_adapter=adapter).me.messages
        query = MessagesRequestBuilder.MessagesRequestBuilderGetQueryParameters(
            top=TOP, select=_select().split(","), orderby=["receivedDateTime desc"]
        )
        began, count, requests = time.perf_counter(), 0, 1
        page = await messages.get(request_configuration=RequestConfiguration(query_parameters=query))
        while page is not None:
            count += len(page.value or ())
            if not page.odata_next_link:
                break
            page = await messages.with_url(page.odata_next_link).get()
            requests += 1
        return {"seconds": time.perf_counter() - began, "messages": count, "requests": requests}

    return asyncio.run(read())


def _select() -> str:
    from postroom.providers.microsoft.messages import WHOLE

    return "id," + WHOLE


# -- (b) O365 and Django's bulk_create ------------------------------------------------------------------------------


def o365_bulk_create() -> Outcome:
    """What a good programmer would write in a day: read with O365, store a page at a time with `bulk_create`."""
    from django.db import transaction

    from postroom.mail import models

    messages = _o365_mailbox().get_messages(limit=None, batch=TOP, order_by="receivedDateTime desc")
    base = _base_rows()
    began, count = time.perf_counter(), 0
    for page in _in_pages(messages):
        rows = [_o365_message(base, one) for one in page]
        texts = [_o365_text(one) for one in page]
        with transaction.atomic():
            stored = models.Message.objects.bulk_create(rows)
            triples = list(zip(stored, page, texts, strict=True))
            models.MessageBody.objects.bulk_create([_o365_body(*three) for three in triples])
            models.MessageSearch.objects.bulk_create([_o365_words(row, text) for row, _, text in triples])
            models.Participant.objects.bulk_create(
                [person for row in stored for person in _people_of(row)], ignore_conflicts=True
            )
        count += len(page)
    return {"seconds": time.perf_counter() - began, "messages": count, "requests": -(-count // TOP)}


def _o365_mailbox() -> Any:
    from O365 import Account, MSGraphProtocol  # type: ignore[import-untyped]
    from O365.utils.token import MemoryTokenBackend  # type: ignore[import-untyped]

    protocol = type("Local", (MSGraphProtocol,), {"_protocol_url": f"{_origin()}/"})()
    account = Account(("client", "secret"), protocol=protocol, token_backend=MemoryTokenBackend(), request_retries=0)
    session = account.con.get_session()
    session.headers["Authorization"] = f"Bearer {token(_origin())}"
    account.con.session = session
    return account.mailbox()


def _in_pages(messages: Any) -> Iterator[list[Any]]:
    page: list[Any] = []
    for one in messages:
        page.append(one)
        if len(page) == TOP:
            yield page
            page = []
    if page:
        yield page


def _base_rows() -> dict[str, Any]:
    """The mailbox, folder and thread that every row points at: this contender does no threading."""
    from postroom.mail.models import Conversation, Folder, Thread
    from postroom.mailboxes.models import Mailbox
    from postroom.workspaces.models import Membership

    owner = Membership.objects.select_related("workspace").get()
    mailbox = Mailbox.objects.create(workspace=owner.workspace, owner=owner, provider="microsoft", address=OWNER)
    folder = Folder.objects.create(mailbox=mailbox, remote_id="inbox", name="Inbox")
    conversation = Conversation.objects.create(workspace=owner.workspace)
    moment = datetime.now(UTC)
    thread = Thread.objects.create(mailbox=mailbox, conversation=conversation, last_at=moment, first_at=moment)
    return {"mailbox_id": mailbox.pk, "folder_id": folder.pk, "thread_id": thread.pk}


def _o365_message(base: dict[str, Any], one: Any) -> Any:
    from postroom.mail.models import Message

    return Message(
        **base,
        remote_id=one.object_id,
        internet_message_id=one.internet_message_id or "",
        remote_conversation_id=one.conversation_id or "",
        subject=_storable(one.subject),
        from_name=_storable(one.sender.name),
        from_address=one.sender.address or "",
        to=[[_storable(a.name), a.address] for a in one.to],
        cc=[[_storable(a.name), a.address] for a in one.cc],
        bcc=[[_storable(a.name), a.address] for a in one.bcc],
        reply_to=[[_storable(a.name), a.address] for a in one.reply_to],
        received=one.received,
        sent=one.sent,
        modified=one.modified,
        is_read=one.is_read,
        is_draft=one.is_draft,
        categories=one.categories or [],
        importance=one.importance.value,
        has_attachments=one.has_attachments,
        preview=_storable(one.body_preview)[:300],
        body_state="stored",
    )


def _o365_text(one: Any) -> str:
    try:
        return str(one.get_body_text() or "")
    except AttributeError:  # O365 trips over content without a body element
        return str(one.body)


def _storable(text: str | None) -> str:
    return (text or "").replace("\0", "")


def _o365_body(row: Any, one: Any, text: str) -> Any:
    from postroom.mail.models import MessageBody

    content = _storable(one.body)
    return MessageBody(
        message=row,
        content_type="html",
        html=content,
        new_text=_storable(text),
        sha256=sha256(content.encode()).digest(),
    )


def _o365_words(row: Any, text: str) -> Any:
    from django.contrib.postgres.search import SearchVector
    from django.db.models import Func, Value

    from postroom.mail.models import MessageSearch

    parts = zip("ABC", (row.subject, _names(row), _storable(text)[:200_000]), strict=True)
    vectors = [SearchVector(Func(Value(t), function="mail_plain"), weight=w, config="simple") for w, t in parts]
    document = vectors[0] + vectors[1] + vectors[2]
    return MessageSearch(message=row, mailbox_id=row.mailbox_id, received=row.received, document=document)


def _names(row: Any) -> str:
    everybody = [(row.from_name, row.from_address), *row.to, *row.cc, *row.bcc]
    return " ".join(f"{name} {address}" for name, address in everybody)


def _people_of(row: Any) -> Iterator[Any]:
    from postroom.mail.models import Participant

    roles = (("from", [["", row.from_address]]), ("to", row.to), ("cc", row.cc), ("bcc", row.bcc))
    for role, pairs in roles:
        for address in {(address or "").lower()[:320] for _, address in pairs} - {""}:
            yield Participant(message=row, mailbox_id=row.mailbox_id, address=address, role=role, received=row.received)


# -- (c) the floor --------------------------------------------------------------------------------------------------


def floor() -> Outcome:
    """One page after the other: read, decoded, written."""
    return _floor(ahead=False)


def floor_ahead() -> Outcome:
    """The same, the next page being read while this one is written: nothing that reads and writes can be faster."""
    return _floor(ahead=True)


def _floor(*, ahead: bool) -> Outcome:
    import httpx2
    from django.db import connection, transaction

    from postroom.mail.store.types import cursor

    base = _base_rows()
    client = httpx2.Client(timeout=60, trust_env=False)
    headers = {"Authorization": f"Bearer {token(_origin())}", "Prefer": 'IdType="ImmutableId"'}
    connection.ensure_connection()
    began, count, requests = time.perf_counter(), 0, 0
    for rows in _read_ahead(_pages(client, headers)) if ahead else _pages(client, headers):
        with transaction.atomic(), cursor() as db:
            _write(db, base, rows)
        count, requests = count + len(rows), requests + 1
    return {"seconds": time.perf_counter() - began, "messages": count, "requests": requests}


def _pages(client: Any, headers: dict[str, str]) -> Iterator[list[Any]]:
    from msgspec import json as fast

    from postroom.providers.microsoft.client import path_of
    from postroom.providers.microsoft.decode import Listing
    from postroom.providers.microsoft.messages import ATTACHMENTS, WHOLE, WireMessage

    decoder = fast.Decoder(Listing[WireMessage])
    options = path_of(orderby="receivedDateTime desc", top=TOP, select=WHOLE, expand=ATTACHMENTS)
    link: str | None = f"{_origin()}/v1.0/me/messages{options}"
    while link:
        page = decoder.decode(client.get(link, headers=headers).content)
        yield page.value
        link = page.next_link


def _read_ahead(pages: Iterator[list[Any]]) -> Iterator[list[Any]]:
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, pages, None)
        while (page := coming.result()) is not None:
            coming = pool.submit(next, pages, None)
            yield page


_FLOOR = {
    "message": """INSERT INTO mail_message (id, mailbox_id, folder_id, thread_id, remote_id, change_key,
        internet_message_id, in_reply_to, remote_conversation_id, subject, from_name, from_address, "to", cc, bcc,
        reply_to, received, sent, modified, is_read, is_draft, flag, categories, importance, has_attachments, preview,
        kind, body_state, round)
        VALUES (%s, %s, %s, %s, %s, %s, %s, '', %s, %s, %s, %s, %s, %s, %s, '[]', %s, %s, %s, %s, %s, 'none', %s, %s,
        %s, %s, 'mail', 'stored', 0)""",
    "body": """INSERT INTO mail_messagebody (message_id, content_type, html, text, new_text, sha256, made_by)
        VALUES (%s, %s, %s, '', %s, %s, 1)""",
    "words": """INSERT INTO mail_messagesearch (message_id, mailbox_id, received, document)
        VALUES (%s, %s, %s, setweight(to_tsvector('simple', mail_plain(%s)), 'A')
        || setweight(to_tsvector('simple', mail_plain(%s)), 'B')
        || setweight(to_tsvector('simple', mail_plain(%s)), 'C'))""",
    "person": """INSERT INTO mail_participant (message_id, mailbox_id, address, role, received)
        VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING""",
}


def _write(db: Any, base: dict[str, Any], page: list[Any]) -> None:
    rows = []
    db.execute("SELECT nextval('mail_message_id_seq') FROM generate_series(1, %s)", [len(page)])
    for (number,), wire in zip(db.fetchall(), page, strict=True):
        rows.append(_floor_rows(number, base, wire))
    for name in ("message", "body", "words"):
        db.executemany(_FLOOR[name], [row[name] for row in rows])
    db.executemany(_FLOOR["person"], [person for row in rows for person in row["people"]])


def _floor_rows(number: int, base: dict[str, Any], wire: Any) -> dict[str, Any]:
    from psycopg.types.json import Jsonb

    received, content = wire.received or datetime(1970, 1, 1, tzinfo=UTC), _storable(wire.body.content)
    people = {"from": _floor_people([wire.from_] if wire.from_ else [])}
    people |= {r: _floor_people(getattr(wire, f"{r}_recipients") or []) for r in ("to", "cc", "bcc")}
    (name, address), *_ = people["from"] or [("", "")]
    text = content if wire.body.content_type == "text" else _text_of(content)
    subject, names = _storable(wire.subject or ""), " ".join(f"{n} {a}" for p in people.values() for n, a in p)
    jsons = [Jsonb(people[role]) for role in ("to", "cc", "bcc")]
    state = [wire.is_read, wire.is_draft, wire.categories or [], wire.importance, wire.has_attachments]
    preview = _storable(wire.body_preview or "")[:300]
    ids = [wire.id, wire.change_key, wire.internet_message_id or "", wire.conversation_id or ""]
    times = [received, wire.sent, wire.modified]
    message = [number, *base.values(), *ids, subject, name, address, *jsons, *times, *state, preview]
    digest = sha256(content.encode("utf-8", "surrogatepass")).digest()
    return {
        "message": message,
        "body": [number, wire.body.content_type[:4], content, text, digest],
        "words": [number, base["mailbox_id"], received, subject, names, text[:200_000]],
        "people": [
            [number, base["mailbox_id"], address.lower()[:320], role, received]
            for role, pairs in people.items()
            for _, address in pairs
            if address
        ],
    }


def _floor_people(wires: list[Any]) -> list[tuple[str, str]]:
    found = [wire.email_address for wire in wires if wire.email_address]
    return [(_storable(one.name), _storable(one.address)) for one in found]


def _text_of(html: str) -> str:
    from selectolax.lexbor import LexborHTMLParser

    body = LexborHTMLParser(html).body
    return body.text(separator=" ") if body is not None else ""


CONTENDERS: dict[str, Callable[[], Outcome]] = {
    "postroom": postroom,
    "msgraph-sdk": msgraph_sdk,
    "O365 + bulk_create": o365_bulk_create,
    "floor": floor,
    "floor, reading ahead": floor_ahead,
}


def main() -> None:
    """Runs one of them."""
    parser = argparse.ArgumentParser(prog="bench.backfill_contenders")
    parser.add_argument("name", choices=CONTENDERS)
    parser.add_argument("--database", required=True)
    parser.add_argument("--profile", help="write cProfile's figures of all threads' main one to this file")
    options = parser.parse_args()
    set_up(dict(os.environ), database=options.database)
    work = CONTENDERS[options.name]
    if options.profile:
        import cProfile

        profile = cProfile.Profile()
        outcome = profile.runcall(work)
        profile.dump_stats(options.profile)
    else:
        outcome = work()
    print(json.dumps(outcome), flush=True)


if __name__ == "__main__":
    main()
