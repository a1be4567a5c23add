"""Settings > Fields: the workspace's own fields, by record type."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from postroom.records.custom_fields import commands
from postroom.records.models import CustomField
from postroom.records.record import BY_KEY, TYPES
from postroom.records.views import form_methods
from postroom.workspaces.access import MemberRequest, member_required, permission_required
from postroom.workspaces.models import Permission


class FieldForm(forms.Form):
    label = forms.CharField(label="Name", max_length=80)
    kind = forms.ChoiceField(label="Kind", choices=CustomField.Kind.choices)
    choices = forms.CharField(
        label="Choices", required=False, max_length=4_000, help_text="For a choice: one a line or with commas."
    )


@form_methods
@member_required
def index(request: MemberRequest) -> HttpResponse:
    """Every record type with its own fields; ?add= opens the form of one type."""
    wanted = request.POST.get("type") or request.GET.get("add", "")
    form = FieldForm(request.POST if request.method == "POST" else None)
    may = request.member.may(Permission.MANAGE_WORKSPACE)
    if request.method == "POST":
        if not may or wanted not in BY_KEY:
            raise Http404
        if form.is_valid() and _carried_out(form, lambda: commands.add(request.workspace, wanted, **form.cleaned_data)):
            return redirect("records:fields")
    own = CustomField.objects.for_workspace(request.workspace)
    rows = [(one, [field for field in own if field.record_type == one.key]) for one in TYPES]
    context = {"rows": rows, "form": form, "adding": wanted, "may_manage": may}
    return render(request, "records/custom_fields/index.html", context, status=422 if form.errors else 200)


@form_methods
@permission_required(Permission.MANAGE_WORKSPACE)
def edit(request: MemberRequest, pk: int) -> HttpResponse:
    """Another name or other choices; the kind stays, because values have it."""
    field = CustomField.objects.for_workspace(request.workspace).find(pk=pk)
    start = {"label": field.label, "kind": field.kind, "choices": ", ".join(field.choices)}
    form = FieldForm({**request.POST.dict(), "kind": field.kind} if request.method == "POST" else None, initial=start)
    if form.is_bound and form.is_valid():
        told = form.cleaned_data
        if _carried_out(form, lambda: commands.change(field, label=told["label"], choices=told["choices"])):
            return redirect("records:fields")
    context = {"form": form, "field": field, "values": commands.count_values(field)}
    return render(request, "records/custom_fields/edit.html", context, status=422 if form.errors else 200)


@require_POST
@permission_required(Permission.MANAGE_WORKSPACE)
def move(request: MemberRequest, pk: int, way: str) -> HttpResponse:
    commands.move(CustomField.objects.for_workspace(request.workspace).find(pk=pk), up=way == "up")
    return redirect("records:fields")


@require_POST
@permission_required(Permission.MANAGE_WORKSPACE)
def delete(request: MemberRequest, pk: int) -> HttpResponse:
    commands.delete(CustomField.objects.for_workspace(request.workspace).find(pk=pk))
    return redirect("records:fields")


def _carried_out(form: FieldForm, command: Any) -> bool:
    try:
        with transaction.atomic():
            command()
    except ValidationError as problem:
        form.add_error(None, problem)
    except IntegrityError:
        form.add_error("label", "There is a field of this name already.")
    else:
        return True
    return False
