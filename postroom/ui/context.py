"""The context processor of every page: `postroom.ui.context.shell`."""

from collections.abc import Callable
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django.utils.module_loading import import_string

from postroom.ui import rail, toasts
from postroom.ui.shell import Shell, worst_health

ShellBuilder = Callable[[HttpRequest], Shell | None]


def _built(request: HttpRequest) -> dict[str, Any]:
    """The shell's own data with what is derived from it; empty for strangers and where nothing is configured."""
    path: str = getattr(settings, "POSTROOM_SHELL", "")
    built = cast(ShellBuilder, import_string(path))(request) if path else None
    if built is None:
        return {}
    return {"worst_health": worst_health(built["mailboxes"]), **built}


def shell(request: HttpRequest) -> dict[str, Any]:
    """`shell` (see `shell.Shell`, lazily), `rail` (destinations) and `links` (addresses of the shell's own links)."""
    main = rail.destinations(rail.RAIL)
    foot = rail.destinations(rail.FOOT)
    return {
        "shell": SimpleLazyObject(lambda: _built(request)),
        "rail": {
            "main": main,
            "foot": foot,
            "settings": rail.destinations(rail.SETTINGS),
            "active": rail.current(request.path, [*main, *foot]),
            "active_setting": rail.current(request.path, rail.destinations(rail.SETTINGS)),
        },
        "lasting_toasts": SimpleLazyObject(lambda: toasts.lasting(request)),
        "links": {name: rail.address(url_name) for name, url_name in rail.LINKS.items()},
    }
