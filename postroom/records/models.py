"""The tables of this package, one line per sub-package."""

from postroom.records.candidates.models import Candidate, Interview, Job, Reference, Scorecard
from postroom.records.companies.models import Company, CompanyDomain
from postroom.records.custom_fields.models import CustomField
from postroom.records.deals.models import Deal, Pipeline, Stage
from postroom.records.history import Event
from postroom.records.imports.models import Import
from postroom.records.notes.models import Note
from postroom.records.people.models import Person, PersonAddress
from postroom.records.saved.models import SavedView
from postroom.records.tasks.models import Task
from postroom.records.tickets.models import Queue, Ticket

__all__ = [
    "Candidate",
    "Company",
    "CompanyDomain",
    "CustomField",
    "Deal",
    "Event",
    "Import",
    "Interview",
    "Job",
    "Note",
    "Person",
    "PersonAddress",
    "Pipeline",
    "Queue",
    "Reference",
    "SavedView",
    "Scorecard",
    "Stage",
    "Task",
    "Ticket",
]
