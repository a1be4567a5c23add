"""Settings > Security: what opens the account, and where it is open (product.md CN4, AD5).

Whatever changes what opens an account asks for a sign-in or a confirmation of the last quarter of an hour.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import urlencode

from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from postroom.accounts import microsoft, passkeys, second_factor, signing_in
from postroom.accounts.factor_views import NO_PASSKEY, WRONG_CODE
from postroom.accounts.forms import TOO_MANY, CodeForm, PasswordForm
from postroom.accounts.models import Identity, SignIn, User
from postroom.accounts.policy import policy
from postroom.accounts.views import destination

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]
SECURITY = "accounts:security"


def person(request: HttpRequest) -> User:
    """Who is signed in; the middleware let nobody else pass."""
    assert isinstance(request.user, User)
    return request.user


def fresh_only(view: View[P]) -> View[P]:
    """Ask who it is once more, unless they showed it a moment ago."""

    @wraps(view)
    def checked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        return view(request, *args, **kwargs) if signing_in.is_fresh(request) else ask_again(request)

    return checked


def ask_again(request: HttpRequest) -> HttpResponse:
    """To the confirmation and back; a form that was sent starts over."""
    back = request.path if request.method == "GET" else reverse(SECURITY)
    return redirect(f"{reverse('accounts:confirm')}?{urlencode({'next': back})}")


@never_cache
@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """Password, second factors, Microsoft, open sessions, recent sign-ins."""
    user = person(request)
    context = {
        "factors": second_factor.of(user),
        "identities": Identity.objects.filter(user=user).order_by("bound_at"),
        "microsoft": microsoft.available() and policy().offers_microsoft(),
        "passkeys_possible": passkeys.possible(request.get_host()),
        "sessions": signing_in.sessions(user),
        "here": request.session.session_key,
        "recent": signing_in.recent(user),
        "required": policy().second_factor_required(user),
    }
    return render(request, "accounts/security.html", context)


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest) -> HttpResponse:
    """Is it really you? By password, code or recovery code; who has neither signs in again."""
    user = person(request)
    problem = ""
    if request.method == "POST":
        problem = _confirmed(user, request.POST.get("password", ""), request.POST.get("code", ""))
        if not problem:
            signing_in.confirm(request)
            return HttpResponseRedirect(destination(request))
        signing_in.failed(request, user, how=SignIn.How.PASSWORD)
    context = {"factors": second_factor.of(user), "next": destination(request), "problem": problem}
    return render(request, "accounts/confirm.html", context, status=422 if problem else 200)


def _confirmed(user: User, password: str, code: str) -> str:
    """What is wrong, "" for nothing. Guesses of both kinds are counted together."""
    if second_factor.guessed_too_often(user):
        return TOO_MANY
    if password:
        right = user.check_password(password)
        if right:
            second_factor.forget_guesses(user)
        return "" if right else "This is not your password."
    try:
        return "" if code and second_factor.check(user, code) else WRONG_CODE
    except second_factor.TooMany:
        return TOO_MANY


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_only
def password(request: HttpRequest) -> HttpResponse:
    """A new password; every other session ends."""
    user = person(request)
    form = PasswordForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        user.set_password(form.cleaned_data["new"])
        user.save(update_fields=["password"])
        here = request.session.session_key or ""
        signing_in.end_sessions(user, but=here)
        update_session_auth_hash(request, user)
        signing_in.moved(request)
        messages.success(request, "Password changed. Other browsers were signed out.")
        return redirect(SECURITY)
    return render(request, "accounts/password.html", {"form": form}, status=422 if form.errors else 200)


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_only
def authenticator(request: HttpRequest) -> HttpResponse:
    """Scan, type the first code: the app counts from now on."""
    user = person(request)
    secret = second_factor.pending_secret(request, user)
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            if second_factor.proves(secret, form.cleaned_data["code"], user):
                had = second_factor.has(user)
                second_factor.set_up(user, secret)
                request.session.pop(second_factor.PENDING, None)
                signing_in.strengthen(request)
                messages.success(request, "Your authenticator app is set up.")
                return redirect(SECURITY if had else "accounts:recovery-codes")
            form.add_error("code", WRONG_CODE)
        except second_factor.TooMany:
            form.add_error(None, TOO_MANY)
    url, picture = second_factor.qr_code(user, secret)
    image = f"data:image/svg+xml;base64,{b64encode(picture.encode()).decode()}"
    groups = [secret[at : at + 4] for at in range(0, len(secret), 4)]
    context = {"form": form, "url": url, "image": image, "groups": groups}
    return render(request, "accounts/authenticator.html", context, status=422 if form.errors else 200)


@require_POST
@fresh_only
def remove_authenticator(request: HttpRequest) -> HttpResponse:
    if second_factor.remove(person(request), type="totp"):
        messages.success(request, "The authenticator app does not open your account any more.")
    return redirect(SECURITY)


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_only
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Show those that are left; POST makes new ones."""
    user = person(request)
    codes = second_factor.recovery_codes(user, renew=request.method == "POST")
    if not codes:
        return redirect(SECURITY)
    return render(request, "accounts/recovery_codes.html", {"codes": codes, "renewed": request.method == "POST"})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_only
def add_passkey(request: HttpRequest) -> HttpResponse:
    """Name it, make it on the device."""
    user, problem = person(request), ""
    if request.method == "POST":
        name = " ".join(request.POST.get("name", "").replace("\0", "").split())[:80] or "Passkey"
        had = second_factor.has(user)
        try:
            passkeys.add(user, name, request.POST.get("credential", ""))
        except passkeys.NoGood:
            problem = NO_PASSKEY
        else:
            signing_in.strengthen(request)
            messages.success(request, f"Passkey “{name}” added.")
            return redirect(SECURITY if had else "accounts:recovery-codes")
    context = {"problem": problem, "possible": passkeys.possible(request.get_host())}
    return render(request, "accounts/passkey.html", context, status=422 if problem else 200)


@never_cache
@require_GET
@fresh_only
def passkey_creation_options(request: HttpRequest) -> HttpResponse:
    """The challenge a new passkey answers."""
    return JsonResponse(passkeys.creation_options(person(request)))


@require_POST
def rename_passkey(request: HttpRequest, pk: int) -> HttpResponse:
    row = _own_passkey(request, pk)
    if not signing_in.is_fresh(request):
        return ask_again(request)
    name = " ".join(request.POST.get("name", "").replace("\0", "").split())[:80]
    if name:
        passkeys.rename(row, name)
    return redirect(SECURITY)


@require_POST
def remove_passkey(request: HttpRequest, pk: int) -> HttpResponse:
    row = _own_passkey(request, pk)
    if not signing_in.is_fresh(request):
        return ask_again(request)
    second_factor.remove(person(request), type="webauthn", pk=row.pk)
    messages.success(request, "Passkey removed.")
    return redirect(SECURITY)


def _own_passkey(request: HttpRequest, pk: int) -> Authenticator:
    """Raises ``Http404``."""
    return get_object_or_404(Authenticator, user=person(request), type=Authenticator.Type.WEBAUTHN, pk=pk)


@require_POST
def end_session(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign one other browser out."""
    if not signing_in.end_sessions(person(request), but=request.session.session_key or "", only=pk):
        raise Http404
    messages.success(request, "That browser is signed out.")
    return redirect(SECURITY)


@require_POST
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """Sign out everywhere but here."""
    count = signing_in.end_sessions(person(request), but=request.session.session_key or "")
    messages.success(request, f"{count} other session{'' if count == 1 else 's'} ended.")
    return redirect(SECURITY)
