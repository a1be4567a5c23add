"""Lines of Home that are about mail: what waits for an answer, comes back, goes out, is stuck."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.urls import reverse

from postroom.home import conversations
from postroom.home.conversations import Found
from postroom.home.lines import Label, Line, at_moment
from postroom.home.words import hour
from postroom.home.work import Rows
from postroom.inbox.accounts import Accounts
from postroom.mail import outbound, outbox
from postroom.mailboxes import failures, features
from postroom.timeline import panel
from postroom.workspaces.models import Membership

WHY = {conversations.MENTIONED: Label("Mentioned you", "info"), conversations.ASSIGNED: Label("For you", "assigned")}


def answer(one: Found, tags: Mapping[int, Sequence[panel.Tag]], accounts: Accounts) -> Line:
    name, address = _face(one, accounts)
    labels = [Label(tag.label, tag.module) for tag in tags.get(one.conversation, ()) if tag.module != "contact"][:2]
    why = WHY.get(one.why)
    tone = "warn" if one.why == conversations.WAITING else ""
    note = f"{one.by}: {one.said}" if one.said else f"{name} · {one.snippet}"
    return Line(
        key=f"conversation-{one.conversation}",
        title=one.subject or "(no subject)",
        href=reverse("inbox:thread", args=[one.thread]),
        note=note,
        moment=one.at,
        tone=tone,
        name=one.by or name,
        address="" if one.by else address,
        tags=[*([why] if why else []), *labels],
    )


def _face(one: Found, accounts: Accounts) -> tuple[str, str]:
    """The last outsider who wrote."""
    outside = [who for who in one.people if who[1].lower() not in accounts.ours] or one.people or [("", "")]
    name, address = outside[-1]
    return name or address or "Nobody", address


def later(back: Sequence[Found], leaving: Rows, accounts: Accounts) -> list[Line]:
    """In the order of the day."""
    snoozed = [
        Line(
            key=f"back-{one.conversation}",
            title=one.subject or "(no subject)",
            href=reverse("inbox:thread", args=[one.thread]),
            note=f"Back from a snooze · {_face(one, accounts)[0]}",
            when=hour(one.at),
            icon="alarm-clock",
        )
        for one in back
    ]
    scheduled = [
        Line(
            key=f"send-{one['pk']}",
            title=one["subject"] or "(no subject)",
            href=reverse("inbox:outbox"),
            note=f"Goes out to {_to(one['to'])}",
            when=hour(at_moment(one["at"])),
            icon="clock-arrow-up",
        )
        for one in leaving
    ]
    return sorted([*snoozed, *scheduled], key=lambda one: one.when.zfill(5))


def broken(member: Membership, accounts: Accounts) -> list[Line]:
    """The member's own mailboxes that need a person."""
    own = [one for one in accounts.readable if one.mailbox.owner_id == member.pk and one.mailbox.failure]
    lines = []
    for one in own:
        advice = failures.advice(one.mailbox, provider=features.company(one.mailbox.provider))
        if advice is None or advice.remedy == "wait":
            continue
        waits = outbox.waits(one.mailbox, one.waiting)
        lines.append(
            Line(
                key=f"mailbox-{one.pk}",
                title=f"{one.address} does not sync",
                href=reverse("mailboxes:list"),
                note=" ".join(part for part in (advice.happened, advice.todo, waits) if part),
                tone="bad",
                icon="mail-warning",
            )
        )
    return lines


def stuck(rows: Rows) -> list[Line]:
    return [
        Line(
            key=f"send-{one['pk']}",
            title=one["subject"] or "(no subject)",
            href=reverse("inbox:outbox"),
            note=outbound.LATE if one["state"] == "held" else f"Not sent. {outbound.reason(one['failure'])}",
            moment=at_moment(one["at"]) or at_moment(one["changed"]),
            tone="bad",
            icon="send",
            tags=[Label("Held" if one["state"] == "held" else "Not sent", "bad")],
        )
        for one in rows
    ]


def _to(people: Sequence[Sequence[str]]) -> str:
    return ", ".join(name or address for name, address in people[:2]) or "nobody yet"
