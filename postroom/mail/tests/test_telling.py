"""Cards of invitations and reports, previews of attachments, and whose pictures are loaded."""

import io
import struct
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from postroom.lib import clock
from postroom.mail import content, previews, telling, trust
from postroom.mail.models import Attachment, Message, MessageBody
from postroom.mail.tests.mailing import file, mail, mailbox, member, put, workspace
from postroom.mailboxes.models import Mailbox
from postroom.providers.errors import Transient

pytestmark = pytest.mark.django_db

INVITATION = b"""MIME-Version: 1.0
Content-Type: multipart/alternative; boundary=b

--b
Content-Type: text/plain

When: Thursday
--b
Content-Type: text/calendar; method=REQUEST; charset=utf-8

BEGIN:VCALENDAR
METHOD:REQUEST
BEGIN:VEVENT
SUMMARY:<b>Renewal</b>
DTSTART:20260702T123000Z
DTEND:20260702T131500Z
RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH;COUNT=10
LOCATION:Room 4
ORGANIZER;CN=Ines:mailto:ines@contoso.example
ATTENDEE;CN=Adele;PARTSTAT=ACCEPTED:mailto:adele@northwind.example
END:VEVENT
END:VCALENDAR
--b--
"""
REPORT = b"Final-Recipient: rfc822;bob@x.example\r\nAction: failed\r\nStatus: 5.2.2\r\n"


class FakeSource:
    """The provider: one message as it travelled, one file; counts how often it is asked."""

    def __init__(self) -> None:
        self.whole, self.file, self.asked = INVITATION, REPORT, 0
        self.trouble: Exception | None = None

    def mime(self, message_id: str) -> Iterator[bytes]:
        return self._give(self.whole)

    def attachment(self, message_id: str, attachment_id: str) -> Iterator[bytes]:
        return self._give(self.file)

    def _give(self, data: bytes) -> Iterator[bytes]:
        self.asked += 1
        if self.trouble:
            raise self.trouble
        yield data


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> FakeSource:
    settings.MEDIA_ROOT = tmp_path
    fake = FakeSource()
    monkeypatch.setattr(content, "open_mail", lambda mailbox: fake)
    return fake


@pytest.fixture
def box() -> Mailbox:
    return mailbox(member(workspace(), "adele@northwind.example"))


@pytest.fixture
def page(box: Mailbox) -> Client:
    client = Client()
    client.force_login(box.owner.user)
    return client


def stored(box: Mailbox, **told: Any) -> Message:
    put(box, [mail(1, **told)])
    return Message.objects.get()


def test_an_invitation_is_told_in_the_readers_time_and_asked_for_once(
    box: Mailbox, page: Client, source: FakeSource
) -> None:
    message = stored(box, meeting=True)
    box.owner.user.time_zone = "Europe/Lisbon"
    box.owner.user.save()
    for _ in range(2):
        html = page.get(f"/mail/messages/{message.pk}/card").content.decode()
        assert "Thursday 2 July 2026, 13:30–14:15" in html and "Europe/Lisbon" in html
        assert "Every 2 weeks on Monday and Thursday, 10 times" in html
        assert "&lt;b&gt;Renewal" in html and "Room 4" in html and "Ines" in html
        assert "Answer it in your calendar" in html and "<button" not in html
    assert source.asked == 1


def test_without_the_provider_the_card_says_so_and_asks_again_later(
    box: Mailbox, page: Client, source: FakeSource
) -> None:
    message = stored(box, meeting=True)
    source.trouble = Transient()
    assert "cannot be read right now" in page.get(f"/mail/messages/{message.pk}/card").content.decode()
    source.trouble = None
    assert "Invitation" in page.get(f"/mail/messages/{message.pk}/card").content.decode()
    assert MessageBody.objects.get().told["meeting"]["title"] == "<b>Renewal</b>"


@pytest.mark.parametrize(
    ("change", "headline"),
    [
        ((b"METHOD:REQUEST", b"METHOD:CANCEL"), "This meeting is called off"),
        ((b"METHOD:REQUEST", b"METHOD:REPLY"), "Adele accepted"),
        ((b"SUMMARY", b"SEQUENCE:2\nSUMMARY"), "The meeting is changed"),
    ],
)
def test_what_an_invitation_is_about(
    box: Mailbox, source: FakeSource, change: tuple[bytes, bytes], headline: str
) -> None:
    source.whole = INVITATION.replace(*change)
    card = telling.card(stored(box, meeting=True))
    assert card is not None and card.headline == headline


def test_a_report_names_whom_it_did_not_reach_and_why(box: Mailbox, page: Client, source: FakeSource) -> None:
    message = stored(
        box,
        headers={"auto-submitted": "auto-replied"},
        attachments=(file("ATT1.txt", content_type="message/delivery-status"),),
    )
    html = page.get(f"/mail/messages/{message.pk}/card").content.decode()
    assert "could not be delivered" in html and "bob@x.example" in html and "the mailbox is full" in html
    assert telling.told(Message.objects.get())["failed"] == [
        ["bob@x.example", "failed", "5.2.2", "the mailbox is full", ""]
    ]


def test_a_report_for_people_alone_is_read_too(box: Mailbox, source: FakeSource) -> None:
    source.whole = b"Subject: x\r\n\r\nno parts"
    message = stored(box, headers={"x-failed-recipients": "x"}, text="<bob@y.example>: 550 5.1.1 unknown user")
    card = telling.card(message)
    assert card is not None and card.failed[0].address == "bob@y.example" and card.failed[0].hard


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("FREQ=DAILY", "Every day"),
        ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "Every working day"),
        ("FREQ=MONTHLY;BYDAY=-1FR;UNTIL=20270131T000000Z", "Every month on the last Friday, until 31 January 2027"),
        ("FREQ=MONTHLY;BYMONTHDAY=15", "Every month on day 15"),
        ("FREQ=SECONDLY", "Repeats"),
        ("", ""),
    ],
)
def test_repetition_in_words(rule: str, words: str) -> None:
    assert telling.often(dict(part.split("=") for part in rule.split(";") if part)) == words


def test_whole_days_and_nights_in_words() -> None:
    def when(start: datetime, end: datetime, *, all_day: bool) -> str:
        return telling.when(telling.Meeting(method="request", title="", start=start, end=end, all_day=all_day))

    noon = datetime(2026, 7, 2, 12, tzinfo=UTC)
    with timezone.override("America/New_York"):
        assert when(noon.replace(hour=0), noon.replace(hour=0), all_day=True) == "Thursday 2 July 2026, all day"
        assert when(noon, noon.replace(day=3), all_day=False) == (
            "Thursday 2 July 2026, 08:00 – Friday 3 July 2026, 08:00"
        )


# --- previews ----------------------------------------------------------------------------------------------------


def archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("offer/<i>prices.csv", "a,b")
    return out.getvalue()


def tnef() -> bytes:
    def attribute(name: int, value: bytes) -> bytes:
        return struct.pack("<BHHI", 2, name, 1, len(value)) + value + b"\0\0"

    parts = attribute(0x9002, b"x") + attribute(0x8010, b"plan.doc\0") + attribute(0x800F, b"1234")
    return struct.pack("<IH", 0x223E9F78, 1) + parts


@pytest.mark.parametrize(
    ("name", "kind", "data", "seen"),
    [
        ("notes.txt", "text/plain", "Grüße <b>".encode("cp1252"), "Grüße &lt;b&gt;"),
        ("list.csv", "application/vnd.ms-excel", b"name;amount\n<x>;3\n", "<th>amount</th>"),
        ("a.zip", "application/octet-stream", archive(), "offer/&lt;i&gt;prices.csv"),
        ("winmail.dat", "application/ms-tnef", tnef(), "plan.doc"),
        ("bad.zip", "application/zip", b"no archive", "cannot be read"),
        ("winmail.dat", "application/ms-tnef", b"\x78\x9f\x3e\x22", "cannot be read"),
    ],
)
def test_text_and_archives_are_shown_as_a_page_of_ours(
    box: Mailbox, page: Client, source: FakeSource, name: str, kind: str, data: bytes, seen: str
) -> None:
    source.file = data
    stored(box, attachments=(file(name, content_type=kind, size=len(data)),))
    answer = page.get(f"/mail/attachments/{Attachment.objects.get().pk}/view")
    assert seen in answer.content.decode() and "<b>" not in answer.content.decode()
    assert answer["Content-Security-Policy"] == content.FRAME_POLICY


@pytest.mark.parametrize("name", ["page.html", "picture.svg", "run.js", "letter.docx"])
def test_what_could_run_or_is_unknown_is_only_saved(box: Mailbox, page: Client, source: FakeSource, name: str) -> None:
    kinds = {"page.html": "text/html", "picture.svg": "image/svg+xml", "run.js": "text/javascript"}
    stored(box, attachments=(file(name, content_type=kinds.get(name, "application/msword")),))
    answer = page.get(f"/mail/attachments/{Attachment.objects.get().pk}/view")
    assert answer["Content-Disposition"].startswith("attachment")


def test_a_long_text_is_cut_between_letters() -> None:
    assert previews.decoded("Grüße".encode()[:4]) == "Grü"
    assert previews.decoded("Grüße".encode()[:3]) == "Gr"


# --- pictures ----------------------------------------------------------------------------------------------------

REMOTE = '<p>Hello</p><img src="https://shop.example/x.png">'


def test_pictures_of_a_trusted_sender_load_until_it_is_taken_back(box: Mailbox, page: Client) -> None:
    message = stored(box, html=REMOTE, from_="Shop@fabrikam.example")
    body = f"/mail/messages/{message.pk}/body"
    assert "/mail/pictures/" not in page.get(body).content.decode()
    page.post(f"/mail/messages/{message.pk}/pictures")
    assert "/mail/pictures/" in page.get(body).content.decode()
    (sender,) = trust.senders(box.owner)
    assert sender.address == "shop@fabrikam.example"
    page.post("/settings/reading/", {"withdraw": sender.pk})
    assert "/mail/pictures/" not in page.get(body).content.decode()


def test_trust_is_a_members_own_and_does_not_reach_into_junk(box: Mailbox, page: Client) -> None:
    message = stored(box, html=REMOTE)
    trust.trust(member(box.workspace, "ben@northwind.example"), message)
    assert not trust.trusts(box.owner, message)
    trust.trust(box.owner, message)
    message.folder.role = "junk"
    assert not trust.trusts(box.owner, message)


def test_what_is_over_offers_nothing_to_join(box: Mailbox, source: FakeSource) -> None:
    source.whole = INVITATION.replace(b"RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH;COUNT=10\n", b"")
    with clock.frozen(datetime(2026, 7, 3, tzinfo=UTC)):
        card = telling.card(stored(box, meeting=True))
        assert card is not None and card.over
