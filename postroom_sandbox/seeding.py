"""Filling an empty world: from the generated company, or from one's own mail."""

from __future__ import annotations

import lzma
from pathlib import Path
from typing import Literal

from postroom_sandbox import company
from postroom_sandbox.clock import seconds_of
from postroom_sandbox.control.mbox import split_mbox
from postroom_sandbox.users import WORK
from postroom_sandbox.world import World

_COMMIT_EVERY = 2_000


class MailFileError(Exception):
    """A mail file that cannot be read; the message says why."""


def seed_company(world: World, *, size: Literal["small", "large"], seed: int, without_mail: bool = False) -> int:
    """Generates the company and files its mail; returns the number of messages. Streams, so any size fits.

    `without_mail` makes only the people.
    """
    generated = company.generate(size=size, seed=seed)
    with world.operation():
        for person in generated.users:
            _add_user(world, person, [right for right in generated.delegations if right.mailbox == person.address])
    count = 0
    for address, messages in [] if without_mail else generated.mailboxes:
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
            finally:
                mailbox.quiet = False
    return count


def _add_user(world: World, person: company.User, rights: list[company.Delegation]) -> None:
    if world.user_by_address(person.address) is None:
        user = world.users.add(
            person.address,
            person.name,
            kind=person.kind,
            tenant_id=person.tenant_id,
            aliases=person.aliases,
            delegates=[right.delegate for right in rights if right.full_access],
            send_as=[right.delegate for right in rights if right.send_as],
            send_on_behalf=[right.delegate for right in rights if right.send_on_behalf],
            details={
                "jobTitle": person.job_title,
                "preferredLanguage": person.language,
                "businessPhone": person.phone,
                "officeLocation": person.office,
            },
        )
        if user.has_mailbox:
            world.mailbox(user)


def import_file(world: World, path: Path, *, address: str = "", folder: str = "inbox") -> int:
    """Puts an mbox file (`.xz` too) into a mailbox, the first work account's by default. Raises `MailFileError`."""
    try:
        data = lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()
    except (OSError, lzma.LZMAError) as error:
        raise MailFileError(f"{path} cannot be read: {error}") from None
    user = world.user_by_address(address) if address else next((u for u in world.users if u.kind == WORK), None)
    if user is None:
        raise MailFileError(f"there is no mailbox {address} to import into")
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
