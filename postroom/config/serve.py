"""`postroom serve`: the web process."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from types import FrameType

import uvicorn
from django.conf import settings
from django.template.loader import get_template
from django.template.utils import get_app_template_dirs
from django.urls import get_resolver

from postroom.lib import process

STOP_SECONDS = 8
IDLE_CONNECTION_SECONDS = 75  # longer than proxies keep theirs, so that we are not the one who hangs up
BACKLOG = 2048
ROOT = Path(__file__).parents[1]


class Server(uvicorn.Server):
    """Ends live streams when asked to stop; the server would wait for them otherwise."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        from postroom.config.asgi import application

        process.request_stop()
        application.events.close()
        super().handle_exit(sig, frame)


def serve(listening: socket.socket) -> None:
    """Answer requests on a bound socket until SIGTERM or Ctrl-C."""
    config = uvicorn.Config(
        "postroom.config.asgi:application",
        lifespan="on",
        ws="none",
        access_log=False,
        log_config=None,  # Django's logging configuration holds for everybody
        log_level="warning",
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=settings.TRUSTED_PROXIES,
        timeout_keep_alive=IDLE_CONNECTION_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
        backlog=BACKLOG,
    )
    server = Server(config)
    watching = watch_over(settings.WEB_THREADS)
    threading.Thread(target=load_ahead, name="load ahead", daemon=True).start()
    server.run(sockets=[listening])
    process.request_stop()
    watching.join(2)  # it says goodbye; the database may be gone


def load_ahead() -> None:
    """Load what the first request for each page would have to wait for: views and templates."""
    get_resolver().reverse_dict  # noqa: B018  # imports every view
    for folder in get_app_template_dirs("templates"):
        if ROOT in folder.parents:
            for file in folder.rglob("*.*"):
                get_template(str(file.relative_to(folder)))
    process.keep_what_is_loaded()


def watch_over(threads: int) -> threading.Thread:
    """The watch needs the models, which are there once the application is."""
    import postroom.config.asgi  # noqa: F401
    from postroom.operations import watch

    return watch.start("web", threads)


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. Raises OSError when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening
