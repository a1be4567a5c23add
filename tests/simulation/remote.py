"""What other people and other programs do at the provider."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from msgspec import structs

from postroom.mail.models import Composition
from postroom.mailboxes.models import Mailbox
from postroom.providers.contract import Address, Flag, RemoteBody, RemoteMessage
from postroom.providers.errors import ProviderError
from postroom.providers.memory.mailbox import ROOT, Box
from tests.simulation.world import OUTSIDE, OWN, World

WORDS = ("alpha", "beta", "gamma")
COLOURS = ("Red", "Blue", "Green")


def deliver(world: World, rng: Random) -> str:
    box = _box(world, rng)
    found = box.deliver(subject=f"News {rng.randint(0, 999)}", from_=rng.choice(OUTSIDE), html=_text(rng))
    return f"{found} arrives in {box.address}"


def answer(world: World, rng: Random) -> str:
    """Somebody answers a message: one conversation."""
    box = _box(world, rng)
    if (first := _message(box, rng)) is None:
        return ""
    told = {"in_reply_to": first.internet_message_id, "references": (first.internet_message_id,)}
    if rng.random() < 0.5:
        told["conversation_id"] = first.conversation_id
    found = box.deliver(subject=f"Re: {first.subject}", from_=rng.choice(OUTSIDE), html=_text(rng), **told)
    return f"{found} arrives in {box.address}, an answer to {first.id}"


def many(world: World, rng: Random) -> str:
    box = _box(world, rng)
    found = [box.deliver(subject="List", from_=rng.choice(OUTSIDE)) for _ in range(rng.randint(5, 15))]
    return f"{found[0]} to {found[-1]} arrive in {box.address}"


def old_mail(world: World, rng: Random) -> str:
    """A mail program imports something old."""
    box = _box(world, rng)
    when = world.there() - timedelta(days=rng.choice([2, 40, 100, 400]))
    found = box.deliver(subject="Imported", folder=_folder(box, rng), received=when, is_read=True)
    return f"{found} of {when:%Y-%m-%d} is imported into {box.get(found).folder_id} of {box.address}"


def read(world: World, rng: Random) -> str:
    return _change(world, rng, is_read=rng.random() < 0.6)


def flag(world: World, rng: Random) -> str:
    return _change(world, rng, flag=rng.choice([Flag.FLAGGED, Flag.NONE, Flag.COMPLETE]))


def categorise(world: World, rng: Random) -> str:
    return _change(world, rng, categories=tuple(sorted(rng.sample(COLOURS, rng.randint(0, 2)))))


def move(world: World, rng: Random) -> str:
    box = _box(world, rng)
    if (message := _message(box, rng)) is None:
        return ""
    target = _folder(box, rng)
    _moved(world, box, message, target)
    return f"{message.id} moves from {message.folder_id} to {target} in {box.address}"


def there_and_back(world: World, rng: Random) -> str:
    """A -> B -> A, or on to C."""
    box = _box(world, rng)
    if (message := _message(box, rng)) is None:
        return ""
    way = [_folder(box, rng), message.folder_id or "inbox"]
    if rng.random() < 0.2:
        way.append(_folder(box, rng))
    for target in way:
        _moved(world, box, box.get(message.id), target)
        world.advance(timedelta(seconds=1))
    return f"{message.id} moves from {message.folder_id} to {' to '.join(way)} in {box.address}"


def soft_delete(world: World, rng: Random) -> str:
    box = _box(world, rng)
    if (message := _message(box, rng)) is None:
        return ""
    _moved(world, box, message, "deleted")
    return f"{message.id} goes to Deleted Items in {box.address}"


def delete(world: World, rng: Random) -> str:
    box = _box(world, rng)
    if (message := _message(box, rng)) is None:
        return ""
    box.delete(message.id)
    world.ledger.touch(box.address, message.id, world.there())
    return f"{message.id} is deleted for good in {box.address}"


def folder(world: World, rng: Random) -> str:
    box = _box(world, rng)
    try:
        found = box.folder(f"Folder {rng.randint(0, 99)}", _own_folder(box, rng) if rng.random() < 0.4 else None)
    except ProviderError:
        return ""
    return f"folder {found} is made in {box.address}"


def rename_folder(world: World, rng: Random) -> str:
    box = _box(world, rng)
    if (found := _own_folder(box, rng)) is None:
        return ""
    name = f"Renamed {rng.randint(0, 999)}"
    box.change_folder(found, name=name)
    return f"folder {found} of {box.address} is called {name} now"


def move_folder(world: World, rng: Random) -> str:
    box = _box(world, rng)
    found, target = _own_folder(box, rng), rng.choice([ROOT, _own_folder(box, rng), "archive"])
    if found is None or target is None or found in _above(box, target):
        return ""
    box.change_folder(found, parent_id=target)
    return f"folder {found} of {box.address} moves below {target}"


def remove_folder(world: World, rng: Random) -> str:
    box = _box(world, rng)
    if (found := _own_folder(box, rng)) is None:
        return ""
    for message in box.messages.values():
        if found in _above(box, message.folder_id or ""):
            world.ledger.touch(box.address, message.id, world.there())
    box.remove_folder(found)
    return f"folder {found} of {box.address} goes, with all that is in it"


def write_draft(world: World, rng: Random) -> str:
    """A draft is begun, or changed, in another program."""
    box = _box(world, rng)
    drafts = [one for one in box.within("drafts") if not one.marker]
    if drafts and rng.random() < 0.7:
        draft = rng.choice(drafts)
        box.change(draft.id, subject=f"Draft {rng.randint(0, 99)}", body=RemoteBody("html", _text(rng)))
        world.ledger.touch(box.address, draft.id, world.there())
        return f"draft {draft.id} changes in {box.address}"
    told = {"to": (_address(rng.choice((*OUTSIDE, *OWN))),), "is_draft": True, "is_read": True}
    found = box.deliver(subject="Draft", from_=box.address, html=_text(rng), folder="drafts", **told)
    return f"draft {found} is begun in {box.address}"


def send_draft(world: World, rng: Random) -> str:
    box = _box(world, rng)
    drafts = [one for one in box.within("drafts") if one.is_draft and one.to and not one.marker]
    if not drafts:
        return ""
    draft = rng.choice(drafts)
    world.ledger.touch(box.address, draft.id, world.there())
    sent = box.post(draft)
    return f"draft {draft.id} is sent from {box.address} as {sent.id}"


def write_on_ours(world: World, rng: Random) -> str:
    """A draft begun in Postroom is written on, sent or thrown away elsewhere; not while Postroom sends it."""
    box = _box(world, rng)
    sending = set(Composition.objects.exclude(state="draft").values_list("marker", flat=True))
    ours = [one for one in box.within("drafts") if one.is_draft and one.marker and one.marker not in sending]
    if not ours:
        return ""
    draft, what = rng.choice(ours), rng.choice(["written on", "written on", "written on", "sent", "thrown away"])
    if what == "sent" and draft.to:
        box.post(draft)
    elif what == "thrown away":
        box.put(draft, "deleted")
    else:
        box.change(
            draft.id, subject=f"Idea {rng.choice(WORDS)}", body=RemoteBody("html", f"<p>{rng.choice(WORDS)}</p>")
        )
    return f"draft {draft.id} of {box.address}, begun in Postroom, is {what} elsewhere"


def attach(world: World, rng: Random) -> str:
    box = _box(world, rng)
    drafts = [one for one in box.within("drafts") if one.is_draft and not one.marker]
    if not drafts:
        return ""
    draft = rng.choice(drafts)
    box.add_file(draft.id, name="plan.txt", content=b"a plan")
    world.ledger.touch(box.address, draft.id, world.there())
    return f"draft {draft.id} of {box.address} gets a file"


# --- choosing ------------------------------------------------------------------------------------------------------


def _mailbox(world: World, rng: Random) -> Mailbox:
    return rng.choice(world.mailboxes)


def _box(world: World, rng: Random) -> Box:
    return world.box(_mailbox(world, rng))


def _message(box: Box, rng: Random) -> RemoteMessage | None:
    """Any but what a send of Postroom's has under way: nobody touches that within its seconds."""
    found = [one for one in box.messages.values() if not (one.is_draft and one.marker)]
    recent = found[-12:]
    return rng.choice(recent if rng.random() < 0.6 else found) if found else None


def _folder(box: Box, rng: Random) -> str:
    usual = ["inbox", "archive", "deleted", *(one for one in box.folders if one.startswith("f"))]
    return rng.choice(usual)


def _own_folder(box: Box, rng: Random) -> str | None:
    own = [one for one in box.folders if one.startswith("f")]
    return rng.choice(own) if own else None


def _above(box: Box, folder_id: str) -> list[str]:
    """A folder and those it lies in."""
    found = []
    while folder_id in box.folders and folder_id not in found:
        found.append(folder_id)
        folder_id = box.folders[folder_id].parent_id or ROOT
    return found


def _change(world: World, rng: Random, **fields: object) -> str:
    box = _box(world, rng)
    if (message := _message(box, rng)) is None:
        return ""
    box.change(message.id, **fields)
    world.ledger.touch(box.address, message.id, world.there())
    return f"{message.id} in {box.address}: {fields}"


def _moved(world: World, box: Box, message: RemoteMessage, target: str) -> None:
    if message.folder_id != target:
        box.put(structs.replace(message), target)
        world.ledger.touch(box.address, message.id, world.there())


def _text(rng: Random) -> str:
    return f"<p>Number {rng.randint(0, 9999)}</p>"


def _address(text: str) -> Address:
    return Address(text)
