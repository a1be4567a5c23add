"""The generated company: the same for the same seed, and as believable as a test can tell."""

from __future__ import annotations

import email.policy
import itertools
from collections import Counter
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage, Message

import pytest

from .. import SeedMessage, generate
from ..large import large_mailbox

NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)


@pytest.fixture(scope="module")
def boxes() -> dict[str, list[SeedMessage]]:
    return {address: list(messages) for address, messages in generate("small", 7, now=NOW).mailboxes}


@pytest.fixture(scope="module")
def everything(boxes: dict[str, list[SeedMessage]]) -> list[SeedMessage]:
    return list(itertools.chain.from_iterable(boxes.values()))


@pytest.fixture(scope="module")
def parsed(everything: list[SeedMessage]) -> list[Message]:
    """Each mail once, by the quick parser."""
    found = (message_from_bytes(item.raw) for item in everything)
    return list({message["message-id"]: message for message in found}.values())


def read(item: SeedMessage) -> EmailMessage:
    message = message_from_bytes(item.raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def test_it_has_the_size_and_the_people_that_are_promised(boxes: dict[str, list[SeedMessage]]) -> None:
    company = generate("small", 7, now=NOW)
    kinds = Counter(user.kind for user in company.users if user.address.endswith("northwind.example"))
    assert (kinds["work"], kinds["shared"], kinds["no-licence"], kinds["on-premises"]) == (12, 2, 1, 1)
    assert (len(company.contacts), len(company.customers), len(boxes)) == (40, 9, 14)
    assert 5_000 <= sum(map(len, boxes.values())) <= 7_000
    assert all(address.endswith(".example") for address in boxes)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(boxes: dict[str, list[SeedMessage]]) -> None:
    again = {address: list(messages) for address, messages in generate("small", 7, now=NOW).mailboxes}
    assert again == boxes
    other = next(iter(generate("small", 8, now=NOW).mailboxes))[1]
    assert list(other) != boxes["adele@northwind.example"]


def test_every_message_lies_in_the_past_and_parses_without_defects(everything: list[SeedMessage]) -> None:
    for item in everything[::7]:
        message = read(item)
        assert not message.defects and message["message-id"] and message["from"].addresses
        assert item.received.tzinfo is not None
        assert message["date"].datetime <= NOW
        for part in message.walk():
            assert not part.defects


def test_a_mail_between_colleagues_lies_in_both_mailboxes_under_one_message_id(
    boxes: dict[str, list[SeedMessage]],
) -> None:
    sent = {
        str(read(item)["message-id"]) for item in boxes["mara@northwind.example"] if item.folder_path == "sentitems"
    }
    received = {str(read(item)["message-id"]) for item in boxes["adele@northwind.example"]}
    assert len(sent & received) > 10


def test_answers_refer_to_a_mail_that_exists(parsed: list[Message]) -> None:
    known = {message["message-id"] for message in parsed}
    answers = [message["in-reply-to"] for message in parsed if message["in-reply-to"]]
    assert len(answers) > 1_500
    assert sum(answer in known for answer in answers) / len(answers) > 0.99


def test_there_is_something_of_everything(parsed: list[Message]) -> None:
    types: Counter[str] = Counter()
    names: Counter[str] = Counter()
    headers: Counter[str] = Counter()
    for message in parsed:
        headers.update(name for name in ("list-id", "auto-submitted", "references", "cc") if message[name])
        for part in message.walk():
            types[part.get_content_type()] += 1
            names[(part.get_filename() or "").rpartition(".")[2]] += 1
    wanted = {"text/html", "text/plain", "text/calendar", "image/png", "message/delivery-status", "multipart/related"}
    assert wanted <= set(types)
    assert {"pdf", "csv", "png", "docx"} <= set(names)
    assert min(headers.values()) > 30 and len(headers) == 4


def test_mail_comes_in_seven_languages(parsed: list[Message]) -> None:
    text = "\n".join(str(make_header(decode_header(message["subject"]))) for message in parsed)
    for word in ("Angebot", "Devis", "Oferta", "Impressoras", "の", "طلب"):
        assert word in text


def test_states_are_mixed_and_customers_have_folders(boxes: dict[str, list[SeedMessage]]) -> None:
    adele = boxes["adele@northwind.example"]
    assert 20 < sum(not item.is_read for item in adele) < len(adele) / 3
    assert any(item.is_flagged for item in adele) and any(item.categories for item in adele)
    assert any(item.folder_path == "Customers/Contoso" for item in adele)
    assert all(item.is_read for item in adele if item.folder_path == "sentitems")


def test_no_opening_sentence_is_heard_again_and_again(boxes: dict[str, list[SeedMessage]]) -> None:
    inbox = [item for item in boxes["adele@northwind.example"] if item.folder_path == "inbox"]
    bodies: Counter[str] = Counter()
    for item in inbox:
        part = read(item).get_body(("plain",))
        if part:
            bodies[part.get_content().strip()[:400]] += 1
    bodies.pop("", None)
    assert bodies.most_common(1)[0][1] <= 2


def test_the_large_mailbox_streams_in_order() -> None:
    items = list(large_mailbox(7, NOW, count=1_500))
    assert len(items) == 1_500
    assert items[0].received < items[700].received < items[-1].received <= NOW
    first = list(itertools.islice(large_mailbox(7, NOW, count=1_500), 50))
    assert first == items[:50]
    assert all(b"robin@northwind.example" in item.raw or b"readers@" in item.raw for item in items)


def test_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="medium"):
        generate("medium", 7, now=NOW)  # type: ignore[arg-type]
