"""Settings > Sending (product.md SE8, SE9): the workspace's mail server, and what each mailbox may send."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from postroom.mail.outbound import limits, servers
from postroom.mail.outbound.forms import AllowanceForm, ServerForm
from postroom.mail.outbound.limits import Standing
from postroom.mail.ways import Allowance, MailServer
from postroom.mailboxes import access
from postroom.mailboxes.models import Mailbox
from postroom.workspaces.access import MemberRequest, member_required, permission_required
from postroom.workspaces.models import Permission

HERE = "mail:sending"
manage = permission_required(Permission.MANAGE_WORKSPACE)


@dataclass(frozen=True)
class Line:
    """A mailbox on the page. ``note``: what its member has to know."""

    mailbox: Mailbox
    standing: Standing
    row: Allowance | None

    @property
    def figure(self) -> str:
        if self.standing.daily is None:
            written = self.standing.written
            return f"{written:,} recipient{'' if written == 1 else 's'} in the last 24 hours"
        return f"{self.standing.written:,} of {self.standing.daily:,} recipients in the last 24 hours"


@require_http_methods(["GET", "POST"])
@member_required
def sending(request: MemberRequest) -> HttpResponse:
    """Members see what their mailboxes may send; admins set the server."""
    may_manage = request.member.may(Permission.MANAGE_WORKSPACE)
    row = servers.of(request.workspace.pk)
    form = ServerForm(request.POST or None, initial=_initial(row)) if may_manage else None
    if request.method == "POST":
        if form is None:
            raise Http404
        if form.is_valid():
            return _saved(request, form)
    context = {
        "form": form,
        "server": row,
        "failure": servers.in_words(row.failure) if row else "",
        "lines": _lines(request),
        "routes": [{"value": one.value, "label": one.label} for one in Allowance.Route],
        "may_manage": may_manage,
    }
    return render(request, "mail/sending.html", context, status=422 if form is not None and form.errors else 200)


def _initial(row: MailServer | None) -> dict[str, object]:
    if row is None:
        return {"security": MailServer.Security.TLS, "steps_in": True}
    told = {name: getattr(row, name) for name in ("host", "port", "security", "username", "sender", "steps_in")}
    return {**told, "domains": ", ".join(row.domains)}


def _saved(request: MemberRequest, form: ServerForm) -> HttpResponse:
    fields = dict(form.cleaned_data)
    password = fields.pop("password") or None
    row = servers.save(request.workspace, password=password, **fields)
    if trouble := servers.test(row):
        messages.error(request, f"Saved, but it does not work yet. {trouble}")
    else:
        messages.success(request, f"Saved: {row.host} answers and takes the sign-in.")
    limits.release(request.workspace.pk)
    return redirect(HERE)


def _lines(request: MemberRequest) -> list[Line]:
    seen = access.mailboxes_visible_to(request.member).exclude(state=Mailbox.State.DISCONNECTED)
    rows = list(seen.select_related("connection", "allowance").order_by("address"))
    standings = limits.standings(rows)
    return [Line(one, standings[one.pk], getattr(one, "allowance", None)) for one in rows]


@require_POST
@manage
def test_server(request: MemberRequest) -> HttpResponse:
    row = servers.of(request.workspace.pk)
    if row is None:
        raise Http404
    if trouble := servers.test(row):
        messages.error(request, trouble)
    else:
        messages.success(request, f"{row.host} answers and takes the sign-in.")
    return redirect(HERE)


@require_POST
@manage
def forget_server(request: MemberRequest) -> HttpResponse:
    """From now on mailboxes send by themselves, or wait."""
    servers.forget(request.workspace)
    messages.success(request, "The mail server is forgotten. Mailboxes that reach their limit wait until the next day.")
    return redirect(HERE)


@require_POST
@manage
def allowance(request: MemberRequest, pk: int) -> HttpResponse:
    """Which way a mailbox sends, and how much a day."""
    mailbox = access.mailboxes_visible_to(request.member).filter(pk=pk).first()
    if mailbox is None:
        raise Http404
    form = AllowanceForm(request.POST)
    if form.is_valid():
        limits.set_for(mailbox, **form.cleaned_data)
        messages.success(request, f"Saved for {mailbox.address}.")
    else:
        messages.error(request, "A limit is a number of recipients from 1 to 1,000,000, or nothing.")
    return redirect(HERE)
