import pytest

from postroom.timeline.tests.world import World, build


@pytest.fixture
def world(db: None) -> World:
    return build()
