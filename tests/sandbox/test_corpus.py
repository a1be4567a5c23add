"""Real mail through the sandbox: all of it arrives, and what a client reads is what the dump says."""

from __future__ import annotations

import hashlib
import json
import lzma
import tarfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from postroom_sandbox.testing import Sandbox

from .contract import require_schema, violations
from .mail import ADA

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus"


@pytest.fixture(autouse=True)
def _corpus() -> None:
    if not CORPUS.exists():
        pytest.skip("no ../shared")


def _call(sandbox: Sandbox, path: str, body: bytes | None = None, **headers: str) -> bytes:
    request = urllib.request.Request(path if "://" in path else sandbox.url + path, data=body, headers=headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return bytes(answer.read())


def _all_messages(sandbox: Sandbox) -> Iterator[dict[str, Any]]:
    token = sandbox.token(ADA)
    link = "/v1.0/me/messages?$top=200"
    while link:
        page = json.loads(_call(sandbox, link, Authorization=f"Bearer {token}"))
        yield from page["value"]
        link = page.get("@odata.nextLink", "")


def _compare_with_dump(sandbox: Sandbox, expected: int) -> None:
    folders = {sandbox.mailbox(ADA).ids.folder(f.number): f.path for f in sandbox.mailbox(ADA).tree}
    read = sorted(
        (
            row["internetMessageId"],
            folders[row["parentFolderId"]],
            row["subject"],
            row["receivedDateTime"],
            hashlib.sha256(row["body"]["content"].encode()).hexdigest(),
        )
        for row in _all_messages(sandbox)
    )
    lines = [json.loads(line) for line in _call(sandbox, f"/sandbox/mailboxes/{ADA}/dump").splitlines()]
    names = ("internet_message_id", "folder", "subject", "received", "body_sha256")
    assert read == sorted(tuple(line[name] for name in names) for line in lines)
    assert len(read) == expected


def test_the_torture_set_arrives_whole(sandbox: Sandbox) -> None:
    require_schema()
    sandbox.user(ADA)
    count = 0
    with tarfile.open(CORPUS / "mime" / "mime-dev.tar.xz") as archive:
        for member in archive:
            stream = archive.extractfile(member) if member.name.endswith(".eml") else None
            if stream is not None:
                sandbox.deliver(ADA, stream.read(), folder="Torture")
                count += 1
    _compare_with_dump(sandbox, count)
    assert violations(sandbox) == []


def test_real_threads_arrive_whole(sandbox: Sandbox) -> None:
    sandbox.user(ADA)
    count = 0
    for path in sorted((CORPUS / "threads").glob("asf-*.mbox.xz")):
        folder = path.name.partition(".")[0]
        mbox = lzma.decompress(path.read_bytes())
        answer = _call(sandbox, f"/sandbox/mailboxes/{ADA}/import?folder=Lists/{folder}", mbox)
        count += json.loads(answer)["imported"]
    assert count == 771
    _compare_with_dump(sandbox, count)
