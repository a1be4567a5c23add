"""Template tags and filters of the timeline's screens: `{% load timeline %}`."""

from __future__ import annotations

from collections.abc import Collection

from django import template
from django.urls import NoReverseMatch, reverse

from postroom.mail.models import Thread
from postroom.records.deals.screen import DEALS
from postroom.records.history import Event
from postroom.records.models import Deal

register = template.Library()

THREAD_SCREENS = ("inbox:thread", "mail:thread")
"""Names of the screen that shows a thread, the first that exists is taken."""


@register.filter
def thread_url(thread: Thread) -> str:
    """Where a thread is read."""
    for name in THREAD_SCREENS:
        try:
            return reverse(name, args=[thread.pk])
        except NoReverseMatch:
            continue
    return ""


@register.filter
def who(thread: Thread, ours: Collection[str]) -> str:
    """Those who wrote in a thread, newest last, as lists name them: "Inês, Paul, you"."""
    names = ["you" if address.lower() in ours else name or address for name, address in thread.people if address]
    shown = list(dict.fromkeys(names))
    short = [one if len(shown) == 1 or "@" in one else one.split()[0] for one in shown]
    return ", ".join(short[-3:]) or "Nobody"


@register.filter
def last_sender(thread: Thread, ours: Collection[str]) -> dict[str, object]:
    """Who wrote the newest mail of a thread: name, address, and whether it was one of us."""
    name, address = thread.people[-1] if thread.people else ("", "")
    return {"name": name or address or "Somebody", "address": address, "ours": address.lower() in ours}


@register.filter
def tells(event: Event) -> str:
    """What an event says after the actor's name: "moved it from Proposal to Negotiation"."""
    if event.verb == Event.Verb.CREATED:
        return f"added this {event.record_type.label.lower()}"
    if event.verb == Event.Verb.MOVED and event.changes:
        return f"moved it from {event.changes[0]['old']} to {event.changes[0]['new']}"
    return "; ".join(_change(one["field"], one["old"], one["new"]) for one in event.changes)


def _change(field: str, old: str, new: str) -> str:
    word = field[:1].lower() + field[1:]
    if field in ("Email", "Domain", "Contacts"):  # lists: what came and what went
        parts = [f"added {new}" if new else "", f"removed {old}" if old else ""]
        return f"{word}: " + " and ".join(part for part in parts if part)
    if not new:
        return f"removed the {word} {old}"
    return f"set the {word} to {new}" if not old else f"changed the {word} from {old} to {new}"


@register.filter
def stage_bars(deal: Deal) -> list[dict[str, str]]:
    """The open stages of a deal's pipeline and how far it is, for the component `stages`."""
    assert DEALS.moved is not None
    return [{"label": one.label, "state": one.state} for one in DEALS.moved.steps(deal) if one.tone != "lost"]
