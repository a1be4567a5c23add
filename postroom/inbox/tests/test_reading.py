"""The list, the thread, what is marked and what is refused."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

from django.test import Client
from django.test.utils import CaptureQueriesContext

from postroom.mail import content
from postroom.mail.models import Message, Thread
from postroom.mailboxes.models import Mailbox

MOST_QUERIES = 12


def test_an_empty_inbox_says_what_comes_next(page: Client, mailbox: Mailbox) -> None:
    assert "Nothing waits for you" in page.get("/inbox/").content.decode()


def test_without_a_mailbox_the_inbox_leads_to_connecting_one(page: Client) -> None:
    assert "Connect a mailbox" in page.get("/inbox/").content.decode()
    assert "Connect a mailbox" in page.get("/mail/").content.decode()


def test_threads_are_listed_newest_first(page: Client, deliver: Callable[..., Thread]) -> None:
    deliver("Older offer")
    deliver("Newer offer", minutes=5)
    html = page.get("/inbox/").content.decode()
    assert html.index("Newer offer") < html.index("Older offer")


def test_opening_a_thread_marks_it_read(page: Client, deliver: Callable[..., Thread]) -> None:
    thread = deliver("Offer")
    assert thread.unread == 1
    html = page.get(f"/inbox/threads/{thread.pk}/").content.decode()
    assert "message-unread" in html
    shown = re.search(r'hx-post="([^"]+)"\s+hx-trigger="load"', html)
    assert shown  # what the screen says once it is there
    answer = page.post(unescape(shown[1]), headers={"HX-Request": "true"})
    assert answer.status_code == 200
    thread.refresh_from_db()
    assert thread.unread == 0


def test_without_scripts_a_button_says_that_it_is_read(page: Client, deliver: Callable[..., Thread]) -> None:
    thread = deliver("Offer")
    html = page.get(f"/inbox/threads/{thread.pk}/").content.decode()
    button = re.search(r'<noscript>\s*<form class="action"\s+method="post"\s+action="([^"]+)"', html)
    assert button
    answer = page.post(unescape(button[1]))
    assert (answer.status_code, answer["Location"]) == (302, "/inbox/")
    thread.refresh_from_db()
    assert thread.unread == 0


def test_that_somebody_is_still_there_does_not_mark_read(page: Client, deliver: Callable[..., Thread]) -> None:
    thread = deliver("Offer")
    page.post(f"/inbox/threads/{thread.pk}/here/", headers={"HX-Request": "true"})
    thread.refresh_from_db()
    assert thread.unread == 1


def test_the_list_comes_once_the_thread_is_shown(page: Client, deliver: Callable[..., Thread]) -> None:
    thread = deliver("Offer")
    deliver("Another", minutes=1)
    html = page.get(f"/inbox/threads/{thread.pk}/?filter=unread").content.decode()
    assert "Another" not in html
    later = re.search(r'id="list"\s+hx-get="([^"]+)"', html)
    assert later
    pane = page.get(unescape(later[1]), headers={"HX-Request": "true", "HX-Target": "list"}).content.decode()
    assert "Another" in pane and "<html" not in pane
    assert re.search(rf'id="thread-{thread.pk}".*?aria-current="true"', pane, re.DOTALL)


def test_a_script_gets_only_the_pane_it_asked_for(page: Client, deliver: Callable[..., Thread]) -> None:
    thread = deliver("Offer")
    answer = page.get(f"/inbox/threads/{thread.pk}/", headers={"HX-Request": "true", "HX-Target": "detail"})
    assert "<html" not in answer.content.decode()
    assert "Offer" in answer.content.decode()


def test_a_look_again_does_not_mark_read(page: Client, deliver: Callable[..., Thread]) -> None:
    thread = deliver("Offer")
    page.get(f"/inbox/threads/{thread.pk}/", headers={"HX-Request": "true", "HX-Target": "thread"})
    thread.refresh_from_db()
    assert thread.unread == 1


def test_a_colleague_sees_neither_list_nor_thread(colleague: Client, deliver: Callable[..., Thread]) -> None:
    thread = deliver("Secret offer")
    message = Message.objects.get()
    assert "Secret" not in colleague.get("/inbox/").content.decode()
    for address in (
        f"/inbox/threads/{thread.pk}/",
        f"/inbox/threads/{thread.pk}/reply/",
        f"/inbox/threads/{thread.pk}/reply/?message={message.pk}",
        f"/inbox/threads/{thread.pk}/folders/",
        f"/mail/{thread.mailbox_id}/",
        f"/mail/{thread.mailbox_id}/{message.folder_id}/",
        f"/mail/{thread.mailbox_id}/{message.folder_id}/{thread.pk}/",
    ):
        assert colleague.get(address).status_code == 404, address
    assert colleague.post(f"/inbox/threads/{thread.pk}/delete/").status_code == 404


def test_in_a_mailbox_open_to_all_every_colleague_reads_and_answers(
    colleague: Client, deliver: Callable[..., Thread], mailbox: Mailbox
) -> None:
    thread = deliver("Offer")
    Mailbox.objects.filter(pk=mailbox.pk).update(visibility="workspace")
    html = colleague.get(f"/inbox/threads/{thread.pk}/").content.decode()
    assert "but not write from it" not in html
    assert colleague.get(f"/inbox/threads/{thread.pk}/reply/", headers={"HX-Request": "true"}).status_code == 200
    colleague.post(f"/inbox/threads/{thread.pk}/delete/", headers={"HX-Request": "true"})
    assert Message.objects.get().folder.role == "deleted"


def test_unread_keeps_the_thread_that_is_open(page: Client, deliver: Callable[..., Thread]) -> None:
    thread = deliver("Offer")
    page.post(f"/inbox/threads/{thread.pk}/here/?opened=1")
    assert "Offer" not in page.get("/inbox/?filter=unread").content.decode()
    assert "Offer" in page.get(f"/inbox/?filter=unread&open={thread.pk}").content.decode()


def test_flagged_shows_what_is_flagged(page: Client, deliver: Callable[..., Thread]) -> None:
    deliver("Plain")
    thread = deliver("Important", minutes=1)
    page.post(f"/inbox/threads/{thread.pk}/flag/")
    html = page.get("/inbox/?filter=flagged").content.decode()
    assert "Important" in html
    assert "Plain" not in html


def test_folders_show_their_threads_and_counts(page: Client, deliver: Callable[..., Thread], mailbox: Mailbox) -> None:
    deliver("In junk", folder="junk")
    junk = mailbox.folders.get(role="junk")
    html = page.get(f"/mail/{mailbox.pk}/{junk.pk}/").content.decode()
    assert "In junk" in html
    assert 'aria-current="page"' in html
    assert page.get("/mail/", follow=True).status_code == 200


def test_pages_cost_the_same_for_one_thread_and_for_many(
    page: Client, deliver: Callable[..., Thread], mailbox: Mailbox, django_assert_max_num_queries: Any
) -> None:
    deliver("First")
    addresses = ["/inbox/", "/inbox/?filter=unread", "/inbox/?filter=flagged", f"/mail/{mailbox.pk}/"]
    page.get("/inbox/")  # the mailbox was looked into just now
    few = [_queries(page, address) for address in addresses]
    for number in range(12):
        thread = deliver(f"More {number}", minutes=number)
    page.get(f"/inbox/threads/{thread.pk}/")
    many = [_queries(page, address) for address in addresses]
    assert many == few
    many.append(_queries(page, f"/inbox/threads/{thread.pk}/"))
    many.append(_queries(page, f"/mail/{mailbox.pk}/{mailbox.folders.get(role='inbox').pk}/{thread.pk}/"))
    assert max(many) <= MOST_QUERIES, many


def _queries(page: Client, address: str) -> int:
    from django.db import connection

    with CaptureQueriesContext(connection) as seen:
        assert page.get(address).status_code == 200
    return sum(1 for one in seen.captured_queries if one["sql"].upper().lstrip().startswith(("SELECT", "WITH")))


def test_a_conversation_on_paper_costs_the_same_for_every_length(
    page: Client, deliver: Callable[..., Thread], django_assert_max_num_queries: Any
) -> None:
    thread = deliver("Offer", html="<p>First</p><script>x</script>", from_="ines@contoso.example")
    first = thread.messages.get().internet_message_id
    few = _queries(page, f"/inbox/threads/{thread.pk}/print/")
    for number in range(5):
        deliver(f"Re: Offer {number}", minutes=1, in_reply_to=first, html=f"<p>Answer {number}</p>")
    assert _queries(page, f"/inbox/threads/{thread.pk}/print/") == few
    answer = page.get(f"/inbox/threads/{thread.pk}/print/")
    html = answer.content.decode()
    assert "First" in html and "Answer 4" in html and "ines@contoso.example" in html and "<script" not in html
    assert answer["Content-Security-Policy"] == content.FRAME_POLICY


def test_the_rail_brings_counts_out_of_band(page: Client, deliver: Callable[..., Thread]) -> None:
    deliver("Offer")
    html = page.get("/inbox/rail/").content.decode()
    assert 'id="inbox-unread"' in html
    assert 'id="rail-mailboxes"' in html
    assert 'id="sync-card"' in html
