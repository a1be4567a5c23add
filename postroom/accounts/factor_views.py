"""The second step of signing in, and signing in by passkey alone."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from postroom.accounts import limits, passkeys, second_factor, signing_in
from postroom.accounts.forms import TOO_MANY, CodeForm, SignInForm
from postroom.accounts.models import SignIn, User
from postroom.accounts.views import destination

WRONG_CODE = "This code does not fit. Codes change every 30 seconds, and each works once."
NO_PASSKEY = "This passkey did not work. Try again, or sign in another way."
_HOW = {"totp": SignIn.How.PASSWORD_AND_CODE, "recovery_codes": SignIn.How.PASSWORD_AND_RECOVERY}


@login_not_required
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def second(request: HttpRequest) -> HttpResponse:
    """After the password: a code, a recovery code or a passkey."""
    waiting = signing_in.half(request)
    if waiting is None:
        return redirect("accounts:sign-in")
    user, where = waiting
    form = CodeForm(request.POST or None)
    if request.method == "POST":
        how = _by_passkey(request, form, user) if request.POST.get("credential") else _by_code(request, form, user)
        if how is not None:
            signing_in.finish(request, user, how=how, strong=True)
            return HttpResponseRedirect(where)
    context = {"form": form, "factors": second_factor.of(user), "person": user}
    return render(request, "accounts/second_factor.html", context, status=422 if form.errors else 200)


def _by_code(request: HttpRequest, form: CodeForm, user: User) -> SignIn.How | None:
    if not form.is_valid():
        return None
    try:
        found = second_factor.check(user, form.cleaned_data["code"])
    except second_factor.TooMany:
        form.add_error(None, TOO_MANY)
        return None
    if not found:
        signing_in.failed(request, user, how=SignIn.How.PASSWORD_AND_CODE)
        form.add_error("code", WRONG_CODE)
        return None
    return _HOW[found]


def _by_passkey(request: HttpRequest, form: CodeForm, user: User) -> SignIn.How | None:
    form.full_clean()
    form.errors.clear()
    try:
        second_factor.used(passkeys.verify(user, request.POST["credential"]))
    except passkeys.NoGood:
        signing_in.failed(request, user, how=SignIn.How.PASSWORD_AND_PASSKEY)
        form.add_error(None, NO_PASSKEY)
        return None
    return SignIn.How.PASSWORD_AND_PASSKEY


@login_not_required
@never_cache
@require_GET
def second_options(request: HttpRequest) -> JsonResponse:
    """The challenge for the passkeys of who is half signed in."""
    waiting = signing_in.half(request)
    if waiting is None:
        raise Http404
    return JsonResponse(passkeys.request_options(waiting[0]))


@login_not_required
@never_cache
@require_GET
def passkey_options(request: HttpRequest) -> HttpResponse:
    """The challenge for any passkey; says nothing about who has one."""
    if _too_often(request):
        return JsonResponse({}, status=429)
    return JsonResponse(passkeys.request_options())


@login_not_required
@sensitive_post_parameters()
@never_cache
@require_POST
def passkey(request: HttpRequest) -> HttpResponse:
    """Sign in by passkey alone: it is something one has, opened by something one is or knows."""
    try:
        row = passkeys.verify_anybody(request.POST.get("credential", ""))
    except passkeys.NoGood:
        return _no_passkey(request)
    user = User.objects.filter(pk=row.user_id, is_active=True).first()
    if user is None:
        return _no_passkey(request)
    second_factor.used(row)
    signing_in.finish(request, user, how=SignIn.How.PASSKEY, strong=True)
    return HttpResponseRedirect(destination(request))


def _no_passkey(request: HttpRequest) -> HttpResponse:
    context = {"form": SignInForm(request), "next": destination(request), "problem": NO_PASSKEY}
    return render(request, "accounts/sign_in.html", context, status=422)


def _too_often(request: HttpRequest) -> bool:
    """A passkey cannot be guessed; this only keeps sessions from being made by the thousand."""
    window = timedelta(seconds=settings.SIGN_IN_WINDOW_SECONDS)
    return limits.hit("passkey", request.META.get("REMOTE_ADDR", ""), window=window) > 20 * settings.SIGN_IN_LIMIT
