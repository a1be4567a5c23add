"""kill -9 at every single step of what goes out: nothing is lost, nothing happens twice (product.md SE7, SY9)."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from postroom.mail import commands
from postroom.mail.models import Composition, Folder, Message
from postroom.mailboxes.models import Mailbox
from postroom.sync import lanes
from postroom.sync.models import OutboxEntry
from tests.platform.waiting import eventually
from tests.proofs.dying import NAME, Dying
from tests.proofs.together import ADDRESS, COLLEAGUE, Together, forget_process, microsoft

MOST = 150  # moments of one run at most; more means that it does not end
PATIENCE = timedelta(minutes=3)  # in which the next process has to bring a send to its end


@pytest.fixture
def dying(both: Together) -> Iterator[Dying]:
    process = Dying(connection.settings_dict["NAME"], microsoft(both.sandbox.url))
    yield process
    process.end()


@pytest.fixture
def mailbox(both: Together) -> Mailbox:
    """Connected and at rest, with one letter from a colleague in the same organisation."""
    letter = {
        "subject": "Offer",
        "body": {"contentType": "text", "content": "Could you send it?"},
        "toRecipients": [{"emailAddress": {"address": ADDRESS}}],
    }
    graph(both, COLLEAGUE, "POST", "/sendMail", {"message": letter})
    both.advance(timedelta(seconds=5))
    mailbox = both.connect()
    both.settle(mailbox)
    return mailbox


def graph(both: Together, address: str, method: str, path: str, body: Any = None) -> Any:
    headers = {"Authorization": f"Bearer {both.sandbox.token(address)}", "Prefer": 'IdType="ImmutableId"'}
    answer = both.http.request(method, f"/v1.0/me{path}", json=body, headers=headers).raise_for_status()
    return answer.json() if answer.content else None


def the_letter() -> Message:
    return Message.objects.get(subject="Offer")


def let_die(dying: Dying, both: Together, mailbox: Mailbox, die_at: int) -> dict[str, Any]:
    """One run that dies at its moment ``die_at``; then its lease runs out and a process that knows nothing goes on."""
    end = dying.run(mailbox.pk, at=both.held.at, die_at=die_at)
    eventually(_nobody_holds_on, seconds=10, what="the database notices that its client is dead")
    forget_process()
    both.advance(lanes.LEASE + timedelta(seconds=1))
    both.settle(mailbox, ahead=PATIENCE)
    return end


def _nobody_holds_on() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT NOT EXISTS (SELECT 1 FROM pg_stat_activity WHERE application_name = %s)", [NAME])
        return bool(cursor.fetchone()[0])


# --- sending -------------------------------------------------------------------------------------------------------


def answer_it(both: Together, mailbox: Mailbox) -> Composition:
    """A reply with a file, handed to the outbox."""
    composition = commands.compose(mailbox, both.member, answers=the_letter(), how="reply", html="<p>Here it is</p>")
    commands.attach(composition, name="offer.txt", content_type="text/plain", chunks=[b"one hundred"])
    commands.send(composition)
    return composition


def copies(both: Together, address: str, composition: Composition) -> list[tuple[str, bool, bool]]:
    """Where the message is at the provider: (folder, is draft, has its file)."""
    lines = (json.loads(line) for line in both.theirs(address))
    return [
        (line["folder"], line["is_draft"], line["has_attachments"])
        for line in lines
        if line["internet_message_id"] == composition.internet_message_id
    ]


def sent_once(both: Together, composition: Composition, moment: str) -> None:
    composition.refresh_from_db()
    assert composition.state == "sent", f"{moment}: {composition.state} {composition.failure}"
    assert copies(both, ADDRESS, composition) == [("Sent Items", False, True)], moment
    assert copies(both, COLLEAGUE, composition) == [("Inbox", False, True)], moment
    assert composition.sent_message is not None, moment
    assert composition.sent_message.thread_id == the_letter().thread_id, moment


def no_drafts(both: Together) -> bool:
    return not graph(both, ADDRESS, "GET", "/mailFolders/drafts/messages")["value"]


def conversations(both: Together, address: str) -> set[str]:
    """The conversations at the provider that the letter and its answers are in."""
    rows = graph(both, address, "GET", "/messages?$select=conversationId,subject&$top=500")["value"]
    assert len(rows) > 2
    return {row["conversationId"] for row in rows}


# At once: the sent copy is there when the run looks for it. Late: the draft stays in Drafts while others look.
@pytest.mark.parametrize("transport_ms", [0, 14_000], ids=["transport at once", "transport late"])
def test_a_reply_killed_at_any_moment_goes_out_once(
    both: Together, dying: Dying, mailbox: Mailbox, transport_ms: int
) -> None:
    both.http.put(f"/sandbox/mailboxes/{ADDRESS}/limits", json={"send_delay_ms": transport_ms}).raise_for_status()
    moments = []
    for number in range(1, MOST):
        composition = answer_it(both, mailbox)
        end = let_die(dying, both, mailbox, number)
        sent_once(both, composition, f"{number}: {end['last']}")
        if not end["killed"]:
            break
        moments.append(end["last"])
    else:
        raise AssertionError(f"no run came to its end: {moments}")
    for step in ("createReply", "attachments", "send", "messages"):
        assert f"before POST {step}" in moments or f"after GET {step}" in moments, (step, moments)
    assert moments.count("before a commit") >= 5, moments
    assert no_drafts(both)
    assert len(conversations(both, ADDRESS)) == len(conversations(both, COLLEAGUE)) == 1
    both.follow(mailbox)
    assert both.difference(mailbox) == []


# --- reading and moving --------------------------------------------------------------------------------------------


def at_the_provider(both: Together, message: Message) -> tuple[bool, str]:
    line = next(
        x for x in map(json.loads, both.theirs(ADDRESS)) if x["internet_message_id"] == message.internet_message_id
    )
    return line["is_read"], line["folder"]


def test_reading_and_moving_killed_at_any_moment_happen(both: Together, dying: Dying, mailbox: Mailbox) -> None:
    folders = {"Archive": Folder.objects.get(role="archive"), "Inbox": Folder.objects.get(role="inbox")}
    moments = []
    for number in range(1, MOST):
        message = the_letter()
        read, folder = not message.is_read, "Inbox" if message.folder == folders["Archive"] else "Archive"
        commands.mark_read([message], both.member, read=read)
        commands.move([message], both.member, to=folders[folder])
        both.advance(timedelta(seconds=1))
        end = let_die(dying, both, mailbox, number)
        assert at_the_provider(both, message) == (read, folder), end
        assert not OutboxEntry.objects.exclude(state="done").exists(), end
        message.refresh_from_db()
        assert (message.is_read, message.folder) == (read, folders[folder]), end
        if not end["killed"]:
            break
        moments.append(end["last"])
    else:
        raise AssertionError(f"no run came to its end: {moments}")
    assert "after POST $batch" in moments, moments
    both.follow(mailbox)
    assert both.difference(mailbox) == []
