"""The ways a message goes out: what is written, and who has to get it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any

from postroom.lib import clock
from postroom.mail import commands
from postroom.mail.models import Composition
from postroom.mail.outbound import limits
from postroom.providers.microsoft.sending import INLINE_MOST
from tests.crash_matrix.office import ADDRESS, COLLEAGUE, OUTSIDE, PART, THIRD, Office

LARGE = bytes(range(256)) * 12_800  # 3.3 MB: an upload session of five parts
Files = dict[str, bytes]


@dataclass(frozen=True)
class Letter:
    """A message on its way; ``people`` have mailboxes at the provider, ``files`` is what each gets."""

    composition: Composition
    people: tuple[str, ...]
    files: Files
    answers: bool = False


def _written(office: Office, *, files: Files, how: str = "new", to: tuple[str, ...] = (COLLEAGUE,)) -> Composition:
    limits.set_for(office.mailbox, route="own", daily=None)
    answers = None if how == "new" else office.letter
    told: dict[str, Any] = {} if how in ("reply", "reply_all") else {"to": [("", address) for address in to]}
    composition = commands.compose(
        office.mailbox, office.member, answers=answers, how=how, html="<p>Here it is</p>", **told
    )
    for name, content in files.items():
        commands.attach(composition, name=name, content_type="application/pdf", chunks=[content])
    return composition


def send(office: Office) -> Letter:
    """A new message to three people, one of them hidden, one elsewhere."""
    composition = _written(office, files={"offer.pdf": b"one hundred"}, to=(COLLEAGUE, OUTSIDE))
    commands.save(composition, subject="An offer", bcc=[["", THIRD]])
    commands.send(composition)
    return Letter(composition, (COLLEAGUE, THIRD), {"offer.pdf": b"one hundred"})


def reply(office: Office) -> Letter:
    composition = _written(office, how="reply", files={"offer.pdf": b"one hundred"})
    commands.send(composition)
    return Letter(composition, (COLLEAGUE,), {"offer.pdf": b"one hundred"}, answers=True)


def forward(office: Office) -> Letter:
    composition = _written(office, how="forward", files={"note.pdf": b"read this"}, to=(THIRD,))
    commands.send(composition)
    return Letter(composition, (THIRD,), {"note.pdf": b"read this", "plan.txt": b"plan"}, answers=True)


def large(office: Office) -> Letter:
    composition = _written(office, how="reply_all", files={"film.mp4": LARGE})
    commands.send(composition)
    return Letter(composition, (COLLEAGUE, THIRD), {"film.mp4": LARGE}, answers=True)


def scheduled(office: Office) -> Letter:
    composition = _written(office, files={"offer.pdf": b"one hundred"})
    commands.send(composition, at=clock.now() + timedelta(hours=1), zone="Europe/Berlin")
    return Letter(composition, (COLLEAGUE,), {"offer.pdf": b"one hundred"})


def kept_draft(office: Office) -> Letter:
    """It lay in the provider's Drafts already, and something was written since."""
    composition = _written(office, how="reply", files={"offer.pdf": b"one hundred"})
    commands.save(composition, html="<p>A first try</p>")
    office.rest()
    composition.refresh_from_db()
    commands.save(composition, html="<p>Better</p>")
    commands.send(composition)
    return Letter(composition, (COLLEAGUE,), {"offer.pdf": b"one hundred"}, answers=True)


def by_server(office: Office) -> Letter:
    """The mailbox may send no more: the workspace's mail server carries it."""
    composition = _written(office, how="reply_all", files={"offer.pdf": b"one hundred"})
    commands.save(composition, bcc=[["", OUTSIDE]])
    limits.set_for(office.mailbox, route="server", daily=None)
    commands.send(composition)
    return Letter(composition, (COLLEAGUE, THIRD), {"offer.pdf": b"one hundred"}, answers=True)


LETTERS: dict[str, Callable[[Office], Letter]] = {
    "send": send,
    "reply": reply,
    "forward": forward,
    "large": large,
    "scheduled": scheduled,
    "kept draft": kept_draft,
    "mail server": by_server,
}


# --- what became of one --------------------------------------------------------------------------------------------


def wrong_with(office: Office, letter: Letter) -> list[str]:
    """What is not as it has to be, each beginning with lost, doubled, or what else. Asked of the provider."""
    letter.composition.refresh_from_db()
    name = letter.composition.internet_message_id
    wrong = [] if letter.composition.state == "sent" else [f"lost: it says it is {letter.composition.state}"]
    own = [row["folder"] for row in _copies(office, ADDRESS, name) if not row["isDraft"]]
    wrong += _how_often("the sender's copies", own, ["Sent Items"])
    for person in letter.people:
        rows = _copies(office, person, name)
        wrong += _how_often(person, [row["folder"] for row in rows], ["Inbox"])
        wrong += [problem for row in rows for problem in _files(office, person, row, letter)]
    left = sum(name.encode() in raw for *_, raw in _outgoing(office))
    left += sum(b"Message-ID: " + name.encode() in taken.content for taken in office.relay.messages)
    wrong += [] if left == 1 else [f"{'doubled' if left else 'lost'}: it left {left} times"]
    wrong += [f"draft: {row['subject']}" for row in _drafts(office)]
    return wrong + _threading(office, letter) + _anew(office, letter)


def _how_often(who: str, found: list[str], expected: list[str]) -> list[str]:
    if found == expected:
        return []
    word = "lost" if not found else "doubled" if len(found) > 1 else "misplaced"
    return [f"{word}: {who} in {found}"]


def _copies(office: Office, address: str, name: str) -> list[dict[str, Any]]:
    select = "$select=id,isDraft,parentFolderId,conversationId,bccRecipients&$expand=attachments($select=id,name)"
    rows = office.graph(address, "GET", f"/messages?$filter=internetMessageId eq '{name}'&{select}")["value"]
    named = office.folders(address)
    return [{**row, "folder": named.get(row["parentFolderId"], "elsewhere"), "whose": address} for row in rows]


def _files(office: Office, person: str, row: dict[str, Any], letter: Letter) -> list[str]:
    wrong = [f"leak: {person} sees who was hidden"] if row["bccRecipients"] else []
    got = {}
    for one in row["attachments"]:
        content = office.graph(person, "GET", f"/messages/{row['id']}/attachments/{one['id']}/$value")
        got[one["name"]] = sha256(content).hexdigest()
    expected = {name: sha256(content).hexdigest() for name, content in letter.files.items()}
    if got != expected or len(row["attachments"]) != len(expected):
        wrong.append(f"files: {person} got {[one['name'] for one in row['attachments']]}")
    return wrong


def _outgoing(office: Office) -> list[Any]:
    world = office.sandbox.world
    with world.operation():
        return world.transport.outgoing(office.sandbox.user(ADDRESS))


def _drafts(office: Office) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = office.graph(ADDRESS, "GET", "/mailFolders/drafts/messages?$select=subject")["value"]
    return rows


def _anew(office: Office, letter: Letter) -> list[str]:
    """An accident may cost one part of a large file, never what was there before it."""
    parts = sum(-(-len(content) // PART) for content in letter.files.values() if len(content) >= INLINE_MOST)
    put = sum(one.startswith("PUT ") for one in office.asked)
    return [f"anew: {put} parts went up of {parts}"] if put > parts + len(office.happened) else []


def _threading(office: Office, letter: Letter) -> list[str]:
    sent = letter.composition.sent_message
    if sent is None:
        return ["lost: it has no sent copy here"]
    if letter.answers and sent.thread_id != office.letter.thread_id:
        return ["thread: the answer is not in the conversation of what it answers"]
    return []
