from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from postroom.files import storage
from postroom.files.models import Blob
from postroom.workspaces.models import Workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace(settings: object, tmp_path: Path) -> Workspace:
    settings.MEDIA_ROOT = tmp_path  # type: ignore[attr-defined]
    return Workspace.objects.create(name="Northwind", slug="northwind")


def test_bytes_come_back_from_any_position(workspace: Workspace) -> None:
    blob = storage.store_stream(workspace, [b"abc", b"def"])
    assert b"".join(storage.chunks(blob)) == b"abcdef"
    assert b"".join(storage.opener(blob)(4)) == b"ef"
    assert blob.size == 6


def test_the_same_bytes_are_kept_once_in_a_workspace(workspace: Workspace) -> None:
    other = Workspace.objects.create(name="Contoso", slug="contoso")
    first, second = (storage.store_stream(workspace, [b"same"]) for _ in range(2))
    assert first == second
    assert storage.store_stream(other, [b"same"]) != first
    assert Blob.objects.count() == 2


def test_a_broken_stream_leaves_nothing_behind(workspace: Workspace, tmp_path: Path) -> None:
    def broken() -> object:
        yield b"half"
        raise ConnectionError("reset")

    with pytest.raises(ConnectionError):
        storage.store_stream(workspace, broken())  # type: ignore[arg-type]
    assert not Blob.objects.exists()
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


def test_only_what_nothing_refers_to_is_dropped(workspace: Workspace, django_capture_on_commit_callbacks: Any) -> None:
    from postroom.accounts.models import User
    from postroom.mail.models import Composition, CompositionFile
    from postroom.mailboxes.models import Mailbox
    from postroom.workspaces.models import Membership, Role

    member = Membership.objects.create(
        workspace=workspace,
        user=User.objects.create_user(email="a@northwind.example", password="long-enough-word"),
        role=Role.objects.create(workspace=workspace, name="Admin"),
    )
    mailbox = Mailbox.objects.create(
        workspace=workspace, owner=member, provider="memory", address="a@northwind.example"
    )
    used, unused = storage.store_stream(workspace, [b"used"]), storage.store_stream(workspace, [b"unused"])
    draft = Composition.objects.create(mailbox=mailbox, author=member, marker="m", internet_message_id="<m@x>")
    CompositionFile.objects.create(composition=draft, blob=used, name="a", content_type="text/plain")
    assert storage.drop_unused(older_than=timedelta(hours=1)) == 0
    with django_capture_on_commit_callbacks(execute=True):
        assert storage.drop_unused() == 1
    assert storage.path(used).exists()
    assert not storage.path(unused).exists()
