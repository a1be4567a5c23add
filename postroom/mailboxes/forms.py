"""What members may type about a mailbox."""

from typing import Any

from django import forms

from postroom.mailboxes import lifecycle
from postroom.mailboxes.models import Mailbox
from postroom.workspaces.models import Membership


class MailboxForm(forms.Form):
    """Name, owner, who may use it. Who may use it is the owner's decision: an admin sees it and can't change it."""

    name = forms.CharField(max_length=200, required=False, help_text="How colleagues see it. The address stays.")
    owner = forms.ModelChoiceField(
        Membership.objects.none(), help_text="Looks after the mailbox. If you hand it over, it is no longer yours."
    )
    visibility = forms.ChoiceField(choices=Mailbox.Visibility, widget=forms.RadioSelect)
    members = forms.ModelMultipleChoiceField(
        Membership.objects.none(), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, mailbox: Mailbox, member: Membership, data: Any = None) -> None:
        colleagues = (
            Membership.objects.for_workspace(mailbox.workspace_id).select_related("user").order_by("user__name")
        )
        super().__init__(
            data,
            initial={
                "name": mailbox.name,
                "owner": mailbox.owner_id,
                "visibility": mailbox.visibility,
                "members": [one.pk for one in mailbox.members.all()],
            },
        )
        self.mailbox = mailbox
        self.colleagues = [one for one in colleagues if one.pk != mailbox.owner_id]
        for name in ("owner", "members"):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = colleagues
        if mailbox.owner_id != member.pk:
            for name in ("owner", "visibility", "members"):
                self.fields[name].disabled = True

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if found.get("visibility") == Mailbox.Visibility.MEMBERS and not found.get("members"):
            self.add_error("members", "Choose at least one colleague, or “Only me”.")
        return found

    def save(self) -> None:
        self.mailbox.name = self.cleaned_data["name"]
        self.mailbox.owner = self.cleaned_data["owner"]
        self.mailbox.save(update_fields=["name", "owner"])
        visibility = Mailbox.Visibility(self.cleaned_data["visibility"])
        lifecycle.share(self.mailbox, visibility, self.cleaned_data["members"])


class DisconnectForm(forms.Form):
    """Keep or delete what was synced; deleting wants the address typed (product.md MA3)."""

    mail = forms.ChoiceField(choices=[("keep", "Keep"), ("delete", "Delete")], initial="keep")
    address = forms.CharField(required=False, strip=True)

    def __init__(self, mailbox: Mailbox, data: Any = None) -> None:
        super().__init__(data)
        self.mailbox = mailbox

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        typed = lifecycle.normal(found.get("address", ""))
        if found.get("mail") == "delete" and typed != lifecycle.normal(self.mailbox.address):
            self.add_error("address", f"Type {self.mailbox.address} to confirm that its synced mail may be deleted.")
        return found

    @property
    def deletes(self) -> bool:
        return bool(self.cleaned_data["mail"] == "delete")
