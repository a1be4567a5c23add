"""Records by name, for the command palette: a few of every type at once, in one statement."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.db.models import CharField, F, QuerySet, Value
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from postroom.records.lists import matching
from postroom.records.record import BY_KEY, TYPES, RecordType
from postroom.records.text import fold
from postroom.workspaces.access import MemberRequest, member_required
from postroom.workspaces.models import Membership, WorkspaceQuerySet

MOST = 8
OF_EACH = 5
LOOKED_AT = 200  # that have the words anywhere: the newest of these are shown, so that "com" does not sort them all
LONGEST = 100
SHORTEST = 3  # characters of a word that is looked for inside names; a shorter one begins them
BESIDE = {"contact": "company__name", "deal": "company__name", "ticket": "company__name", "candidate": "job__title"}
"""What tells records of one name apart."""


class Found(NamedTuple):
    """A record as the palette shows it. `note`: what it is, and of whom."""

    kind: RecordType
    name: str
    note: str
    url: str


def found(member: Membership, text: str) -> list[Found]:
    """Those whose name begins with what is typed, then those with a word that does, then those that have it anywhere;
    the newest first of each.
    """
    words = fold(text[:LONGEST].replace("\x00", ""))
    if not words:
        return []
    parts = [part for kind in TYPES for part in _parts(kind, member, words)]
    seen: dict[tuple[str, int], dict[str, Any]] = {}
    for row in parts[0].union(*parts[1:], all=True):
        seen.setdefault((row["kind"], row["pk"]), row)
    newest = sorted(seen.values(), key=lambda row: row["updated_at"], reverse=True)
    best = sorted(newest, key=lambda row: _place(row["sort_name"], words))[:MOST]
    return [_shown(row) for row in best]


def called(workspaces: Any, text: str) -> dict[str, list[int]]:
    """The ids of the records that have these words, by key of their type; the newest where there are very many."""
    words = fold(text[:LONGEST].replace("\x00", ""))
    parts = [
        matching(WorkspaceQuerySet(kind.model).filter(workspace__in=workspaces), words)
        .order_by("-updated_at")
        .annotate(kind=Value(kind.key, output_field=CharField()))
        .values_list("kind", "pk")[:LOOKED_AT]
        for kind in TYPES
    ]
    ids: dict[str, list[int]] = {kind.key: [] for kind in TYPES}
    for key, pk in parts[0].union(*parts[1:], all=True) if words else ():
        ids[key].append(pk)
    return ids


def _parts(kind: RecordType, member: Membership, words: str) -> list[QuerySet[Any, dict[str, Any]]]:
    everything = kind.of(member.workspace_id)
    begun = everything.filter(sort_name__startswith=words)
    parts = [begun]
    if any(len(word) >= SHORTEST for word in words.split()):
        some = matching(everything, words).order_by().values("pk")[:LOOKED_AT]
        parts.append(everything.filter(pk__in=some))
    note = F(BESIDE[kind.key]) if kind.key in BESIDE else Value("", output_field=CharField())
    return [
        part.order_by("-updated_at")
        .annotate(kind=Value(kind.key, output_field=CharField()), note=note)
        .values("kind", "pk", "name", "sort_name", "note", "updated_at")[:OF_EACH]
        for part in parts
    ]


def _place(name: str, words: str) -> int:
    return 0 if name.startswith(words) else 1 if f" {words}" in name else 2


def _shown(row: dict[str, Any]) -> Found:
    kind = BY_KEY[row["kind"]]
    note = " · ".join(one for one in (kind.label, row["note"]) if one)
    return Found(kind, row["name"], note, reverse(f"records:{kind.key}", args=[row["pk"]]))


@require_GET
@member_required
def find(request: MemberRequest) -> HttpResponse:
    """?q= is what was typed; answers a link for each."""
    return render(request, "records/found.html", {"found": found(request.member, request.GET.get("q", ""))})
