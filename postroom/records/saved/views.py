"""Saving a list's state as a view; renaming, sharing, ordering and deleting views."""

from __future__ import annotations

from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from postroom.records.dialogs import ask
from postroom.records.models import SavedView
from postroom.records.saved import bar, commands
from postroom.records.saved.models import LONGEST_NAME, LONGEST_QUERY
from postroom.records.saved.places import Place, place_of
from postroom.records.views import form_methods
from postroom.workspaces.access import MemberRequest, member_required


class ViewForm(forms.Form):
    name = forms.CharField(label="Name", max_length=LONGEST_NAME, widget=forms.TextInput(attrs={"autofocus": True}))
    shared = forms.BooleanField(required=False)


def _view(request: MemberRequest, pk: int, *, to_change: bool = False) -> tuple[SavedView, Place]:
    """A view the member sees, and its list. Raises Http404, also for a view that is not theirs to change."""
    seen = Q(member=request.member) | Q(member=None)
    view = SavedView.objects.for_workspace(request.workspace).filter(seen).exclude(name="").find(pk=pk)
    place = place_of(view.place)
    if place is None or (to_change and not commands.may_change(view, request.member)):
        raise Http404
    return view, place


def _address(view: SavedView, place: Place) -> str:
    return f"{place.url()}?{place.address(view.pk, view.query)}"


@form_methods
@member_required
def new(request: MemberRequest) -> HttpResponse:
    """The state ?state= of the list ?place=, under a name."""
    told = request.POST if request.method == "POST" else request.GET
    place, state = place_of(told.get("place", "")), told.get("state", "")[:LONGEST_QUERY]
    if place is None:
        raise Http404
    form = ViewForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        query, labels = place.tidy(request, state)
        view = _carried_out(
            form,
            lambda: commands.save(place.key, query, labels=labels, by=request.member, **form.cleaned_data),
        )
        if view is not None:
            messages.success(request, f"View “{view.name}” saved.")
            return redirect(_address(view, place))
    return ask(
        request,
        "records/saved/form.html",
        title=f"Save this view of {place.label}",
        submit="Save view",
        action=reverse("records:view-new"),
        back=place.url(),
        hidden=[("place", place.key), ("state", state)],
        form=form,
        active=place.active,
        refused=bool(form.errors),
    )


@form_methods
@member_required
def change(request: MemberRequest, pk: int) -> HttpResponse:
    """Another name, or for others to see."""
    view, place = _view(request, pk, to_change=True)
    start = {"name": view.name, "shared": view.shared}
    form = ViewForm(request.POST if request.method == "POST" else None, initial=start)
    if form.is_bound and form.is_valid():
        kept = _carried_out(form, lambda: commands.change(view, by=request.member, **form.cleaned_data))
        if kept is not None:
            return redirect(_address(kept, place))
    return ask(
        request,
        "records/saved/form.html",
        title="Rename or share",
        submit="Save",
        action=request.path,
        back=_address(view, place),
        form=form,
        active=place.active,
        refused=bool(form.errors),
    )


@require_POST
@member_required
def keep(request: MemberRequest, pk: int) -> HttpResponse:
    """The view shows from now on what its list shows now."""
    view, place = _view(request, pk, to_change=True)
    query, labels = place.tidy(request, request.POST.get("state", ""))
    try:
        commands.keep(view, query, labels)
    except ValidationError as problem:
        messages.error(request, problem.messages[0])
    else:
        messages.success(request, f"View “{view.name}” changed.")
    return redirect(_address(view, place))


@require_POST
@member_required
def move(request: MemberRequest, pk: int, way: str) -> HttpResponse:
    """One place further to the front or the back, for this member."""
    view, place = _view(request, pk)
    ids = [one.pk for one in bar.of(place.key, request.member).rows]
    at = ids.index(view.pk)
    to = at - 1 if way == "front" else at + 1
    if 0 <= to < len(ids):
        ids.insert(to, ids.pop(at))
        commands.order(place.key, ids, by=request.member)
    return redirect(_address(view, place))


@form_methods
@member_required
def delete(request: MemberRequest, pk: int) -> HttpResponse:
    """Asks first."""
    view, place = _view(request, pk, to_change=True)
    if request.method == "POST":
        commands.delete(view)
        messages.success(request, f"View “{view.name}” deleted.")
        return redirect(place.url())
    return ask(
        request,
        "records/saved/delete_text.html",
        title=f"Delete the view “{view.name}”?",
        submit="Delete view",
        action=request.path,
        back=_address(view, place),
        danger=True,
        view=view,
        active=place.active,
    )


def _carried_out(form: ViewForm, command: Callable[[], SavedView]) -> SavedView | None:
    try:
        return command()
    except ValidationError as problem:
        form.add_error(None, problem)
        return None
