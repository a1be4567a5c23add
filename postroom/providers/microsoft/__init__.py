"""Microsoft 365 and Outlook.com: sign-in by Entra, mail by Microsoft Graph."""

from postroom.providers.budget import budget_of
from postroom.providers.contract import Authority, Capabilities, Feature, MailSource, Notified, TokenSource
from postroom.providers.microsoft import notifications
from postroom.providers.microsoft.client import Graph
from postroom.providers.microsoft.features import FEATURES
from postroom.providers.microsoft.mail import Mail
from postroom.providers.microsoft.oauth import Entra
from postroom.providers.microsoft.settings import Settings, from_environment


class Microsoft:
    """``contract.Connector`` for Microsoft. Made once per process by the registry."""

    name = "microsoft"
    label = "Outlook"
    capabilities = Capabilities(
        push=True,
        stable_ids=True,
        categories=True,
        folders=True,
        server_side_threads=True,
        max_attachment=150 * 1024 * 1024,
        recipients_a_day={"work": 10_000, "personal": 5_000},  # google-imap-smtp.md E4
    )
    features: tuple[Feature, ...] = FEATURES

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._authority = Entra(settings)

    def authority(self) -> Authority:
        return self._authority

    def mail(self, *, token: TokenSource, mailbox_key: str, address: str | None = None) -> MailSource:
        graph = Graph(url=self.settings.graph_url, token=token, budget=budget_of(mailbox_key))
        return Mail(graph, address)

    def notified(self, body: bytes) -> list[Notified]:
        return notifications.notified(body)


def connector() -> Microsoft:
    """The connector with the settings of the environment."""
    return Microsoft(from_environment())
