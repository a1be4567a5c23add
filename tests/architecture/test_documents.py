"""What the documents say of the code is so: links, targets, commands, lists."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from postroom.config import cli
from postroom.providers.contract import Capabilities, Connector
from postroom.providers.registry import PROVIDERS, connector
from tests.architecture.house import ROOT, layers

DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "postroom_sandbox").glob("*.md")],
)
IDS = [str(path.relative_to(ROOT)) for path in DOCUMENTS]
COMMANDS = (  # what people's scripts call
    "demo", "serve", "worker", "migrate", "doctor", "sandbox", "search",
    "mailbox list", "mailbox connect", "mailbox sync", "mailbox dump",
)  # fmt: skip
OPTIONS = {
    "demo": {"--port", "--sandbox-port", "--fresh", "--no-open", "--mail"},
    "mailbox list": {"--json"},
    "mailbox connect": {"--sandbox", "--since"},
    "search": {"--limit"},
}
MEGABYTE = 1024 * 1024


def _targets(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])make ([a-z][a-z-]*)", "\n".join(_code(text))))


def _code(text: str) -> list[str]:
    """What stands in code spans and fenced blocks."""
    return [block or span for block, span in re.findall(r"```\n?(.*?)```|`([^`\n]+)`", text, re.DOTALL)]


def _parsers(parser: argparse.ArgumentParser, name: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command with its parser."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, below in action.choices.items():
                yield f"{name} {word}".strip(), below
                yield from _parsers(below, f"{name} {word}".strip())


@pytest.mark.parametrize("document", DOCUMENTS, ids=IDS)
def test_every_link_leads_to_a_file(document: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text())
    missing = [link for link in links if "://" not in link and not (document.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=IDS)
def test_every_make_target_exists(document: Path) -> None:
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert _targets(document.read_text()) - known == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=IDS)
def test_every_file_of_ours_that_is_named_exists(document: Path) -> None:
    path = re.compile(
        r"(?<![\w/])(?:postroom|postroom_sandbox|tests|docs|requirements|scripts)(?:/[\w.-]+)+\.(?:py|md|in|txt|html)"
    )
    named = {name for code in _code(document.read_text()) for name in path.findall(code)}
    assert {name for name in named if not (ROOT / name).exists()} == set()


def test_the_picture_shows_every_room_in_its_place() -> None:
    picture = (ROOT / "docs" / "pictures" / "architecture.svg").read_text()
    shown = re.findall(r'<rect class="b" x="([\d.]+)" y="(\d+)"[^>]*/><text class="t"[^>]*>(\w+)</text>', picture)
    lines: dict[int, list[str]] = {}
    for _, y, name in sorted(shown, key=lambda one: (int(one[1]), float(one[0]))):
        lines.setdefault(int(y), []).append(name)
    assert list(lines.values()) == layers()


def test_every_command_of_the_contract_exists() -> None:
    known = dict(_parsers(cli.build_parser()))
    assert set(COMMANDS) - set(known) == set()
    for command, options in OPTIONS.items():
        taken = {option for action in known[command]._actions for option in action.option_strings}
        assert options <= taken, command


@pytest.mark.parametrize("document", DOCUMENTS, ids=IDS)
def test_every_postroom_command_that_is_named_exists(document: Path) -> None:
    known = set(dict(_parsers(cli.build_parser())))
    named = re.findall(
        r"(?:^|[\s/`])postroom ([a-z-]+(?: (?:list|connect|sync|dump))?)", "\n".join(_code(document.read_text()))
    )
    assert {name for name in named if name not in known} == set()


def test_the_table_of_providers_equals_the_code() -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in (ROOT / "docs" / "providers.md").read_text().splitlines()
        if line.startswith("| ") and not line.startswith("| ---")
    ]
    head, body = rows[0], rows[1:]
    assert [re.findall(r"`(\w+)`", cell) for cell in head[1:]] == [[name] for name in PROVIDERS]
    assert {row[0]: row[1:] for row in body} == _abilities([connector(name) for name in PROVIDERS])


def _abilities(connectors: list[Connector]) -> dict[str, list[str]]:
    """The table as the code would write it."""
    table = {
        name.replace("_", " "): ["yes" if getattr(one.capabilities, name) else "no" for one in connectors]
        for name in Capabilities.__struct_fields__
        if name not in ("max_attachment", "recipients_a_day")
    }
    table["recipients a day"] = [
        ", ".join(f"{count:,} ({kind})" for kind, count in one.capabilities.recipients_a_day.items()) or "no limit"
        for one in connectors
    ]
    table["largest attachment"] = [f"{one.capabilities.max_attachment // MEGABYTE} MB" for one in connectors]
    table["features"] = [", ".join(feature.name for feature in one.features) for one in connectors]
    return table


def test_every_permission_we_ask_for_is_in_the_guide_for_the_registration() -> None:
    guide = (ROOT / "docs" / "microsoft-setup.md").read_text()
    rows = dict(re.findall(r"^\| ([^|]+?)(?: \(work accounts\))? \| ([^|]+) \|", guide, re.MULTILINE))
    for feature in connector("microsoft").features:
        assert set(re.findall(r"`([^`]+)`", rows[feature.label])) == set(feature.scopes)


def test_every_dependency_has_its_reason() -> None:
    lines = (ROOT / "requirements" / "runtime.in").read_text().splitlines()
    required = {re.split(r"[\[=~<>]", line)[0] for line in lines if line and not line.startswith("#")}
    page = (ROOT / "docs" / "decisions" / "dependencies.md").read_text()
    assert set(re.findall(r"^\| `([\w-]+)` \|", page, re.MULTILINE)) == required


def test_every_decision_is_in_the_list() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = set(re.findall(r"\]\(([\w-]+\.md)\)", (folder / "README.md").read_text()))
    assert listed == {path.name for path in folder.glob("*.md")} - {"README.md"}


def test_every_control_call_of_the_sandbox_is_described() -> None:
    described = (ROOT / "docs" / "sandbox.md").read_text()
    source = "\n".join(path.read_text() for path in (ROOT / "postroom_sandbox").glob("*/*.py"))
    calls = set(re.findall(r'"(?:GET|POST|PUT|DELETE)", f?"((?:/sandbox|\{box\})/[^"]+)"', source))
    assert len(calls) > 20, "the control calls are no longer found"
    words = {re.sub(r"\{\w+\}", "", call.removeprefix("{box}")).strip("/").split("/")[-1] for call in calls}
    assert {word for word in words if word not in described} == set()
