"""The folder tree of a mailbox, as people see it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from postroom.mail.models import Folder
from postroom.mailboxes.models import Mailbox
from postroom.providers.contract import FolderRole

_ORDER = (
    *(FolderRole.INBOX, FolderRole.DRAFTS, FolderRole.SENT, FolderRole.ARCHIVE),
    *(FolderRole.NONE, FolderRole.OUTBOX, FolderRole.JUNK, FolderRole.DELETED),
)
_RANK = {str(role): rank for rank, role in enumerate(_ORDER)}


@dataclass(slots=True)
class Node:
    """A folder in the tree. ``depth`` is 0 at the top; ``unread_below`` counts what a closed branch hides."""

    folder: Folder
    depth: int
    path: str  # names from the top, joined by "/"
    children: list["Node"] = field(default_factory=list)

    @property
    def unread_below(self) -> int:
        return sum(child.folder.unread + child.unread_below for child in self.children)


def folder_tree(mailbox: Mailbox) -> list[Node]:
    """The top folders with all below them: well-known ones first, then by name. Hidden ones are left out, with all
    below; so are those that are switched off, but what lies in them moves up."""
    return folder_trees([mailbox.pk])[mailbox.pk]


def folder_trees(mailbox_ids: Collection[int]) -> dict[int, list[Node]]:
    """The same for several mailboxes, in one query."""
    found: dict[int, dict[int, Folder]] = {pk: {} for pk in mailbox_ids}
    for folder in Folder.objects.filter(mailbox__in=mailbox_ids):
        found[folder.mailbox_id][folder.pk] = folder
    return {pk: _tree(rows) for pk, rows in found.items()}


def _tree(rows: Mapping[int, Folder]) -> list[Node]:
    below: dict[int | None, list[Folder]] = defaultdict(list)
    for folder in rows.values():
        if folder.synced and not folder.hidden and folder.role != FolderRole.ROOT:
            below[_shown_above(folder, rows)].append(folder)
    return _nodes(below, None, depth=0, above="")


def _shown_above(folder: Folder, rows: Mapping[int, Folder]) -> int | None:
    above, seen = rows.get(folder.parent_id or 0), {folder.pk}
    while above is not None and not above.synced and above.pk not in seen:
        seen.add(above.pk)
        above = rows.get(above.parent_id or 0)
    return None if above is None or above.role == FolderRole.ROOT else above.pk


def _nodes(below: dict[int | None, list[Folder]], parent: int | None, *, depth: int, above: str) -> list[Node]:
    nodes = []
    for folder in sorted(below.pop(parent, ()), key=lambda f: (_RANK.get(f.role, 4), f.name.casefold(), f.pk)):
        path = f"{above}/{folder.name}" if above else folder.name
        children = _nodes(below, folder.pk, depth=depth + 1, above=path)
        nodes.append(Node(folder, depth, path, children))
    return nodes


def flat(nodes: list[Node]) -> Iterator[Node]:
    """Every node, parents before their children, as a list shows them."""
    for node in nodes:
        yield node
        yield from flat(node.children)


def paths(mailbox: Mailbox) -> dict[int, str]:
    """Path of every folder that is shown, by its id."""
    return {node.folder.pk: node.path for node in flat(folder_tree(mailbox))}


def with_parents(folders: Iterable[Folder]) -> dict[int, Folder]:
    """Whole trees by id, each folder knowing its parent: their paths ask nothing more."""
    rows = {folder.pk: folder for folder in folders}
    for folder in rows.values():
        folder.parent = rows.get(folder.parent_id or 0)
    return rows


def folder_path(folder: Folder) -> str:
    """Names from the top, joined by "/"; a name may itself contain one."""
    names, seen = [folder.name], {folder.pk}
    at = folder.parent
    while at is not None and at.role != FolderRole.ROOT and at.pk not in seen:
        names.append(at.name)
        seen.add(at.pk)
        at = at.parent
    return "/".join(reversed(names))
