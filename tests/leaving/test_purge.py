"""A deleted member or workspace is out of sight at once and gone from every table when its time has come (MA4)."""

import io
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from postroom.accounts.models import User
from postroom.config.cli import main
from postroom.lib import clock, erasing
from postroom.mailboxes import access, lifecycle
from postroom.mailboxes.models import Connection, Mailbox
from postroom.records.people import commands as people
from postroom.workspaces import leaving, purging
from postroom.workspaces.commands import add_member, create_workspace
from postroom.workspaces.models import Membership, Purge, Role, Workspace
from tests.leaving.test_nothing_left import rows_with, stored_files

pytestmark = pytest.mark.django_db


@pytest.fixture
def held(settle: Any) -> Iterator[clock.Clock]:
    """The clock that ``settle`` holds."""
    assert isinstance(clock._read, clock.Clock)
    yield clock._read


def opened(member: Membership) -> int:
    browser = Client()
    browser.force_login(member.user)
    return int(browser.get("/settings/members/").status_code)


class TestAMember:
    def test_is_out_at_once(self, lived_in: Mailbox, ben: Membership, member: Membership) -> None:
        assert opened(member) == 200
        leaving.remove_member(member)
        assert opened(member) != 200 and not Connection.objects.exists()
        assert member not in Membership.objects.for_workspace(member.workspace)
        assert not access.mailboxes_visible_to(ben).exists() and not access.mailboxes_manageable_by(ben).exists()

    def test_is_gone_from_every_table_after_thirty_days(
        self, lived_in: Mailbox, ben: Membership, member: Membership, held: clock.Clock
    ) -> None:
        number, address, user = member.pk, member.address, member.user_id
        people.create(member.workspace, by=member, last_name="Kept")
        leaving.remove_member(member)
        held.advance(timedelta(days=29))
        assert purging.run_due() == 0 and Membership.objects.filter(pk=number).exists()
        held.advance(timedelta(days=1, minutes=1))
        assert purging.run_due() == 1
        assert erasing.mentions(number, Membership) == {} and erasing.mentions(user, User) == {}
        assert rows_with(address).keys() <= {"procrastinate_jobs"}
        assert not Mailbox.objects.exists() and list(Membership.objects.all()) == [ben]
        assert Purge.objects.get().remaining == 0

    def test_mailboxes_go_to_who_may_read_them_already(
        self, lived_in: Mailbox, ben: Membership, member: Membership, held: clock.Clock
    ) -> None:
        key = str(lived_in.pk)
        with pytest.raises(leaving.Refused, match="cannot be handed"):
            leaving.remove_member(member, {key: ben})
        lifecycle.share(lived_in, Mailbox.Visibility.WORKSPACE)
        leaving.remove_member(member, {key: ben})
        held.advance(timedelta(days=31))
        purging.run_due()
        kept = Mailbox.objects.get()
        assert (kept.owner, kept.state, kept.messages.count()) == (ben, "disconnected", 12)

    def test_the_last_admin_stays(self, member: Membership) -> None:
        with pytest.raises(leaving.Refused, match="only one who may manage"):
            leaving.remove_member(member)

    def test_who_comes_back_before_the_purge_is_a_member_again(
        self, ben: Membership, member: Membership, held: clock.Clock
    ) -> None:
        leaving.remove_member(ben)
        add_member(member.workspace, ben.user, role="Admin")
        held.advance(timedelta(days=31))
        assert purging.run_due() == 0 and opened(ben) == 200


class TestAWorkspace:
    def test_is_gone_from_every_table_with_its_files(
        self, lived_in: Mailbox, colleagues: Mailbox, member: Membership, held: clock.Clock
    ) -> None:
        other = add_member(create_workspace("Other"), User.objects.create_user("zoe@other.example", "Zoe"))
        workspace = member.workspace
        leaving.delete_workspace(workspace)
        assert opened(member) != 200 and not Connection.objects.exists()
        held.advance(timedelta(days=30, minutes=1))
        assert purging.run_due() == 1
        assert erasing.mentions(workspace.pk, Workspace) == {}
        for trace in ("adele@northwind.example", "ben@northwind.example", "contoso.example", "Northwind"):
            assert rows_with(trace).keys() <= {"procrastinate_jobs"}, trace
        assert stored_files() == 0
        assert list(Membership.objects.all()) == [other] and list(User.objects.all()) == [other.user]

    def test_an_interrupted_purge_goes_on(self, lived_in: Mailbox, member: Membership, held: clock.Clock) -> None:
        leaving.delete_workspace(member.workspace)
        held.advance(timedelta(days=31))
        looks = iter([False, False, False, *[True] * 99])
        assert purging.run_due(stopping=lambda: next(looks)) == 0
        begun = Purge.objects.get()
        assert begun.started_at and not begun.finished_at and begun.deleted
        assert purging.run_due() == 1 and not Workspace.objects.exists()

    def test_who_belongs_elsewhere_keeps_the_account(self, member: Membership, held: clock.Clock) -> None:
        elsewhere = add_member(create_workspace("Other"), member.user, role="Admin")
        leaving.delete_workspace(member.workspace)
        assert opened(elsewhere) == 200
        held.advance(timedelta(days=31))
        purging.run_due()
        assert User.objects.filter(pk=member.user_id).exists()


class TestTheCommands:
    @pytest.fixture(autouse=True)
    def ready(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from contextlib import nullcontext

        monkeypatch.setattr("postroom.config.cli.django_ready", nullcontext)

    def test_a_workspace_is_deleted_and_its_certificate_names_nobody(
        self, lived_in: Mailbox, member: Membership, held: clock.Clock, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["workspace", "delete", "Northwind", "--yes"]) == 0
        held.advance(timedelta(days=31))
        assert main(["purge", "run"]) == 0
        capsys.readouterr()
        assert main(["purge", "list", "--json"]) == 0
        text = capsys.readouterr().out
        (row,) = json.loads(text)
        assert (row["kind"], row["state"], row["remaining"]) == ("workspace", "done", 0) and row["rows"] > 0
        assert "northwind" not in text.lower() and "adele" not in text

    def test_nothing_is_deleted_without_a_confirmation(
        self, member: Membership, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO())
        assert main(["workspace", "delete", "Northwind"]) == 2
        assert "--yes" in capsys.readouterr().err and not Purge.objects.exists()

    def test_a_member_is_removed(self, ben: Membership, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["member", "delete", "ben@northwind.example", "--yes"]) == 0
        assert "is removed and purged on" in capsys.readouterr().out
        assert main(["member", "delete", "nobody@northwind.example", "--yes"]) == 2


class TestThePages:
    @pytest.fixture
    def browser(self, member: Membership, ben: Membership) -> Client:
        found = Client()
        found.force_login(member.user)
        return found

    def test_an_admin_removes_a_member(self, browser: Client, ben: Membership) -> None:
        assert "loses access" in browser.get(f"/settings/members/{ben.pk}/remove/").content.decode()
        assert browser.post(f"/settings/members/{ben.pk}/remove/")["Location"] == "/settings/members/"
        page = browser.get("/settings/members/").content.decode()
        assert "ben@northwind.example" not in page and "is purged on" in page

    def test_deleting_the_workspace_wants_its_name(self, browser: Client) -> None:
        assert browser.post("/settings/workspace/delete/", {"name": "north"}).status_code == 422
        assert not Purge.objects.exists()
        browser.post("/settings/workspace/delete/", {"name": "Northwind"})
        assert browser.get("/settings/members/").status_code != 200

    def test_only_who_manages_the_workspace_may(self, member: Membership, browser: Client) -> None:
        Role.objects.create(workspace=member.workspace, name="Guest")
        guest = add_member(member.workspace, User.objects.create_user("gil@northwind.example"), role="Guest")
        browser.force_login(guest.user)
        for path in (f"/settings/members/{member.pk}/remove/", "/settings/workspace/delete/"):
            assert browser.get(path).status_code == browser.post(path).status_code == 403
        assert "Remove" not in browser.get("/settings/members/").content.decode()

    def test_a_member_of_another_workspace_does_not_exist(self, browser: Client) -> None:
        other = add_member(create_workspace("Other"), User.objects.create_user("zoe@other.example"))
        assert browser.post(f"/settings/members/{other.pk}/remove/").status_code == 404
