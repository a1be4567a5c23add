"""What only candidates have: the board, evaluation, interviews, references."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from postroom.records import boards
from postroom.records.candidates import commands
from postroom.records.candidates.board import columns
from postroom.records.candidates.screen import CANDIDATES
from postroom.records.models import Candidate, Interview, Job
from postroom.records.views import done, is_partial, refused
from postroom.workspaces.access import MemberRequest, member_required
from postroom.workspaces.models import Membership


def _candidate(request: MemberRequest, pk: int) -> Candidate:
    return Candidate.objects.for_workspace(request.workspace).select_related("person", "job").find(pk=pk)


@require_GET
@member_required
def board(request: MemberRequest) -> HttpResponse:
    """Everybody by stage, or those of the job ?job= names."""
    jobs = Job.objects.for_workspace(request.workspace).filter(open=True)
    wanted = request.GET.get("job", "")
    job = jobs.find(pk=wanted) if wanted else None
    choices = [boards.Choice(one.title, f"?job={one.pk}", one == job) for one in jobs[:12]]
    choices = [boards.Choice("All jobs", "?", job is None), *choices] if choices else []
    return boards.page(request, CANDIDATES, columns(request.workspace, job.pk if job else None), choices=choices)


@require_POST
@member_required
def judge(request: MemberRequest, pk: int) -> HttpResponse:
    candidate = _candidate(request, pk)
    marks = {one: request.POST.get(f"mark-{number}") for number, one in enumerate(commands.CRITERIA)}
    verdict, text = request.POST.get("verdict", ""), request.POST.get("text", "")
    return _carry_out(
        request,
        candidate,
        "evaluation",
        lambda: commands.judge(candidate, by=request.member, verdict=verdict, marks=marks, text=text),
        "Evaluation saved.",
    )


@require_POST
@member_required
def arrange(request: MemberRequest, pk: int) -> HttpResponse:
    candidate = _candidate(request, pk)
    form = InterviewForm(request.POST, request=request)
    if not form.is_valid():
        problem = ValidationError([message for messages in form.errors.values() for message in messages])
        return _refused(request, candidate, "interview", problem)
    return _carry_out(
        request,
        candidate,
        "interview",
        lambda: commands.arrange(candidate, by=request.member, **form.cleaned_data),
        "Interview arranged.",
    )


@require_POST
@member_required
def take_notes(request: MemberRequest, pk: int) -> HttpResponse:
    mine = Interview.objects.filter(candidate__workspace=request.workspace).select_related("candidate")
    found = mine.filter(pk=pk).first()
    candidate = _candidate(request, found.candidate_id if found else 0)
    assert found is not None
    return _carry_out(
        request,
        candidate,
        "interview",
        lambda: commands.take_notes(found, request.POST.get("text", "")),
        "Notes saved.",
    )


@require_POST
@member_required
def refer(request: MemberRequest, pk: int) -> HttpResponse:
    candidate = _candidate(request, pk)
    told = {name: request.POST.get(name, "") for name in ("relation", "address", "phone", "text")}
    return _carry_out(
        request,
        candidate,
        "references",
        lambda: commands.refer(candidate, by=request.member, name=request.POST.get("name", ""), **told),
        "Reference added.",
    )


class InterviewForm(forms.Form):
    kind = forms.ChoiceField(choices=Interview.Kind.choices, initial=Interview.Kind.VIDEO)
    at = forms.DateTimeField(label="When", widget=forms.DateTimeInput(attrs={"type": "datetime-local"}))
    minutes = forms.IntegerField(min_value=5, max_value=600, initial=45)
    place = forms.CharField(max_length=300, required=False)
    interviewers = forms.ModelMultipleChoiceField(queryset=Membership.objects.none(), required=False)

    def __init__(self, data: object = None, *, request: MemberRequest) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        members = Membership.objects.for_workspace(request.workspace).select_related("user").order_by("user__name")
        self.fields["interviewers"].queryset = members  # type: ignore[attr-defined]


def _carry_out(request: MemberRequest, candidate: Candidate, tab: str, command: object, text: str) -> HttpResponse:
    try:
        command()  # type: ignore[operator]
    except ValidationError as problem:
        return _refused(request, candidate, tab, problem)
    if is_partial(request):
        return done(text=text, record_changed={"id": candidate.pk})
    return redirect(f"{candidate.get_absolute_url()}?tab={tab}")


def _refused(request: MemberRequest, candidate: Candidate, tab: str, problem: ValidationError) -> HttpResponse:
    back, label = f"{candidate.get_absolute_url()}?tab={tab}", f"Back to {candidate.name}"
    return refused(request, " ".join(problem.messages), back=back, label=label, active="candidates")
