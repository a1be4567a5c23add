"""Contacts to link conversations to."""

from __future__ import annotations

from random import Random

from postroom.records.models import Person
from tests.simulation.world import OUTSIDE, World


def person(world: World, rng: Random) -> Person:
    """One of the three, made on first use."""
    name = rng.choice(OUTSIDE).partition("@")[0].title()
    found = Person.objects.filter(workspace_id=world.member.workspace_id, name=name).first()
    return found or Person.objects.create(workspace_id=world.member.workspace_id, name=name)
