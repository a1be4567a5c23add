"""The access log as a screen and as a file."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any, cast

from django.conf import settings
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from postroom.audit import queries
from postroom.audit.models import Access
from postroom.audit.queries import Asked
from postroom.workspaces.access import MemberRequest, member_required
from postroom.workspaces.models import Permission

COLUMNS = (
    "at", "who", "member", "mailbox", "mailbox_id", "what", "how", "conversation", "messages", "attachment", "address",
    "agent",
)  # fmt: skip


@require_GET
@member_required
def entries(request: MemberRequest) -> HttpResponse:
    """Who read what: of everybody's mail for admins, of the own mailboxes for members."""
    asked = Asked.of(request.GET.dict())
    known = queries.mailboxes(request.member)
    found = queries.filtered(queries.visible(request.member, known), asked)
    rows, after = queries.page(found, asked)
    by_id = {one.id: one for one in known}
    base = reverse("audit:entries")
    context: dict[str, Any] = {
        "rows": [queries.row(one, by_id) for one in rows],
        "more": f"{base}?{asked.query(before=after)}" if after else "",
        "asked": asked,
        "filtering": bool(asked.query()),
    }
    if request.headers.get("HX-Target") == "access-pager":
        return render(request, "audit/rows.html", context)
    return render(request, "audit/entries.html", context | _choices(request, known, asked))


@require_GET
@member_required
def export(request: MemberRequest) -> HttpResponse:
    """The same entries as CSV, all of them."""
    asked = Asked.of(request.GET.dict())
    known = queries.mailboxes(request.member)
    found = queries.filtered(queries.visible(request.member, known), asked)
    addresses = {one.id: one.address for one in known}
    headers = {"Content-Disposition": 'attachment; filename="access-log.csv"'}
    lines = _lines(found, addresses)
    answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)
    return cast(HttpResponse, answer)  # streamed or not is all the same to decorators


def _lines(found: Any, addresses: dict[int, str]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow(COLUMNS)
    for one in queries.every(found):
        yield writer.writerow([_plain(value) for value in _values(one, addresses)])


def _values(one: Access, addresses: dict[int, str]) -> list[object]:
    return [
        one.at.isoformat(),
        one.who,
        one.member_id,
        addresses.get(one.of_mailbox, ""),
        one.of_mailbox,
        one.what,
        one.how,
        one.conversation_id,
        " ".join(map(str, one.message_ids)),
        one.attachment_id,
        one.address,
        one.agent,
    ]


def _plain(value: object) -> str:
    """Spreadsheets run what looks like a formula; what a browser calls itself is a stranger's text."""
    text = "" if value is None else str(value)
    return f"'{text}" if text[:1] in "=+-@\t\r" else text


class _Echo:
    """A file that gives back what is written, for the streaming answer."""

    def write(self, line: str) -> str:
        return line


def _choices(request: MemberRequest, known: list[queries.LoggedMailbox], asked: Asked) -> dict[str, Any]:
    every = request.member.may(Permission.MANAGE_WORKSPACE)
    shown = known if every else [one for one in known if one.mine]
    return {
        "every": every,
        "days": settings.ACCESS_LOG_DAYS,
        "members": _options("Everybody", [(one.pk, one.name) for one in queries.people(request.member)]),
        "mailboxes": _options("Every mailbox", [(one.id, one.address) for one in shown]),
        "kinds": _options("Everything", [(one.value, one.label) for one in Access.What]),
        "export_url": f"{reverse('audit:export')}?{asked.query()}",
    }


def _options(first: str, rows: list[tuple[Any, Any]]) -> list[dict[str, object]]:
    return [{"value": "", "label": first}, *({"value": value, "label": label} for value, label in rows)]
