"""Every text of the torture set, and a sample of real lists, goes all the way through. Skipped where the corpus, which
is not part of this repository, does not lie beside it."""

import email
import lzma
import re
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import Message as Mime
from pathlib import Path

import pytest

from postroom.mail import html as mail_html
from postroom.mail.prepare import Prepared, prepare
from postroom.mail.quotes import folded
from postroom.providers.contract import Address, RemoteBody, RemoteMessage

CORPUS = Path(__file__).resolve().parents[4] / "shared" / "corpus"
pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real mail is not here")


def torture() -> Iterator[bytes]:
    with tarfile.open(CORPUS / "mime" / "mime-dev.tar.xz") as archive:
        for member in archive:
            if member.name.endswith((".eml", ".mbox")) and (file := archive.extractfile(member)):
                yield file.read()


def lists(every: int) -> Iterator[bytes]:
    for path in sorted((CORPUS / "threads").glob("*.mbox.xz")):
        for n, raw in enumerate(re.split(rb"(?m)^From .*\n", _text(path))[1:]):
            if n % every == 0:
                yield raw


def _text(path: Path) -> bytes:
    with lzma.open(path) as file:
        return file.read()


def messages(raw: bytes) -> Iterator[RemoteMessage]:
    """One message for every text in a mail: headers and bodies as raw as they come."""
    whole: Mime = email.message_from_bytes(raw)
    headers = {name.lower(): str(value) for name, value in whole._headers}  # type: ignore[attr-defined]
    sender = Address(headers.get("from", ""), headers.get("from", ""))
    for part in whole.walk():
        if part.get_content_maintype() == "text":
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            kind = "html" if part.get_content_subtype() == "html" else "text"
            yield RemoteMessage(
                id="m",
                folder_id="inbox",
                subject=headers.get("subject"),
                internet_message_id=headers.get("message-id"),
                references=tuple(headers.get("references", "").split()),
                from_=sender,
                to=(Address(headers.get("to", "")),),
                received=datetime(2026, 1, 1, tzinfo=UTC),
                preview=headers.get("subject"),
                body=RemoteBody(kind, content.decode("utf-8", "surrogateescape")),
                headers=headers,
            )


def assert_storable_and_shown(row: Prepared) -> None:
    assert row.body is not None
    texts = [row.body.html, row.body.text, row.body.new_text, *row.searched, *(a for _, a in row.participants)]
    texts += [value for value in row.columns.values() if isinstance(value, str)]
    for text in texts:
        assert "\0" not in text
        text.encode()
    page = mail_html.shown(folded(row.body.html), attachments={})
    assert not re.search(r"<(?:script|style|iframe|object|form|link|meta|base)\b", page)
    assert not re.search(r'<[^>]*\s(?:on\w+=|src="(?!data:image/))', page)


def test_the_whole_torture_set_goes_through() -> None:
    count = 0
    for raw in torture():
        for message in messages(raw):
            assert_storable_and_shown(prepare(message, own_addresses=frozenset()))
            count += 1
    assert count > 900


def test_real_lists_go_through_and_something_new_is_found_in_nearly_every_mail() -> None:
    said = []
    for raw in lists(every=25):
        for message in messages(raw):
            row = prepare(message, own_addresses=frozenset())
            assert_storable_and_shown(row)
            assert message.body is not None and row.body is not None
            said.append(bool(row.body.new_text) or not message.body.content.strip())
    assert len(said) > 300 and sum(said) / len(said) > 0.98
