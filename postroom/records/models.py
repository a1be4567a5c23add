"""The tables of this package, one line per sub-package."""

from postroom.records.companies.models import Company, CompanyDomain
from postroom.records.deals.models import Deal, Pipeline, Stage
from postroom.records.history import Event
from postroom.records.notes.models import Note
from postroom.records.people.models import Person, PersonAddress

__all__ = ["Company", "CompanyDomain", "Deal", "Event", "Note", "Person", "PersonAddress", "Pipeline", "Stage"]
