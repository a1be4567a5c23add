"""`postroom member delete`, `postroom workspace delete`, `postroom purge list | run` (product.md MA4)."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable

from postroom.config.errors import UsageError
from postroom.workspaces import hooks, leaving, purging
from postroom.workspaces.models import Membership, Purge, Workspace

COLUMNS = ("reference", "kind", "number", "state", "asked", "due", "done", "rows", "remaining")


def delete_member(options: argparse.Namespace) -> int:
    """Remove a member at once; the purge follows. Raises UsageError."""
    member = _member(options.address, options.workspace)
    _confirm(options, member.address, f"Remove {member.address} from {member.workspace.name}")
    heirs = {}
    if options.to:
        heir = _member(options.to, member.workspace.name)
        heirs = {one.key: heir for one in hooks.belongings(member) if heir in one.heirs}
    try:
        purge = leaving.remove_member(member, heirs)
    except leaving.Refused as refused:
        raise UsageError(str(refused)) from None
    print(f"{member.address} is removed and purged on {purge.due_at:%Y-%m-%d} (purge {purge.reference}).")
    return 0


def delete_workspace(options: argparse.Namespace) -> int:
    """Delete a workspace at once; the purge follows. Raises UsageError."""
    found = list(Workspace.objects.filter(name=options.name, deleted_at=None)[:2])
    if len(found) != 1:
        raise UsageError(f"there is {'more than one' if found else 'no'} workspace {options.name!r}")
    _confirm(options, found[0].name, f"Delete {found[0].name} with all its mail and records")
    purge = leaving.delete_workspace(found[0])
    print(f"{found[0].name} is deleted and purged on {purge.due_at:%Y-%m-%d} (purge {purge.reference}).")
    return 0


def list_purges(options: argparse.Namespace) -> int:
    """What waits and what is gone, newest first; nothing personal."""
    rows = [purging.certificate(one) for one in Purge.objects.order_by("-asked_at", "-pk")]
    if options.json:
        print(json.dumps(rows))
        return 0
    table = [list(COLUMNS), *([_cell(row[name]) for name in COLUMNS] for row in rows)]
    widths = [max(len(line[index]) for line in table) for index in range(len(COLUMNS))]
    for line in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    return 0


def run_purges(options: argparse.Namespace) -> int:
    """Carry out what is due."""
    done = purging.run_due()
    left = sum(one.remaining or 0 for one in Purge.objects.filter(finished_at__isnull=False))
    print(f"{done} purged.")
    return 1 if left else 0


ACTIONS: dict[str, Callable[[argparse.Namespace], int]] = {
    "delete": delete_workspace,
    "list": list_purges,
    "run": run_purges,
}


def _cell(value: object) -> str:
    return "-" if value is None else str(value)[:19]


def _member(address: str, workspace: str) -> Membership:
    found = Membership.objects.active().filter(user__email=address.strip().lower())
    if workspace:
        found = found.filter(workspace__name=workspace)
    rows = list(found.select_related("user", "role", "workspace")[:2])
    if len(rows) == 1:
        return rows[0]
    raise UsageError(f"{address} is in several workspaces: add --workspace NAME" if rows else f"no member {address}")


def _confirm(options: argparse.Namespace, wanted: str, question: str) -> None:
    if options.yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("add --yes where nobody can be asked")
    if input(f"{question}? Type {wanted} to confirm: ").strip() != wanted:
        raise UsageError("nothing was changed")
