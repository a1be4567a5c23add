"""The way to Microsoft and back, as pages."""

from __future__ import annotations

import logging

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from postroom.accounts import microsoft, signing_in
from postroom.accounts.microsoft import REASONS, NotSignedIn
from postroom.accounts.models import Identity, SignIn, User
from postroom.accounts.policy import Arrival
from postroom.accounts.security_views import ask_again
from postroom.accounts.views import destination
from postroom.lib.errors import new_reference

log = logging.getLogger(__name__)
SECURITY = "accounts:security"


@login_not_required
@never_cache
@require_POST
def start(request: HttpRequest) -> HttpResponse:
    """To Microsoft's sign-in page."""
    if not microsoft.available():
        raise Http404
    invitation = request.POST.get("invitation", "")[:200]
    return _depart(request, invitation=invitation)


@never_cache
@require_POST
def start_linking(request: HttpRequest) -> HttpResponse:
    """The same, to bind the account to who is signed in."""
    if not microsoft.available():
        raise Http404
    if not signing_in.is_fresh(request):
        return ask_again(request)
    assert isinstance(request.user, User)
    return _depart(request, link=request.user)


@login_not_required
@never_cache
@require_GET
def callback(request: HttpRequest) -> HttpResponse:
    """Microsoft's answer."""
    answer = {name: str(value).replace("\0", "") for name, value in request.GET.items()}
    try:
        trip, arrival = microsoft.arrive(request, answer)
        if trip.link:
            return _linked(request, trip, arrival)
        user = microsoft.person(arrival, trip.invitation)
    except NotSignedIn as problem:
        return refused(request, problem)
    signing_in.finish(request, user, how=SignIn.How.MICROSOFT, strong=True, tenant=arrival.tenant)
    return HttpResponseRedirect(trip.next or "/")


@require_POST
def unlink(request: HttpRequest, pk: int) -> HttpResponse:
    """Microsoft opens this account no longer. Not the last key of who has no password."""
    user = request.user
    assert isinstance(user, User)
    mine = Identity.objects.filter(user=user)
    if not mine.filter(pk=pk).exists():
        raise Http404
    if not signing_in.is_fresh(request):
        return ask_again(request)
    if not user.has_usable_password() and mine.count() == 1:
        messages.warning(request, "This is your only way in. Set a password first.")
        return redirect(SECURITY)
    mine.filter(pk=pk).delete()
    messages.success(request, "Microsoft account unlinked.")
    return redirect(SECURITY)


def refused(request: HttpRequest, problem: NotSignedIn) -> HttpResponse:
    """The page of what went wrong, with a reference that the log has too."""
    what, todo = REASONS[problem.reason]
    reference = new_reference()
    log.info("sign-in with Microsoft refused: %s (%s)", problem.reason, reference)
    signed_in = request.user.is_authenticated
    told = {"what": what, "todo": todo, "tenant": problem.tenant, "reference": reference, "signed_in": signed_in}
    return render(request, "accounts/refused.html", told, status=403)


def _depart(request: HttpRequest, *, invitation: str = "", link: User | None = None) -> HttpResponse:
    try:
        address = microsoft.begin(request, next=destination(request), invitation=invitation, link=link)
    except NotSignedIn as problem:
        return refused(request, problem)
    return HttpResponseRedirect(address)


def _linked(request: HttpRequest, trip: microsoft.Trip, arrival: Arrival) -> HttpResponse:
    user = request.user
    if not isinstance(user, User) or user.pk != trip.link:
        raise NotSignedIn("expired")
    microsoft.link(user, arrival)
    messages.success(request, "Microsoft account linked. You can sign in with it from now on.")
    return redirect(SECURITY)
