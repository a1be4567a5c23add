"""A hundred thousand records beside the mail of `million`: contacts, companies, deals, tickets, candidates; tasks."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from datetime import timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

from bench.common import OWNER, note

SHARES = {"company": 20, "contact": 45, "deal": 15, "ticket": 10, "candidate": 10}  # of a hundred
TASKS = 20  # for a hundred records
BATCH = 2_000
WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heron", "iris", "juno", "lotus", "maple")


def load(size: int) -> None:
    """Adds so many records to the one workspace there is."""
    from postroom.workspaces.models import Membership

    member = Membership.objects.get(user__email=OWNER)
    maker = Maker(member)
    for kind, share in SHARES.items():
        note(f"  {size * share // 100} × {kind}")
        maker.add(kind, size * share // 100)
    maker.add("task", size * TASKS // 100)
    from django.db import connection

    with connection.cursor() as db:
        db.execute("VACUUM ANALYZE")


class Maker:
    """Rows as the commands would leave them, without their history."""

    def __init__(self, member: Any) -> None:
        from postroom.records.models import Job, Pipeline, Queue, Stage

        self._pick, self._member, self._workspace = random.Random(7), member, member.workspace
        pipeline = Pipeline.objects.filter(workspace=self._workspace).first()
        pipeline = pipeline or Pipeline.objects.create(workspace=self._workspace, name="Sales")
        if not pipeline.stages.exists():
            for place, (name, outcome) in enumerate((("New", "open"), ("Offer", "open"), ("Won", "won"))):
                Stage.objects.create(pipeline=pipeline, name=name, position=place, outcome=outcome, chance=50)
        self._stages = list(pipeline.stages.values_list("pk", flat=True))
        self._queue = Queue.objects.filter(workspace=self._workspace).first() or Queue.objects.create(
            workspace=self._workspace, name="Support"
        )
        self._jobs = [Job.objects.create(workspace=self._workspace, title=f"Job {n}").pk for n in range(20)]
        self._known: dict[str, list[int]] = {}

    def add(self, kind: str, count: int) -> None:
        """So many rows of a kind, in batches."""
        rows: Iterator[Any] = (getattr(self, f"_{kind}")(number) for number in range(count))
        while batch := list(islice(rows, BATCH)):
            made = type(batch[0]).objects.bulk_create(batch)
            self._known.setdefault(kind, []).extend(one.pk for one in made)
            self._beside(kind, made)

    def _beside(self, kind: str, made: Iterable[Any]) -> None:
        from postroom.records.models import CompanyDomain, PersonAddress

        w = self._workspace
        if kind == "contact":
            of = [
                PersonAddress(workspace=w, person=one, address=f"c{one.pk}@many{one.pk % 900}.example") for one in made
            ]
            PersonAddress.objects.bulk_create(of)
        elif kind == "company":
            domains = [CompanyDomain(workspace=w, company=one, domain=f"many{one.pk}.example") for one in made]
            CompanyDomain.objects.bulk_create(domains)

    def _words(self, number: int) -> str:
        return f"{self._pick.choice(WORDS)} {self._pick.choice(WORDS)} {number}"

    def _record(self, number: int) -> dict[str, Any]:
        from postroom.lib.clock import now

        name, at = self._words(number), now() - timedelta(minutes=self._pick.randrange(1_000_000))
        common = {"workspace": self._workspace, "owner": self._member, "created_at": at, "updated_at": at}
        return {**common, "name": name.title(), "sort_name": name, "search_text": name}

    def _one_of(self, kind: str) -> int:
        return self._pick.choice(self._known[kind])

    def _company(self, number: int) -> Any:
        from postroom.records.models import Company

        return Company(**self._record(number), industry=self._pick.choice(WORDS))

    def _contact(self, number: int) -> Any:
        from postroom.records.models import Person

        return Person(**self._record(number), last_name=str(number), company_id=self._one_of("company"))

    def _deal(self, number: int) -> Any:
        from postroom.lib.clock import now
        from postroom.records.models import Deal

        close = (now() + timedelta(days=self._pick.randrange(-200, 200))).date()
        amount, stage = Decimal(self._pick.randrange(1_000, 90_000)), self._pick.choice(self._stages)
        told = {"amount": amount, "stage_id": stage, "close_date": close}
        return Deal(**self._record(number), **told, company_id=self._one_of("company"))

    def _ticket(self, number: int) -> Any:
        from postroom.records.models import Ticket

        told = self._record(number)
        due = told["created_at"] + timedelta(days=3)
        status = self._pick.choice(["new", "open", "waiting", "solved", "closed"])
        more = {"number": 100_000 + number, "status": status, "opened_at": told["created_at"], "solve_due": due}
        return Ticket(**told, **more, queue=self._queue, requester_id=self._one_of("contact"))

    def _candidate(self, number: int) -> Any:
        from postroom.records.models import Candidate

        stage = self._pick.choice(["new", "screening", "interview", "offer", "hired", "rejected"])
        told = {"stage": stage, "job_id": self._pick.choice(self._jobs), "person_id": self._one_of("contact")}
        return Candidate(**self._record(number), **told)

    def _task(self, number: int) -> Any:
        from postroom.lib.clock import now
        from postroom.records.models import Task

        due = (now() + timedelta(days=self._pick.randrange(-30, 60))).date()
        done = now() if number % 3 else None
        told = {"workspace": self._workspace, "title": self._words(number), "due": due, "done_at": done}
        return Task(**told, assignee=self._member, author=self._member, person_id=self._one_of("contact"))
