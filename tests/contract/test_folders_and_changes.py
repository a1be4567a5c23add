"""The folder tree, the spine and its changes, as every connector has to tell them."""

from itertools import pairwise
from typing import Any

import pytest

from postroom.providers.contract import FolderRole, RemoteFolder, RemoteMessage, Removed
from postroom.providers.errors import CursorExpired, NotFound, ProviderError, Refused
from tests.contract.helpers import folder_of, round_of, spine
from tests.contract.worlds import World


def test_the_folder_tree_is_complete_and_roles_are_known_by_id(world: World) -> None:
    customers = world.folder("Customers / Südwest ☕")
    child = world.folder("2026", customers)
    source = world.source()
    items, _ = round_of(source.folders)
    folders = {one.id: one for one in items if isinstance(one, RemoteFolder)}
    assert folders[customers].name == "Customers / Südwest ☕"
    assert folders[child].parent_id == customers
    roles = source.roles()
    for role in (FolderRole.INBOX, FolderRole.SENT, FolderRole.DRAFTS, FolderRole.DELETED, FolderRole.JUNK):
        identifier = folder_of(source, role)
        assert folders[identifier].role is role
        assert roles[identifier] is role
    assert folders[customers].role is FolderRole.NONE


def test_folders_that_come_change_and_go_are_told(world: World) -> None:
    kept, gone = world.folder("Kept"), world.folder("Gone")
    source = world.source()
    _, cursor = round_of(source.folders)
    new = source.create_folder(name="New")
    source.rename_folder(kept, "Renamed")
    source.move_folder(new.id, kept)
    world.remove_folder(gone)
    items, later = round_of(world.source().folders, cursor)
    last = {one.id: one for one in items}
    assert isinstance(renamed := last[kept], RemoteFolder)
    assert renamed.name == "Renamed"
    assert isinstance(moved := last[new.id], RemoteFolder)
    assert (moved.name, moved.parent_id) == ("New", kept)
    told_gone = last[gone]
    deleted_items = folder_of(source, FolderRole.DELETED)
    assert isinstance(told_gone, Removed) or told_gone.parent_id == deleted_items
    assert later != cursor


def test_a_name_that_is_taken_is_refused(world: World) -> None:
    world.folder("Customers")
    with pytest.raises(Refused):
        world.source().create_folder(name="Customers")


def test_a_folder_tells_how_much_is_in_it(world: World) -> None:
    first, _ = world.deliver(), world.deliver()
    world.read(first)
    source = world.source()
    counted = source.count(folder_of(source, FolderRole.INBOX))
    assert (counted.total, counted.unread, counted.role) == (2, 1, FolderRole.INBOX)
    with pytest.raises(ProviderError):
        source.count("no-such-folder")


def test_the_spine_lists_everything_once_newest_first_with_state_and_without_bodies(world: World) -> None:
    ids = [world.deliver(subject=f"Number {number}", file=b"x" if number == 3 else b"") for number in range(23)]
    world.read(ids[0])
    source = world.source()
    items, _ = spine(source, folder_of(source, FolderRole.INBOX))
    rows = [one for one in items if isinstance(one, RemoteMessage)]
    assert {one.id for one in rows} == set(ids)
    dates = [one.received for one in rows if one.received]
    assert all(newer >= older for newer, older in pairwise(dates))
    by_id = {one.id: one for one in rows}
    assert (by_id[ids[0]].is_read, by_id[ids[1]].is_read) == (True, False)
    assert [by_id[identifier].has_attachments for identifier in ids[2:5]] == [False, True, False]
    one = by_id[ids[7]]
    assert (one.subject, one.folder_id, one.body, one.is_draft) == (
        "Number 7",
        folder_of(source, FolderRole.INBOX),
        None,
        False,
    )
    assert all((one.change_key, one.internet_message_id, one.conversation_id, one.modified, one.from_, one.to))


def test_an_empty_folder_has_a_spine_and_then_changes(world: World) -> None:
    folder = world.folder("Empty")
    items, cursor = spine(world.source(), folder)
    assert items == []
    new = world.deliver(folder=folder)
    items, _ = spine(world.source(), folder, cursor)
    assert {one.id for one in items} == {new}


def test_changes_tell_what_came_what_changed_and_what_left(world: World) -> None:
    folder = world.folder("Other")
    read, moved, purged, untouched = (world.deliver(subject=name) for name in ("read", "moved", "purged", "untouched"))
    source = world.source()
    inbox = folder_of(source, FolderRole.INBOX)
    (_, in_inbox), (_, in_other) = spine(source, inbox), spine(source, folder)
    world.read(read)
    world.move(moved, folder)
    world.purge(purged)
    new = world.deliver(subject="new")

    source = world.source()
    changes, in_inbox = spine(source, inbox, in_inbox)
    last = {one.id: one for one in changes}
    assert isinstance(row := last[read], RemoteMessage)
    assert (row.is_read, row.subject in (None, "read")) == (True, True)
    assert isinstance(row := last[new], RemoteMessage)
    assert (row.subject, row.is_read) == ("new", False)
    assert isinstance(last[moved], Removed)
    assert isinstance(last[purged], Removed)
    assert not isinstance(last.get(untouched), Removed)

    arrived, _ = spine(source, folder, in_other)
    assert [type(one) for one in {one.id: one for one in arrived}.values()] == [RemoteMessage]
    assert arrived[0].id == moved, "an id stays when the message moves"
    again, _ = spine(source, inbox, in_inbox)
    assert not any(isinstance(one, RemoteMessage) and one.id == moved for one in again)


def test_a_cursor_can_be_used_again_after_a_crash(world: World) -> None:
    source = world.source()
    inbox = folder_of(source, FolderRole.INBOX)
    _, cursor = spine(source, inbox)
    ids = {world.deliver() for _ in range(15)}
    first, _ = spine(world.source(), inbox, cursor)
    second, _ = spine(world.source(), inbox, cursor)
    assert {one.id for one in first} == {one.id for one in second} == ids


def test_what_happens_during_the_first_listing_is_not_lost(world: World) -> None:
    ids = [world.deliver(subject=str(number)) for number in range(25)]
    source = world.source()
    inbox = folder_of(source, FolderRole.INBOX)
    page = source.spine(inbox)
    world.read(ids[3])
    world.purge(ids[4])
    late = world.deliver(subject="late")
    rows = list(page.items)
    done = page.done
    if page.next:
        more, done = spine(source, inbox, page.next)
        rows += more
    assert done is not None
    changes, _ = spine(world.source(), inbox, done)
    state: dict[str, Any] = {}
    for one in [*rows, *changes]:
        if isinstance(one, Removed):
            state.pop(one.id, None)
        else:
            state[one.id] = one.is_read if one.is_read is not None else state.get(one.id)
    assert set(state) == {*ids, late} - {ids[4]}
    assert state[ids[3]] is True


def test_a_cursor_the_provider_has_forgotten_says_so_and_a_new_round_helps(world: World) -> None:
    first = world.deliver()
    source = world.source()
    inbox = folder_of(source, FolderRole.INBOX)
    _, cursor = spine(source, inbox)
    world.expire_cursors()
    with pytest.raises(CursorExpired):
        source.spine(inbox, cursor)
    items, _ = spine(source, inbox)
    assert {one.id for one in items} == {first}


def test_the_spine_of_a_folder_that_is_gone_says_not_found(world: World) -> None:
    folder = world.source().create_folder(name="Short-lived").id
    world.remove_folder(folder)
    world_source = world.source()
    gone = {one.id for one in round_of(world_source.folders)[0] if isinstance(one, RemoteFolder)}
    if folder not in gone:
        with pytest.raises(NotFound):
            world_source.spine(folder)
