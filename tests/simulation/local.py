"""What members do in Postroom."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from postroom.lib.clock import now
from postroom.mail import commands, folder_changes
from postroom.mail.models import Composition, Folder, Message
from postroom.mailboxes import hooks, lifecycle
from postroom.mailboxes.models import Mailbox
from postroom.sync.models import OutboxEntry
from postroom.timeline import links
from postroom.timeline.models import Link
from tests.simulation.people import person
from tests.simulation.remote import COLOURS, WORDS
from tests.simulation.world import OUTSIDE, OWN, World


def read(world: World, rng: Random) -> str:
    value = rng.random() < 0.6
    some = _messages(world, rng)
    commands.mark_read(some, world.member, read=value)
    return _said(world, some, {"is_read": value})


def flag(world: World, rng: Random) -> str:
    value = rng.random() < 0.6
    some = _messages(world, rng)
    commands.set_flag(some, world.member, flagged=value)
    return _said(world, some, {"flag": "flagged" if value else "none"})


def categorise(world: World, rng: Random) -> str:
    value = sorted(rng.sample(COLOURS, rng.randint(0, 2)))
    some = _messages(world, rng)
    commands.set_categories(some, world.member, add=value, remove=[one for one in COLOURS if one not in value])
    return _said(world, some, {"categories": value})


def move(world: World, rng: Random) -> str:
    some = _messages(world, rng)
    folders = list(Folder.objects.filter(mailbox=some[0].mailbox, hidden=False).order_by("pk")) if some else []
    usual = [one for one in folders if one.role in ("inbox", "archive", "deleted", "")]
    if not usual:
        return ""
    target = rng.choice(usual)
    some = [one for one in some if one.folder_id != target.pk]
    commands.move(some, world.member, to=target)
    return _said(world, some, {"folder": target.remote_id})


def archive(world: World, rng: Random) -> str:
    return _to_role(world, rng, "archive")


def delete(world: World, rng: Random) -> str:
    return _to_role(world, rng, "deleted")


def _to_role(world: World, rng: Random, role: str) -> str:
    some = [one for one in _messages(world, rng) if one.folder.role != role]
    if not some or not Folder.objects.filter(mailbox=some[0].mailbox, role=role).exists():
        return ""
    (commands.archive if role == "archive" else commands.delete)(some, world.member)
    return _said(world, some, {"folder": role})


def back_again(world: World, rng: Random) -> str:
    """Moved and at once moved back, as Undo does."""
    some = [one for one in _messages(world, rng)[:1] if one.folder.role != "archive"]
    target = Folder.objects.filter(mailbox=some[0].mailbox, role="archive").first() if some else None
    if target is None:
        return ""
    home = some[0].folder
    commands.move(some, world.member, to=target)
    if rng.random() < 0.6:
        from tests.simulation.trouble import work

        work(world, rng)
    again = list(Message.objects.select_related("mailbox", "folder").filter(pk=some[0].pk, folder=target))
    if not again or not Folder.objects.filter(pk=home.pk).exists():
        return _said(world, some, {"folder": target.remote_id})
    commands.move(again, world.member, to=home)
    return _said(world, again, {"folder": home.remote_id})


def folder(world: World, rng: Random) -> str:
    """A folder is made, renamed, moved or thrown away here."""
    mailbox = _mailbox(world, rng)
    own = list(Folder.objects.filter(mailbox=mailbox, role="").order_by("pk"))
    what = rng.choice(["make", "make", "rename", "move", "throw away"])
    some = rng.choice(own) if own else None
    try:
        if what == "make":
            some = folder_changes.create(mailbox, world.member, name=f"Own {rng.randint(0, 99)}", parent=some)
        elif some is None:
            return ""
        elif what == "rename":
            folder_changes.rename(some, world.member, name=f"Own {rng.randint(100, 999)}")
        elif what == "move":
            folder_changes.move(some, world.member, to=rng.choice([None, *own]))
        else:
            folder_changes.delete(some, world.member)
    except folder_changes.CannotChange as why:
        return f"{what} a folder of {mailbox.address}: {why}"
    return f"here {what}: folder {some.remote_id[:12]} of {mailbox.address}"


def write(world: World, rng: Random) -> str:
    """A composition that is begun, and perhaps never sent."""
    mailbox = _mailbox(world, rng)
    made = commands.compose(mailbox, world.member, to=[("", rng.choice(OUTSIDE))], subject="Idea", html="<p>Hm</p>")
    commands.save(made, html="<p>Hm.</p>")
    return f"composition {made.pk} is begun in {mailbox.address}"


def rewrite(world: World, rng: Random) -> str:
    """A draft is written on, in one of a few words, so that both sides may also come to say the same."""
    if (one := _begun(world, rng)) is None:
        return ""
    commands.save(one, html=f"<p>{rng.choice(WORDS)}</p>", subject=f"Idea {rng.choice(WORDS)}")
    return f"composition {one.pk} in {one.mailbox.address} is written on"


def send_begun(world: World, rng: Random) -> str:
    if (one := _begun(world, rng)) is None or not one.to:
        return ""
    return _hand_over(world, one)


def discard(world: World, rng: Random) -> str:
    if (one := _begun(world, rng)) is None:
        return ""
    commands.discard(one)
    return f"a composition in {one.mailbox.address} is thrown away"


def _begun(world: World, rng: Random) -> Composition | None:
    rows = Composition.objects.filter(state="draft").select_related("mailbox__connection", "mailbox__workspace")
    found = list(rows.order_by("pk"))
    return rng.choice(found) if found else None


def send(world: World, rng: Random) -> str:
    mailbox = _mailbox(world, rng)
    people = [("", one) for one in rng.sample([*OUTSIDE, *OWN], rng.randint(1, 2))]
    made = commands.compose(mailbox, world.member, to=people, subject=f"Offer {rng.randint(0, 99)}", html="<p>O</p>")
    return _hand_over(world, made)


def reply(world: World, rng: Random) -> str:
    some = _messages(world, rng)[:1]
    if not some or some[0].is_draft:
        return ""
    made = commands.compose(
        some[0].mailbox, world.member, answers=some[0], how=rng.choice(["reply", "reply_all"]), html="<p>Yes</p>"
    )
    if not (made.to or made.cc):
        return ""
    return _hand_over(world, made)


def send_again(world: World, rng: Random) -> str:
    """What could not be sent is tried again by its author."""
    failed = list(Composition.objects.filter(state="failed", pk__in=world.ledger.sent).order_by("pk"))
    if not failed:
        return ""
    commands.send(made := rng.choice(failed))
    return f"composition {made.pk} is handed over again"


def _hand_over(world: World, made: Composition) -> str:
    commands.send(made)
    world.ledger.sent.append(made.pk)
    return f"composition {made.pk} from {made.mailbox.address} to {[a for _, a in made.to]} is handed over"


def link(world: World, rng: Random) -> str:
    some = _messages(world, rng)[:1]
    if not some:
        return ""
    who = person(world, rng)
    links.link(some[0].thread.conversation, who, by=world.member)
    world.ledger.links.setdefault((some[0].mailbox.address, some[0].remote_id), set()).add(who.pk)
    return f"the conversation of {some[0].remote_id} in {some[0].mailbox.address} is linked to {who.name}"


def sync_now(world: World, rng: Random) -> str:
    mailbox = _mailbox(world, rng)
    hooks.sync_now(mailbox)
    return f"sync now of {mailbox.address}"


def pause(world: World, rng: Random) -> str:
    mailbox = _mailbox(world, rng)
    if mailbox.state == Mailbox.State.PAUSED:
        lifecycle.resume(mailbox)
        return f"{mailbox.address} goes on"
    lifecycle.pause(mailbox)
    return f"{mailbox.address} is paused"


def widen(world: World, rng: Random) -> str:
    """The history question is answered, or the answer widened."""
    mailbox = _mailbox(world, rng)
    wider = lifecycle.wider(mailbox)
    if not wider:
        return ""
    lifecycle.choose_history(mailbox, choice := rng.choice(wider))
    return f"history of {mailbox.address}: {choice}"


def look(world: World, rng: Random) -> str:
    mailbox = _mailbox(world, rng)
    Mailbox.objects.filter(pk=mailbox.pk).update(viewed_at=now())
    return f"somebody reads {mailbox.address}"


# --- choosing ------------------------------------------------------------------------------------------------------


def _mailbox(world: World, rng: Random) -> Mailbox:
    return Mailbox.objects.select_related("connection", "workspace").get(pk=rng.choice(world.mailboxes).pk)


def _messages(world: World, rng: Random) -> list[Message]:
    """One message, or a handful, of one mailbox; what Postroom is about to send is left alone."""
    mailbox = rng.choice(world.mailboxes)
    found = list(Message.objects.filter(mailbox=mailbox, is_draft=False).order_by("pk").values_list("pk", flat=True))
    if not found:
        return []
    chosen = rng.sample(found[-15:], 1) if rng.random() < 0.7 else rng.sample(found, min(len(found), rng.randint(2, 5)))
    rows = Message.objects.select_related("mailbox", "folder", "thread__conversation").filter(pk__in=chosen)
    some = list(rows.order_by("pk"))
    for one in some:
        world.ledger.rows.setdefault((mailbox.address, one.remote_id), one.pk)
    return some


def _said(world: World, some: Sequence[Message], fields: dict[str, Any]) -> str:
    """``some`` as they were before. Saying what is so already changes nothing, here or there."""
    for one in some:
        changed = {name: value for name, value in fields.items() if _value(one, name) != value}
        world.ledger.say(one.mailbox.address, one.remote_id, changed, world.held.at)
        waiting = OutboxEntry.objects.filter(mailbox=one.mailbox, remote_id=one.remote_id, state__in=OutboxEntry.OPEN)
        noted = {name for fields_of in waiting.values_list("fields", flat=True) for name in fields_of}
        world.ledger.take_back(one.mailbox.address, one.remote_id, fields.keys() - noted)
    where = some[0].mailbox.address if some else ""
    return f"here {', '.join(one.remote_id for one in some)} in {where}: {fields}" if some else ""


def _value(one: Message, name: str) -> Any:
    if name == "folder":
        return one.folder.remote_id
    return sorted(one.categories) if name == "categories" else getattr(one, name)


def links_of(conversation_id: int) -> set[int]:
    """People a conversation is linked to by hand."""
    kept = Link.objects.filter(conversation_id=conversation_id, removed_at=None, person__isnull=False)
    return set(kept.values_list("person_id", flat=True))
