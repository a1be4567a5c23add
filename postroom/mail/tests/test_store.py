"""Storing pages: whatever order, however often, however little a row tells, the mirror ends up the same."""

from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Count, Q
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from postroom.mail import store
from postroom.mail.models import (
    Attachment,
    Conversation,
    Correspondent,
    Folder,
    Message,
    MessageBody,
    MessageSearch,
    Participant,
    Thread,
    ThreadFolder,
)
from postroom.mail.tests.mailing import NOON, file, mail, mailbox, member, put, sparse, workspace
from postroom.mailboxes.models import Mailbox
from postroom.providers.contract import Flag, RemoteBody, RemoteFolder, RemoteMessage, Removed

pytestmark = pytest.mark.django_db


@pytest.fixture
def box() -> Mailbox:
    return mailbox(member(workspace(), "adele@northwind.example"))


def rows_of(box: Mailbox) -> list[dict[str, Any]]:
    """All that a mailbox shows, without ids that depend on the order of arrival."""
    columns = ("remote_id", "folder__remote_id", "subject", "is_read", "flag", "categories", "change_key", "body_state")
    told = Message.objects.filter(mailbox=box).order_by("remote_id")
    return [
        {
            **row,
            "said": MessageBody.objects.filter(message__remote_id=row["remote_id"]).values_list("new_text").first(),
            "people": sorted(
                Participant.objects.filter(message__remote_id=row["remote_id"]).values_list("role", "address")
            ),
            "together": sorted(
                Message.objects.filter(thread__messages__remote_id=row["remote_id"]).values_list("remote_id", flat=True)
            ),
        }
        for row in told.values(*columns)
    ]


def assert_derived_rows_are_true(box: Mailbox) -> None:
    """What lists show is what the rows say."""
    for folder in Folder.objects.filter(mailbox=box).annotate(
        n=Count("messages"), waiting=Count("messages", filter=Q(messages__is_read=False))
    ):
        assert (folder.total, folder.unread) == (folder.n, folder.waiting), folder.name
    for thread in Thread.objects.filter(mailbox=box):
        messages = list(thread.messages.order_by("-received", "-pk"))
        assert thread.count == len(messages) > 0
        assert thread.unread == sum(not m.is_read for m in messages)
        assert (thread.last_at, thread.first_at) == (messages[0].received, messages[-1].received)
        assert thread.subject == messages[0].subject
        places = {m.folder_id for m in messages}
        assert set(ThreadFolder.objects.filter(thread=thread).values_list("folder_id", flat=True)) == places
    stored = Message.objects.filter(mailbox=box, body_state="stored")
    assert MessageBody.objects.filter(message__mailbox=box).count() == stored.count()
    assert MessageSearch.objects.filter(mailbox=box).count() == stored.count()


def test_a_new_message_is_there_with_all_that_belongs_to_it(box: Mailbox) -> None:
    row = mail(1, html="<p>Hello <b>there</b></p>", cc=(), attachments=(file("offer.pdf"), file("terms.pdf")))
    stored = put(box, [row])
    message = Message.objects.get(pk=stored.new[0])
    assert message.body.new_text == "Hello there" and message.attachments.count() == 2
    assert bytes(message.body.sha256).hex() == sha256(b"<p>Hello <b>there</b></p>").hexdigest()
    assert Correspondent.objects.get(address="ana@fabrikam.example").received == 1
    assert Thread.objects.get().people == [["Ana", "ana@fabrikam.example"]]
    assert_derived_rows_are_true(box)


def test_an_unchanged_page_changes_nothing(box: Mailbox, django_assert_max_num_queries: Any) -> None:
    page = [mail(n) for n in range(5)]
    put(box, page)
    with django_assert_max_num_queries(8):
        stored = put(box, page)
    assert not stored.new and not stored.changed and not stored.threads


def test_what_is_not_told_keeps_its_value(box: Mailbox) -> None:
    put(box, [mail(1, flag=Flag.FLAGGED, categories=("Blue", "Red"))])
    stored = put(box, [sparse(1, is_read=True)])
    message = Message.objects.get()
    assert stored.changed == [message.pk]
    assert (message.is_read, message.flag, message.categories) == (True, "flagged", ["Blue", "Red"])
    assert message.subject == "Subject 1" and message.to == [["Adele", "adele@northwind.example"]]
    put(box, [sparse(1, categories=(), flag=Flag.NONE)])
    message.refresh_from_db()
    assert (message.flag, message.categories) == ("none", [])


def test_an_older_version_overwrites_nothing(box: Mailbox) -> None:
    put(box, [mail(1, hours=2, is_read=True)])
    stored = put(box, [mail(1, hours=0, change_key="older", subject="Old", received=NOON)])
    assert not stored.changed and Message.objects.get().subject == "Subject 1"


def test_an_older_version_may_still_bring_the_missing_body(box: Mailbox) -> None:
    put(box, [replace(mail(1, hours=2), body=None, attachments=None)])
    put(box, [mail(1, hours=0, change_key="older", subject="Old", text="Here it is")])
    message = Message.objects.get()
    assert (message.subject, message.body_state, message.body.new_text) == ("Subject 1", "stored", "Here it is")


def test_a_listed_message_gets_its_body_later_and_is_the_same_row(box: Mailbox) -> None:
    whole = mail(1, text="Hello", attachments=(file("a.pdf"),), cc=())
    first = put(box, [replace(whole, body=None, attachments=None, cc=None)])
    assert store.missing_bodies(box, None, limit=10) == ["id1"]
    put(box, [whole])
    message = Message.objects.get()
    assert [message.pk] == first.new and message.body_state == "stored" and message.attachments.count() == 1
    assert store.missing_bodies(box, None, limit=10) == []
    assert_derived_rows_are_true(box)


def test_held_fields_keep_the_local_value(box: Mailbox) -> None:
    put(box, [mail(1)])
    pk = Message.objects.get().pk
    with transaction.atomic():
        before = store.apply_local(box, [pk], {"is_read": True, "folder": "bin"})
    assert before == {pk: {"is_read": False, "folder": "inbox"}}
    put(box, [mail(1, change_key="k2", flag=Flag.FLAGGED)], held=lambda: {"id1": frozenset({"is_read", "folder"})})
    message = Message.objects.get()
    assert (message.is_read, message.folder.remote_id, message.flag) == (True, "bin", "flagged")
    assert_derived_rows_are_true(box)


def test_a_move_keeps_row_and_thread(box: Mailbox) -> None:
    put(box, [mail(1), mail(2, in_reply_to="<1@fabrikam.example>")])
    before = Message.objects.get(remote_id="id1")
    put(box, [mail(1, folder_id="deep", change_key="moved")])
    after = Message.objects.get(remote_id="id1")
    assert (after.pk, after.thread_id) == (before.pk, before.thread_id) and after.folder.remote_id == "deep"
    assert Thread.objects.count() == 1 and ThreadFolder.objects.count() == 2
    assert_derived_rows_are_true(box)


def test_an_answer_without_angle_brackets_finds_its_thread(box: Mailbox) -> None:
    put(box, [mail(1), mail(2, in_reply_to="1@fabrikam.example")])
    assert Thread.objects.get().count == 2


def test_the_same_mail_in_two_mailboxes_is_one_conversation(box: Mailbox) -> None:
    other = mailbox(member(box.workspace, "bob@northwind.example"))
    put(box, [mail(1, conversation_id="c-adele")])
    put(other, [mail(1, conversation_id="c-bob"), mail(2, in_reply_to="<1@fabrikam.example>")])
    assert Conversation.objects.count() == 1 and Thread.objects.count() == 2


def test_two_workspaces_share_no_conversation(box: Mailbox) -> None:
    other = mailbox(member(workspace("Woodgrove"), "carl@woodgrove.example"))
    put(box, [mail(1)])
    put(other, [mail(1)])
    assert Conversation.objects.count() == 2


def test_a_message_that_connects_two_conversations_makes_them_one_everywhere(box: Mailbox) -> None:
    other = mailbox(member(box.workspace, "bob@northwind.example"))
    put(box, [mail(1), mail(2)])
    put(other, [mail(1), mail(2)])
    assert Thread.objects.count() == 4
    kept = min(Conversation.objects.values_list("pk", flat=True))
    stored = put(box, [mail(3, references=("<1@fabrikam.example>", "<2@fabrikam.example>"))])
    assert [to for _, to in stored.merged] == [kept]
    assert list(Conversation.objects.values_list("pk", flat=True)) == [kept]
    assert sorted(Thread.objects.values_list("mailbox_id", "count")) == [(box.pk, 3), (other.pk, 2)]
    for one in (box, other):
        assert_derived_rows_are_true(one)


def test_a_message_that_learns_its_id_late_keeps_its_conversation(box: Mailbox) -> None:
    bare = replace(mail(1), internet_message_id=None, body=None, attachments=None)
    put(box, [bare])
    put(box, [mail(1)])
    put(box, [mail(2, in_reply_to="<1@fabrikam.example>")])
    assert Thread.objects.get().count == 2 and Conversation.objects.count() == 1


def test_a_message_without_any_id_is_a_conversation_of_its_own(box: Mailbox) -> None:
    put(box, [mail(1, internet_message_id=""), mail(2, internet_message_id="")])
    assert Thread.objects.count() == 2


def test_a_row_about_a_message_we_never_saw_is_left_to_the_engine(box: Mailbox) -> None:
    stored = put(box, [sparse(9, is_read=True)])
    assert not stored.new and not Message.objects.exists()


def test_a_draft_that_is_rewritten_has_only_its_new_people_and_files(box: Mailbox) -> None:
    put(box, [mail(1, is_draft=True, to=("x@a.example",), attachments=(file("a.pdf"),))])
    put(box, [mail(1, is_draft=True, to=("y@a.example",), change_key="k2", text="New", attachments=())])
    assert set(Participant.objects.filter(role="to").values_list("address", flat=True)) == {"y@a.example"}
    assert not Attachment.objects.exists() and MessageBody.objects.get().new_text == "New"
    assert not Correspondent.objects.exists()


def test_ten_thousand_recipients_and_odd_strings_are_stored_whole(box: Mailbox) -> None:
    crowd = tuple(f"p{n}@a.example" for n in range(10_000))
    odd = "a\0b\ud800c" + "\u202e" + "😀"
    put(
        box,
        [
            mail(1, to=crowd, subject=odd, preview=odd, text=odd * 1000, categories=(odd,)),
            mail(2, internet_message_id="<" + "x" * 9000 + ">", subject="s" * 50_000, to=("y" * 5000 + "@a.example",)),
        ],
    )
    first, second = Message.objects.order_by("remote_id")
    assert len(first.to) == 10_000 and first.subject == "a\ufffdb\ufffdc\u202e😀"
    assert len(second.subject) == 50_000 and Participant.objects.filter(message=first, role="to").count() == 10_000


@pytest.mark.parametrize(
    "word",
    ["a" * 3000, "a-" * 60_000, "a." * 60_000, "é" * 100_000, "ﬃ½㎏ " * 40_000, "a@b." * 40_000, "/" * 200_000],
)
def test_text_that_breaks_indexes_is_stored(box: Mailbox, word: str) -> None:
    put(box, [mail(1, text=word, subject=word[:5000])])
    assert MessageSearch.objects.count() == 1


def test_lots_of_different_words_stay_below_the_limit_of_the_index(box: Mailbox) -> None:
    put(box, [mail(1, text=" ".join(f"{n:x}q{n * 7:x}" for n in range(150_000)))])
    assert MessageSearch.objects.count() == 1


def test_removing_mail_leaves_no_trace_in_lists(box: Mailbox) -> None:
    put(box, [mail(1), mail(2, in_reply_to="<1@fabrikam.example>"), mail(3)])
    with transaction.atomic():
        removed = store.remove(box, ["id1", "id3", "id9"])
    assert len(removed.removed) == 2 and Thread.objects.get().count == 1
    assert_derived_rows_are_true(box)
    store.delete_mailbox_mail(box)
    assert not Message.objects.exists() and not Folder.objects.exists() and not Thread.objects.exists()


def test_folders_follow_the_provider_in_any_order(box: Mailbox) -> None:
    deep = [RemoteFolder(id=f"f{n}", parent_id=f"f{n - 1}" if n else None, name=f"{n}/⁧א😀") for n in range(12)]
    with transaction.atomic():
        store.put_folders(box, list(reversed(deep)), {}, complete=False)
    assert Folder.objects.get(remote_id="f11").parent.remote_id == "f10"  # type: ignore[union-attr]
    put(box, [mail(1, folder_id="f11")])
    with transaction.atomic():
        changed = [replace(deep[11], parent_id="inbox", name="Renamed"), Removed("f3")]
        store.drop_folders(box, store.put_folders(box, changed, {}, complete=False).removed)
    moved = Folder.objects.get(remote_id="f11")
    assert (moved.name, moved.parent.remote_id, moved.total) == ("Renamed", "inbox", 1)  # type: ignore[union-attr]
    assert Folder.objects.get(remote_id="f4").parent is None


def test_a_folder_that_still_holds_mail_stays(box: Mailbox) -> None:
    put(box, [mail(1, folder_id="deep")])
    with transaction.atomic():
        store.drop_folders(box, ["deep", "bin"])
    assert Folder.objects.filter(remote_id="deep").exists()
    assert not Folder.objects.filter(remote_id="bin").exists()


# --- any order, any number of times --------------------------------------------------------------------------------


def later(row: RemoteMessage, hours: float, **changed: Any) -> RemoteMessage:
    """The same message, changed some time after."""
    return replace(row, change_key=f"{row.change_key}+{hours}", modified=NOON + timedelta(hours=hours), **changed)


_ONE, _TWO, _THREE = mail(1), mail(2, references=("<1@fabrikam.example>",)), mail(3)
_FIVE = mail(5, conversation_id="c4", attachments=(file("a.pdf"),))
HISTORY: list[list[RemoteMessage]] = [
    [_ONE, later(_ONE, 1, is_read=True)],
    [_TWO, later(_TWO, 5, folder_id="bin"), later(_TWO, 6, folder_id="deep", is_read=True)],
    [_THREE, later(_THREE, 3, categories=("Red",), flag=Flag.FLAGGED)],
    [mail(4, references=("<3@fabrikam.example>", "<2@fabrikam.example>"), conversation_id="c4")],
    [_FIVE, later(_FIVE, 2, subject="Renamed")],
]


@st.composite
def arrivals(draw: st.DrawFn) -> list[list[RemoteMessage]]:
    """Pages in which every version of every message arrives: some only listed at first, some twice, in any order."""
    events: list[RemoteMessage] = []
    for versions in HISTORY:
        for row in versions:
            events += [row] * draw(st.integers(1, 2))
            if draw(st.booleans()):
                events.append(replace(row, body=None, attachments=None, cc=None, bcc=None, references=None))
    shuffled = draw(st.permutations(events))
    size = draw(st.integers(1, 5))
    return [list(shuffled[at : at + size]) for at in range(0, len(shuffled), size)]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pages=arrivals())
def test_pages_in_any_order_with_doubles_and_listed_rows_end_the_same(pages: list[list[RemoteMessage]]) -> None:
    with transaction.atomic():
        at_once = mailbox(member(workspace("One"), "adele@one.example"))
        for versions in HISTORY:
            for row in versions:
                put(at_once, [row])
        wanted = rows_of(at_once)
        store.delete_mailbox_mail(at_once)
        shuffled = mailbox(member(workspace("Two"), "adele@two.example"))
        for page in pages:
            put(shuffled, page)
        assert rows_of(shuffled) == wanted
        assert_derived_rows_are_true(shuffled)
        transaction.set_rollback(True)


def test_two_words_about_one_message_in_a_page_are_taken_together(box: Mailbox) -> None:
    put(box, [mail(1, text="Whole"), sparse(1, is_read=True)])
    message = Message.objects.get()
    assert message.is_read and message.body.new_text == "Whole"


def test_the_body_is_hashed_as_it_was_delivered(box: Mailbox) -> None:
    content = "<p>a\0b</p>"
    put(box, [mail(1, body=RemoteBody("html", content))])
    wanted = sha256(content.encode()).hexdigest()
    assert bytes(MessageBody.objects.get().sha256).hex() == wanted
