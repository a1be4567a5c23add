"""What being in step costs, counted in the provider's own log (product.md SY16, SY17)."""

from datetime import timedelta

import pytest

from postroom.mail.models import Message, MessageBody
from postroom.mail.sync import backfill
from postroom.mailboxes.models import Mailbox
from postroom.sync import push
from tests.proofs.together import ADDRESS, Together

MESSAGES = 400
PER_REQUEST = 40  # bodies a request must bring at least
DAILY_IN_AN_HOUR = 2  # every folder is looked at once a day, at a moment of its own
NEWEST_AFTER = 25  # requests after which the newest hundred are readable


def letters(count: int, *, first: int = 1) -> bytes:
    """An mbox of ``count`` messages, one an hour."""
    parts = [
        f"From ines@contoso.example Mon Nov 16 10:00:00 2026\n"
        f"From: Ines Ribeiro <ines@contoso.example>\nTo: {ADDRESS}\nSubject: Letter {n}\n"
        f"Message-ID: <letter-{n}@contoso.example>\n"
        f"Date: {1 + n // 24 % 28:02} Oct 2026 {n % 24:02}:00:00 +0000\n\nHello, this is letter {n}.\n\n"
        for n in range(first, first + count)
    ]
    return "".join(parts).encode()


def kind(row: dict[str, str]) -> str:
    """What a request is for: the folder tree, a folder's listing, whole messages, or something else."""
    path, _, _ = row["url"].partition("?")
    if "/messages/delta" in path:
        return "spine"
    if "/mailFolders" in path:
        return "folders"
    return "pull" if path.endswith("/me/messages") and row["method"] == "GET" else "other"


def test_history_costs_one_request_per_forty_messages_and_the_spine(both: Together) -> None:
    both.import_(ADDRESS, letters(MESSAGES))
    both.import_(ADDRESS, letters(MESSAGES // 2, first=MESSAGES + 1), folder="Kunden/Contoso")
    mailbox = both.connect()
    since = both.mark()
    both.settle(mailbox)
    total = MESSAGES + MESSAGES // 2
    assert MessageBody.objects.count() == total
    made = [kind(row) for row in both.requests(since)]
    assert made.count("pull") <= total / PER_REQUEST + 1, made  # the last page is seldom full
    assert made.count("other") <= 6, made  # folder roles, the subscription, the list of categories


def test_the_newest_hundred_are_readable_after_a_handful_of_requests(
    both: Together, monkeypatch: pytest.MonkeyPatch
) -> None:
    both.import_(ADDRESS, letters(MESSAGES))
    mailbox = both.connect()
    since, needed = both.mark(), []
    announce = backfill.announce

    def counted(of: Mailbox) -> None:
        if Message.objects.filter(body_state="stored").count() >= 100:
            needed.append(len(both.requests(since)))
        announce(of)

    monkeypatch.setattr(backfill, "announce", counted)
    both.settle(mailbox)
    assert needed
    assert needed[0] <= NEWEST_AFTER
    assert MessageBody.objects.count() == MESSAGES


def test_an_idle_hour_costs_no_more_than_its_part_of_the_daily_look(both: Together) -> None:
    both.import_(ADDRESS, letters(50))
    mailbox = both.connect()
    both.settle(mailbox)
    assert push.is_on(mailbox)
    since = both.mark()
    both.settle(mailbox, ahead=timedelta(hours=1))
    both.advance(timedelta(hours=1))
    both.settle(mailbox, ahead=timedelta(0))
    made = [row["url"] for row in both.requests(since, path="/")]
    assert len(made) <= DAILY_IN_AN_HOUR and all("/messages/delta" in url for url in made), made


def test_one_new_mail_costs_at_most_three_requests(both: Together) -> None:
    both.import_(ADDRESS, letters(50))
    mailbox = both.connect()
    both.settle(mailbox)
    both.take_pushed()
    for number in range(900, 912):
        since = both.mark()
        both.sandbox.deliver(ADDRESS, letters(1, first=number).partition(b"\n")[2])
        both.take_pushed(wait=True)
        both.settle(mailbox)
        assert Message.objects.filter(subject=f"Letter {number}", body_state="stored").exists()
        made = [f"{row['method']} {row['url']}" for row in both.requests(since)]
        assert len(made) <= 3, made
    assert both.difference(mailbox) == []
