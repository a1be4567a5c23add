"""A letter to an organisation's IT, ready to copy. It names the app, never a token, a secret or a mail."""

from dataclasses import dataclass

from postroom.operations.decoder.reading import Answer

NOT_SET = "(not set)"


@dataclass(frozen=True)
class App:
    """How Postroom is registered; everything here stands on Microsoft's own pages too."""

    client_id: str
    tenant: str
    redirect_uri: str
    scopes: tuple[str, ...]


@dataclass(frozen=True)
class Letter:
    """Plain text."""

    subject: str
    text: str


def letter(answer: Answer, app: App, *, reference: str = "") -> Letter:
    """What to send to whoever administers Entra or Exchange about the first code of ``answer``."""
    first = answer.found[0]
    steps = [f"  {number}. {step}" for number, step in enumerate(first.remedy.steps, 1)]
    parts = [
        "Hello,",
        f"connecting our mail to Postroom (our CRM) fails. Microsoft answers {first.code}: {first.title}.\n"
        f"{first.meaning}",
        "\n".join(["What is needed:", first.remedy.todo, *(["Where:", *steps] if steps else [])]),
        "\n".join(["About the app:", *_facts(app)]),
    ]
    ids = [
        f"  {name}: {value}"
        for name, value in {**answer.ids, **({"Postroom's reference": reference} if reference else {})}.items()
    ]
    if ids:
        parts.append("\n".join(["For Microsoft's support:", *ids]))
    parts.append(
        "Postroom asks for delegated permissions only: it acts as the person who signed in and sees what they may open."
        "\nThank you."
    )
    return Letter(f"Postroom cannot connect to Microsoft 365: {first.code} ({first.title})", "\n\n".join(parts))


def _facts(app: App) -> list[str]:
    return [
        f"  Application (client) ID: {app.client_id or NOT_SET}",
        f"  Tenant: {app.tenant or NOT_SET}",
        f"  Redirect URI: {app.redirect_uri}",
        f"  Delegated permissions (Microsoft Graph): {', '.join(app.scopes) or NOT_SET}",
    ]
