"""Settings of writing: taking back, signatures, templates (product.md SE6)."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_http_methods, require_POST

from postroom.inbox import editing, writing
from postroom.lib.clock import now
from postroom.mail import pens, signatures, snippets, text
from postroom.mail.pens import Snippet, WritingHabits
from postroom.mailboxes import access
from postroom.mailboxes.models import Mailbox
from postroom.ui.toasts import toast
from postroom.workspaces.access import MemberRequest, member_required

UNDO = [(seconds, f"{seconds} seconds" if seconds else "Not at all") for seconds in pens.UNDO_CHOICES]


class SnippetForm(forms.ModelForm):  # type: ignore[type-arg]
    """A template; fields are written like {{first_name}}."""

    text = forms.CharField(
        label="Text",
        max_length=snippets.LONGEST,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 10}),
        help_text="Fields: " + ", ".join("{{" + name + "}}" for name in snippets.FIELDS),
    )
    is_shared = forms.BooleanField(label="Everyone in the workspace may use it", required=False)

    class Meta:
        model = Snippet
        fields = ["name", "text", "is_shared"]

    def clean_text(self) -> str:
        """Without what no text holds; not empty."""
        typed = str(self.cleaned_data["text"]).replace("\r\n", "\n").strip("\n")
        if not typed.strip():
            raise forms.ValidationError("Write a text.")
        wrong = [name for name in snippets.unfilled(typed) if name.lower() not in snippets.FIELDS]
        if wrong:
            raise forms.ValidationError(f"There is no field {{{{{wrong[0]}}}}}.")
        return typed


@require_http_methods(["GET", "POST"])
@member_required
def habits(request: MemberRequest) -> HttpResponse:
    """How long a message can be taken back; the ways to signatures and templates."""
    if request.method == "POST":
        chosen = request.POST.get("undo_seconds", "")
        if chosen not in {str(one) for one in pens.UNDO_CHOICES}:
            raise Http404("No such choice")
        WritingHabits.objects.update_or_create(member=request.member, defaults={"undo_seconds": int(chosen)})
        messages.success(request, "Saved.")
        return redirect("inbox:writing")
    mine = snippets.changeable(request.member).values_list("pk", flat=True)
    mailboxes = _mailboxes(request)
    signed = signatures.of_each([one.pk for one in mailboxes])
    context = {
        "undo": [{"value": value, "label": label} for value, label in UNDO],
        "undo_seconds": pens.undo_seconds(request.member.pk),
        "mailboxes": [(one, text.from_html(signed.get(one.pk, ""))) for one in mailboxes],
        "snippets": list(snippets.visible(request.member)),
        "changeable": set(mine),
        "active": "writing",
    }
    return render(request, "inbox/writing.html", context)


@require_http_methods(["GET", "POST"])
@member_required
def signature(request: MemberRequest, mailbox: int) -> HttpResponse:
    """The signature of a mailbox the member looks after."""
    found = access.manageable_mailbox(request.member, mailbox)
    if request.method == "POST":
        rich = request.POST.get("signature_html")
        signatures.set_for(found, request.POST.get("signature", "") if rich is None else editing.kept(rich))
        messages.success(request, f"Signature of {found.address} saved.")
        return redirect("inbox:writing")
    html = signatures.written(found)
    rich = mark_safe(editing.shown(html, {}))  # noqa: S308 -- sanitised there
    context = {"mailbox": found, "signature": _typed(html), "rich": rich, "active": "writing"}
    return render(request, "inbox/signature.html", context)


@require_http_methods(["GET", "POST"])
@member_required
def snippet(request: MemberRequest, pk: int | None = None) -> HttpResponse:
    """Add or change a template."""
    found = None if pk is None else _changeable(request, pk)
    form = SnippetForm(request.POST or None, instance=found)
    if request.method == "POST" and form.is_valid():
        made: Any = form.save(commit=False)
        made.changed_at = now()
        if found is None:
            made.workspace, made.author = request.workspace, request.member
        made.save()
        messages.success(request, f"Template “{made.name}” saved.")
        return redirect("inbox:writing")
    context = {"form": form, "snippet": found, "active": "writing"}
    return render(request, "inbox/snippet_form.html", context, status=422 if form.errors else 200)


@require_POST
@member_required
def delete_snippet(request: MemberRequest, pk: int) -> HttpResponse:
    """Take a template away."""
    found = _changeable(request, pk)
    found.delete()
    return toast(request, redirect("inbox:writing"), f"Template “{found.name}” deleted.")


def _changeable(request: MemberRequest, pk: int) -> Snippet:
    found = snippets.changeable(request.member).filter(pk=pk).first()
    if found is None:
        raise Http404("No such template")
    return found


def _mailboxes(request: MemberRequest) -> list[Mailbox]:
    return list(access.mailboxes_manageable_by(request.member).exclude(state=Mailbox.State.DISCONNECTED))


def _typed(html: str) -> str:
    """Plain text is edited as plain text."""
    return html if writing.has_formatting(html) else writing.to_text(html)
