"""From "the password is right" to a session, and what is remembered of it.

    begin    the first factor held: done, or on to the second (nobody is signed in meanwhile)
    finish   signed in: a new session, marked with how; a row for the session list and the recent sign-ins

A session's mark says how strong it is and, after Microsoft, of which tenant: workspaces decide by it what may be seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import login, logout
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from postroom.accounts import second_factor
from postroom.accounts.clients import network_address, short_agent
from postroom.accounts.models import SignIn, User
from postroom.lib.clock import now

HALF, MARK = "half_signed_in", "signed_in"
HALF_LIFE = timedelta(minutes=10)
FRESH = timedelta(minutes=15)  # a sign-in this young needs no confirmation for a change of what opens the account
NOTED_EVERY = timedelta(minutes=10)
KEEP = timedelta(days=90)  # sign-ins in the list of recent ones
How = SignIn.How


def begin(request: HttpRequest, user: User, *, next: str) -> str:
    """The password was right. Returns where to go: to the second factor, or, signed in, to ``next``."""
    if not second_factor.has(user):
        finish(request, user, how=How.PASSWORD, strong=False)
        return next
    request.session.cycle_key()
    request.session[HALF] = {"user": user.pk, "at": now().timestamp(), "next": next, "of": _fingerprint(user)}
    return reverse("accounts:second-factor")


def half(request: HttpRequest) -> tuple[User, str] | None:
    """Whose second factor is awaited, and where they wanted to go; None when nobody's is (any more)."""
    told = request.session.get(HALF)
    if not isinstance(told, dict) or now().timestamp() - told["at"] > HALF_LIFE.total_seconds():
        return None
    user = User.objects.filter(pk=told["user"], is_active=True).first()
    if user is None or not constant_time_compare(told["of"], _fingerprint(user)):
        return None  # the password was changed meanwhile
    return user, str(told["next"])


def finish(request: HttpRequest, user: User, *, how: How, strong: bool, tenant: str = "") -> None:
    """Sign in. ``strong``: by more than a password. ``tenant``: whose word it is that this is the person."""
    request.session.pop(HALF, None)
    login(request, user)  # a new session key: one that was known before is worth nothing
    moment = now()
    row = SignIn(
        user=user,
        at=moment,
        seen_at=moment,
        how=how,
        address=network_address(request),
        agent=short_agent(request.headers.get("User-Agent", "")),
        session_key=request.session.session_key or "",
    )
    row.save()
    mark = {"how": how, "strong": strong, "tenant": tenant, "at": moment.timestamp(), "id": row.pk}
    request.session[MARK] = {**mark, "seen": moment.timestamp()}


def failed(request: HttpRequest, user: User, *, how: How) -> None:
    """Somebody did not get in; the person sees it among their recent sign-ins."""
    agent = short_agent(request.headers.get("User-Agent", ""))
    SignIn.objects.create(user=user, how=how, succeeded=False, address=network_address(request), agent=agent)


def end(request: HttpRequest) -> None:
    """Sign out."""
    SignIn.objects.filter(pk=mark(request.session).get("id", 0)).update(ended_at=now())
    logout(request)


def mark(session: SessionBase | Mapping[str, Any]) -> dict[str, Any]:
    """What ``finish`` said of this session; empty for one that was made another way."""
    told = session.get(MARK)
    return told if isinstance(told, dict) else {}


def strengthen(request: HttpRequest) -> None:
    """The person of this session has just proven themselves (again)."""
    told = mark(request.session)
    request.session[MARK] = {**told, "strong": told.get("strong") or second_factor.has(_user(request))}
    confirm(request)


def confirm(request: HttpRequest) -> None:
    """The person of this session has just shown that it is them; for a quarter of an hour nobody asks again."""
    request.session[MARK] = {**mark(request.session), "confirmed": now().timestamp()}


def moved(request: HttpRequest) -> None:
    """The session has another key than when it began (Django gives one with a new password)."""
    request.session.save()
    key = request.session.session_key or ""
    SignIn.objects.filter(pk=mark(request.session).get("id", 0)).update(session_key=key)


def is_fresh(request: HttpRequest) -> bool:
    """Signed in or confirmed a moment ago?

    A sign-in at Microsoft's is no such proof for an account that has keys of its own: a session of one tenant reaches
    the workspaces that allow that tenant, and a password or passkey added in it would reach all of them.
    """
    told = mark(request.session)
    last = told.get("confirmed", 0)
    if not (told.get("tenant") and _has_own_keys(_user(request))):
        last = max(told.get("at", 0), last)
    return bool(now().timestamp() - last < FRESH.total_seconds())


def _has_own_keys(user: User) -> bool:
    return user.has_usable_password() or second_factor.has(user)


def note_activity(request: HttpRequest) -> None:
    """Keeps "last active" of the session list true to ten minutes, at two statements in ten minutes."""
    told = mark(request.session)
    moment = now()
    if told and moment.timestamp() - told.get("seen", 0) > NOTED_EVERY.total_seconds():
        request.session[MARK] = {**told, "seen": moment.timestamp()}
        SignIn.objects.filter(pk=told.get("id", 0)).update(seen_at=moment, address=network_address(request))


def sessions(user: User) -> list[SignIn]:
    """Those that are open now, last used first."""
    rows = SignIn.objects.filter(user=user, succeeded=True, ended_at=None).exclude(session_key="")
    alive = Session.objects.filter(expire_date__gt=now()).values("session_key")
    return list(rows.filter(session_key__in=alive).order_by("-seen_at", "-pk"))


def end_sessions(user: User, *, but: str = "", only: int | None = None) -> int:
    """Sign browsers out: all of the person's but the session ``but``, or the one row ``only``. Returns how many."""
    rows = [one for one in sessions(user) if one.session_key != but and only in (None, one.pk)]
    Session.objects.filter(session_key__in=[one.session_key for one in rows]).delete()
    SignIn.objects.filter(pk__in=[one.pk for one in rows]).update(ended_at=now())
    return len(rows)


def recent(user: User, most: int = 20) -> list[SignIn]:
    """The last attempts, also those that failed."""
    return list(SignIn.objects.filter(user=user).order_by("-at", "-pk")[:most])


def purge() -> int:
    """Forget attempts that are long over; those of sessions that may still live stay."""
    before = now() - max(KEEP, timedelta(seconds=settings.SESSION_COOKIE_AGE))
    return SignIn.objects.filter(at__lt=before, seen_at__lt=before).delete()[0]


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _fingerprint(user: User) -> str:
    return salted_hmac("postroom.half", user.get_session_auth_hash(), algorithm="sha256").hexdigest()
