"""`postroom member add`: how the first person of an installation comes in, and any other without a browser."""

from __future__ import annotations

import argparse
import sys
from getpass import getpass

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from postroom.accounts import second_factor, signing_in
from postroom.accounts.models import User
from postroom.config.errors import UsageError
from postroom.workspaces.commands import add_member, create_workspace
from postroom.workspaces.models import Role, Workspace


def add(options: argparse.Namespace) -> int:
    """Make the member; the password is asked for, or read from standard input. Raises UsageError."""
    address = options.address.strip().lower()
    try:
        validate_email(address)
    except ValidationError:
        raise UsageError(f"{options.address!r} is not an address") from None
    user = User.objects.filter(email=address).first() or User(email=address)
    user.name = options.name or user.name
    password = _password(user)
    with transaction.atomic():
        workspace = _workspace(options.workspace)
        if password:
            user.set_password(password)
        user.save()
        try:
            add_member(workspace, user, role=options.role)
        except Role.DoesNotExist:
            known = ", ".join(Role.objects.filter(workspace=workspace).order_by("id").values_list("name", flat=True))
            raise UsageError(f"there is no role {options.role!r}; there are {known}") from None
    print(f"{address} is {options.role} of {workspace.name}.")
    return 0


def reset_second_factor(options: argparse.Namespace) -> int:
    """Take all second factors away and end every session. Raises UsageError."""
    user = User.objects.filter(email=options.address.strip().lower()).first()
    if user is None:
        raise UsageError(f"nobody signs in as {options.address}")
    gone, ended = second_factor.reset(user), signing_in.end_sessions(user)
    print(f"{gone} removed, {ended} sessions ended; {user.email} signs in with the password and sets up a new one.")
    return 0


def _password(user: User) -> str:
    """Empty keeps the one a known person has. Raises UsageError for one that is too weak, or missing."""
    asked = getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if not asked and user.pk:
        return ""
    try:
        validate_password(asked, user)
    except ValidationError as problem:
        raise UsageError(" ".join(problem.messages)) from None
    return asked


def _workspace(name: str) -> Workspace:
    """The one of that name, made if there is none; without a name the only one there is. Raises UsageError."""
    found = list(Workspace.objects.filter(name=name) if name else Workspace.objects.order_by("id")[:2])
    if len(found) == 1:
        return found[0]
    if not name:
        raise UsageError("which workspace? add --workspace NAME" + ("" if found else " (it will be made)"))
    return create_workspace(name)
