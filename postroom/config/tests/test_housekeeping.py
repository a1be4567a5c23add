"""What housekeeping takes away, and what it leaves."""

from __future__ import annotations

from datetime import timedelta

import pytest

from postroom.accounts.models import User
from postroom.config.jobs import housekeeping
from postroom.lib.clock import now
from postroom.records.models import Import, Person
from postroom.records.people import commands as people
from postroom.workspaces.commands import add_member, create_workspace

pytestmark = pytest.mark.django_db


def test_an_uploaded_table_is_forgotten_after_a_week_and_what_it_brought_stays() -> None:
    workspace = create_workspace("Northwind")
    alice = add_member(workspace, User.objects.create_user("alice@northwind.example", "Alice"), role="Admin")
    people.create(workspace, by=alice, first_name="Ines")
    for days in (1, 6, 8):
        made = now() - timedelta(days=days)
        Import.objects.create(workspace=workspace, member=alice, record_type="contact", name=str(days), created_at=made)
    housekeeping(0)
    assert set(Import.objects.values_list("name", flat=True)) == {"1", "6"}
    assert Person.objects.count() == 1
