"""Who may come in, as the workspaces say: the answers to `accounts.policy`, and what admins set (product.md CN4)."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q

from postroom.accounts.microsoft import PERSONAL_TENANT
from postroom.accounts.models import User
from postroom.accounts.policy import Arrival
from postroom.lib.clock import now
from postroom.workspaces.commands import call_off_purge
from postroom.workspaces.models import AllowedTenant, Invitation, Membership, Role, Workspace

_alive = Q(workspace__deleted_at=None)
INVITED_FOR = timedelta(days=7)
_TENANT = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


class Refused(ValueError):
    """What an admin asked for cannot be; the text says why."""


# -- answers to accounts.policy


def tenant_allowed(user: User, tenant: str) -> bool:
    """May this person come in by an account of this tenant? If a workspace of theirs allows it."""
    mine = Membership.objects.filter(user=user).active().values("workspace")
    return AllowedTenant.objects.filter(tenant=tenant, workspace__in=mine).exists()


def tenant_known(tenant: str) -> bool:
    """Does any workspace allow this tenant at all?"""
    return AllowedTenant.objects.filter(_alive, tenant=tenant).exists()


def second_factor_required(user: User) -> bool:
    """Does a workspace of theirs want more than a password?"""
    return Membership.objects.filter(user=user, workspace__second_factor_required=True).active().exists()


def offers_microsoft() -> bool:
    """Is there a workspace that lets anybody in by Microsoft?"""
    return AllowedTenant.objects.filter(_alive).exists()


def admit(arrival: Arrival, invitation: str) -> User | None:
    """The person an invitation was meant for, or whom a rule for the tenant lets in. None: nobody.

    An address that already has an account here is never given to who arrives: they could be anybody with an
    administrator's hand on that tenant. Such a person signs in and links the account, or accepts the invitation so.
    """
    if invitation:
        return _invited(arrival, invitation)
    rules = AllowedTenant.objects.filter(_alive, tenant=arrival.tenant).exclude(joins_as=None)
    found = list(rules.select_related("joins_as", "workspace").order_by("pk"))
    if not found or not arrival.address:
        return None
    user = _new_person(arrival.address, arrival.name)
    if user is not None:
        Membership.objects.bulk_create(
            Membership(workspace=rule.workspace, user=user, role=rule.joins_as) for rule in found if rule.joins_as
        )
    return user


def accept_known(user: User, arrival: Arrival, invitation: str) -> None:
    """Somebody who is bound already takes an invitation to their own address, of a workspace that allows the tenant."""
    found = open_invitation(invitation)
    if found is None or found.address != user.email:
        return
    if AllowedTenant.objects.filter(workspace=found.workspace_id, tenant=arrival.tenant).exists():
        accept(found, user)


def _invited(arrival: Arrival, token: str) -> User | None:
    invitation = open_invitation(token)
    if invitation is None:
        return None
    if not AllowedTenant.objects.filter(workspace=invitation.workspace_id, tenant=arrival.tenant).exists():
        return None
    user = _new_person(invitation.address, arrival.name)
    if user is not None:
        accept(invitation, user)
    return user


def _new_person(address: str, name: str) -> User | None:
    """None when the address has an account already, or would see the whole installation by being called so: accounts of
    operators are made at the command line, not by whoever manages one workspace or one tenant."""
    if address.strip().lower() in settings.POSTROOM_OPERATORS:
        return None
    try:
        with transaction.atomic():
            return User.objects.create_user(address, name)
    except IntegrityError:
        return None


# -- what admins do


def allow_tenant(workspace: Workspace, tenant: str, name: str, joins_as: Role | None) -> AllowedTenant:
    """Let the people of a tenant sign in; with ``joins_as`` also who was not a member yet. Raises Refused."""
    tenant = tenant.strip().lower()
    if not _TENANT.fullmatch(tenant):
        raise Refused("A tenant ID looks like 1b2c3d4e-0000-1111-2222-333344445555.")
    if tenant == PERSONAL_TENANT:
        raise Refused("This is the tenant of all personal Microsoft accounts: anybody could sign in.")
    row, _ = AllowedTenant.objects.update_or_create(
        workspace=workspace, tenant=tenant, defaults={"name": name.strip()[:120] or tenant, "joins_as": joins_as}
    )
    return row


def invite(by: Membership, address: str, role: Role) -> tuple[Invitation, str]:
    """(the invitation, its token). The token is not kept and cannot be shown again.

    Who was removed here and is not purged yet can sign in again, to accept it. Raises Refused.
    """
    address = address.strip().lower()
    if address in settings.POSTROOM_OPERATORS and not User.objects.filter(email=address).exists():
        raise Refused("Who runs this installation is added at its command line: postroom member add.")
    token = secrets.token_urlsafe(32)
    moment = now()
    removed = Membership.objects.filter(workspace=by.workspace_id, removed_at__isnull=False)
    User.objects.filter(email=address, memberships__in=removed).update(is_active=True)
    row = Invitation.objects.create(
        workspace_id=by.workspace_id,
        address=address,
        role=role,
        token_digest=_digest(token),
        invited_by=by,
        created_at=moment,
        expires_at=moment + INVITED_FOR,
    )
    return row, token


def open_invitation(token: str) -> Invitation | None:
    """The invitation of a token, if it is still good."""
    rows = Invitation.objects.select_related("workspace", "role").filter(accepted_at=None, expires_at__gt=now())
    return rows.filter(token_digest=_digest(token), workspace__deleted_at=None).first()


@transaction.atomic
def accept(invitation: Invitation, user: User) -> Membership | None:
    """Once only: of two windows one gets None. Who is a member already keeps their role."""
    if not Invitation.objects.filter(pk=invitation.pk, accepted_at=None).update(accepted_at=now()):
        return None
    call_off_purge(invitation.workspace, user)
    found = Membership.objects.filter(workspace=invitation.workspace_id, user=user)
    found.exclude(removed_at=None).update(removed_at=None, role=invitation.role)  # who was removed comes back
    return found.first() or Membership.objects.create(workspace=invitation.workspace, user=user, role=invitation.role)


@transaction.atomic
def accept_with_password(invitation: Invitation, name: str, password: str) -> User | None:
    """A new person with a password. None when the address has an account, or the invitation was used meanwhile."""
    user = _new_person(invitation.address, name)
    if user is None or accept(invitation, user) is None:
        transaction.set_rollback(True)
        return None
    user.set_password(password)
    user.save(update_fields=["password"])
    return user


def _digest(token: str) -> str:
    return hashlib.sha256(f"invitation {token}".encode()).hexdigest()
