"""Mail for the tests, and the clock's help to get it there."""

from __future__ import annotations

from postroom_sandbox.testing import Sandbox

ADA, BOB = "ada@contoso.example", "bob@contoso.example"


def raw_message(
    number: int = 1, *, subject: str = "Plan", sender: str = "carol@outside.example", to: str = ADA
) -> bytes:
    """A small message; those with the same subject answer number 1."""
    lines = [
        f"From: Carol <{sender}>",
        f"To: {to}",
        f"Subject: {subject}",
        f"Message-ID: <m{number}@outside.example>",
        f"Date: Fri, 20 Nov 2026 10:{number % 60:02}:00 +0000",
        *(["In-Reply-To: <m1@outside.example>"] if number > 1 else []),
        "",
        f"Message number {number}.",
    ]
    return "\r\n".join(lines).encode()


def deliver_thread(sandbox: Sandbox, address: str, *, count: int) -> None:
    """Delivers `count` messages of one conversation."""
    for number in range(1, count + 1):
        sandbox.deliver(address, raw_message(number, to=address))


def send_everything(sandbox: Sandbox) -> None:
    """Lets everything that waits to be sent go out now."""
    sandbox.world.clock.advance(60)
    sandbox.world.transport.run_due()
