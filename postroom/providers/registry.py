"""The list of providers: name -> where its connector lives, imported on first use."""

from functools import cache
from importlib import import_module
from typing import cast

from postroom.providers.contract import Connector

PROVIDERS = {
    "microsoft": "postroom.providers.microsoft:connector",
    "memory": "postroom.providers.memory:connector",
}


@cache
def connector(name: str) -> Connector:
    """The connector called ``name``, made once per process. Raises ``KeyError`` for an unknown name."""
    module, _, factory = PROVIDERS[name].partition(":")
    return cast(Connector, getattr(import_module(module), factory)())
