"""Drafts that are edited, categories with colours, and folders that are looked for: as every connector has to do it."""

import pytest

from postroom.providers.contract import Address, Change, FolderRole, RemoteMessage
from postroom.providers.errors import Conflict, NotFound, Refused
from tests.contract.helpers import arrived, file, folder_of, outgoing, sent_of
from tests.contract.worlds import World


def _whole(world: World, draft_id: str) -> RemoteMessage:
    found = world.source().get([draft_id])[0]
    assert isinstance(found, RemoteMessage)
    return found


def test_a_draft_is_written_over_and_keeps_its_files(world: World) -> None:
    source, first = world.source(), outgoing(world)
    draft = source.create_draft(first)
    list(source.attach(draft.id, file(b"pdf")))
    later = outgoing(world, subject="Second thoughts", html="<p>Rewritten</p>", cc=(Address("eve@contoso.example"),))
    changed = source.update_draft(draft.id, later)
    assert (changed.id, [one.name for one in changed.attachments]) == (draft.id, ["offer.pdf"])
    now = _whole(world, draft.id)
    assert (now.subject, now.is_draft, now.change_key) == ("Second thoughts", True, changed.change_key)
    assert now.body is not None and "Rewritten" in now.body.content
    assert [one.address for one in now.cc or ()] == ["eve@contoso.example"]
    found = source.find_sent(marker=later.marker, internet_message_id="<never@x>")
    assert found is not None and found.id == draft.id


def test_a_draft_that_changed_meanwhile_is_not_written_over(world: World) -> None:
    source, out = world.source(), outgoing(world)
    draft = source.create_draft(out)
    source.update_draft(draft.id, out, key=_whole(world, draft.id).change_key or "")
    with pytest.raises(Conflict):
        source.update_draft(draft.id, out, key=draft.change_key)


def test_a_draft_that_is_gone_cannot_be_written(world: World) -> None:
    source, out = world.source(), outgoing(world)
    draft = source.create_draft(out)
    world.purge(draft.id)
    with pytest.raises(NotFound):
        source.update_draft(draft.id, out)


def test_a_file_is_taken_off_a_draft_and_doing_so_twice_is_harmless(world: World) -> None:
    source, out = world.source(), outgoing(world)
    draft = source.create_draft(out)
    list(source.attach(draft.id, file(b"pdf")))
    attached = _whole(world, draft.id).attachments or ()
    for _ in range(2):
        source.detach(draft.id, attached[0].id)
    assert _whole(world, draft.id).attachments == ()
    source.send(draft.id)
    assert sent_of(world, out).id
    assert arrived(world).attachments == ()


def test_a_draft_moves_to_deleted_items_and_stays_a_draft(world: World) -> None:
    source, out = world.source(), outgoing(world)
    draft = source.create_draft(out)
    bin_ = folder_of(source, FolderRole.DELETED)
    assert source.apply([Change(id=draft.id, move_to=bin_)])[0].refused is None
    assert (_whole(world, draft.id).folder_id, _whole(world, draft.id).is_draft) == (bin_, True)


def test_a_category_is_made_once_and_has_its_colour(world: World) -> None:
    source = world.source()
    made = source.create_category(name="Renewal", color=5)
    assert (made.name, made.color) == ("Renewal", 5)
    plain = source.create_category(name="No colour")
    assert plain.color is None
    known = {one.name: (one.id, one.color) for one in world.source().categories()}
    assert known["Renewal"] == (made.id, 5)
    assert known["No colour"] == (plain.id, None)
    with pytest.raises(Refused):
        source.create_category(name="renewal", color=3)


def test_a_folder_is_found_by_name_below_its_parent(world: World) -> None:
    source = world.source()
    top = source.create_folder(name="Customers (it's ours)")
    inner = source.create_folder(name="2026", parent_id=top.id)
    found, deep = source.find_folder(name="customers (IT'S ours)"), source.find_folder(name="2026", parent_id=top.id)
    assert found is not None and deep is not None
    assert (found.id, deep.id) == (top.id, inner.id)
    assert source.find_folder(name="2026") is None
    with pytest.raises(Refused):
        source.create_folder(name="2026", parent_id=top.id)


def test_folders_with_a_purpose_refuse_another_name(world: World) -> None:
    source = world.source()
    with pytest.raises(Refused):
        source.rename_folder(folder_of(source, FolderRole.INBOX), "Mine")
