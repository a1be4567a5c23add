"""Search: what is found while one types, beside the thread it lies in (IN5)."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET

from postroom.search import find, suggest
from postroom.search.find import Hit
from postroom.search.snippets import Segment
from postroom.workspaces.access import MemberRequest, member_required

LONGEST = 500  # characters of a query
BEFORE = 36  # characters of a snippet before what was found


class Operator(NamedTuple):
    """One line of the help: what to type, and what it finds."""

    example: str
    finds: str


OPERATORS = (
    Operator("from:ana", "Written by Ana"),
    Operator("to:support", "Sent to somebody, also as a copy"),
    Operator("subject:renewal", "With a word in the subject"),
    Operator('"net 30 days"', "With these words in this order"),
    Operator("has:attachment", "With a file"),
    Operator("in:sent", "In a folder"),
    Operator("record:contoso", "On a record of that name"),
    Operator("is:unread", "Also is:read and is:flagged"),
    Operator("after:2026-03 before:2026-06-15", "Received in this time"),
    Operator("-newsletter", "Without a word"),
)


class Row(NamedTuple):
    """One hit as a line; ``part`` is what a script fetches into the pane beside it."""

    hit: Hit
    href: str
    part: str
    who: str
    subject: SafeString
    snippet: SafeString
    current: bool


@require_GET
@member_required
def results(request: MemberRequest) -> HttpResponse:
    """``?q=`` is the query, ``&after=`` where its next page starts."""
    return _page(request)


@require_GET
@member_required
def thread(request: MemberRequest, pk: int) -> HttpResponse:
    """The same list with a thread open; the thread itself comes from its own address, which decides who may read it."""
    return _page(request, open=pk)


@require_GET
@member_required
def suggested(request: MemberRequest) -> HttpResponse:
    """Lines for the list below the search box; ``?q=`` is what stands in it."""
    found = suggest.suggestions(request.member, request.GET.get("q", "")[:LONGEST].replace("\0", ""))
    return render(request, "search/suggestions.html", {"suggestions": found})


def _page(request: MemberRequest, open: int | None = None) -> HttpResponse:
    words = request.GET.get("q", "")[:LONGEST].replace("\0", "").strip()
    found = find.search(request.member, words, cursor=request.GET.get("after", "")[:200])
    query, message = urlencode({"q": words}), request.GET.get("message", "")[:18]
    base = reverse("search:list")
    context: dict[str, Any] = {
        "words": words,
        "rows": [_row(hit, query, open, message) for hit in found.hits],
        "problems": found.problems,
        "more": f"{base}?{urlencode({'q': words, 'after': found.next})}" if found.next else "",
        "going_on": bool(request.GET.get("after")),
        "operators": OPERATORS,
        "close": f"{base}?{query}" if words else base,
        "part": f"{reverse('inbox:thread', args=[open])}?{urlencode({'message': message})}" if open else "",
    }
    partial = request.headers.get("HX-Request") == "true" and "HX-History-Restore-Request" not in request.headers
    return render(request, "search/rows.html" if partial else "search/page.html", context)


def _row(hit: Hit, query: str, open: int | None, message: str) -> Row:
    return Row(
        hit=hit,
        href=f"{reverse('search:thread', args=[hit.thread])}?{query}&message={hit.message}",
        part=f"{reverse('inbox:thread', args=[hit.thread])}?message={hit.message}",
        who=hit.from_name or hit.from_address or "Somebody",
        subject=_marked(hit.subject),
        snippet=_marked(_near(hit.snippet)),
        current=hit.thread == open and message in ("", str(hit.message)),
    )


def _near(segments: Sequence[Segment]) -> list[Segment]:
    """The same, beginning shortly before the first found word: a line of a list shows little more than that."""
    first = next((at for at, one in enumerate(segments) if one.found), 0)
    before = "".join(one.text for one in segments[:first])
    if len(before) <= BEFORE:
        return list(segments)
    kept = before[-BEFORE:].partition(" ")[2]
    return [Segment(f"… {kept}", found=False), *segments[first:]]


def _marked(segments: Sequence[Segment]) -> SafeString:
    """Found words as <mark>; everything else escaped."""
    parts = [format_html("<mark>{}</mark>" if one.found else "{}", one.text) for one in segments]
    return format_html_join("", "{}", ((part,) for part in parts))
