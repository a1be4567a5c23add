"""A mailbox that shows it has everything, against the sandbox: real listings, real searches, real removals."""

from django.db import transaction

from postroom.mail import brake, comparing, store, trace
from postroom.mail.models import Message
from postroom.mail.sync import coverage
from postroom.mailboxes.models import Failure, Mailbox
from postroom.sync.models import SyncState
from tests.proofs.test_requests import kind, letters
from tests.proofs.together import ADDRESS, Together

MESSAGES = 260


def synced(both: Together) -> Mailbox:
    both.import_(ADDRESS, letters(MESSAGES))
    mailbox = both.connect()
    both.settle(mailbox)
    return mailbox


def purge(both: Together, mailbox: Mailbox, count: int) -> None:
    token = both.sandbox.token(ADDRESS)
    headers = {"Authorization": f"Bearer {token}", "Prefer": 'IdType="ImmutableId"'}
    ids = Message.objects.filter(mailbox=mailbox).order_by("-received").values_list("remote_id", flat=True)[:count]
    for remote_id in ids:
        both.http.post(f"/v1.0/me/messages/{remote_id}/permanentDelete", headers=headers)


def test_lost_and_wrong_rows_are_found_by_ids_and_mended(both: Together) -> None:
    mailbox = synced(both)
    before = dict(SyncState.objects.values_list("scope", "cursor"))
    lost = list(Message.objects.order_by("pk").values_list("remote_id", flat=True)[:30])
    with transaction.atomic():
        store.remove(mailbox, lost)
    Message.objects.filter(pk__in=Message.objects.order_by("-pk").values("pk")[:5]).update(is_read=True, flag="flagged")
    since = both.mark()
    coverage.check_now(mailbox)
    both.settle(mailbox)
    assert both.difference(mailbox) == []
    assert comparing.summary(mailbox).repaired == 35
    listings = [kind(row) for row in both.requests(since)].count("spine")
    assert listings <= len(before) + MESSAGES // 500 + 1, "one fresh listing per folder"
    coverage.check_now(mailbox)
    both.settle(mailbox)
    assert comparing.summary(mailbox).words == "100 %"


def test_a_mailbox_wiped_at_the_provider_stops_and_goes_on_when_told(both: Together) -> None:
    mailbox = synced(both)
    purge(both, mailbox, 150)
    both.follow(mailbox)
    mailbox.refresh_from_db()
    assert mailbox.failure == Failure.BREAKER
    assert mailbox.failure_detail.startswith("150 of 260 messages of Inbox would be removed")
    assert Message.objects.count() == MESSAGES
    question = brake.asking(mailbox)
    assert question is not None
    assert len(question.ids) == 150
    brake.go_on(mailbox, by=both.member)
    both.settle(mailbox)
    assert both.difference(mailbox) == []


def test_the_way_of_a_mail_is_found_by_its_message_id_and_by_its_subject(both: Together) -> None:
    mailbox = synced(both)
    for words in ("<letter-77@contoso.example>", "Letter 77"):
        (answer,) = trace.ask(both.member, words)
        assert answer.asked
        assert [(one.subject, one.why) for one in answer.traces] == [("Letter 77", "")]
    with transaction.atomic():
        store.remove(mailbox, [Message.objects.get(subject="Letter 77").remote_id])
    (answer,) = trace.ask(both.member, "<letter-77@contoso.example>")
    assert answer.traces[0].mend == "fetch"
    assert trace.fetch(both.member, answer.traces[0].token) == mailbox
    both.settle(mailbox)
    assert both.difference(mailbox) == []
