"""Lists of messages: `/messages` and `/mailFolders/{id}/messages` (graph.md 2.3)."""

from __future__ import annotations

from itertools import islice

from postroom_sandbox.graph.call import READ, Call, bad_request, denied
from postroom_sandbox.graph.filters import parse_filter
from postroom_sandbox.graph.kql import run_search
from postroom_sandbox.graph.odata import Options, next_link, read_options
from postroom_sandbox.graph.represent import View, page, render, view_for
from postroom_sandbox.graph.selection import select
from postroom_sandbox.http import Response, text_response
from postroom_sandbox.store.model import Message, MessageList

DEFAULT_TOP = 10
_JSON = (
    "Content-Type",
    "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8",
)


def list_messages(call: Call) -> Response:
    """GET /me/messages: every folder, Deleted Items too."""
    return _list(call, call.mailbox.all, "messages")


def list_folder_messages(call: Call, folder: str) -> Response:
    """GET /me/mailFolders/{id}/messages."""
    return _list(call, call.folder(folder).messages, f"mailFolders('{folder}')/messages")


def count_messages(call: Call) -> Response:
    """GET /me/messages/$count."""
    return _count(call, call.mailbox.all)


def count_folder_messages(call: Call, folder: str) -> Response:
    """GET /me/mailFolders/{id}/messages/$count."""
    return _count(call, call.folder(folder).messages)


def _count(call: Call, source: MessageList) -> Response:
    options = read_options(call.request.query)
    test = parse_filter(options.filter) if options.filter else None
    number = sum(1 for _ in select(call.mailbox, source, test, ())) if test else len(source)
    return text_response(str(number))


def _list(call: Call, source: MessageList, what: str) -> Response:
    options = read_options(call.request.query)
    view = view_for(call, options, basic=not call.may(READ))
    if options.search is not None:
        return _search(call, source, what, options, view)
    test = parse_filter(options.filter) if options.filter else None
    found = select(call.mailbox, source, test, options.orderby)
    top = options.top or DEFAULT_TOP
    tail: dict[str, object] = {}
    if options.count:
        everything = list(found) if test else None
        tail["@odata.count"] = len(source) if everything is None else len(everything)
        found = found if everything is None else iter(everything)
    rows = list(islice(found, options.skip, options.skip + top + 1))
    if len(rows) > top:
        tail["@odata.nextLink"] = next_link(call.request, skip=str(options.skip + top))
    return _page(call, what, rows[:top], view, tail)


def _search(call: Call, source: MessageList, what: str, options: Options, view: View) -> Response:
    if view.basic:
        raise denied()
    if options.filter or options.orderby:
        raise bad_request(
            "The query parameters $orderby and $filter are not supported with $search.",
            "SearchWithFilter" if options.filter else "SearchWithOrderBy",
        )
    top = options.top or DEFAULT_TOP
    token = call.request.query.get("$skiptoken", "0")
    start = int(token) if token.isascii() and token.isdigit() else 0
    found = run_search(call.mailbox, source, options.search or "")
    tail: dict[str, object] = {}
    if len(found) > start + top:
        tail["@odata.nextLink"] = next_link(call.request, skiptoken=str(start + top))
    return _page(call, what, found[start : start + top], view, tail)


def _page(call: Call, what: str, rows: list[Message], view: View, tail: dict[str, object]) -> Response:
    selected = f"({','.join(view.select)})" if view.select else ""
    body = page(call.context(what + selected), render(call.mailbox, rows, view), tail)
    applied = call.prefer.applied("outlook.body-content-type")
    return Response(200, body, [_JSON, *applied])
