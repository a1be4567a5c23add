"""The keyboard map (IN6), as shown by `?`. The keys themselves work through `data-key` on the element they press."""

from typing import NamedTuple

from postroom.ui import rail


class Shortcut(NamedTuple):
    """Keys as typed, separated by blanks, and what they do."""

    keys: str
    does: str


class Group(NamedTuple):
    """A heading of the help dialog with its shortcuts."""

    title: str
    shortcuts: tuple[Shortcut, ...]


_GROUPS: list[Group] = [
    Group(
        "Anywhere",
        (
            Shortcut("Ctrl K", "Search or jump to"),
            Shortcut("/", "Search"),
            Shortcut("c", "Compose"),
            Shortcut("F6", "To the next part of the screen"),
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
            Shortcut("i", "Mark what is chosen as read"),
            Shortcut("Esc", "Back to the list"),
        ),
    ),
    Group(
        "In a table of records",
        (
            Shortcut("→", "From a name to its cells"),
            Shortcut("F2", "Change the cell"),
            Shortcut("Tab", "Save, and change the next"),
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
            Shortcut("p", "Print"),
            Shortcut("v", "Move to folder"),
            Shortcut("l", "Categories"),
            Shortcut("!", "Junk, or not junk"),
            Shortcut("#", "Delete"),
            Shortcut("z", "Undo"),
            Shortcut("Ctrl Enter", "Send"),
        ),
    ),
]


def groups() -> list[Group]:
    """All of it; where `g` and a letter lead is what the rail says."""
    places = rail.destinations((*rail.RAIL, _NOTICES, *rail.FOOT))
    going = tuple(Shortcut(place.keys, f"Go to {place.label}") for place in places if place.keys)
    anywhere, *others = _GROUPS
    return [anywhere._replace(shortcuts=(*anywhere.shortcuts, *going)), *others]


_NOTICES = rail.Entry("told", "Notifications", "bell", "inbox:told", keys="g n")
