"""Settings > Sign-in for admins, and what an invited person sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.password_validation import validate_password
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from postroom.accounts import microsoft, signing_in
from postroom.accounts.models import SignIn, User
from postroom.lib.clock import now
from postroom.workspaces import sign_in
from postroom.workspaces.access import MemberRequest, permission_required
from postroom.workspaces.models import AllowedTenant, Invitation, Permission, Role

if TYPE_CHECKING:
    RoleField = forms.ModelChoiceField[Role]
else:
    RoleField = forms.ModelChoiceField
HERE = "workspaces:sign-in"
manage = permission_required(Permission.MANAGE_WORKSPACE)


class JoinsAs(RoleField):
    """Roles, as what people become."""

    def label_from_instance(self, obj: Role) -> str:
        return f"become {obj.name}"


class TenantForm(forms.Form):
    """An organisation whose people may sign in."""

    tenant = forms.CharField(label="Tenant ID", max_length=60, help_text="In the Entra admin center, under Overview.")
    name = forms.CharField(label="Name", max_length=120, required=False)
    joins_as = JoinsAs(
        label="People who are not members yet",
        queryset=Role.objects.none(),
        required=False,
        empty_label="are let in by invitation only",
    )

    def __init__(self, roles: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(Any, self.fields["joins_as"]).queryset = roles


class InvitationForm(forms.Form):
    """Whom, and as what."""

    address = forms.EmailField(label="Email", max_length=320)
    role = RoleField(label="Role", queryset=Role.objects.none(), empty_label=None)

    def __init__(self, roles: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(Any, self.fields["role"]).queryset = roles


class AcceptForm(forms.Form):
    """Who comes by invitation, without Microsoft."""

    name = forms.CharField(label="Your name", max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    password = forms.CharField(
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 10 characters.",
    )

    def __init__(self, address: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.address = address

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        validate_password(password, User(email=self.address, name=self.cleaned_data.get("name", "")))
        return password


@require_GET
@manage
def settings(request: MemberRequest) -> HttpResponse:
    """Tenants, second factor, invitations."""
    return _page(request)


def _page(request: MemberRequest, *, status: int = 200, **more: Any) -> HttpResponse:
    roles = Role.objects.for_workspace(request.workspace).order_by("id")
    tenants = AllowedTenant.objects.for_workspace(request.workspace).select_related("joins_as").order_by("name")
    waiting = Invitation.objects.for_workspace(request.workspace).filter(accepted_at=None, expires_at__gt=now())
    context = {
        "tenants": tenants,
        "invitations": waiting.select_related("role").order_by("-created_at"),
        "tenant_form": TenantForm(roles),
        "invitation_form": InvitationForm(roles, initial={"role": roles.filter(name="Member").first()}),
        "available": microsoft.available(),
        "redirect_uri": microsoft.callback_url(),
        "strong": signing_in.mark(request.session).get("strong", False),
        **more,
    }
    return render(request, "workspaces/sign_in.html", context, status=status)


@require_POST
@manage
def allow_tenant(request: MemberRequest) -> HttpResponse:
    form = TenantForm(Role.objects.for_workspace(request.workspace).order_by("id"), request.POST)
    if form.is_valid():
        told = form.cleaned_data
        try:
            row = sign_in.allow_tenant(request.workspace, told["tenant"], told["name"], told["joins_as"])
        except sign_in.Refused as problem:
            form.add_error("tenant", str(problem))
        else:
            messages.success(request, f"People of {row.name} may sign in with Microsoft.")
            return redirect(HERE)
    return _page(request, status=422, tenant_form=form)


@require_POST
@manage
def remove_tenant(request: MemberRequest, pk: int) -> HttpResponse:
    """Sessions that rest on it see nothing of this workspace from the next click on."""
    row = AllowedTenant.objects.for_workspace(request.workspace).find(pk=pk)
    row.delete()
    messages.success(request, f"People of {row.name} cannot sign in with Microsoft any more.")
    return redirect(HERE)


@require_POST
@manage
def second_factor(request: MemberRequest) -> HttpResponse:
    """Required or not, of who signs in with a password."""
    request.workspace.second_factor_required = request.POST.get("required") == "1"
    request.workspace.save(update_fields=["second_factor_required"])
    state = "required" if request.workspace.second_factor_required else "optional"
    messages.success(request, f"A second factor is {state} now.")
    return redirect(HERE)


@require_POST
@manage
def invite(request: MemberRequest) -> HttpResponse:
    """Makes the link; it is shown this once."""
    form = InvitationForm(Role.objects.for_workspace(request.workspace).order_by("id"), request.POST)
    if not form.is_valid():
        return _page(request, status=422, invitation_form=form)
    try:
        row, token = sign_in.invite(request.member, form.cleaned_data["address"], form.cleaned_data["role"])
    except sign_in.Refused as problem:
        form.add_error("address", str(problem))
        return _page(request, status=422, invitation_form=form)
    link = request.build_absolute_uri(reverse("workspaces:invitation", args=[token]))
    return _page(request, link=link, invited=row)


@require_POST
@manage
def withdraw(request: MemberRequest, pk: int) -> HttpResponse:
    Invitation.objects.for_workspace(request.workspace).find(pk=pk, accepted_at=None).delete()
    messages.success(request, "Invitation withdrawn.")
    return redirect(HERE)


@login_not_required
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """What an invited person sees: come in with Microsoft, or with a password; or accept as who is signed in."""
    found = sign_in.open_invitation(token)
    if found is None:
        return render(request, "workspaces/invitation_over.html", status=404)
    user = request.user
    if isinstance(user, User):
        return _accept_signed_in(request, found, user, token)
    form = AcceptForm(found.address, request.POST or None)
    known = User.objects.filter(email=found.address).exists()
    if request.method == "POST" and not known and form.is_valid():
        made = sign_in.accept_with_password(found, form.cleaned_data["name"], form.cleaned_data["password"])
        if made is None:
            return redirect("workspaces:invitation", token)
        signing_in.finish(request, made, how=SignIn.How.PASSWORD, strong=False)
        return redirect("home")
    offered = microsoft.available() and AllowedTenant.objects.filter(workspace=found.workspace_id).exists()
    context = {"found": found, "form": form, "token": token, "known": known, "microsoft": offered}
    return render(request, "workspaces/invitation.html", context, status=422 if form.errors else 200)


def _accept_signed_in(request: HttpRequest, found: Invitation, user: User, token: str) -> HttpResponse:
    """An account takes only an invitation that was meant for its address."""
    fits = user.email == found.address
    if request.method == "POST" and fits:
        sign_in.accept(found, user)
        return redirect("home")
    return render(request, "workspaces/invitation.html", {"found": found, "token": token, "user": user, "fits": fits})


@require_GET
def second_factor_needed(request: HttpRequest) -> HttpResponse:
    """Where who lacks what the workspace asks for is sent."""
    if not isinstance(request.user, User):
        raise Http404
    return render(request, "workspaces/second_factor_needed.html")
