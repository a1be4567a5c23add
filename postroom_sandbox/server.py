"""uvicorn with connections that can be torn down as networks do."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from postroom_sandbox.app import DROP, Application
from postroom_sandbox.world import World


class Protocol(HttpToolsProtocol):
    """Gives the application a way to reset the TCP connection it is answering on."""

    def on_message_begin(self) -> None:
        """Adds the reset to the scope of the request that begins."""
        super().on_message_begin()
        cast("dict[str, Any]", self.scope)[DROP] = self._drop

    def _drop(self) -> None:
        connection = self.transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # RST, not FIN
        self.transport.abort()


class Server(uvicorn.Server):
    """Says when it is ready; leaves signals to whoever runs it."""

    on_ready: Callable[[], object] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts listening, then calls `on_ready`."""
        await super().startup(sockets)
        if self.started and self.on_ready is not None:
            self.on_ready()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket (port 0: any free one). Raises OSError when the port is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(512)
    except OSError:
        listener.close()
        raise
    return listener


def make_server(world: World, **options: Any) -> Server:
    """A server for `world`; run it with `server.run(sockets=[listen(…)])`."""
    config = uvicorn.Config(
        Application(world),
        http=Protocol,
        loop="auto",
        lifespan="on",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=2,
        **options,
    )
    return Server(config)
