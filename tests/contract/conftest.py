from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from postroom.providers.registry import PROVIDERS
from tests.contract.worlds import WORLDS, SandboxWorld, World


@pytest.fixture(scope="session")
def makers() -> Iterator[dict[str, Any]]:
    """Provider name -> a function that makes a world; servers start when they are first needed."""
    made: dict[str, Any] = {}
    with ExitStack() as stack:

        class Makers(dict[str, Any]):
            def __missing__(self, name: str) -> Any:
                self[name] = stack.enter_context(WORLDS[name]())
                return self[name]

        made = Makers()
        yield made


@pytest.fixture(params=sorted(PROVIDERS))
def world(request: pytest.FixtureRequest, makers: dict[str, Any]) -> Iterator[World]:
    """Every provider of the registry, each test in a mailbox of its own."""
    made = makers[request.param]()
    yield made
    if isinstance(made, SandboxWorld):
        made.close()
