"""What members may type about a mailbox."""

from typing import Any

from django import forms
from django.db import transaction

from postroom.mailboxes import lifecycle, sending
from postroom.mailboxes.models import Mailbox
from postroom.workspaces.models import Membership, Permission


class MailboxForm(forms.Form):
    """Name, purpose, who may use it, and whether it is what people write from (CN14).

    Who may use it is the owner's decision: an admin sees it and can't change it. What the workspace writes from is the
    admins' decision, and only a mailbox that everybody may use can be that.
    """

    name = forms.CharField(max_length=200, required=False, help_text="How colleagues see it. The address stays.")
    purpose = forms.ChoiceField(choices=Mailbox.Purpose, help_text="What its mail is about.")
    visibility = forms.ChoiceField(choices=Mailbox.Visibility, widget=forms.RadioSelect)
    members = forms.ModelMultipleChoiceField(
        Membership.objects.none(), required=False, widget=forms.CheckboxSelectMultiple
    )
    default_mine = forms.BooleanField(required=False)
    default_workspace = forms.BooleanField(required=False)

    def __init__(self, mailbox: Mailbox, member: Membership, data: Any = None) -> None:
        colleagues = (
            Membership.objects.for_workspace(mailbox.workspace_id).select_related("user").order_by("user__name")
        )
        super().__init__(
            data,
            initial={
                "name": mailbox.name,
                "purpose": mailbox.purpose,
                "visibility": mailbox.visibility,
                "members": [one.pk for one in mailbox.members.all()],
                "default_mine": sending.is_default(mailbox, member),
                "default_workspace": sending.is_default(mailbox, None),
            },
        )
        self.mailbox, self.member = mailbox, member
        self.colleagues = [one for one in colleagues if one.pk != mailbox.owner_id]
        field = self.fields["members"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = colleagues
        mine = mailbox.owner_id == member.pk
        self.fields["visibility"].disabled = self.fields["members"].disabled = not mine
        self.fields["default_mine"].disabled = not (mine or sending.may_use(mailbox, member))
        self.fields["default_workspace"].disabled = not member.may(Permission.MANAGE_WORKSPACE)

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        visibility = found.get("visibility")
        if visibility == Mailbox.Visibility.MEMBERS and not found.get("members"):
            self.add_error("members", "Choose at least one colleague, or “Only me”.")
        if found.get("default_workspace") and visibility != Mailbox.Visibility.WORKSPACE:
            if self.fields["default_workspace"].disabled:
                found["default_workspace"] = False  # the owner closes it: then it is no longer what all write from
            else:
                self.add_error("default_workspace", "First let everyone in the workspace use it.")
        return found

    @transaction.atomic
    def save(self) -> None:
        self.mailbox.name, self.mailbox.purpose = self.cleaned_data["name"], self.cleaned_data["purpose"]
        self.mailbox.save(update_fields=["name", "purpose"])
        visibility = Mailbox.Visibility(self.cleaned_data["visibility"])
        lifecycle.share(self.mailbox, visibility, self.cleaned_data["members"])
        sending.set_default(self.mailbox, self.member, on=self.cleaned_data["default_mine"])
        sending.set_default(self.mailbox, None, on=self.cleaned_data["default_workspace"])


class HandOverForm(forms.Form):
    """To whom, and that the consequences were read."""

    owner = forms.ModelChoiceField(Membership.objects.none(), label="New owner", empty_label="Choose a colleague")
    understood = forms.BooleanField(
        error_messages={"required": "Tick the box to confirm that the new owner may read the mail."}
    )

    def __init__(self, mailbox: Mailbox, data: Any = None, *, by: Membership | None = None) -> None:
        super().__init__(data)
        members = Membership.objects.for_workspace(mailbox.workspace_id).exclude(pk=mailbox.owner_id)
        open_to_all = mailbox.visibility == Mailbox.Visibility.WORKSPACE
        if by is not None and by.pk != mailbox.owner_id and not open_to_all:
            members = members.filter(pk__in=mailbox.members.values("pk"))  # an admin opens it to no new reader
        field = self.fields["owner"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = members.select_related("user").order_by("user__name")
