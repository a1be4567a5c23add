"""The pages a person meets while signing in. Plainly marked as the sandbox; none needs a script."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..http import Response
from ..pages.markup import avatar, button, document, esc, form, hidden
from ..users import NO_LICENCE, ON_PREMISES, PERSONAL, User
from .errors import OAuthError
from .scopes import SCOPES

_MARK = (
    '<header class="sandbox-mark"><svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">'
    '<path d="M4 5h16v14H4z" fill="none" stroke="currentColor" stroke-width="2"/>'
    '<path d="M4 6l8 7 8-7" fill="none" stroke="currentColor" stroke-width="2"/></svg>'
    "<span>Sandbox sign-in</span></header>"
)
_FOOT = (
    '<footer class="quiet">A local stand-in for Microsoft 365. No password is needed, nothing leaves this machine.'
    "</footer>"
)


_KINDS = {PERSONAL: "personal account", NO_LICENCE: "no mailbox licence", ON_PREMISES: "mailbox on premises"}


def _purpose(app: str) -> str:
    return f'<p class="quiet">to continue to <strong>{esc(app)}</strong></p>'


def _card(title: str, inner: str, *, status: int = 200) -> Response:
    body = f'<main class="card">{_MARK}<h1>{esc(title)}</h1>{inner}</main>{_FOOT}'
    return document(f"{title} · Sandbox sign-in", body, status=status, kind="sign-in")


def _person(user: User, action: str) -> str:
    note = _KINDS.get(user.kind) or user.details.get("jobTitle", "")
    title = f"{user.address} · {note}" if note else user.address
    return (
        f'<li><button type="submit" name="account" value="{esc(user.address)}" class="person">'
        f'{avatar(user.name, user.address)}<span class="who"><span class="name">{esc(action)} {esc(user.name)}</span>'
        f'<span class="quiet">{esc(title)}</span></span></button></li>'
    )


def pick(base: str, flow: str, *, app: str, signed_in: Sequence[User], people: Sequence[User]) -> Response:
    """The account picker: who is signed in already, and a way to everybody else."""
    rows = "".join(_person(user, "Continue as") for user in signed_in)
    known = f'<ul class="people">{rows}</ul>' if rows else ""
    inner = _purpose(app) + form(f"{base}/signin", known, fields={"flow": flow})
    if rows:
        more = _list(base, flow, people, hint="")
        inner += f"<details><summary>Use another account</summary>{more}</details>"
    else:
        inner += _list(base, flow, people, hint="")
    return _card("Pick an account", inner + _cancel(base, flow))


def sign_in(
    base: str, flow: str, *, app: str, people: Sequence[User], hint: str = "", problem: OAuthError | None = None
) -> Response:
    """The password-less sign-in page: choose a person or type an address."""
    alert = ""
    if problem:
        alert = f'<p class="alert" role="alert">{esc(problem.text)} <span class="code">AADSTS{problem.code}</span></p>'
    inner = _purpose(app) + alert + _list(base, flow, people, hint=hint) + _cancel(base, flow)
    return _card("Sign in", inner, status=400 if problem else 200)


def _list(base: str, flow: str, people: Iterable[User], *, hint: str) -> str:
    rows = "".join(_person(user, "As") for user in people)
    chooser = form(f"{base}/signin", f'<ul class="people">{rows}</ul>', fields={"flow": flow})
    typed = form(
        f"{base}/signin",
        '<label for="account">Email address</label><div class="row">'
        f'<input id="account" name="account" type="email" required autocomplete="username" value="{esc(hint)}">'
        f"{button('Sign in', css='primary')}</div>",
        fields={"flow": flow},
    )
    return typed + chooser if hint else chooser + typed


def _cancel(base: str, flow: str) -> str:
    way_out = button("Cancel and go back", name="decision", value="cancel", css="link")
    leave = form(f"{base}/consent", way_out, fields={"flow": flow})
    return f'<div class="leave">{leave}</div>'


def _permissions(names: Iterable[str]) -> str:
    rows = "".join(
        f'<li><span>{esc(SCOPES[name.lower()].words)}</span><span class="code">{esc(name)}</span></li>'
        for name in names
    )
    return f'<ul class="permissions">{rows}</ul>'


def consent(
    base: str, flow: str, *, app: str, user: User, names: Sequence[str], admin: bool, organisation: str
) -> Response:
    """Lists what the application asks for, in words; all or nothing."""
    whole = (
        f'<label class="check"><input type="checkbox" name="organisation" value="1"> Consent on behalf of everybody at '
        f"{esc(organisation)}</label>"
        if admin
        else ""
    )
    choice = (
        f'{whole}<div class="actions">{button("Cancel", name="decision", value="cancel")}'
        f"{button('Accept', name='decision', value='accept', css='primary')}</div>"
    )
    inner = (
        f'<p class="account">{avatar(user.name, user.address)} {esc(user.address)}</p>'
        f"<p><strong>{esc(app)}</strong> would like to:</p>{_permissions(names)}"
        '<p class="quiet">You can take this back at any time in your account settings.</p>'
        f"{form(f'{base}/consent', choice, fields={'flow': flow})}"
    )
    return _card("Permissions requested", inner)


def need_admin(base: str, flow: str, *, app: str, user: User, names: Sequence[str]) -> Response:
    """The member may not grant this alone (AADSTS90094): sign in as an administrator, or go back with nothing."""
    choices = (
        f'<div class="actions">{button("Return without granting", name="decision", value="return")}'
        f"{button('Sign in as an administrator', name='decision', value='admin', css='primary')}</div>"
    )
    inner = (
        f'<p class="account">{avatar(user.name, user.address)} {esc(user.address)}</p>'
        f"<p><strong>{esc(app)}</strong> needs permissions that only an administrator can grant.</p>"
        f"{_permissions(names)}{form(f'{base}/consent', choices, fields={'flow': flow})}"
        '<p class="quiet code">AADSTS90094</p>'
    )
    return _card("Need admin approval", inner)


def verify(base: str, flow: str, *, app: str, user: User) -> Response:
    """A second factor, as conditional access asks for it: here one click."""
    choices = (
        f'<div class="actions">{button("Cancel", name="decision", value="cancel")}'
        f"{button('Approve', name='decision', value='verified', css='primary')}</div>"
    )
    inner = (
        f'<p class="account">{avatar(user.name, user.address)} {esc(user.address)}</p>'
        f"<p>A policy of your organisation asks for another check before <strong>{esc(app)}</strong> may continue.</p>"
        f"{form(f'{base}/consent', choices, fields={'flow': flow})}"
    )
    return _card("Verify your identity", inner)


def admin_consent(base: str, flow: str, *, app: str, user: User, names: Sequence[str], organisation: str) -> Response:
    """An administrator grants for the whole organisation."""
    choices = (
        f'<div class="actions">{button("Cancel", name="decision", value="cancel")}'
        f"{button('Accept', name='decision', value='accept', css='primary')}</div>"
    )
    inner = (
        f'<p class="account">{avatar(user.name, user.address)} {esc(user.address)}</p>'
        f"<p>Let <strong>{esc(app)}</strong> do this for everybody at {esc(organisation)}:</p>{_permissions(names)}"
        f"{form(f'{base}/consent', choices, fields={'flow': flow})}"
    )
    return _card("Permissions for your organisation", inner)


def failure(error: OAuthError, *, request_id: str) -> Response:
    """An error that is shown here and never sent to the redirect URI (graph.md 1.3)."""
    inner = (
        f'<p class="alert" role="alert">AADSTS{error.code}: {esc(error.text)}</p>'
        f'<dl class="facts"><dt>Request Id</dt><dd class="code">{esc(request_id)}</dd></dl>'
    )
    return _card("Sorry, but we have trouble signing you in", inner, status=400)


def signed_out() -> Response:
    """After the logout endpoint, when no registered address to return to was given."""
    return _card("You are signed out", '<p class="quiet">You may close this window.</p>')


def post_form(url: str, fields: dict[str, str]) -> Response:
    """`response_mode=form_post`: a form that carries the answer to the application."""
    inner = (
        f'<form method="post" action="{esc(url)}" class="actions">{hidden(fields)}'
        f'{button("Continue", css="primary")}</form><p class="quiet">You are signed in; one click takes you back.</p>'
    )
    return _card("Back to the application", inner)
