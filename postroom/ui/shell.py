"""The contract between the shell and the rest: what the left rail shows and where it gets it from.

`settings.POSTROOM_SHELL` names a function `(request) -> Shell | None` in a package above; `context.shell` calls it
once per page, only when a template asks. `ui` adds what it can derive itself: the destinations (every entry of `RAIL`
whose URL name exists), which of them is current, and the worst health.
"""

from typing import Literal, NotRequired, TypedDict

Health = Literal["healthy", "never", "stale", "error", "paused"]
"""SY17: healthy green, never synced blue, stale amber, error red; paused is a member's own choice, grey."""

# Worst first; product.md SY17 "the nav dot shows the worst".
SEVERITY: tuple[Health, ...] = ("error", "stale", "never", "paused", "healthy")

HEALTH_WORDS: dict[str, str] = {
    "healthy": "Healthy",
    "never": "Never synced",
    "stale": "Stale",
    "error": "Error",
    "paused": "Paused",
}


class ShellWorkspace(TypedDict):
    """The tenant in the top corner; `url` leads to its settings where the member may open them."""

    name: str
    url: NotRequired[str]


class ShellMember(TypedDict):
    """Who is signed in."""

    name: str
    address: str


class ShellMailbox(TypedDict):
    """One line under Email. `label` is short (the address without its domain where that is unambiguous)."""

    address: str
    label: str
    health: Health
    shared: bool
    unread: int
    url: str


class ShellSync(TypedDict):
    """The sync card at the foot of the rail; all addresses are POST targets except `url`.

    `done` and `total` count messages; `note` is the line under the bar ("24,118 of 37,600 · 2 min left").
    """

    title: str
    done: int
    total: int
    note: str
    url: str
    paused: NotRequired[bool]
    pause_url: NotRequired[str]
    resume_url: NotRequired[str]
    cancel_url: NotRequired[str]


class ShellTrouble(TypedDict):
    """Why mail of the member's own does not sync, said on every screen (MA2). ``url`` explains; ``post_url``, where
    there is one, leads straight to signing in again."""

    title: str
    text: str
    label: str
    url: str
    post_url: NotRequired[str]


class ShellAlerts(TypedDict):
    """Open alerts that concern the member (AD8): how many, the worst as a health, and where they stand."""

    count: int
    health: Health
    url: str


class ShellTold(TypedDict):
    """What colleagues told the member (IN4): how much of it is unread, and where it stands."""

    count: int
    url: str


class Shell(TypedDict):
    """Everything the rail shows that is not derived from the URL configuration."""

    workspace: ShellWorkspace
    member: ShellMember
    mailboxes: list[ShellMailbox]
    inbox_unread: int
    sync: ShellSync | None
    trouble: NotRequired[ShellTrouble | None]
    alerts: NotRequired[ShellAlerts | None]
    told: NotRequired[ShellTold | None]
    worst_health: NotRequired[Health | None]
    active: NotRequired[str]


def worst_health(mailboxes: list[ShellMailbox]) -> Health | None:
    """The health the Settings dot shows: the worst of all mailboxes, None when everything is healthy or absent."""
    seen = {mailbox["health"] for mailbox in mailboxes}
    worst = next((health for health in SEVERITY if health in seen), None)
    return None if worst == "healthy" else worst
