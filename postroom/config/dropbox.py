"""`postroom dropbox`: the process that takes mail, seen by whoever watches over the others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

from django.conf import settings

from postroom.config.errors import UsageError
from postroom.lib import process

GOODBYE = 5.0  # seconds to say it in; the database may be gone


def take_mail(places: Mapping[str, Sequence[str]], *, say: Callable[[str], None]) -> None:
    """Listen, by kind of door or where one usually does, until told to stop; ``say`` hears where. Raises UsageError."""
    from postroom.dropbox import reception, running, tls
    from postroom.operations import watch

    if not settings.POSTROOM_DROPBOX_DOMAIN:
        raise UsageError("POSTROOM_DROPBOX_DOMAIN is not set: it names the domain of the drop addresses")
    watching: list[threading.Thread] = []

    def ready(told: list[str]) -> None:
        say("\n".join(told))
        # It only beats: a machine that faces the internet need not reach it, as a round of the watch must.
        watching.append(watch.start("dropbox", reception.THREADS, rounds=False))

    doors = [running.Door(kind, place) for kind, those in places.items() for place in those]
    try:
        running.run(doors or running.USUAL, ready=ready)
    except OSError as problem:
        raise UsageError(f"cannot listen there ({problem.strerror})") from None
    except tls.Unusable as problem:
        raise UsageError(f"POSTROOM_DROPBOX_CERTIFICATE and POSTROOM_DROPBOX_KEY: {problem}") from None
    finally:
        process.request_stop()
        for thread in watching:
            thread.join(GOODBYE)
