"""The mail of one Microsoft mailbox: the parts put together. Each part knows one section of graph.md."""

from postroom.providers.microsoft.categories import Categories
from postroom.providers.microsoft.changes import Changes
from postroom.providers.microsoft.notifications import Push
from postroom.providers.microsoft.people import People
from postroom.providers.microsoft.reading import Reading
from postroom.providers.microsoft.sending import Sending
from postroom.providers.microsoft.tips import Tips


class Mail(Reading, Changes, Categories, Sending, Tips, People, Push):
    """``contract.MailSource`` for Microsoft Graph. Holds no state but the roles of folders and a page size."""
