"""The keyboard map (IN6), as shown by `?`. The keys themselves work through `data-key` on the element they press."""

from typing import NamedTuple


class Shortcut(NamedTuple):
    """Keys as typed, separated by blanks, and what they do."""

    keys: str
    does: str


class Group(NamedTuple):
    """A heading of the help dialog with its shortcuts."""

    title: str
    shortcuts: tuple[Shortcut, ...]


GROUPS: list[Group] = [
    Group(
        "Anywhere",
        (
            Shortcut("Ctrl K", "Search or jump to"),
            Shortcut("/", "Search"),
            Shortcut("c", "Compose"),
            Shortcut("g h", "Go to Home"),
            Shortcut("g i", "Go to Inbox"),
            Shortcut("g m", "Go to Email"),
            Shortcut("g c", "Go to Contacts"),
            Shortcut("g o", "Go to Companies"),
            Shortcut("g d", "Go to Deals"),
            Shortcut("g n", "Go to Notifications"),
            Shortcut("g s", "Go to Settings"),
            Shortcut("?", "Show this help"),
        ),
    ),
    Group(
        "In a list",
        (
            Shortcut("j", "Next"),
            Shortcut("k", "Previous"),
            Shortcut("Enter", "Open"),
            Shortcut("x", "Choose, for doing something to several"),
            Shortcut("Esc", "Back to the list"),
        ),
    ),
    Group(
        "In a thread",
        (
            Shortcut("r", "Reply"),
            Shortcut("a", "Reply to all"),
            Shortcut("f", "Forward"),
            Shortcut("e", "Archive"),
            Shortcut("m", "Comment for colleagues"),
            Shortcut("t", "Assign"),
            Shortcut("s", "Snooze"),
            Shortcut("*", "Flag"),
            Shortcut("u", "Mark as unread"),
            Shortcut("v", "Move to folder"),
            Shortcut("l", "Categories"),
            Shortcut("!", "Junk, or not junk"),
            Shortcut("#", "Delete"),
            Shortcut("z", "Undo"),
            Shortcut("Ctrl Enter", "Send"),
        ),
    ),
]
