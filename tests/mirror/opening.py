"""Opening every message of a mailbox as a member's browser does: its thread's page and the frame with its text.

`python -m tests.mirror.opening ADDRESS` does so in the installation of the environment; the last line is
`[pages opened, pages that failed]`.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.test import Client

    from postroom.mailboxes.models import Mailbox


def pages(mailbox: Mailbox) -> Iterator[tuple[str, str]]:
    """(address, what it is) of everything there is to open in a mailbox."""
    from django.urls import reverse

    from postroom.mail.models import Message

    messages = Message.objects.filter(mailbox=mailbox)
    for thread, folder in sorted(set(messages.values_list("thread_id", "folder_id"))):
        address = reverse("inbox:folder-thread", args=[mailbox.pk, folder, thread])
        yield address, f"thread {thread}"
    for number, subject in messages.order_by("pk").values_list("pk", "subject"):
        yield reverse("mail:body", args=[number]), f"body of {number} {subject[:60]!r}"


def open_all(client: Client, mailbox: Mailbox) -> tuple[int, list[str]]:
    """Opens each page with Django's test client. (pages opened, what did not open as it should)"""
    opened, wrong = 0, []
    for address, what in pages(mailbox):
        answer = client.get(address)
        opened += 1
        if answer.status_code != 200 or not answer.content:
            wrong.append(f"{what}: {answer.status_code}")
    return opened, wrong


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "postroom.config.settings")
    import django

    django.setup()
    from django.conf import settings
    from django.test import Client

    from postroom.mailboxes import commands

    settings.ALLOWED_HOSTS = ["*"]
    mailbox = commands.find(sys.argv[1])
    client = Client(raise_request_exception=False)
    client.force_login(mailbox.owner.user)
    opened, wrong = open_all(client, mailbox)
    for line in wrong[:20]:
        print(line, file=sys.stderr)  # noqa: T201
    print(json.dumps([opened, len(wrong)]))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
