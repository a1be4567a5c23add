"""Passwords as Django checks them; who is signed in is read together with what they are a member of."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend

from postroom.accounts.models import User
from postroom.workspaces.middleware import KNOWN, memberships_of


class MemberBackend(ModelBackend):
    """One query a request less than asking for the user and then for their workspaces."""

    def get_user(self, user_id: int) -> Any:
        """The user of a session, if they may still sign in."""
        found = memberships_of(user_id)
        user: User | None = found[0].user if found else User.objects.filter(pk=user_id).first()
        if user is None or not self.user_can_authenticate(user):
            return None
        setattr(user, KNOWN, found)
        return user
