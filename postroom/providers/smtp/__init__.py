"""Submission over SMTP: the way a workspace's own mail server takes messages (product.md SE8, SE9).

Not a connector: a server that takes mail has no mailbox. ``session`` speaks to it, ``replies`` is what its answers
mean, ``mime`` turns the text of a provider's draft into what is submitted.
"""

from postroom.providers.smtp.mime import Sender, as_sent
from postroom.providers.smtp.session import Server, Session

__all__ = ["Sender", "Server", "Session", "as_sent"]
