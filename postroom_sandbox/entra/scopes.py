"""Delegated permissions: their words on the consent page and who may grant them (graph.md 1.6, 1.7)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .errors import OAuthError

GRAPH = "https://graph.microsoft.com/"
OPENID = ("openid", "profile", "email", "offline_access")


@dataclass(frozen=True, slots=True)
class Scope:
    """`admin`: an administrator must grant it; `personal`: personal accounts have it too; `guarded`: members may
    not grant it themselves where the Microsoft-managed consent policy applies."""

    name: str
    words: str
    admin: bool = False
    personal: bool = True
    guarded: bool = False


_TABLE = (
    Scope("openid", "Sign you in"),
    Scope("profile", "View your basic profile"),
    Scope("email", "View your email address"),
    Scope("offline_access", "Keep the access you give it while you are away"),
    Scope("User.Read", "Sign you in and read your profile"),
    Scope("User.ReadBasic.All", "Read the basic profile of everybody in the organisation", personal=False),
    Scope("User.Read.All", "Read the full profile of everybody in the organisation", admin=True, personal=False),
    Scope("Directory.Read.All", "Read the organisation's directory", admin=True, personal=False),
    Scope("Mail.ReadBasic", "Read your mail without bodies and attachments", guarded=True),
    Scope("Mail.Read", "Read your mail", guarded=True),
    Scope("Mail.ReadWrite", "Read, change and delete your mail", guarded=True),
    Scope("Mail.Send", "Send mail as you"),
    Scope("Mail.Read.Shared", "Read mail you have access to, yours and shared", personal=False, guarded=True),
    Scope("Mail.ReadWrite.Shared", "Read and change mail you have access to", personal=False, guarded=True),
    Scope("Mail.Send.Shared", "Send mail on behalf of others or yourself", personal=False, guarded=True),
    Scope("MailboxSettings.Read", "Read your mailbox settings", guarded=True),
    Scope("MailboxSettings.ReadWrite", "Read and change your mailbox settings", guarded=True),
    Scope("Calendars.Read", "Read your calendars", guarded=True),
    Scope("Calendars.ReadWrite", "Read and change your calendars", guarded=True),
    Scope("Calendars.Read.Shared", "Read calendars you have access to", personal=False, guarded=True),
    Scope("Calendars.ReadWrite.Shared", "Read and change calendars you have access to", personal=False, guarded=True),
    Scope("Contacts.Read", "Read your contacts"),
    Scope("Contacts.ReadWrite", "Read and change your contacts", guarded=True),
    Scope("Contacts.Read.Shared", "Read contacts you have access to", personal=False, guarded=True),
    Scope("Contacts.ReadWrite.Shared", "Read and change contacts you have access to", personal=False, guarded=True),
    Scope("Tasks.Read", "Read your tasks", guarded=True),
    Scope("Tasks.ReadWrite", "Read and change your tasks", guarded=True),
    Scope("Tasks.Read.Shared", "Read tasks you have access to", personal=False, guarded=True),
    Scope("Tasks.ReadWrite.Shared", "Read and change tasks you have access to", personal=False, guarded=True),
    Scope("People.Read", "Read the people relevant to you", guarded=True),
    Scope("People.Read.All", "Read the people relevant to everybody", admin=True, personal=False),
    Scope("Files.Read", "Read your files"),
    Scope("Files.ReadWrite", "Read and change your files"),
    Scope("Files.Read.All", "Read all files you have access to", guarded=True),
    Scope("Files.ReadWrite.All", "Read and change all files you have access to", guarded=True),
    Scope("Sites.Read.All", "Read items in all sites", personal=False, guarded=True),
    Scope("Sites.ReadWrite.All", "Read and change items in all sites", personal=False, guarded=True),
    Scope("Sites.FullControl.All", "Full control of all sites", admin=True, personal=False),
    Scope("OnlineMeetings.Read", "Read your online meetings", personal=False, guarded=True),
    Scope("OnlineMeetings.ReadWrite", "Read and create your online meetings", personal=False, guarded=True),
    Scope("Presence.Read", "Read your presence", personal=False),
    Scope("Presence.Read.All", "Read the presence of everybody in the organisation", personal=False),
)
SCOPES = {scope.name.lower(): scope for scope in _TABLE}
_LOW = frozenset({*OPENID, "User.Read"})  # what an administrator has classified as low impact


def parse(text: str, *, default: Iterable[str] = ()) -> tuple[str, ...]:
    """The scopes of a request by their proper names, each once, in the order asked.

    `default` replaces `.default`. Raises OAuthError 28003 (none), 70011 (unknown), 28002 (another resource too).
    """
    names: dict[str, None] = {}
    foreign = False
    for word in text.split():
        short = word.removeprefix(GRAPH).removeprefix(GRAPH.replace("//graph", "///graph"))
        if short == ".default":
            names.update(dict.fromkeys(default))
        elif "://" in short:
            foreign = True
        elif scope := SCOPES.get(short.lower()):
            names[scope.name] = None
        else:
            raise OAuthError(70011, f"The scope '{word}' does not exist.")
    if foreign:
        if any(name not in OPENID for name in names):
            raise OAuthError(28002)
        raise OAuthError(500011, "Only Microsoft Graph is served here.")
    if not names:
        raise OAuthError(28003)
    return tuple(names)


def for_account(names: Iterable[str], *, personal: bool) -> tuple[str, ...]:
    """Those of the scopes this kind of account can have at all (graph.md 1.13)."""
    return tuple(name for name in names if not personal or SCOPES[name.lower()].personal)


def needs_admin(name: str, policy: str) -> bool:
    """Whether a member of a tenant with this consent policy must ask an administrator for the scope."""
    scope = SCOPES[name.lower()]
    by_policy = {"none": True, "legacy": False, "low": scope.name not in _LOW, "managed": scope.guarded}
    return scope.admin or by_policy[policy]


def echo(names: Iterable[str]) -> str:
    """The `scope` of a token answer: Graph's own first, then OpenID's, never `offline_access` (graph.md 1.6)."""
    listed = sorted(set(names) - {"offline_access"}, key=lambda name: (name in OPENID, name.lower()))
    return " ".join(listed)
