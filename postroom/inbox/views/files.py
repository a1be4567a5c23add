"""Attachments of a composition, one request each (SE5)."""

from collections.abc import Iterable, Iterator
from typing import cast

from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.html import format_html
from django.views.decorators.http import require_GET, require_POST

from postroom.files import storage
from postroom.inbox import editing, queries, writing
from postroom.mail import commands, content
from postroom.mail.models import Composition, CompositionFile
from postroom.mail.pictures import kind_of
from postroom.workspaces.access import MemberRequest, member_required


class TooLarge(Exception):
    """More bytes than may be attached."""


@require_POST
@member_required
def upload(request: MemberRequest, pk: int) -> HttpResponse:
    """One file, kept while it arrives; the answer is its chip, or why not as a text.

    With ``inside`` a picture is for the text: the answer is the element to put there.
    """
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
    if "inside" in request.POST and kind_of(_beginning(kept)):
        commands.show_inside(kept)
        picture = format_html('<img src="{}" data-cid="{}" alt="">', editing.address_of(kept), kept.content_id)
        return HttpResponse(picture)
    chip = {"name": kept.name, "size": kept.size, "value": kept.pk, "removable": True}
    return render(request, "ui/components/attachment.html", chip)


@require_GET
@member_required
def show(request: MemberRequest, pk: int, file: int) -> HttpResponse:
    """A picture of a composition's text."""
    composition = queries.own_composition(request.member, pk)
    rows = CompositionFile.objects.filter(composition=composition, is_inline=True).select_related("blob")
    found = get_object_or_404(rows.exclude(blob=None), pk=file)
    kind = kind_of(_beginning(found))
    if not kind or found.blob is None:
        raise Http404("No such picture")
    response = FileResponse(storage.path(found.blob).open("rb"), content_type=kind)
    response["Content-Security-Policy"] = content.FILE_POLICY
    response["Cache-Control"] = "private, max-age=86400"
    return cast(HttpResponse, response)


@require_POST
@member_required
def clean(request: MemberRequest, pk: int | None = None) -> HttpResponse:
    """What is pasted into a text (``html``), without what the program it comes from put around it."""
    composition = _own(request, pk) if pk is not None else None
    return HttpResponse(editing.pasted(composition, request.member, request.POST.get("html", "")))


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


def _beginning(file: CompositionFile) -> bytes:
    return next(storage.chunks(file.blob), b"")[:32] if file.blob else b""


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
