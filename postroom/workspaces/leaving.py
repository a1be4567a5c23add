"""Removing members and deleting workspaces (product.md MA4): out of sight at once, purged some days later.

remove_member     cannot sign in any more, grants end, belongings go to an heir or wait for the purge
delete_workspace  nobody gets in any more, every grant ends
"""

import logging
from collections.abc import Mapping
from datetime import timedelta

from django.conf import settings
from django.db import transaction

from postroom.lib.clock import now
from postroom.lib.errors import new_reference
from postroom.workspaces import hooks
from postroom.workspaces.models import Membership, Permission, Purge, Workspace

log = logging.getLogger(__name__)


class Refused(Exception):
    """It can't be done; the text says why and what to do."""


def remove_member(member: Membership, heirs: Mapping[str, Membership] | None = None) -> Purge:
    """Remove a member; ``heirs`` says to whom belongings go, by their key (``hooks.Belonging``). Asking again changes
    nothing.

    Raises ``Refused`` for the last one who may manage the workspace, and for an heir who cannot take it.
    """
    _check_last_admin(member)
    for one in hooks.belongings(member):
        heir = (heirs or {}).get(one.key)
        if heir is None:
            continue
        if heir not in one.heirs:
            raise Refused(f"{one.label} cannot be handed to {heir.name}.")
        hooks.tell("hand_over", member, one.key, heir)
    with transaction.atomic():
        member.removed_at = member.removed_at or now()
        member.save(update_fields=["removed_at"])
        if not Membership.objects.active().filter(user=member.user_id).exists() and not member.user.is_operator:
            member.user.is_active = False
            member.user.save(update_fields=["is_active"])
        purge = _planned(Purge.Kind.MEMBER, member.pk, member.workspace, member)
    hooks.tell("member_leaving", member)
    log.info("membership %s removed, purge %s", member.pk, purge.reference)
    return purge


def delete_workspace(workspace: Workspace) -> Purge:
    """Delete a workspace with everything in it. Asking again changes nothing."""
    with transaction.atomic():
        workspace.deleted_at = workspace.deleted_at or now()
        workspace.save(update_fields=["deleted_at"])
        for member in Membership.objects.filter(workspace=workspace).select_related("user"):
            left = Membership.objects.active().filter(user=member.user_id).exists()
            if not left and not member.user.is_operator:
                member.user.is_active = False
                member.user.save(update_fields=["is_active"])
        purge = _planned(Purge.Kind.WORKSPACE, workspace.pk, workspace, None)
    hooks.tell("workspace_leaving", workspace)
    log.info("workspace %s deleted, purge %s", workspace.pk, purge.reference)
    return purge


def waiting(workspace: Workspace) -> list[Purge]:
    """Members of a workspace who were removed and are not purged yet."""
    found = Purge.objects.filter(workspace=workspace, kind=Purge.Kind.MEMBER, finished_at=None)
    return list(found.select_related("membership__user").order_by("due_at"))


def _check_last_admin(member: Membership) -> None:
    if not member.may(Permission.MANAGE_WORKSPACE):
        return
    others = Membership.objects.for_workspace(member.workspace_id).exclude(pk=member.pk).select_related("role")
    if not any(one.may(Permission.MANAGE_WORKSPACE) for one in others):
        raise Refused(
            f"{member.name} is the only one who may manage {member.workspace.name}. Give somebody else that role "
            "first, or delete the workspace."
        )


def _planned(kind: Purge.Kind, number: int, workspace: Workspace, member: Membership | None) -> Purge:
    known = Purge.objects.filter(kind=kind, number=number, finished_at=None).first()
    return known or Purge.objects.create(
        reference=new_reference(),
        kind=kind,
        number=number,
        workspace=workspace,
        membership=member,
        due_at=now() + timedelta(days=settings.POSTROOM_PURGE_DAYS),
    )
