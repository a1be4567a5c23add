"""The log of a workspace that is purged goes with it (``settings.WORKSPACE_HOOKS``, product.md MA4)."""

from postroom.audit import log
from postroom.workspaces.models import Workspace


def erase_some_of_workspace(workspace: Workspace) -> int:
    """The database lets go of entries only to who says so, so nobody else can."""
    return log.forget_workspace(workspace)
