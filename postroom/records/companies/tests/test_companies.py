"""Companies and their domains."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from postroom.records.companies import commands
from postroom.records.models import Company, Event
from postroom.workspaces.models import Membership, Workspace

pytestmark = pytest.mark.django_db


def test_a_company_has_several_domains_in_order(northwind: Workspace) -> None:
    company = commands.create(northwind, by=None, name="Contoso", domains=["contoso.example", "contoso.com"])
    commands.change(company, by=None, domains=["contoso.com", "contoso.example", "contoso.net"])
    assert Company.objects.get().domain_list() == ["contoso.com", "contoso.example", "contoso.net"]


def test_a_domain_belongs_to_one_company_of_a_workspace(northwind: Workspace, carol: Membership) -> None:
    commands.create(northwind, by=None, name="Contoso", domains=["contoso.example"])
    with pytest.raises(ValidationError, match="belongs to Contoso already"):
        commands.create(northwind, by=None, name="Other", domains=["contoso.example"])
    assert Company.objects.count() == 1
    commands.create(carol.workspace, by=None, name="Contoso", domains=["contoso.example"])


def test_a_company_needs_a_name(northwind: Workspace) -> None:
    with pytest.raises(ValidationError):
        commands.create(northwind, by=None, name=" \x00 ")


def test_a_name_that_is_too_long_is_cut_not_refused(northwind: Workspace) -> None:
    assert len(commands.create(northwind, by=None, name="ß" * 500).name) == 300


def test_history_tells_who_changed_what(northwind: Workspace, alice: Membership) -> None:
    company = commands.create(northwind, by=alice, name="Contoso")
    commands.change(company, by=alice, industry="Food import", owner=None)
    event = Event.objects.get(verb="changed")
    assert event.actor == alice and event.record == company
    assert event.changes == [
        {"field": "Industry", "old": "", "new": "Food import"},
        {"field": "Owner", "old": "Alice", "new": ""},
    ]
