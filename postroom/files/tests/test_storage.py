from pathlib import Path

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
