"""The bytes of a workspace that was purged (``settings.WORKSPACE_HOOKS``, product.md MA4)."""

from postroom.files import storage


def workspace_erased(workspace_id: int) -> None:
    """Delete whatever still lies in the workspace's directory."""
    storage.forget(workspace_id)
