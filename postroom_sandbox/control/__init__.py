"""The control calls under /sandbox (interfaces.md, Sandbox)."""

from postroom_sandbox.control.calls import routes

__all__ = ["routes"]
