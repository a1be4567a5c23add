"""Templates with fields (product.md SE6): filled in from the recipient, the member and the mailbox.

A field nobody can fill stays as it is, ``{{company}}``, so that it is seen; ``unfilled`` finds those that are left.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Q, QuerySet

from postroom.mail.models import Composition
from postroom.mail.pens import Snippet
from postroom.records.models import Person
from postroom.workspaces.models import Membership, Permission

FIELDS: Mapping[str, str] = {
    "first_name": "First name of the recipient",
    "last_name": "Last name of the recipient",
    "name": "Full name of the recipient",
    "company": "Company of the recipient",
    "job_title": "Job title of the recipient",
    "my_name": "Your name",
    "my_first_name": "Your first name",
    "my_address": "The address you write from",
    "my_company": "The name of this workspace",
    "subject": "Subject of the message",
}
LONGEST = 20_000  # characters of one template
_FIELD = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]{0,40})\s*\}\}")


def visible(member: Membership) -> QuerySet[Snippet]:
    """The member's own templates and the shared ones of the workspace, by name."""
    rows = Snippet.objects.for_workspace(member.workspace_id).filter(Q(author=member) | Q(is_shared=True))
    return rows.select_related("author__user").order_by("name", "pk")


def changeable(member: Membership) -> QuerySet[Snippet]:
    """Those the member may change and delete: their own; who manages the workspace, all shared ones."""
    rows = Snippet.objects.for_workspace(member.workspace_id)
    shared = Q(is_shared=True) if member.may(Permission.MANAGE_WORKSPACE) else Q(pk__in=())
    return rows.filter(Q(author=member) | shared)


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with the fields that have a value; the others as they were, written the same way."""
    return _FIELD.sub(lambda found: values.get(found[1].lower()) or "{{" + found[1] + "}}", text)


def unfilled(*texts: str) -> list[str]:
    """The names of the fields that are left in these texts, each once."""
    return list(dict.fromkeys(found for text in texts for found in _FIELD.findall(text)))


def values(composition: Composition, to: Sequence[Sequence[Any]]) -> dict[str, str]:
    """What the fields say in a message to the first of ``to`` ([[name, address], …]); an empty text is not known."""
    member = composition.author
    return {
        **_of_recipient(member, to),
        "my_name": member.name,
        "my_first_name": member.user.first_name,
        "my_address": composition.mailbox.address,
        "my_company": member.workspace.name,
        "subject": composition.subject,
    }


def _of_recipient(member: Membership, to: Sequence[Sequence[Any]]) -> dict[str, str]:
    """From the contact with that address; else what the recipient is called in the message."""
    if not to:
        return {}
    name, address = str(to[0][0] or ""), str(to[0][1] or "")
    rows = Person.objects.for_workspace(member.workspace_id).filter(addresses__address=address.lower())
    person = rows.select_related("company").order_by("pk").first()
    if person is None:
        name = "" if "@" in name else name.strip()
        first, _, last = name.partition(" ")
        return {"first_name": first, "last_name": last.strip(), "name": name}
    return {
        "first_name": person.first_name,
        "last_name": person.last_name,
        "name": f"{person.first_name} {person.last_name}".strip(),
        "company": person.company.name if person.company else "",
        "job_title": person.job_title,
    }
