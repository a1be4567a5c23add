"""What screens read: the right rows, once each, page by page, and only what the member may see."""

import pytest

from postroom.mail import queries
from postroom.mail.folders import flat, folder_path, folder_tree
from postroom.mail.models import Correspondent, Folder, Message, Thread
from postroom.mail.tests.mailing import file, mail, mailbox, member, put, workspace
from postroom.mailboxes.models import Mailbox
from postroom.workspaces.models import Membership

pytestmark = pytest.mark.django_db


@pytest.fixture
def adele() -> Membership:
    return member(workspace(), "adele@northwind.example")


@pytest.fixture
def box(adele: Membership) -> Mailbox:
    return mailbox(adele)


def subjects(page: queries.Page[queries.Line]) -> list[str]:
    return [line.thread.subject for line in page.items]


def test_the_inbox_goes_page_by_page_newest_first(adele: Membership, box: Mailbox) -> None:
    put(box, [mail(n, hours=n // 2) for n in range(7)])  # two at the same moment each
    seen, cursor = [], ""
    while True:
        page = queries.inbox(adele, cursor=cursor, limit=2)
        seen += subjects(page)
        cursor = page.next
        if not cursor:
            break
    assert [{*seen[at : at + 2]} for at in (1, 3, 5)] == [
        {"Subject 4", "Subject 5"},
        {"Subject 2", "Subject 3"},
        {"Subject 0", "Subject 1"},
    ]
    assert seen[0] == "Subject 6" and len(seen) == 7


def test_only_unread_threads_when_asked(adele: Membership, box: Mailbox) -> None:
    put(box, [mail(1), mail(2, is_read=True), mail(3, folder_id="bin")])
    assert subjects(queries.inbox(adele, filter="unread")) == ["Subject 1"]
    assert queries.unread_counts(adele) == {box.pk: 1}
    folder = Folder.objects.get(mailbox=box, role="deleted")
    assert subjects(queries.folder_threads(folder, unread_only=True)) == ["Subject 3"]


def test_a_conversation_in_two_visible_inboxes_comes_once(adele: Membership, box: Mailbox) -> None:
    shared = mailbox(adele, "sales@northwind.example")
    put(box, [mail(1), mail(2, hours=1)])
    put(shared, [mail(1, hours=0), mail(3, hours=2, in_reply_to="<1@fabrikam.example>")])
    lines = queries.inbox(adele, limit=1)
    assert subjects(lines) == ["Subject 3"]
    assert subjects(queries.inbox(adele, cursor=lines.next)) == ["Subject 2"]
    assert subjects(queries.inbox(adele, mailbox=box.pk)) == ["Subject 2", "Subject 1"]


def test_mail_of_a_colleague_does_not_exist(adele: Membership, box: Mailbox) -> None:
    bob = member(adele.workspace, "bob@northwind.example")
    put(box, [mail(1)])
    conversation = Thread.objects.get().conversation_id
    assert not queries.inbox(bob).items and queries.conversation(bob, conversation) is None
    assert queries.visible_message(bob, Message.objects.get().pk) is None
    box.visibility = "workspace"
    box.save()
    assert subjects(queries.inbox(bob)) == ["Subject 1"] and queries.conversation(bob, conversation) is not None


def test_a_conversation_shows_each_mail_once_with_the_best_copy(adele: Membership, box: Mailbox) -> None:
    shared = mailbox(adele, "sales@northwind.example")
    put(
        box,
        [mail(1, folder_id="bin", attachments=(file("a.pdf"),)), mail(2, hours=1, in_reply_to="<1@fabrikam.example>")],
    )
    put(shared, [mail(1, attachments=(file("a.pdf"), file("logo.png", is_inline=True, content_id="logo")))])
    found = queries.conversation(adele, Thread.objects.filter(mailbox=box).get().conversation_id)
    assert found is not None
    first, second = found.messages
    assert (first.message.mailbox_id, second.message.subject) == (shared.pk, "Subject 2")
    assert len(first.copies) == 2 and [one.name for one in first.files] == ["a.pdf"]


def test_a_very_long_conversation_shows_its_newest_part(
    adele: Membership, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "LONG_CONVERSATION", 3)
    put(box, [mail(n, hours=n, conversation_id="c") for n in range(5)])
    found = queries.conversation(adele, Thread.objects.get().conversation_id)
    assert found is not None and found.earlier == 2
    assert [shown.message.subject for shown in found.messages] == ["Subject 2", "Subject 3", "Subject 4"]


@pytest.mark.parametrize("broken", ["x", "bm90anNvbg", "WzEsMl0", "WyIyMDI2IiwxXQ", "A" * 5000, "\0"])
def test_a_broken_cursor_is_the_beginning(adele: Membership, box: Mailbox, broken: str) -> None:
    put(box, [mail(1)])
    assert subjects(queries.inbox(adele, cursor=broken)) == ["Subject 1"]


def test_the_tree_shows_well_known_folders_first_and_paths(box: Mailbox) -> None:
    nodes = list(flat(folder_tree(box)))
    assert [(node.folder.name, node.depth) for node in nodes] == [
        ("Inbox", 0), ("Projects/2026", 1), ("Sent Items", 0), ("Deleted Items", 0),
    ]  # fmt: skip
    assert nodes[1].path == folder_path(nodes[1].folder) == "Inbox/Projects/2026"


def test_counts_tell_how_much_is_here(box: Mailbox) -> None:
    put(box, [mail(1), mail(2, is_read=True)])
    assert queries.counts(box) == {"messages": 2, "unread": 1, "folders": 4}


def test_people_are_found_by_any_part_of_name_or_address(adele: Membership, box: Mailbox) -> None:
    put(box, [mail(1, from_="Lidia@Fabrikam.example"), mail(2, from_="x@y.example")])
    assert [one.address for one in queries.correspondents(adele, "IDI")] == ["lidia@fabrikam.example"]
    assert [one.address for one in queries.correspondents(adele, "fabrikam")] == ["lidia@fabrikam.example"]
    assert queries.correspondents(adele, " ") == []


def test_what_is_typed_means_itself_and_no_pattern(adele: Membership, box: Mailbox) -> None:
    put(box, [mail(1, from_="a_b@fabrikam.example"), mail(2, from_="axb@fabrikam.example")])
    assert [one.address for one in queries.correspondents(adele, "A_B")] == ["a_b@fabrikam.example"]
    assert queries.correspondents(adele, "%fabrikam") == queries.correspondents(adele, "\\") == []


def test_people_one_may_not_know_of_take_nobodys_place(adele: Membership, box: Mailbox) -> None:
    bob = member(adele.workspace, "bob@northwind.example")
    put(box, [mail(n, from_=f"p{n}@fabrikam.example") for n in range(4)])
    put(mailbox(bob, "bob@northwind.example"), [mail(9, from_="p9@fabrikam.example")])
    Correspondent.objects.filter(address__in=["p0@fabrikam.example", "p1@fabrikam.example"]).update(sent=7)
    assert [one.address for one in queries.correspondents(bob, "fabrikam", limit=1)] == ["p9@fabrikam.example"]
    assert {one.address for one in queries.correspondents(adele, "fabrikam", limit=2)} == {
        "p0@fabrikam.example", "p1@fabrikam.example",
    }  # fmt: skip


def test_whom_a_colleague_writes_with_in_private_is_suggested_to_nobody_else(adele: Membership, box: Mailbox) -> None:
    bob = member(adele.workspace, "bob@northwind.example")
    put(box, [mail(1, from_="lawyer@fabrikam.example")])
    assert queries.correspondents(bob, "lawyer") == []
    box.visibility = "workspace"
    box.save()
    assert [one.address for one in queries.correspondents(bob, "lawyer")] == ["lawyer@fabrikam.example"]
