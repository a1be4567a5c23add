"""Where the left rail leads: one readable table.

An entry appears as soon as its URL name exists, so no link is dead.
"""

from collections.abc import Iterable
from typing import NamedTuple

from django.urls import NoReverseMatch

from postroom.lib.paths import path_to


class Entry(NamedTuple):
    """One destination. `key` names it in templates (`active`), `keys` is its shortcut, `group` its heading."""

    key: str
    label: str
    icon: str
    url_name: str
    group: str = ""
    keys: str = ""


class Destination(NamedTuple):
    """An entry whose address exists."""

    key: str
    label: str
    icon: str
    url: str
    group: str
    keys: str


RAIL: tuple[Entry, ...] = (
    Entry("home", "Home", "house", "home:today", keys="g h"),
    Entry("inbox", "Inbox", "inbox", "inbox:list", keys="g i"),
    Entry("mail", "Email", "mail", "inbox:mail", keys="g m"),
    Entry("contacts", "Contacts", "users", "records:contacts", "Relationships", "g c"),
    Entry("companies", "Companies", "building-2", "records:companies", "Relationships", "g o"),
    Entry("deals", "Deals", "circle-dollar-sign", "records:deals", "Work", "g d"),
    Entry("tickets", "Tickets", "ticket", "records:tickets", "Work", "g t"),
    Entry("candidates", "Candidates", "user-search", "records:candidates", "Work", "g r"),
    Entry("tasks", "Tasks", "circle-check", "records:tasks", "Work", "g k"),
)

FOOT: tuple[Entry, ...] = (Entry("settings", "Settings", "settings", "mailboxes:list", keys="g s"),)

SETTINGS: tuple[Entry, ...] = (
    Entry("profile", "Profile", "user", "accounts:profile", "You"),
    Entry("security", "Security", "shield-check", "accounts:security", "You"),
    Entry("reading", "Reading", "book-open", "inbox:reading", "You"),
    Entry("writing", "Writing", "pen-line", "inbox:writing", "You"),
    Entry("notifications", "Notifications", "bell", "home:notifications", "You"),
    Entry("drop-box", "Drop box", "mail-plus", "dropbox:settings", "You"),
    Entry("outlook", "Outlook", "mail", "mailboxes:list", "Integrations"),
    Entry("sending", "Sending", "send", "mail:sending", "Workspace"),
    Entry("fields", "Fields", "list-plus", "records:fields", "Workspace"),
    Entry("privacy", "Privacy", "lock", "timeline:privacy", "Workspace"),
    Entry("members", "Members and roles", "users", "workspaces:members", "Workspace"),
    Entry("sign-in", "Sign-in", "key-round", "workspaces:sign-in", "Workspace"),
    Entry("access-log", "Access log", "eye", "audit:entries", "Workspace"),
    Entry("alerts", "Alerts", "triangle-alert", "operations:alerts", "Workspace"),
    Entry("doctor", "Doctor", "stethoscope", "operations:doctor", "Workspace"),
)

# Addresses the shell itself links to; each is left out while nothing answers to its name.
LINKS: dict[str, str] = {
    "home": "inbox:list",
    "compose": "inbox:compose",
    "search": "search:list",
    "records": "records:find",
    "rail": "inbox:rail",
    "events": "events",
    "news": "home:news",
    "first_steps": "home:steps-open",
    "notifications": "home:notifications",
    "sign_out": "accounts:sign-out",
    "gallery": "ui:gallery",
}


def address(url_name: str) -> str | None:
    """The path of a URL name, or None when nothing has that name."""
    try:
        return path_to(url_name)
    except NoReverseMatch:
        return None


def destinations(entries: Iterable[Entry]) -> list[Destination]:
    """The entries that lead somewhere, with their paths."""
    found = ((entry, address(entry.url_name)) for entry in entries)
    return [
        Destination(entry.key, entry.label, entry.icon, url, entry.group, entry.keys) for entry, url in found if url
    ]


def current(path: str, places: Iterable[Destination]) -> str:
    """The key of the destination `path` lies under (the longest match wins), or an empty string."""
    matches = [place for place in places if path.startswith(place.url)]
    return max(matches, key=lambda place: len(place.url)).key if matches else ""
