"""The card of a mailbox in Settings (product.md MA1, SY1, SY17): what it says and which buttons it has.

Everything is derived from the row and from what the hooks know at this moment; nothing here is stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from postroom.lib.clock import now
from postroom.mailboxes import access, approvals, failures, features, hooks, lifecycle
from postroom.mailboxes.models import Connection, Mailbox
from postroom.workspaces.models import Membership, Permission

State, History = Mailbox.State, Mailbox.History
WORKING = (State.CONNECTING, State.LIVE)

PULLING: dict[str, str] = {
    "": "Getting the newest mail",
    History.NONE: "Getting the newest mail",
    History.DAYS_30: "Pulling the last 30 days",
    History.DAYS_90: "Pulling the last 90 days",
    History.MONTHS_12: "Pulling the last 12 months",
    History.YEARS_4: "Pulling the last 4 years",
    History.ALL: "Pulling the whole history",
}
HINTS: dict[str, str] = {
    History.NONE: "what arrives from now on",
    History.DAYS_90: "recommended",
    History.ALL: "may take hours for large mailboxes",
}
RECOMMENDED = History.DAYS_90
NAMED_FOLDERS = 3  # in the line under the bar; all of them are in the list that unfolds
BUSY, CALM = "every 2s", "every 20s"


@dataclass(frozen=True)
class Pull:
    """The history pull in words."""

    title: str
    done: int
    total: int
    detail: str
    note: str
    folders: Sequence[hooks.FolderProgress]
    paused: bool


@dataclass(frozen=True)
class View:
    """What `mailboxes/card.html` shows."""

    mailbox: Mailbox
    health: str
    pull: Pull | None
    stats: list[dict[str, Any]]
    advice: failures.Advice | None
    realtime: str
    slowed: bool
    syncing: bool
    ticket: str  # of a sync whose end is waited for
    history: Sequence[dict[str, Any]]  # the answers to the history question, while it is open
    may_reconnect: bool
    may_connect: bool

    @property
    def label(self) -> str:
        """Instead of the health's word; empty for the word itself."""
        return "" if self.connected else "Disconnected"

    @property
    def paused(self) -> bool:
        return bool(self.mailbox.state == State.PAUSED)

    @property
    def connected(self) -> bool:
        return self.mailbox.state != State.DISCONNECTED

    @property
    def one_way(self) -> bool:
        return bool(self.mailbox.direction == Mailbox.Direction.ONE_WAY)

    @property
    def reconnect_label(self) -> str:
        return failures.reconnect_label(self.mailbox)

    @property
    def offers_reconnect(self) -> bool:
        asleep = self.advice is not None and self.advice.remedy == "reconnect"
        lent = self.mailbox.connection is not None and self.mailbox.connection.failure != ""  # of a shared mailbox
        asleep = asleep or (lent and self.mailbox.kind == Mailbox.Kind.SHARED)
        return bool(self.connected and asleep and self.may_reconnect)

    @property
    def offers_delegate(self) -> bool:
        """A shared mailbox that fell with its delegate."""
        return bool(self.connected and self.advice and self.advice.remedy == "delegate" and self.may_connect)

    @property
    def offers_sync(self) -> bool:
        person_needed = self.advice is not None and self.advice.remedy in ("reconnect", "delegate", "decide")
        return self.connected and not self.paused and (not person_needed or self.mailbox.failure == "access_lost")

    @property
    def refresh(self) -> str:
        """How soon the card asks for itself again."""
        return BUSY if self.syncing or self.ticket or (self.pull and not self.pull.paused) else CALM


def views(mailboxes: Sequence[Mailbox], member: Membership) -> list[View]:
    """The cards of some mailboxes as this member sees them."""
    known = hooks.cards(mailboxes)
    return [_view(one, member, known[one.pk]) for one in mailboxes]


def view(mailbox: Mailbox, member: Membership, *, ticket: str = "") -> View:
    """The card of one."""
    return _view(mailbox, member, hooks.card(mailbox), ticket=ticket)


def _view(mailbox: Mailbox, member: Membership, known: hooks.Card, *, ticket: str = "") -> View:
    connected = mailbox.state != State.DISCONNECTED
    advice = failures.advice(mailbox, provider=features.company(mailbox.provider))
    return View(
        mailbox=mailbox,
        health=_health(mailbox),
        pull=_pull(mailbox, known.get("progress")) if _pulls(mailbox) else None,
        stats=_stats(mailbox, known),
        advice=advice if connected else None,
        realtime=_realtime(known) if _pulls(mailbox) else "",
        slowed=bool(mailbox.throttled_until and mailbox.throttled_until > now()),
        syncing=mailbox.state in WORKING and known.get("syncing", False),
        ticket=ticket if connected else "",
        history=history_choices(mailbox) if _asks_history(mailbox, member) else [],
        may_reconnect=access.may_reconnect(member, mailbox),
        may_connect=member.may(Permission.CONNECT_MAILBOX),
    )


def _pulls(mailbox: Mailbox) -> bool:
    """Whether its mail is being pulled: not while it is paused or one-way (CN11)."""
    return mailbox.state in WORKING and mailbox.direction == Mailbox.Direction.TWO_WAY


def _asks_history(mailbox: Mailbox, member: Membership) -> bool:
    return _pulls(mailbox) and not mailbox.history and mailbox.owner_id == member.pk


def _health(mailbox: Mailbox) -> str:
    """The mailbox's health; grey where nothing is meant to happen (a failure still shows while it is only paused)."""
    calm = mailbox.state == State.DISCONNECTED or (mailbox.state == State.PAUSED and not mailbox.failure)
    return "paused" if calm else mailbox.health


def _realtime(known: hooks.Card) -> str:
    note = known.get("push_note", "")
    words = {"on": "real-time on", "polling": "real-time off", "off": "real-time off"}
    if note == "starting":
        return "real-time starting"
    return words.get(known.get("push", ""), "") + (f": {note}" if note else "")


def _stats(mailbox: Mailbox, known: hooks.Card) -> list[dict[str, Any]]:
    lines: list[tuple[str, Any]] = [("Messages", f"{known.get('messages', 0):,}")]
    if "linked" in known:
        lines.append(("Linked to records", f"{known['linked']:,}"))
    if mailbox.state != State.DISCONNECTED:
        lines.append(("Sync", mailbox.get_direction_display()))
        if mailbox.direction == Mailbox.Direction.TWO_WAY:
            lines.append(("Subscription", _renewal(mailbox, known)))
        if mailbox.connection is not None:  # grants show their age (AD1)
            lines.append(("Signed in", f"{span((now() - mailbox.connection.granted_at).total_seconds())} ago"))
    else:
        lines.append(("Sync", "Ended"))
    if late := known.get("waiting", 0):
        lines.append(("Waiting to go out", f"{late:,}"))
    found = [{"label": label, "value": value} for label, value in lines]
    if complete := known.get("complete"):
        found.append({"label": "Complete", "value": complete, "href": reverse("mail:complete", args=[mailbox.pk])})
    if held := known.get("quarantined", 0):
        found.append({"label": "Set aside", "value": f"{held:,}", "href": reverse("mail:aside", args=[mailbox.pk])})
    return found


def _renewal(mailbox: Mailbox, known: hooks.Card) -> str:
    if mailbox.failure in failures.NEEDS_SIGN_IN:
        return "after reconnecting"
    if mailbox.state == State.PAUSED:
        return "waits"
    renews = known.get("push_renews_at")
    if renews is None:
        return "none"
    seconds = (renews - now()).total_seconds()
    return f"renews in {span(seconds)}" if seconds > 0 else "renews now"


def _pull(mailbox: Mailbox, progress: hooks.Progress | None) -> Pull | None:
    if progress is None:
        return None
    done, total = min(progress["done"], progress["total"]), progress["total"]
    parts = [f"{done:,} of {total:,} messages"]
    if progress["paused"]:
        parts.append("paused")
    elif progress["rate"] >= 1:
        parts.append(f"{progress['rate']:,.0f}/s")
        if progress["eta"] is not None:
            parts.append(f"{span(progress['eta'])} left")
    return Pull(
        title=PULLING[mailbox.history],
        done=done,
        total=total,
        detail=" · ".join(parts),
        note=_folder_line(progress["folders"]),
        folders=progress["folders"],
        paused=progress["paused"],
    )


def _folder_line(folders: Sequence[hooks.FolderProgress]) -> str:
    named = [folder_words(one) for one in folders[:NAMED_FOLDERS]]
    more = len(folders) - len(named)
    return " · ".join([*named, f"{more} more"] if more > 0 else named)


def folder_words(folder: hooks.FolderProgress) -> str:
    """Inbox done, Sent Items 71%, Archive waiting."""
    done, total = folder["done"], folder["total"]
    if done >= total:
        return f"{folder['name']} done"
    return f"{folder['name']} {done * 100 // total}%" if done else f"{folder['name']} waiting"


def span(seconds: float) -> str:
    """44 s, 12 min, 4 h, 3 days: one unit, rounded."""
    for size, unit in ((172800, "days"), (7200, "h"), (120, "min")):
        if seconds >= size:
            return f"{round(seconds / {'days': 86400, 'h': 3600, 'min': 60}[unit])} {unit}"
    return f"{max(1, round(seconds))} s"


def history_choices(mailbox: Mailbox) -> list[dict[str, Any]]:
    """The answers to the history question that reach further than the present one, with what is said beside them."""
    return [
        {"value": one.value, "label": str(one.label), "hint": HINTS.get(one, ""), "checked": one == RECOMMENDED}
        for one in lifecycle.wider(mailbox)
    ]


@dataclass(frozen=True)
class Allowed:
    """What a connection allows: `mailboxes/allowed.html`."""

    mailbox: Mailbox
    lines: Sequence[tuple[features.State, list[str]]]  # with the scopes behind each
    may_change: bool
    has_admin: bool  # whether there is an administrator to ask (CN3)


def allowed(mailboxes: Sequence[Mailbox], member: Membership) -> list[Allowed]:
    """One entry per connection, under its own mailbox."""
    return [
        Allowed(
            one,
            _lines(one.connection),
            access.may_reconnect(member, one),
            approvals.possible(one.provider, kind=one.connection.account_kind),
        )
        for one in mailboxes
        if one.connection is not None and one.kind == Mailbox.Kind.OWN and one.state != State.DISCONNECTED
    ]


def _lines(connection: Connection) -> list[tuple[features.State, list[str]]]:
    return [(state, features.permissions(state.feature)) for state in features.states(connection)]
