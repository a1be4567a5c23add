"""Rotation of keys (AD1) reaches everything that stays sealed."""

import pytest
from django.apps import apps
from django.conf import settings as configured
from django.db import models
from django.utils.module_loading import import_string
from pytest_django import Settings

from postroom.accounts.keys import keyring
from postroom.accounts.models import User
from postroom.dropbox import addresses
from postroom.lib.crypto import generate_key
from postroom.mail.outbound import servers
from postroom.timeline.sharing import digests
from postroom.workspaces.commands import add_member, create_workspace

# Column -> what keeps it. Those of a sign-in or an upload that is under way begin anew when their key is gone.
ROTATED = {
    "mailboxes.Connection.sealed_grant": "mailboxes.grants",
    "mail.MailServer.sealed_password": "mail.outbound.servers",
    "dropbox.DropBox.sealed_token": "dropbox.addresses",
    "timeline.Policy.sealed_key": "timeline.sharing.digests",
}
SHORT = {"mailboxes.ConnectAttempt.sealed_secrets", "mail.CompositionFile.sealed_upload"}


def test_every_sealed_column_is_known_to_rotation() -> None:
    sealed = {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.BinaryField) and field.name.startswith("sealed_")
    }
    assert sealed == ROTATED.keys() | SHORT
    assert {f"postroom.{one}.reseal" for one in ROTATED.values()} <= set(configured.SEALED)


@pytest.mark.django_db
def test_what_was_sealed_is_read_once_the_old_key_is_gone(settings: Settings) -> None:
    workspace = create_workspace("Northwind")
    alice = add_member(workspace, User.objects.create_user("alice@northwind.example", "Alice"), role="Admin")
    server = servers.save(workspace, password="a mail secret", host="mail.example", port=465, username="us")
    box, marked = addresses.open_box(alice), digests.marker(workspace.pk)("ana@us.example")
    address = addresses.address_of(box)
    settings.POSTROOM_ENCRYPTION_KEYS = [generate_key(), *settings.POSTROOM_ENCRYPTION_KEYS]
    keyring.cache_clear()
    try:
        assert sum(import_string(one)() for one in settings.SEALED) == 3
        settings.POSTROOM_ENCRYPTION_KEYS = settings.POSTROOM_ENCRYPTION_KEYS[:1]
        keyring.cache_clear()
        server.refresh_from_db()
        box.refresh_from_db()
        assert keyring().open(server.sealed_password, (f"workspace {workspace.pk}", "mail server")) == b"a mail secret"
        assert addresses.address_of(box) == address
        assert digests.marker(workspace.pk)("ana@us.example") == marked
    finally:
        keyring.cache_clear()
