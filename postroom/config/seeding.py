"""What the demo's database holds before anybody signs in: a workspace, and the sandbox company's people as members."""

from __future__ import annotations

import json
from typing import Any
from urllib.request import urlopen

FIRST_MEMBER = "adele"
WORKSPACE = "Northwind"


def prepare_database() -> None:
    """Set Django up in this process and bring the schema up to date."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0, interactive=False)


def release_database() -> None:
    """Give this process's connections back, so that nothing keeps the server busy."""
    from django.apps import apps

    if apps.ready:
        from django.db import connections

        connections.close_all()


def seed_from_sandbox(sandbox_url: str, *, with_records: bool = True) -> None:
    """Make the company's people members; does nothing that was done before."""
    with urlopen(f"{sandbox_url}/sandbox/company", timeout=30) as answer:  # noqa: S310 - our own loopback address
        company = json.load(answer)
    seed([user for user in company["users"] if user["kind"] == "work"], with_records=with_records)


def seed(users: list[dict[str, Any]], *, with_records: bool = True) -> None:
    """`users`: {"address", "name"} of each; the first member's domain is the company. `with_records`: customers too."""
    from django.db import transaction

    from postroom.accounts.models import User
    from postroom.timeline import demo as records
    from postroom.workspaces.commands import add_member, create_workspace
    from postroom.workspaces.models import Workspace

    domain = next((u["address"].split("@")[1] for u in users if u["address"].startswith(f"{FIRST_MEMBER}@")), "")
    with transaction.atomic():
        workspace = Workspace.objects.order_by("id").first() or create_workspace(WORKSPACE)
        for person in users:
            if not person["address"].endswith(f"@{domain}"):
                continue
            user = User.objects.filter(email=person["address"]).first()
            if user is None:
                user = User.objects.create_user(person["address"], person["name"])
                first = person["address"].startswith(f"{FIRST_MEMBER}@")
                add_member(workspace, user, role="Admin" if first else "Member")
        if with_records:
            records.seed(workspace, list(workspace.memberships.select_related("user", "role")))
