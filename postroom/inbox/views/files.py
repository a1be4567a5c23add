"""Attachments of a composition, one request each (SE5)."""

from collections.abc import Iterable, Iterator

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from postroom.inbox import queries, writing
from postroom.mail import commands
from postroom.mail.models import Composition, CompositionFile
from postroom.workspaces.access import MemberRequest, member_required


class TooLarge(Exception):
    """More bytes than may be attached."""


@require_POST
@member_required
def upload(request: MemberRequest, pk: int) -> HttpResponse:
    """One file, kept while it arrives; the answer is its chip, or why not as a text."""
    composition = _own(request, pk)
    file = request.FILES.get("file")
    if file is None:
        return HttpResponse("No file arrived", status=400, content_type="text/plain")
    left = writing.size(composition).left
    try:
        kept = commands.attach(
            composition,
            name=_name(file.name or ""),
            content_type=file.content_type or "application/octet-stream",
            chunks=_up_to(left, file.chunks()),
        )
    except TooLarge:
        return HttpResponse("Over 150 MB with the others", status=413, content_type="text/plain")
    chip = {"name": kept.name, "size": kept.size, "value": kept.pk, "removable": True}
    return render(request, "ui/components/attachment.html", chip)


@require_POST
@member_required
def remove(request: MemberRequest, pk: int, file: int) -> HttpResponse:
    composition = _own(request, pk)
    commands.detach(composition, list(CompositionFile.objects.filter(pk=file, composition=composition)))
    return HttpResponse(status=204)


def _own(request: MemberRequest, pk: int) -> Composition:
    found = queries.own_composition(request.member, pk)
    if found is None or found.state not in (Composition.State.DRAFT, Composition.State.FAILED):
        raise Http404("No such draft")
    return found


def _name(name: str) -> str:
    plain = "".join(c for c in name.replace("\\", "/").rpartition("/")[2] if c.isprintable())
    return plain.strip()[:255] or "file"


def _up_to(most: int, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Raises ``TooLarge`` as soon as it is known."""
    read = 0
    for chunk in chunks:
        read += len(chunk)
        if read > most:
            raise TooLarge
        yield chunk
