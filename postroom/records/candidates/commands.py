"""What happens to candidates, named as members would say it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from postroom.lib.clock import now
from postroom.records import news
from postroom.records.commands import Labels, assign, keep, named
from postroom.records.history import Change, Event, tell
from postroom.records.models import Candidate, Interview, Job, Person, Reference, Scorecard
from postroom.records.people.commands import change as change_person
from postroom.records.people.commands import create as create_person
from postroom.records.people.commands import found_or_new, split_name
from postroom.records.text import clean, fold
from postroom.workspaces.models import Membership, Workspace

Stage = Candidate.Stage

LABELS: Labels = {
    "name": "Name",
    "person": "Contact",
    "job": "Job",
    "source": "Source",
    "headline": "Headline",
    "location": "Location",
    "owner": "Owner",
}
CRITERIA: tuple[str, ...] = ("Skills", "Experience", "Motivation", "Teamwork", "Communication")
LONGEST = 20_000


@transaction.atomic
def create(
    workspace: Workspace,
    *,
    by: Membership | None,
    name: str,
    address: str = "",
    job: Job | str | None = None,
    **rest: Any,
) -> Candidate:
    """A new candidate and the contact behind them, found by address or made. Raises ValidationError, keyed by field."""
    candidate = Candidate(workspace=workspace)
    person = rest.pop("person", None) or _person(workspace, named(name), address, by=by)
    told = {"owner": by, **rest, "name": named(name), "person": person, "job": _job(workspace, job)}
    assign(candidate, told, LABELS)
    keep(candidate, by=by, changes=[], verb=Event.Verb.CREATED)
    return candidate


@transaction.atomic
def change(candidate: Candidate, *, by: Membership | None, address: str | None = None, **values: Any) -> Candidate:
    """Set fields; an address goes to the contact behind. Raises ValidationError, keyed by field."""
    if "name" in values:
        values["name"] = named(values["name"])
    if "job" in values:
        values["job"] = _job(candidate.workspace, values["job"])
    if (stage := values.pop("stage", None)) is not None:
        move(candidate, to=stage, by=by)
    if address is not None and address != candidate.address:
        values["person"] = _with_address(candidate, address, by=by)
    keep(candidate, by=by, changes=assign(candidate, values, LABELS))
    return candidate


@transaction.atomic
def move(candidate: Candidate, *, to: str, by: Membership | None) -> bool:
    """Into another stage; False when they are there already. Raises ValidationError for no stage."""
    if to not in Stage.values:
        raise ValidationError({"stage": "There is no such stage."})
    before = Stage(candidate.stage)
    if before == to:
        return False
    candidate.stage = to
    told = Change(field="Stage", old=str(before.label), new=str(Stage(to).label))
    keep(candidate, by=by, changes=[told], verb=Event.Verb.MOVED)
    return True


@transaction.atomic
def judge(candidate: Candidate, *, by: Membership, verdict: str, marks: Mapping[str, Any], text: str = "") -> Scorecard:
    """A member's scorecard, replacing the one they gave before. Marks are 1 to 5; those left out are not given.

    Raises ValidationError, keyed by field.
    """
    if verdict not in Scorecard.Verdict.values:
        raise ValidationError({"verdict": "Choose a verdict."})
    kept = {one: _mark(one, marks[one]) for one in CRITERIA if marks.get(one) not in (None, "")}
    card, _ = Scorecard.objects.update_or_create(
        candidate=candidate,
        author=by,
        defaults={"verdict": verdict, "marks": kept, "text": _text(text), "updated_at": now()},
    )
    _rate(candidate)
    word = str(Scorecard.Verdict(verdict).label)
    tell(candidate, Event.Verb.CHANGED, by=by, changes=[Change(field="Evaluation", old="", new=word)])
    return card


@transaction.atomic
def arrange(
    candidate: Candidate,
    *,
    by: Membership,
    at: datetime,
    kind: str,
    minutes: int = 45,
    place: str = "",
    interviewers: Iterable[Membership] = (),
) -> Interview:
    """An interview. A candidate not yet so far moves to the stage Interview. Raises ValidationError, keyed by field."""
    if kind not in Interview.Kind.values:
        raise ValidationError({"kind": "Choose what kind of interview."})
    if not 5 <= minutes <= 600:
        raise ValidationError({"minutes": "Between 5 and 600 minutes."})
    there = list(interviewers)
    if any(one.workspace_id != candidate.workspace_id for one in there):
        raise ValidationError({"interviewers": "Not found."})
    made = Interview.objects.create(candidate=candidate, at=at, kind=kind, minutes=minutes, place=clean(place)[:300])
    made.interviewers.set(there)
    when = f"{at:%d %b %Y %H:%M}"
    tell(candidate, Event.Verb.CHANGED, by=by, changes=[Change(field="Interview", old="", new=when)])
    if candidate.stage in (Stage.NEW, Stage.SCREENING):
        move(candidate, to=Stage.INTERVIEW, by=by)
    return made


def take_notes(interview: Interview, text: str) -> Interview:
    """What came out of an interview."""
    interview.notes = _text(text)
    interview.save(update_fields=["notes"])
    news.changed(interview.candidate)
    return interview


def refer(candidate: Candidate, *, by: Membership, name: str, **values: str) -> Reference:
    """Somebody who can tell about the candidate. Raises ValidationError, keyed by field."""
    known = {key: clean(value)[:200] for key, value in values.items() if key in ("relation", "address", "phone")}
    made = Reference.objects.create(
        candidate=candidate, name=named(name)[:200], text=_text(values.get("text", "")), **known
    )
    tell(candidate, Event.Verb.CHANGED, by=by, changes=[Change(field="Reference", old="", new=made.name)])
    return made


def _mark(criterion: str, value: Any) -> int:
    mark = int(value) if str(value).isdecimal() else 0
    if not 1 <= mark <= 5:
        raise ValidationError({"marks": f"{criterion}: a mark from 1 to 5."})
    return mark


def _rate(candidate: Candidate) -> None:
    means = [card.mean for card in candidate.scorecards.all() if card.mean is not None]
    candidate.rating = round(sum(means) / len(means), 2) if means else None
    candidate.save(update_fields=["rating"])


def _text(text: str) -> str:
    kept = text.replace("\x00", "").replace("\r\n", "\n").strip()
    if len(kept) > LONGEST:
        raise ValidationError({"text": f"At most {LONGEST:,} characters; this has {len(kept):,}."})
    return kept


def _job(workspace: Workspace, job: Job | str | None) -> Job | None:
    if not isinstance(job, str):
        return job
    title = clean(job)[:200]
    if not title:
        return None
    same = next((one for one in Job.objects.for_workspace(workspace) if fold(one.title) == fold(title)), None)
    return same or Job.objects.create(workspace=workspace, title=title)


def _person(workspace: Workspace, name: str, address: str, *, by: Membership | None) -> Person:
    first, last = split_name(name)
    try:
        if address.strip():
            plain = f"{name.replace('<', '').replace('>', '').replace(',', ' ')} <{address}>"
            return found_or_new(workspace, plain if "<" not in address else address, by=by)
        return create_person(workspace, by=by, first_name=first, last_name=last)
    except ValidationError as problem:
        raise ValidationError({"address": problem.messages}) from None


def _with_address(candidate: Candidate, address: str, *, by: Membership | None) -> Person:
    """The contact with another main address; somebody else's contact is taken for who the candidate is."""
    if candidate.person is None:
        return _person(candidate.workspace, candidate.name, address, by=by)
    wanted = [address, *(one for one in candidate.person.address_list() if one != address)] if address.strip() else []
    try:
        return change_person(candidate.person, by=by, addresses=wanted)
    except ValidationError as problem:
        raise ValidationError({"address": problem.messages}) from None
