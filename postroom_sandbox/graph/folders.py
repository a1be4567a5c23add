"""Mail folders (graph.md 2.2) and the delta of the folder tree (2.12)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from postroom_sandbox.graph.call import Call, bad_request
from postroom_sandbox.graph.fields import text
from postroom_sandbox.graph.filters import AnyOf, holds, parse_filter
from postroom_sandbox.graph.odata import next_link, parse_uri_error, read_options
from postroom_sandbox.graph.tokens import State, expired, seal, unseal
from postroom_sandbox.http import ApiError, Response, json_response, text_response
from postroom_sandbox.store.changes import REMOVED
from postroom_sandbox.store.model import RECOVERABLE, ROOT, Folder
from postroom_sandbox.store.tree import MAX_CHILDREN, TREE_LOG, NameTaken

DEFAULT_TOP = 10
LONGEST_NAME = 255
_PROPERTIES = (
    "id", "displayName", "parentFolderId", "childFolderCount", "unreadItemCount", "totalItemCount", "sizeInBytes",
    "isHidden",
)  # fmt: skip
_NAMES = {name.lower(): name for name in _PROPERTIES}


def folder_json(call: Call, folder: Folder, select: tuple[str, ...] = ()) -> dict[str, Any]:
    """A mailFolder; unknown `$select` names are refused."""
    ids = call.mailbox.ids
    value: dict[str, Any] = {
        "id": ids.folder(folder.number),
        "displayName": folder.name,
        "parentFolderId": ids.folder(folder.parent.number if folder.parent else 0),
        "childFolderCount": len(folder.visible_children()),
        "unreadItemCount": folder.unread,
        "totalItemCount": len(folder.messages),
        "sizeInBytes": 8_000 * len(folder.messages),
        "isHidden": folder.hidden,
    }
    if not select:
        return value
    for name in select:
        if name.lower() not in _NAMES and name.lower() not in ("childfolders", "messages"):
            raise parse_uri_error(f"Could not find a property named '{name}' on type 'microsoft.graph.mailFolder'.")
    keep = {"id", *(_NAMES.get(name.lower(), "") for name in select)}
    return {name: item for name, item in value.items() if name in keep}


def list_folders(call: Call) -> Response:
    """GET /mailFolders: the children of the root."""
    return _list(call, call.mailbox.tree[ROOT], "mailFolders")


def list_children(call: Call, folder: str) -> Response:
    """GET /mailFolders/{id}/childFolders."""
    return _list(call, call.folder(folder), f"mailFolders('{folder}')/childFolders")


def _list(call: Call, parent: Folder, what: str) -> Response:
    query = {key: value for key, value in call.request.query.items() if key.lower() != "includehiddenfolders"}
    asked = {key.lower(): value for key, value in call.request.query.items()}
    options = read_options(query)
    hidden = asked.get("includehiddenfolders", "").lower() == "true"
    found = parent.visible_children(hidden=hidden)
    if options.filter:
        found = _filtered(call, found, options.filter)
    for name, descending in reversed(options.orderby):
        known = _NAMES.get(name.lower())
        if known is None:
            raise parse_uri_error(f"Could not find a property named '{name}' on type 'microsoft.graph.mailFolder'.")
        found = sorted(found, key=lambda item, key=known: folder_json(call, item)[key], reverse=descending)  # type: ignore[misc]
    top = options.top or DEFAULT_TOP
    shown = found[options.skip : options.skip + top]
    value: dict[str, Any] = {"@odata.context": call.context(what)}
    if options.count:
        value["@odata.count"] = len(found)
    if len(found) > options.skip + top:
        value["@odata.nextLink"] = next_link(call.request, skip=str(options.skip + top))
    expand = {name.lower() for name, _ in options.expand}
    value["value"] = [_row(call, folder, options.select, expand) for folder in shown]
    return json_response(value)


def _row(call: Call, folder: Folder, select: tuple[str, ...], expand: set[str]) -> dict[str, Any]:
    row = folder_json(call, folder, select)
    if "childfolders" in expand:
        row["childFolders"] = [folder_json(call, child) for child in folder.visible_children()]
    return row


def _filtered(call: Call, found: list[Folder], text_: str) -> list[Folder]:
    test = parse_filter(text_)

    def never(_: AnyOf) -> bool:
        return False

    out = []
    for folder in found:
        row = {key.lower(): item for key, item in folder_json(call, folder).items()}
        if holds(test, lambda name, row=row: row.get(name.lower()), never):  # type: ignore[misc]
            out.append(folder)
    return out


def get_folder(call: Call, folder: str) -> Response:
    """GET /mailFolders/{id or well-known name}."""
    options = read_options({k: v for k, v in call.request.query.items() if k.lower() != "includehiddenfolders"})
    return _answer(call, call.folder(folder), options.select)


def _answer(call: Call, folder: Folder, select: tuple[str, ...] = (), *, status: int = 200) -> Response:
    value = {"@odata.context": call.context("mailFolders/$entity")} | folder_json(call, folder, select)
    return json_response(value, status)


def count_folders(call: Call) -> Response:
    """GET /mailFolders/$count."""
    return text_response(str(len(call.mailbox.tree[ROOT].visible_children())))


def create_folder(call: Call) -> Response:
    """POST /mailFolders."""
    return _create(call, call.mailbox.tree[ROOT])


def create_child(call: Call, folder: str) -> Response:
    """POST /mailFolders/{id}/childFolders."""
    return _create(call, call.folder(folder))


def _create(call: Call, parent: Folder) -> Response:
    body = call.request.json_object()
    name = _name(body)
    if len(parent.children) >= MAX_CHILDREN:
        raise ApiError(403, "ErrorMaximumFolderCountReached", "The folder holds too many folders.")
    try:
        folder = call.mailbox.tree.create(name, parent, hidden=body.get("isHidden") is True)
    except NameTaken:
        raise _taken() from None
    return _answer(call, folder, status=201)


def _name(body: dict[str, Any]) -> str:
    name = text(body.get("displayName"), "displayName").strip()
    if not name or len(name) > LONGEST_NAME:
        raise bad_request("The folder display name is invalid.", "ErrorInvalidFolderName")
    return name


def _taken() -> ApiError:
    return ApiError(409, "ErrorFolderExists", "A folder with the specified name already exists.")


def _own(call: Call, key: str) -> Folder:
    folder = call.folder(key)
    if folder.well_known or folder.parent is None:
        raise ApiError(403, "ErrorDeleteDistinguishedFolder", "Distinguished folders cannot be changed.")
    return folder


def rename_folder(call: Call, folder: str) -> Response:
    """PATCH /mailFolders/{id}."""
    found = _own(call, folder)
    try:
        call.mailbox.tree.rename(found, _name(call.request.json_object()))
    except NameTaken:
        raise _taken() from None
    return _answer(call, found)


def _target(call: Call) -> Folder:
    body = {key.lower(): value for key, value in call.request.json_object().items()}
    key = body.get("destinationid")
    if not isinstance(key, str) or not key:
        raise bad_request("The parameter DestinationId is required.", "ErrorInvalidRequest")
    return call.folder(key)


def move_folder(call: Call, folder: str) -> Response:
    """POST /mailFolders/{id}/move."""
    found, target = _own(call, folder), _target(call)
    if target.is_below(found):
        raise bad_request("A folder cannot be moved into itself.", "ErrorMoveCopyFailed")
    try:
        call.mailbox.tree.move(found, target)
    except NameTaken:
        raise _taken() from None
    return _answer(call, found)


def copy_folder(call: Call, folder: str) -> Response:
    """POST /mailFolders/{id}/copy."""
    found, target = call.folder(folder), _target(call)
    if target.is_below(found):
        raise bad_request("A folder cannot be copied into itself.", "ErrorMoveCopyFailed")
    try:
        return _answer(call, call.mailbox.tree.copy(found, target))
    except NameTaken:
        raise _taken() from None


def delete_folder(call: Call, folder: str) -> Response:
    """DELETE /mailFolders/{id}."""
    call.mailbox.tree.delete(_own(call, folder))
    return Response(204)


def purge_folder(call: Call, folder: str) -> Response:
    """POST /mailFolders/{id}/permanentDelete."""
    call.mailbox.tree.destroy(_own(call, folder), purge=True)
    return Response(204)


# -- delta of the tree


def folders_delta(call: Call) -> Response:
    """GET /mailFolders/delta: all folders, flat, nested ones included; only adds, renames, moves, deletions."""
    query = {key.lower(): value for key, value in call.request.query.items()}
    token = query.get("$skiptoken") or query.get("$deltatoken")
    size = call.prefer.page_size or call.limits.delta_page * 10
    if token:
        state = _resumed(call, token, is_next="$skiptoken" in query)
    else:
        select = ",".join(read_options({"$select": query.get("$select", "")}).select)
        state = State(call.mailbox.number, TREE_LOG, True, 0, call.mailbox.tick, select=select)
    rows = _all_rows(call, state) if state.first else _changed_rows(call, state)
    at = state.position[0] if state.position else 0
    return _tree_page(call, state, rows[at : at + size], at + size if len(rows) > at + size else None)


def _resumed(call: Call, token: str, *, is_next: bool) -> State:
    state = unseal(token, call.world.secret)
    if state.mailbox != call.mailbox.number or state.folder != TREE_LOG:
        raise bad_request("The sync state belongs to something else.", "ErrorInvalidSyncStateData")
    floor = call.mailbox.tree.log.floor
    if state.until < floor:
        raise expired(floor, state.until, url=f"{call.request.base_url}{call.request.raw_path}")
    if is_next:
        return state
    return State(state.mailbox, TREE_LOG, False, state.until, call.mailbox.tick, select=state.select)


def _names(state: State) -> tuple[str, ...]:
    return tuple(name for name in state.select.split(",") if name)


def _all_rows(call: Call, state: State) -> list[dict[str, Any]]:
    root = call.mailbox.tree[ROOT]
    listed = [f for f in call.mailbox.tree if f is not root and f.is_below(root) and not f.hidden]
    return [folder_json(call, folder, _names(state)) for folder in listed if folder.well_known != RECOVERABLE]


def _changed_rows(call: Call, state: State) -> list[dict[str, Any]]:
    tree, rows = call.mailbox.tree, []
    for entry in tree.log.between(state.after, state.until):
        folder = tree.by_number.get(entry.sequence)
        if folder is None or entry.kind == REMOVED:
            rows.append({"id": call.mailbox.ids.folder(entry.sequence), "@removed": {"reason": "deleted"}})
        elif not folder.hidden:
            rows.append(folder_json(call, folder, _names(state)))
    return rows


def _tree_page(call: Call, state: State, rows: list[dict[str, Any]], at: int | None) -> Response:
    position = None if at is None else (at, 0)
    following = State(
        state.mailbox, TREE_LOG, state.first, state.after, state.until, position, select=state.select
    )  # fmt: skip
    name = "$deltatoken" if at is None else "$skiptoken"
    link = f"{call.request.base_url}{call.request.raw_path}?{name}={quote(seal(following, call.world.secret))}"
    key = "@odata.deltaLink" if at is None else "@odata.nextLink"
    value = {"@odata.context": call.context("mailFolders/$delta"), key: link, "value": rows}
    return json_response(value, headers=[("Preference-Applied", "odata.track-changes")])
