"""Signing in and out, the own profile."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from postroom.accounts import microsoft, signing_in
from postroom.accounts.forms import ProfileForm, SignInForm
from postroom.accounts.models import SignIn, User
from postroom.accounts.policy import policy


def destination(request: HttpRequest) -> str:
    """Where the person wanted to go, if that is an address of ours."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if safe else resolve_url(settings.LOGIN_REDIRECT_URL)


@login_not_required
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return HttpResponseRedirect(destination(request))
    form = SignInForm(request, request.POST or None)
    if request.method == "POST" and form.is_valid():
        assert form.user is not None
        return HttpResponseRedirect(signing_in.begin(request, form.user, next=destination(request)))
    demo_users = User.objects.filter(is_active=True).order_by("id")[:12] if settings.POSTROOM_DEMO else []
    offered = microsoft.available() and policy().offers_microsoft()
    context = {"form": form, "next": destination(request), "demo_users": demo_users, "microsoft": offered}
    return render(request, "accounts/sign_in.html", context, status=422 if form.errors else 200)


@login_not_required
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    signing_in.end(request)
    return redirect("accounts:sign-in")


@login_not_required
@never_cache
@require_GET
def demo_sign_in(request: HttpRequest) -> HttpResponse:
    """One click in the demo, nowhere else: `?as=` is an address or its part before the @."""
    if not settings.POSTROOM_DEMO:
        raise Http404
    who = request.GET.get("as", "").strip().lower()
    found = {"email": who} if "@" in who else {"email__startswith": f"{who}@"}
    user = User.objects.filter(is_active=True, **found).order_by("id").first()
    if user is None:
        raise Http404
    signing_in.finish(request, user, how=SignIn.How.DEMO, strong=True)
    return HttpResponseRedirect(destination(request))


@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    user = request.user
    assert isinstance(user, User)
    form = ProfileForm(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Profile saved.")
        return redirect("accounts:profile")
    return render(request, "accounts/profile.html", {"form": form}, status=422 if form.errors else 200)
