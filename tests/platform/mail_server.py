"""A mail server for tests: takes what it is given, says what it is told to say, breaks off where it is told to.

    with mail_server() as server:
        …  # server.port
        server.messages[0].recipients, server.messages[0].content

One thread a connection; ``delivered`` is called for every message before its sender is told that it was taken.
"""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Taken:
    sender: str
    recipients: list[str]
    content: bytes  # as it was before dots were doubled


@dataclass
class MailServer:
    """``replies``: what to answer to a command (or to ``MESSAGE``, the end of one) instead of yes; ``unknown``:
    addresses that are refused. ``break_off``: "before" or "after" the next message is taken, once."""

    port: int = 0
    size: int = 10_000_000
    replies: dict[str, str] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    break_off: str = ""
    messages: list[Taken] = field(default_factory=list)
    delivered: Callable[[Taken], None] = lambda taken: None


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """On a free port of this machine while the block runs."""
    server = MailServer()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                _Conversation(server, self.rfile.readline, self.wfile.write).run()

    listener = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler, bind_and_activate=True)
    listener.daemon_threads = True
    server.port = listener.server_address[1]
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join(5)


class _BrokenOff(Exception):
    pass


class _Conversation:
    def __init__(self, server: MailServer, read: Callable[[], bytes], write: Callable[[bytes], object]) -> None:
        self.server, self.read, self.write = server, read, write
        self.sender, self.recipients = "", list[str]()

    def run(self) -> None:
        self.say("220 mail.test ESMTP")
        with suppress(_BrokenOff):
            while line := self.read():
                word = line.strip().decode("utf-8", "replace")
                command = word[:4].upper()
                if command == "QUIT":
                    self.say("221 bye")
                    return
                self.say(self.server.replies.get(command) or self.answer(command, word))

    def say(self, text: str) -> None:
        if text:
            self.write(text.encode() + b"\r\n")

    def answer(self, command: str, word: str) -> str:
        match command:
            case "EHLO":
                return f"250-mail.test\r\n250-SIZE {self.server.size}\r\n250-8BITMIME\r\n250 AUTH PLAIN"
            case "AUTH":
                return "235 2.7.0 welcome"
            case "MAIL":
                self.sender, self.recipients = _address(word), []
                return "250 2.1.0 ok"
            case "RCPT":
                return self.recipient(_address(word))
            case "DATA":
                self.say("354 go on")
                return self.message()
            case "RSET" | "NOOP":
                return "250 ok"
        return "502 5.5.1 no such command"

    def recipient(self, address: str) -> str:
        if address in self.server.unknown:
            return "550 5.1.1 no such user here"
        self.recipients.append(address)
        return "250 2.1.5 ok"

    def message(self) -> str:
        lines = []
        while (line := self.read()) != b".\r\n":
            if not line:
                raise _BrokenOff
            lines.append(line[1:] if line.startswith(b".") else line)
        how, self.server.break_off = self.server.break_off, ""
        if how == "before":
            raise _BrokenOff
        if refusal := self.server.replies.get("MESSAGE"):
            return refusal
        taken = Taken(self.sender, self.recipients, b"".join(lines))
        self.server.messages.append(taken)
        self.server.delivered(taken)
        if how == "after":
            raise _BrokenOff
        return "250 2.0.0 taken"


def _address(word: str) -> str:
    return word.partition("<")[2].partition(">")[0]
