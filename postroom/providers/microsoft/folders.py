"""The folder tree. Source: graph.md 2.2 and 2.12: ids are constant, names are anything, roles are asked for once."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from msgspec import UNSET, Struct, field

from postroom.providers.contract import DeltaPage, FolderRole, RemoteFolder, Removed, Unusable, Urgency
from postroom.providers.errors import AccessLost, ConnectRefused, NotFound, ProviderError
from postroom.providers.microsoft.client import Ask, literal, path_of
from postroom.providers.microsoft.decode import decode
from postroom.providers.microsoft.mailbox import Mailbox
from postroom.providers.microsoft.messages import text

# The provider's names for folders with a purpose; they work in every language and wherever an id does.
WELL_KNOWN = {
    "msgfolderroot": FolderRole.ROOT,
    "inbox": FolderRole.INBOX,
    "sentitems": FolderRole.SENT,
    "drafts": FolderRole.DRAFTS,
    "archive": FolderRole.ARCHIVE,
    "junkemail": FolderRole.JUNK,
    "deleteditems": FolderRole.DELETED,
    "outbox": FolderRole.OUTBOX,
}
SELECT = "displayName,parentFolderId,totalItemCount,unreadItemCount,isHidden"
PAGE = "odata.maxpagesize=200"


class WireFolder(Struct, rename="camel"):
    id: str
    removed: Any = field(name="@removed", default=UNSET)
    display_name: str | None = None
    parent_folder_id: str | None = None
    total_item_count: int | None = None
    unread_item_count: int | None = None
    is_hidden: bool | None = None


class _Id(Struct):
    id: str


class Folders(Mailbox):
    def probe(self) -> None:
        """Ask for the Inbox. Raises ``ConnectRefused("no_mailbox")`` (no licence, on-premises) or ``AccessLost``.

        Of a shared mailbox a 404 may also mean that the right is missing (graph.md 6); that reads as ``AccessLost``.
        """
        try:
            self._graph.get(self._folder("inbox", path_of(select="id")), _Id, urgency=Urgency.USER)
        except AccessLost as error:
            if error.reason != "no_mailbox":
                raise
            raise ConnectRefused(str(error), reason="no_mailbox", code=error.code) from None
        except NotFound as error:
            if self._shared:
                raise AccessLost(str(error), code=error.code, status=error.status) from None
            raise ConnectRefused(str(error), reason="no_mailbox", code=error.code) from None

    def folders(self, cursor: str | None = None) -> DeltaPage[RemoteFolder | Removed]:
        path = cursor or f"{self._root}/mailFolders/delta{path_of(select=SELECT)}"
        page = self._delta_page(path, WireFolder, urgency=Urgency.DELTA, prefer=PAGE, begun=cursor is not None)
        return DeltaPage(items=tuple(map(self._remote, page.items)), next=page.next, done=page.done)

    def roles(self) -> Mapping[str, FolderRole]:
        return self._roles

    @cached_property
    def _roles(self) -> dict[str, FolderRole]:
        asks = [Ask(path=self._folder(name, path_of(select="id"))) for name in WELL_KNOWN]
        found: dict[str, FolderRole] = {}
        for role, outcome in zip(WELL_KNOWN.values(), self._graph.batch(asks, urgency=Urgency.DELTA), strict=True):
            if isinstance(outcome, NotFound):
                continue  # Archive exists only once somebody archived something
            if isinstance(outcome, ProviderError):
                raise outcome
            found.setdefault(decode(outcome, _Id).id, role)
        return found

    def count(self, folder_id: str) -> RemoteFolder:
        path = self._folder(folder_id, path_of(select=SELECT))
        return self._folder_of(self._graph.get(path, WireFolder, urgency=Urgency.DELTA))

    def create_folder(self, *, name: str, parent_id: str | None = None) -> RemoteFolder:
        """A new folder. Raises ``Refused`` when its parent has one of that name."""
        path = self._folder(parent_id, "/childFolders") if parent_id else f"{self._root}/mailFolders"
        return self._written(Ask(path=path, method="POST", body={"displayName": name}, safe=False))

    def find_folder(self, *, name: str, parent_id: str | None = None) -> RemoteFolder | None:
        path = self._folder(parent_id, "/childFolders") if parent_id else f"{self._root}/mailFolders"
        page = self._graph.page(
            f"{path}{path_of(filter=f'displayName eq {literal(name)}', select=SELECT, top=100)}",
            WireFolder,
            urgency=Urgency.USER,
        )
        found = [one for one in page.value if isinstance(one, WireFolder)]
        same = [one for one in found if (one.display_name or "").casefold() == name.casefold()]
        return self._folder_of(same[0]) if same else None

    def rename_folder(self, folder_id: str, name: str) -> RemoteFolder:
        return self._written(Ask(path=self._folder(folder_id), method="PATCH", body={"displayName": name}))

    def move_folder(self, folder_id: str, parent_id: str | None) -> RemoteFolder:
        body = {"destinationId": parent_id or "msgfolderroot"}
        return self._written(Ask(path=self._folder(folder_id, "/move"), method="POST", body=body))

    def _written(self, ask: Ask) -> RemoteFolder:
        answer = self._graph.call(ask, urgency=Urgency.USER)
        return self._folder_of(decode(answer.body, WireFolder, safe=ask.safe))

    def _remote(self, wire: WireFolder | Unusable) -> RemoteFolder | Removed:
        if isinstance(wire, WireFolder) and wire.removed is not UNSET:
            return Removed(wire.id)
        if isinstance(wire, WireFolder) and wire.display_name is not None:
            return self._folder_of(wire)
        try:
            return self.count(wire.id)  # a row without a name tells too little to keep
        except NotFound:
            return Removed(wire.id)

    def _folder_of(self, wire: WireFolder) -> RemoteFolder:
        return RemoteFolder(
            id=wire.id,
            parent_id=wire.parent_folder_id,
            name=text(wire.display_name) or "",
            role=self._roles.get(wire.id, FolderRole.NONE),
            hidden=bool(wire.is_hidden),
            total=wire.total_item_count,
            unread=wire.unread_item_count,
        )
