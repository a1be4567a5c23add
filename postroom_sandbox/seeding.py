"""Filling an empty world: from the generated company, or from one's own mail."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from postroom_sandbox.clock import seconds_of
from postroom_sandbox.control.mbox import split_mbox
from postroom_sandbox.world import World

_COMMIT_EVERY = 2_000


def seed_company(world: World, *, size: str, seed: int, progress: Callable[[int], None] | None = None) -> int:
    """Generates the company and files its mail; returns the number of messages. Streams, so any size fits."""
    from postroom_sandbox import company

    generated = company.generate(size=size, seed=seed)
    with world.operation():
        for person in generated.users:
            _add_user(world, person)
    count = 0
    for address, messages in generated.mailboxes:
        user = world.user_by_address(address)
        if user is None or not user.has_mailbox:
            continue
        with world.operation():
            mailbox = world.mailbox(user)
            mailbox.quiet = True
            try:
                for item in messages:
                    world.transport.file(
                        mailbox,
                        item.raw,
                        mailbox.tree.at_path(item.folder_path),
                        received=seconds_of(item.received),
                        is_read=item.is_read,
                        is_flagged=item.is_flagged,
                        categories=tuple(item.categories),
                    )
                    count += 1
                    if count % _COMMIT_EVERY == 0:
                        world.commit()
                        if progress is not None:
                            progress(count)
            finally:
                mailbox.quiet = False
    return count


def _add_user(world: World, person: Any) -> None:
    if world.user_by_address(person.address) is None:
        known = inspect.signature(world.users.add).parameters
        extra = {
            name: getattr(person, name) for name in known if name not in ("address", "name") and hasattr(person, name)
        }
        user = world.users.add(person.address, person.name, **extra)
        if user.has_mailbox:
            world.mailbox(user)


def import_file(world: World, path: Path, *, address: str, folder: str = "inbox") -> int:
    """Puts an mbox file (`.xz` too) into a mailbox."""
    data = path.read_bytes()
    if path.suffix == ".xz":
        import lzma

        data = lzma.decompress(data)
    user = world.user_by_address(address)
    if user is None:
        raise ValueError(f"there is no user {address}")
    count = 0
    with world.operation():
        mailbox = world.mailbox(user)
        mailbox.quiet = True
        try:
            for raw, date in split_mbox(data):
                world.transport.file(mailbox, raw, mailbox.tree.at_path(folder), fallback=date)
                count += 1
        finally:
            mailbox.quiet = False
    return count
