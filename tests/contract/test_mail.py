"""Reading, writing and sending, as every connector has to do it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from threading import Event
from typing import Any, TypeVar

import pytest

from postroom.providers.contract import (
    Address,
    Change,
    DeltaPage,
    Flag,
    FolderRole,
    Gone,
    MailSource,
    Outgoing,
    OutgoingAttachment,
    RemoteFolder,
    RemoteMessage,
    Removed,
    Unusable,
    Urgency,
)
from postroom.providers.errors import (
    AccessLost,
    ConnectRefused,
    CursorExpired,
    NotFound,
    ProviderError,
    ReauthNeeded,
    Refused,
    Transient,
)
from postroom.providers.registry import PROVIDERS
from tests.contract.worlds import NUMBERS, WORLDS, World

T = TypeVar("T")


def round_of(listing: Callable[[str | None], DeltaPage[T]], cursor: str | None = None) -> tuple[list[T], str]:
    """A whole round of changes and the cursor for the next one."""
    items: list[T] = []
    for _ in range(500):
        page = listing(cursor)
        assert (page.next is None) is (page.done is not None), "exactly one of next and done"
        items += page.items
        if page.done is not None:
            return items, page.done
        cursor = page.next
    raise AssertionError("the round does not end")


def folder_of(source: MailSource, role: FolderRole) -> str:
    return next(identifier for identifier, found in source.roles().items() if found is role)


def spine(source: MailSource, folder: str, cursor: str | None = None) -> tuple[list[RemoteMessage | Removed], str]:
    return round_of(lambda at: source.spine(folder, at, urgency=Urgency.DELTA), cursor)


def pulled(source: Callable[[], MailSource], **options: Any) -> list[RemoteMessage | Unusable]:
    items: list[RemoteMessage | Unusable] = []
    cursor: str | None = None
    for _ in range(500):
        page = source().pull(cursor=cursor, **(options if cursor is None else {}))
        items += page.items
        if page.next is None:
            return items
        cursor = page.next
    raise AssertionError("the pull does not end")


def eventually(call: Callable[[], T | None]) -> T:
    """What ``call`` gives once it gives something: providers move a sent draft a little later."""
    pause = Event()
    for _ in range(200):
        found = call()
        if found is not None:
            return found
        pause.wait(0.05)
    raise AssertionError("it never happened")


def outgoing(world: World, **changed: Any) -> Outgoing:
    number = next(NUMBERS)
    given: dict[str, Any] = {
        "marker": f"mark-{number}",
        "internet_message_id": f"<out-{number}@postroom.example>",
        "subject": "Offer",
        "html": "<p>Here it is</p>",
        "to": (Address(world.colleague, "Ben"),),
        **changed,
    }
    return Outgoing(**given)


def file(content: bytes, name: str = "offer.pdf") -> OutgoingAttachment:
    def open_at(start: int = 0) -> Iterator[bytes]:
        for at in range(start, len(content), 65_536):
            yield content[at : at + 65_536]

    return OutgoingAttachment(name=name, content_type="application/pdf", size=len(content), open=open_at)


def test_every_provider_of_the_registry_takes_part() -> None:
    assert set(WORLDS) == set(PROVIDERS)


# Folders


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


# The spine and its changes


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


# Whole messages


def test_a_pull_brings_every_message_of_every_folder_once_with_its_body(world: World) -> None:
    folder = world.folder("Elsewhere")
    ids = [world.deliver(body=f"<p>Body {number}</p>", file=b"bytes") for number in range(12)]
    ids += [world.deliver(folder=folder) for _ in range(12)]
    items = pulled(world.source)
    assert sorted(one.id for one in items) == sorted(ids)
    assert all(isinstance(one, RemoteMessage) and one.body and one.headers is not None for one in items)
    whole = next(one for one in items if one.id == ids[5])
    assert isinstance(whole, RemoteMessage)
    assert whole.body is not None
    assert "Body 5" in whole.body.content
    assert [(one.name, one.size) for one in whole.attachments or ()] == [("a.bin", 5)]
    assert (whole.cc, whole.bcc, whole.references, whole.in_reply_to) == ((), (), (), "")


def test_a_pull_keeps_to_its_dates(world: World) -> None:
    ids = {world.deliver() for _ in range(3)}
    now = datetime.now(UTC)
    day = timedelta(days=1)
    assert {one.id for one in pulled(world.source, since=now - day, before=now + day)} == ids
    assert pulled(world.source, since=now + day) == []
    assert pulled(world.source, before=now - day) == []


def test_get_answers_every_id_in_order(world: World) -> None:
    folder = world.folder("Other")
    ids = [world.deliver(subject=str(number)) for number in range(23)]
    world.move(ids[1], folder)
    world.purge(ids[2])
    source = world.source()
    whole = source.get(ids)
    assert [one.id for one in whole] == ids
    assert isinstance(whole[2], Gone)
    assert all(isinstance(one, RemoteMessage) and one.body for one in [*whole[:2], *whole[3:]])
    where = source.get(ids[:3], whole=False)
    assert isinstance(where[1], RemoteMessage)
    assert (where[1].folder_id, where[1].body) == (folder, None)
    assert where[1].change_key
    assert isinstance(where[2], Gone)
    assert source.get([]) == []


def test_bytes_come_whole(world: World) -> None:
    content = bytes(range(256)) * 500
    source = world.source()
    message = source.get([world.deliver(subject="Bytes", file=content)])[0]
    assert isinstance(message, RemoteMessage)
    assert message.attachments
    assert b"".join(source.attachment(message.id, message.attachments[0].id)) == content
    mime = b"".join(source.mime(message.id))
    assert (message.internet_message_id or "?").encode() in mime
    with pytest.raises(NotFound):
        b"".join(source.mime(world_gone(world)))


def world_gone(world: World) -> str:
    identifier = world.deliver()
    world.purge(identifier)
    return identifier


@pytest.mark.parametrize("subject", ["nul \x00 in it", "emoji 😀 עברית", "x" * 3000, " ", "\ufffe \u202e"])
def test_odd_text_arrives_and_can_be_stored(world: World, subject: str) -> None:
    identifier = world.deliver(
        subject=subject.replace("\x00", "\ufffd") if world.connector.name == "memory" else subject
    )
    for message in (*pulled(world.source), *world.source().get([identifier])):
        assert isinstance(message, RemoteMessage)
        assert "\x00" not in (message.subject or "")
        assert (message.subject or "").encode() is not None


# Changing


def test_changes_are_applied_and_the_message_comes_back_as_it_is_now(world: World) -> None:
    folder = world.folder("Done")
    first, second, gone = world.deliver(), world.deliver(), world_gone(world)
    changes = [
        Change(id=first, is_read=True),
        Change(id=second, flag=Flag.FLAGGED, categories=("Red category",)),
        Change(id=gone, is_read=True),
        Change(id=first, move_to=folder),
        Change(id=first, is_read=False),
    ]
    source = world.source()
    applied = source.apply(changes)
    assert [one.id for one in applied] == [one.id for one in changes]
    assert [one.refused is None for one in applied] == [True, True, False, True, True]
    assert isinstance(applied[2].refused, NotFound)
    assert applied[4].message is not None
    assert (applied[4].message.is_read, applied[4].message.folder_id) == (False, folder)
    now = {one.id: one for one in source.get([first, second])}
    assert isinstance(moved := now[first], RemoteMessage)
    assert (moved.folder_id, moved.is_read) == (folder, False)
    assert moved.change_key == applied[4].message.change_key
    assert isinstance(flagged := now[second], RemoteMessage)
    assert (flagged.flag, flagged.categories) == (Flag.FLAGGED, ("Red category",))


def test_applying_twice_is_harmless(world: World) -> None:
    folder = world.folder("Done")
    ids = [world.deliver() for _ in range(25)]
    changes = [Change(id=identifier, move_to=folder) for identifier in ids]
    source = world.source()
    for _ in range(2):
        assert all(one.refused is None for one in source.apply(changes))
    assert source.count(folder).total == 25


def test_a_move_goes_alone(world: World) -> None:
    with pytest.raises(ValueError, match="alone"):
        world.source().apply([Change(id=world.deliver(), is_read=True, move_to="anywhere")])


# Sending


def sent_of(world: World, out: Outgoing) -> RemoteMessage:
    def look() -> RemoteMessage | None:
        found = world.source().find_sent(marker=out.marker, internet_message_id=out.internet_message_id)
        return found if found and found.is_draft is False else None

    return eventually(look)


def arrived(world: World, subject: str = "Offer") -> RemoteMessage:
    def look() -> RemoteMessage | None:
        items = pulled(lambda: world.source(world.colleague))
        return next((one for one in items if isinstance(one, RemoteMessage) and one.subject == subject), None)

    return eventually(look)


def test_a_message_is_drafted_found_sent_and_found_again(world: World) -> None:
    source, out = world.source(), outgoing(world, bcc=(Address("eve@contoso.example"),))
    assert source.find_sent(marker=out.marker, internet_message_id=out.internet_message_id) is None
    draft = source.create_draft(out)
    source.attach(draft.id, file(b"pdf"))
    found = source.find_sent(marker=out.marker, internet_message_id=out.internet_message_id)
    assert found is not None
    assert (found.id, found.is_draft, [one.name for one in found.attachments or ()]) == (draft.id, True, ["offer.pdf"])
    source.send(draft.id)
    sent = sent_of(world, out)
    assert sent.folder_id == folder_of(source, FolderRole.SENT)
    assert (sent.internet_message_id, sent.subject) == (out.internet_message_id, "Offer")
    received = arrived(world)
    assert received.internet_message_id == out.internet_message_id
    assert received.bcc == ()
    assert received.body is not None
    assert "Here it is" in received.body.content
    assert [one.name for one in received.attachments or ()] == ["offer.pdf"]


@pytest.mark.parametrize("how", ["reply", "reply_all", "forward"])
def test_an_answer_belongs_to_the_conversation(world: World, how: str) -> None:
    source = world.source()
    question = source.get([world.deliver(subject="Question")])[0]
    assert isinstance(question, RemoteMessage)
    out = outgoing(world, answers=question.id, how=how, subject="Re: Question")
    draft = source.create_draft(out)
    found = source.find_sent(marker=out.marker, internet_message_id="<never@x>")
    assert found is not None
    assert found.id == draft.id, "the marker is on the draft of an answer too"
    source.send(draft.id)
    sent = sent_of(world, out)
    if how != "forward":
        assert sent.conversation_id == question.conversation_id
        assert arrived(world, "Re: Question").in_reply_to == question.internet_message_id


def test_a_message_to_oneself_is_found_in_sent_items(world: World) -> None:
    source, out = world.source(), outgoing(world, to=(Address(world.address),))
    source.send(source.create_draft(out).id)
    sent_of(world, out)
    eventually(lambda: source.count(folder_of(source, FolderRole.INBOX)).total or None)
    assert sent_of(world, out).folder_id == folder_of(source, FolderRole.SENT)


def test_a_large_file_arrives_whole(world: World) -> None:
    content = bytes(range(256)) * 20_000  # 5 MB: two parts of an upload
    source, out = world.source(), outgoing(world)
    draft = source.create_draft(out)
    source.attach(draft.id, file(content))
    found = source.find_sent(marker=out.marker, internet_message_id=out.internet_message_id)
    assert found is not None
    assert found.attachments
    assert b"".join(source.attachment(found.id, found.attachments[0].id)) == content


def test_a_deleted_draft_is_not_found_among_the_drafts_and_deleting_again_is_done(world: World) -> None:
    source, out = world.source(), outgoing(world)
    draft = source.create_draft(out)
    source.delete_draft(draft.id)
    source.delete_draft(draft.id)
    found = source.find_sent(marker=out.marker, internet_message_id=out.internet_message_id)
    assert found is None or found.folder_id == folder_of(source, FolderRole.DELETED)


def test_a_draft_without_recipients_is_refused(world: World) -> None:
    source = world.source()
    draft = source.create_draft(outgoing(world, to=()))
    with pytest.raises(Refused):
        source.send(draft.id)


@pytest.mark.parametrize("step", ["create_draft", "send"])
@pytest.mark.parametrize("after", [False, True])
def test_a_write_that_broke_may_be_done_and_can_be_looked_up(world: World, step: str, after: bool) -> None:
    source, out = world.source(), outgoing(world)
    draft = None if step == "create_draft" else source.create_draft(out)
    world.trouble(step, after=after)
    with pytest.raises(Transient) as caught:
        if draft is None:
            source.create_draft(out)
        else:
            source.send(draft.id)
    assert caught.value.maybe_done
    if after and step == "send":
        assert sent_of(world, out).is_draft is False
    found = source.find_sent(marker=out.marker, internet_message_id=out.internet_message_id)
    assert (found is not None) is (after or step == "send")
    if found and found.is_draft:
        source.send(found.id)
        assert sent_of(world, out)


@pytest.mark.parametrize("step", ["spine", "pull", "get", "apply"])
def test_a_passing_trouble_is_survived_or_said_to_be_passing(world: World, step: str) -> None:
    identifier = world.deliver()
    source = world.source()
    inbox = folder_of(source, FolderRole.INBOX)
    world.trouble(step)
    calls: dict[str, Callable[[], object]] = {
        "spine": lambda: source.spine(inbox),
        "pull": lambda: source.pull(),
        "get": lambda: source.get([identifier]),
        "apply": lambda: source.apply([Change(id=identifier, is_read=True)]),
    }
    for _ in range(2):
        try:
            calls[step]()
            break
        except Transient:
            continue
    else:
        pytest.fail("it did not pass")


# Rights


def test_a_refused_token_is_replaced_by_a_fresh_one(world: World) -> None:
    world.deliver()
    source = world.source()
    source.pull()
    world.reject_tokens()
    assert len(source.pull().items) == 1
    assert len(world.asked) == 1
    world.reject_tokens()
    assert len(source.get([source.pull().items[0].id])) == 1


def test_a_token_that_is_refused_again_and_again_needs_the_member(world: World) -> None:
    source = world.connector.mail(
        token=lambda *, rejected=None, claims=None: "not-a-token", mailbox_key=f"{world.address}:bad"
    )
    with pytest.raises(ReauthNeeded):
        source.pull()


def test_a_mailbox_that_does_not_exist_is_said_not_to(world: World) -> None:
    world.source().probe()
    with pytest.raises((ConnectRefused, AccessLost)):
        world.source(shared="nobody@northwind.example").probe()


def test_signing_in_gives_a_grant_that_works_and_refreshes(world: World) -> None:
    grant = world.grant()
    assert grant.account is not None
    assert grant.account.address.lower() == world.address
    authority = world.connector.authority()
    fresh = authority.refresh(grant)
    assert fresh.account == grant.account
    assert fresh.refresh_token
    source = world.connector.mail(
        token=lambda *, rejected=None, claims=None: fresh.access_token, mailbox_key=f"{world.address}:signed-in"
    )
    source.probe()
    assert grant.access_token not in repr(grant)
    world.refuse_refresh()
    with pytest.raises(ReauthNeeded) as caught:
        authority.refresh(fresh)
    assert caught.value.reason == "revoked"


# Push


def test_what_arrives_is_pushed_and_can_be_fetched(world: World) -> None:
    source, url = world.source(), world.hook()
    subscription = source.subscribe(url=url, client_state="our-secret", lifecycle_url=url)
    assert subscription.expires > datetime.now(UTC) + timedelta(days=1)
    identifier = world.deliver()
    items = world.connector.notified(world.posted())
    told = next(one for one in items if one.message_id == identifier)
    assert (told.subscription_id, told.client_state, told.change) == (subscription.id, "our-secret", "created")
    assert isinstance(source.get([told.message_id])[0], RemoteMessage)
    assert source.renew(subscription.id).id == subscription.id
    source.unsubscribe(subscription.id)
    source.unsubscribe(subscription.id)
    with pytest.raises(NotFound):
        source.renew(subscription.id)


def test_subscribing_again_replaces_what_was_forgotten(world: World) -> None:
    source, url = world.source(), world.hook()
    first = source.subscribe(url=url, client_state="a", lifecycle_url=url)
    second = world.source().subscribe(url=url, client_state="b", lifecycle_url=url)
    assert first.id != second.id
    with pytest.raises(NotFound):
        source.renew(first.id)


def test_bytes_that_are_no_notification_are_malformed(world: World) -> None:
    with pytest.raises(ProviderError):
        world.connector.notified(b"<html>")


def test_a_provider_says_what_it_can_do_and_what_it_asks_for(world: World) -> None:
    connector = world.connector
    assert connector.name in PROVIDERS
    assert connector.label
    assert connector.capabilities.max_attachment > 0
    assert connector.features
    assert all(feature.permissions for feature in connector.features)
