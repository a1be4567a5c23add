"""What the composer offers beside the text: sending later, templates, the signature."""

from typing import Any

from django.urls import reverse
from django.utils.safestring import mark_safe

from postroom.inbox import editing, hints, tips
from postroom.inbox.accounts import Accounts
from postroom.lib.clock import now
from postroom.mail import outbound, schedule, signatures
from postroom.mail.models import Composition

WAS_SCHEDULED = "This message was scheduled and is a draft again. It goes out only when you send or schedule it anew."


def of(composition: Composition, *, made: bool = False) -> dict[str, Any]:
    """The part of the composer's context that belongs to it. ``made``: just now, with its mailbox's signature."""
    zone = schedule.zone_of(composition.author.user.time_zone)
    moment = now()
    return {
        "later": schedule.presets(moment, zone),
        "zone": zone.key.replace("_", " "),
        "own_time": schedule.presets(moment, zone)[0].at.astimezone(zone).strftime("%Y-%m-%dT%H:%M"),
        "snippets_url": reverse("inbox:snippets", args=[composition.pk]),
        **signature(composition, made=made),
    }


def signature(composition: Composition, *, made: bool = False) -> dict[str, Any]:
    """As it will stand there; pictures from elsewhere are not loaded here."""
    offered = composition.signature if made else composition.signature or signatures.of(composition.mailbox)
    return {
        "signature": mark_safe(editing.shown(offered, {})) if offered else "",  # noqa: S308 -- sanitised there
        "is_signed": bool(composition.signature),
    }


def hints_of(composition: Composition, known: Accounts, *, asking: bool = False) -> dict[str, Any]:
    """What its author is told before sending; ``asking``: after the provider was asked what only it knows."""
    if asking:
        tips.ask(composition, tips.of(composition, known)[1])
    away, unknown = tips.of(composition, known)
    more = reverse("inbox:tips", args=[composition.pk]) if unknown and not asking else ""
    return {"hints": [*away, *hints.of(composition, known)], "more_url": more}


def notice(composition: Composition) -> str:
    """What its author is told about one that was held."""
    return outbound.LATE if composition.state == Composition.State.HELD else ""
