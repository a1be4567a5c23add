"""Settings from the environment: where they come from, and one clear line for each bad one."""

from __future__ import annotations

from pathlib import Path

import pytest

from postroom.config.env import Environment, SettingsError, load, read_env_file


def test_the_environment_wins_over_the_file_beside_the_start_directory(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=file\nB=file\n")
    found = load(tmp_path, {"A": "environment"})
    assert (found.text("A"), found.text("B")) == ("environment", "file")


def test_other_commands_find_the_running_demo_unless_they_have_another_database(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "demo.env").write_text("MICROSOFT_CLIENT_ID=demo\n")
    assert load(tmp_path, {}).text("MICROSOFT_CLIENT_ID") == "demo"
    assert load(tmp_path, {"DATABASE_URL": "postgresql://x/y"}).text("MICROSOFT_CLIENT_ID") == ""


def test_the_home_is_var_in_the_start_directory_and_always_absolute(tmp_path: Path) -> None:
    assert load(tmp_path, {}).text("POSTROOM_HOME") == str(tmp_path / "var")
    assert load(tmp_path, {"POSTROOM_HOME": "data"}).text("POSTROOM_HOME") == str(tmp_path / "data")


def test_a_file_may_have_comments_quotes_and_export(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("# a comment\n\nexport A='x y'\nB = \"=z\"\nC=plain # not a comment\nD=\n")
    assert read_env_file(path) == {"A": "x y", "B": "=z", "C": "plain # not a comment", "D": ""}


@pytest.mark.parametrize("text", ["just words", "=x", "1A=x", "A B=c"])
def test_a_broken_line_is_named_by_its_number(tmp_path: Path, text: str) -> None:
    (tmp_path / ".env").write_text(f"A=1\n{text}\n")
    with pytest.raises(SettingsError, match="line 2"):
        read_env_file(tmp_path / ".env")


@pytest.mark.parametrize(
    "value", ["crm.example.com", "ftp://x", "https://", "https://x:port", "https://x/?q", "http://[x"]
)
def test_what_is_no_address_is_refused(value: str) -> None:
    with pytest.raises(SettingsError, match="POSTROOM_PUBLIC_URL must be an address"):
        Environment({"POSTROOM_PUBLIC_URL": value}).url("POSTROOM_PUBLIC_URL", "")


@pytest.mark.parametrize(("there", "missing"), [("A", "B"), ("B", "A")])
def test_what_belongs_together_is_set_together(there: str, missing: str) -> None:
    Environment({}).together("A", "B")
    Environment({"A": "x", "B": "y"}).together("A", "B")
    with pytest.raises(SettingsError, match=f"{missing} is not set: it belongs to {there}"):
        Environment({there: "x", missing: " "}).together("A", "B")


@pytest.mark.parametrize("value", ["mysql://x/y", "sqlite:///x", "x", "postgresql://%zz/"])
def test_what_is_no_postgresql_is_refused(value: str) -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL"):
        Environment({"DATABASE_URL": value}).database()


def test_a_database_address_is_taken_apart_with_its_options() -> None:
    found = Environment({"DATABASE_URL": "postgres://u:p%40@db:5433/n?sslmode=verify-full"}).database()
    assert found == {
        "user": "u", "password": "p@", "host": "db", "port": "5433", "dbname": "n", "sslmode": "verify-full",
    }  # fmt: skip


@pytest.mark.parametrize("value", ["x", "1.5", "-1", "65", ""])
def test_numbers_have_bounds(value: str) -> None:
    environment = Environment({"N": value})
    if value:
        with pytest.raises(SettingsError, match="N must be"):
            environment.number("N", 8, least=1, most=64)
    else:
        assert environment.number("N", 8, least=1, most=64) == 8


@pytest.mark.parametrize(("value", "answer"), [("1", True), ("YES", True), ("off", False), ("", False)])
def test_flags(value: str, answer: bool) -> None:
    assert Environment({"F": value}).flag("F") is answer


def test_an_unclear_flag_is_refused() -> None:
    with pytest.raises(SettingsError, match="must be 1 or 0"):
        Environment({"F": "perhaps"}).flag("F")
