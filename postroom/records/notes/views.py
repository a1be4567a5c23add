"""Notes: writing, changing and deleting them. Each belongs to a record of the workspace; its author may change it."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from postroom.records.models import Note
from postroom.records.notes import commands
from postroom.records.record import BY_KEY, Record
from postroom.records.views import done, form_methods, is_partial
from postroom.workspaces.access import MemberRequest, member_required


@require_POST
@member_required
def write(request: MemberRequest, key: str, pk: int) -> HttpResponse:
    record = record_of(request, key, pk)
    try:
        commands.write(record, request.POST.get("text", ""), by=request.member)
    except ValidationError as problem:
        return _refused(request, problem, f"{record.get_absolute_url()}?tab=notes")
    return _answer(request, record, "Note added.")


@form_methods
@member_required
def edit(request: MemberRequest, pk: int) -> HttpResponse:
    note = own_note(request, pk)
    problem = ""
    if request.method == "POST":
        try:
            commands.rewrite(note, request.POST.get("text", ""))
        except ValidationError as refused:
            problem = refused.messages[0]
        else:
            return _answer(request, note.record, "Note changed.")
    template = "records/notes/edit.html" if is_partial(request) else "records/notes/edit_page.html"
    return render(request, template, {"note": note, "problem": problem}, status=422 if problem else 200)


@require_POST
@member_required
def delete(request: MemberRequest, pk: int) -> HttpResponse:
    note = own_note(request, pk)
    record = note.record
    commands.delete(note)
    return _answer(request, record, "Note deleted.")


def own_note(request: MemberRequest, pk: int) -> Note:
    """A note the member wrote. Raises Http404."""
    return Note.objects.for_workspace(request.workspace).filter(author=request.member).find(pk=pk)


def record_of(request: MemberRequest, key: str, pk: int) -> Record:
    """A record of the workspace by its type's key and id. Raises Http404."""
    if key not in BY_KEY:
        raise Http404
    found: Record = BY_KEY[key].of(request.workspace).find(pk=pk)
    return found


def _answer(request: MemberRequest, record: Record, text: str) -> HttpResponse:
    if is_partial(request):
        return done(text=text, record_changed={"key": record.key, "id": record.pk}, dialog_close=True)
    return redirect(f"{record.get_absolute_url()}?tab=notes")


def _refused(request: MemberRequest, problem: ValidationError, back: str) -> HttpResponse:
    if is_partial(request):
        return done(toast={"text": problem.messages[0], "kind": "error"})
    return redirect(back)
