"""Bytes go when the last row that refers to them is gone."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from postroom.files import storage
from postroom.mail.models import Composition, CompositionFile
from postroom.mailboxes.models import Mailbox

pytestmark = pytest.mark.django_db


def test_only_what_nothing_refers_to_is_dropped(
    mailbox: Mailbox, settings: Any, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    workspace = mailbox.workspace
    used, unused = storage.store_stream(workspace, [b"used"]), storage.store_stream(workspace, [b"unused"])
    draft = Composition.objects.create(mailbox=mailbox, author=mailbox.owner, marker="m", internet_message_id="<m@x>")
    CompositionFile.objects.create(composition=draft, blob=used, name="a", content_type="text/plain")
    assert storage.drop_unused(older_than=timedelta(hours=1)) == 0
    with django_capture_on_commit_callbacks(execute=True):
        assert storage.drop_unused() == 1
    assert storage.path(used).exists()
    assert not storage.path(unused).exists()
