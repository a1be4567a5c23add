"""The first member of an installation is made on the command line."""

from __future__ import annotations

import io
import sys

import pytest

from postroom.accounts import second_factor
from postroom.accounts.models import User
from postroom.config import member_cli
from postroom.config.cli import build_parser
from postroom.config.errors import UsageError
from postroom.workspaces.models import Membership, Workspace

pytestmark = pytest.mark.django_db
SECRET = "a long enough phrase"


def add(monkeypatch: pytest.MonkeyPatch, *arguments: str, password: str = SECRET) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{password}\n"))
    member_cli.add(build_parser().parse_args(["member", "add", *arguments]))


def test_the_first_member_brings_the_workspace_along(monkeypatch: pytest.MonkeyPatch) -> None:
    add(monkeypatch, "Ana@Example.com", "--name", "Ana", "--role", "Admin", "--workspace", "Example Ltd")
    member = Membership.objects.get(user__email="ana@example.com")
    assert (member.workspace.name, member.role.name, member.name) == ("Example Ltd", "Admin", "Ana")
    assert member.user.check_password(SECRET)


def test_later_ones_join_the_only_workspace_and_keep_their_password(monkeypatch: pytest.MonkeyPatch) -> None:
    add(monkeypatch, "ana@example.com", "--workspace", "Example Ltd")
    add(monkeypatch, "ana@example.com", "--role", "Admin", password="")
    assert Workspace.objects.count() == 1
    member = Membership.objects.get(user__email="ana@example.com")
    assert member.role.name == "Admin"
    assert member.user.check_password(SECRET)


@pytest.mark.parametrize(
    ("arguments", "password", "said"),
    [
        (["ana", "--workspace", "W"], SECRET, "'ana' is not an address"),
        (["ana@example.com", "--workspace", "W"], "short", "too short"),
        (["ana@example.com", "--workspace", "W"], "", "too short"),
        (["ana@example.com"], SECRET, "add --workspace NAME"),
        (["ana@example.com", "--workspace", "W", "--role", "Boss"], SECRET, "there are Admin, Member, Guest"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_made(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], password: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        add(monkeypatch, *arguments, password=password)
    assert not User.objects.exists()
    assert not Workspace.objects.exists()


def test_who_lost_their_second_factor_gets_a_new_start(monkeypatch: pytest.MonkeyPatch) -> None:
    add(monkeypatch, "ana@example.com", "--workspace", "Example Ltd")
    ana = User.objects.get()
    second_factor.set_up(ana, "JBSWY3DPEHPK3PXP")
    options = build_parser().parse_args(["member", "reset-second-factor", "Ana@example.com"])
    assert member_cli.reset_second_factor(options) == 0
    assert not second_factor.has(ana)
    options.address = "nobody@example.com"
    with pytest.raises(UsageError, match="nobody signs in"):
        member_cli.reset_second_factor(options)
