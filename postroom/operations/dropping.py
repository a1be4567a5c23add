"""Whether mail to drop addresses is taken (product.md SE12), for the doctor and for alerts.

The drop box is a room beside this one: the settings name the one question it answers for us.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple, cast

from django.conf import settings
from django.utils.module_loading import import_string

from postroom.operations.beats import Heard, heard
from postroom.operations.models import Process

RESTART = timedelta(minutes=10)  # an upgrade, or a first start, is over by then


class Taking(NamedTuple):
    """Somebody may write to a drop address since then; these are the processes that take mail."""

    since: datetime
    heard: Heard

    def is_missed(self, at: datetime) -> bool:
        """Nobody takes mail. A stop that was asked for, and a first start, have a while for themselves."""
        if self.heard.living or self.heard.gone:
            return not self.heard.living
        last = self.heard.last
        return at - max(self.since, last.seen_at if last else self.since) > RESTART


def taking(at: datetime) -> Taking | None:
    """How it stands; ``None`` while nobody has an address. Two queries."""
    since = cast("datetime | None", import_string(settings.DROP_BOXES_OPEN_SINCE)())
    return Taking(since, heard(Process.Kind.DROPBOX, at)) if since is not None else None
