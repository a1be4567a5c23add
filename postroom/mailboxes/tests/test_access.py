"""Reading a mailbox and managing it are two things."""

import pytest
from django.http import Http404

from postroom.mailboxes import access
from postroom.mailboxes.models import Mailbox
from postroom.workspaces.models import Membership

pytestmark = pytest.mark.django_db


def readers(*members: Membership) -> list[str]:
    return [one.user.first_name for one in members if access.mailboxes_visible_to(one).exists()]


def managers(*members: Membership) -> list[str]:
    return [one.user.first_name for one in members if access.mailboxes_manageable_by(one).exists()]


@pytest.fixture
def bens(mailbox: Mailbox, ben: Membership) -> Mailbox:
    mailbox.owner = ben
    mailbox.save()
    return mailbox


def test_a_private_mailbox_is_read_by_its_owner_only(
    bens: Mailbox, adele: Membership, ben: Membership, gil: Membership, zoe: Membership
) -> None:
    assert readers(adele, ben, gil, zoe) == ["Ben"]


def test_an_admin_manages_what_he_cannot_read(
    bens: Mailbox, adele: Membership, ben: Membership, gil: Membership, zoe: Membership
) -> None:
    assert managers(adele, ben, gil, zoe) == ["Adele", "Ben"]


def test_named_members_read(bens: Mailbox, adele: Membership, ben: Membership, gil: Membership) -> None:
    bens.visibility = Mailbox.Visibility.MEMBERS
    bens.save()
    bens.members.add(gil)
    assert readers(adele, ben, gil) == ["Ben", "Gil"]


def test_a_name_on_the_list_counts_only_while_the_list_does(bens: Mailbox, gil: Membership) -> None:
    bens.members.add(gil)
    assert readers(gil) == []


def test_everyone_in_the_workspace_reads_and_nobody_else(
    bens: Mailbox, adele: Membership, ben: Membership, gil: Membership, zoe: Membership
) -> None:
    bens.visibility = Mailbox.Visibility.WORKSPACE
    bens.save()
    assert readers(adele, ben, gil, zoe) == ["Adele", "Ben", "Gil"]


def test_looking_up_what_is_not_yours_is_404(bens: Mailbox, gil: Membership, zoe: Membership) -> None:
    for stranger in (gil, zoe):
        with pytest.raises(Http404):
            access.visible_mailbox(stranger, bens.pk)
        with pytest.raises(Http404):
            access.manageable_mailbox(stranger, bens.pk)
