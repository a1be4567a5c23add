"""What the packages above do when a member or a whole workspace goes (``settings.WORKSPACE_HOOKS``).

`workspaces` may not import them. Each name is a dotted path of a module that has some of these functions; all are
called in the order of that list.
"""

from collections.abc import Iterator
from importlib import import_module
from typing import Any, NamedTuple, Protocol

from django.conf import settings

from postroom.workspaces.models import Membership, Workspace


class Belonging(NamedTuple):
    """Something of a member's that has to be decided about before they go, e.g. a mailbox.

    ``key`` names it in a form; ``heirs`` are those it could be handed to; ``fate`` says what becomes of it otherwise.
    """

    key: str
    label: str
    fate: str
    heirs: tuple[Membership, ...]


class WorkspaceHooks(Protocol):
    """The functions a module in ``WORKSPACE_HOOKS`` may have."""

    def belongings(self, member: Membership) -> list[Belonging]:
        """What is to be decided about before this member goes."""

    def hand_over(self, member: Membership, key: str, heir: Membership) -> None:
        """Give one belonging to somebody else."""

    def member_leaving(self, member: Membership) -> None:
        """The member was removed: end what runs in their name. Speaks to the outside: no transaction is open."""

    def workspace_leaving(self, workspace: Workspace) -> None:
        """The workspace was deleted: end what runs for it. Speaks to the outside: no transaction is open."""

    def erase_some_of_workspace(self, workspace: Workspace) -> int:
        """The same of a deleted workspace, for what has to go in an order of its own; every other row goes anyway."""

    def erase_some_of_member(self, member: Membership) -> int:
        """Delete a portion of what belongs to a removed member alone. Returns how many rows; 0 when none is left."""

    def workspace_erased(self, workspace_id: int) -> None:
        """No row of that workspace is left: delete what lies elsewhere, such as files."""


def _named(name: str) -> Iterator[Any]:
    for path in getattr(settings, "WORKSPACE_HOOKS", []):
        if function := getattr(import_module(path), name, None):
            yield function


def tell(event: str, *args: object) -> None:
    """Call ``event`` (a name of ``WorkspaceHooks``) everywhere it is answered."""
    for function in _named(event):
        function(*args)


def belongings(member: Membership) -> list[Belonging]:
    return [one for function in _named("belongings") for one in function(member)]


def erase_some(what: str, root: Membership | Workspace) -> int:
    """The next portion, from the top package down; 0 when nothing is left anywhere."""
    for function in reversed(list(_named(what))):
        if gone := int(function(root)):
            return gone
    return 0
