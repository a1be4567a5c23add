"""The content of a message: safe to show, only to those who may see it, fetched once."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core import signing
from django.test import Client

from postroom.mail import content, views
from postroom.mail.models import Attachment, Message
from postroom.mail.pictures import NoPicture, Picture
from postroom.mail.tests.mailing import file, mail, mailbox, member, put, workspace
from postroom.mailboxes.models import Mailbox
from postroom.providers.errors import AccessLost, Transient

pytestmark = pytest.mark.django_db

HTML = (
    '<p>Hello</p><img src="cid:logo"><img src="https://shop.example/x.png">'
    '<a href="https://shop.example">shop</a><script>alert(1)</script>'
)


class FakeSource:
    """Stands for the provider; counts what is asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.trouble: Exception | None = None

    def attachment(self, message_id: str, attachment_id: str) -> Iterator[bytes]:
        return self._give(attachment_id, b"%PDF-1.7 ")

    def mime(self, message_id: str) -> Iterator[bytes]:
        return self._give(message_id, b"Subject: x\r\n\r\nHello <script>")

    def _give(self, what: str, data: bytes) -> Iterator[bytes]:
        self.asked.append(what)
        if self.trouble:
            raise self.trouble
        yield data
        yield b"end"


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Any) -> FakeSource:
    settings.MEDIA_ROOT = tmp_path
    fake = FakeSource()
    monkeypatch.setattr(content, "open_mail", lambda mailbox: fake)
    return fake


@pytest.fixture
def box() -> Mailbox:
    box = mailbox(member(workspace(), "adele@northwind.example"))
    logo = file("logo.png", content_type="image/png", is_inline=True, content_id="logo")
    odd = file('a/..\\ev\til\r\n"name.exe', content_type="text/html")
    put(box, [mail(1, html=HTML, attachments=(logo, file("offer.pdf"), odd)), mail(2, text="plain <b> text")])
    return box


@pytest.fixture
def page(box: Mailbox) -> Client:
    client = Client()
    client.force_login(box.owner.user)
    return client


def attachment(name: str) -> Attachment:
    return Attachment.objects.get(name__contains=name)


def test_the_frame_shows_the_mail_and_nothing_else(page: Client) -> None:
    message = Message.objects.get(remote_id="id1")
    answer = page.get(f"/mail/messages/{message.pk}/body")
    html = answer.content.decode()
    assert "Hello" in html and "<script" not in html and 'src="http' not in html
    assert f'src="{content.inline_address(attachment("logo"))}"' in html
    assert answer["Content-Security-Policy"] == content.FRAME_POLICY and answer["X-Frame-Options"] == "SAMEORIGIN"
    assert content.has_hidden_pictures(message)
    assert 'src="/mail/pictures/' in page.get(f"/mail/messages/{message.pk}/body?pictures=1").content.decode()


def test_plain_text_is_shown_as_text(page: Client) -> None:
    html = page.get(f"/mail/messages/{Message.objects.get(remote_id='id2').pk}/body").content.decode()
    assert "plain &lt;b&gt; text" in html


def test_a_message_without_its_text_yet_says_so(page: Client, box: Mailbox) -> None:
    put(box, [mail(3, body=None, attachments=None)])
    html = page.get(f"/mail/messages/{Message.objects.get(remote_id='id3').pk}/body").content.decode()
    assert "not been pulled yet" in html


def test_strangers_get_404_everywhere(box: Mailbox, source: FakeSource) -> None:
    stranger = Client()
    stranger.force_login(member(workspace("Woodgrove"), "carl@woodgrove.example").user)
    message, one = Message.objects.get(remote_id="id1"), attachment("offer")
    for path in (
        f"/mail/messages/{message.pk}/body", f"/mail/messages/{message.pk}/original",
        f"/mail/attachments/{one.pk}", f"/mail/attachments/{one.pk}/view", "/mail/pictures/made-up",
    ):  # fmt: skip
        assert stranger.get(path).status_code == 404, path
    assert not source.asked


def test_an_attachment_is_fetched_once_and_kept(page: Client, source: FakeSource) -> None:
    one = attachment("offer")
    for _ in range(2):
        answer = page.get(f"/mail/attachments/{one.pk}")
        assert b"".join(answer) == b"%PDF-1.7 end"
        assert answer["Content-Type"] == "application/octet-stream"
        assert answer["Content-Disposition"].startswith('attachment; filename="offer.pdf"')
        assert answer["X-Content-Type-Options"] == "nosniff" and "sandbox" in answer["Content-Security-Policy"]
    assert source.asked == ["file-offer.pdf"]
    one.refresh_from_db()
    assert one.blob is not None and one.blob.size == 12


def test_only_pictures_and_pdf_are_shown_and_under_our_type(page: Client, source: FakeSource) -> None:
    shown = page.get(f"/mail/attachments/{attachment('offer').pk}/view")
    assert shown["Content-Type"] == "application/pdf" and shown["Content-Disposition"].startswith("inline")
    picture = page.get(f"/mail/attachments/{attachment('logo').pk}/view")
    assert picture["Content-Type"] == "image/png" and "sandbox" in picture["Content-Security-Policy"]
    page_of_html = page.get(f"/mail/attachments/{attachment('name.exe').pk}/view")
    assert page_of_html["Content-Type"] == "application/octet-stream"
    assert page_of_html["Content-Disposition"].startswith("attachment")


def test_a_hostile_file_name_stays_in_its_header(page: Client, source: FakeSource) -> None:
    told = page.get(f"/mail/attachments/{attachment('name.exe').pk}")["Content-Disposition"]
    assert told == "attachment; filename=\"evil_name.exe\"; filename*=UTF-8''evil%22name.exe"


def test_the_original_is_text_for_reading_and_a_file_for_saving(page: Client, source: FakeSource) -> None:
    pk = Message.objects.get(remote_id="id1").pk
    read = page.get(f"/mail/messages/{pk}/original")
    assert b"".join(read) == b"Subject: x\r\n\r\nHello <script>end"
    assert read["Content-Type"].startswith("text/plain") and "sandbox" in read["Content-Security-Policy"]
    assert page.get(f"/mail/messages/{pk}/original?save=1")["Content-Type"] == "message/rfc822"


@pytest.mark.parametrize(("trouble", "told"), [(AccessLost("x"), "disconnected"), (Transient("x"), "did not answer")])
def test_a_provider_that_cannot_be_asked_is_a_page_that_says_why(
    page: Client, source: FakeSource, trouble: Exception, told: str
) -> None:
    source.trouble = trouble
    for path in (
        f"/mail/attachments/{attachment('offer').pk}",
        f"/mail/messages/{Message.objects.get(remote_id='id1').pk}/original",
    ):
        answer = page.get(path)
        assert answer.status_code == 503 and told in answer.content.decode()


def test_a_picture_from_elsewhere_comes_through_us_only_by_a_signed_address(
    page: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def fetch(url: str) -> Picture:
        asked.append(url)
        if "gone" in url:
            raise NoPicture("answered 404")
        return Picture("image/png", b"png")

    monkeypatch.setattr(views.pictures, "fetch", fetch)
    answer = page.get(content.picture_address("https://shop.example/x.png"))
    assert (answer["Content-Type"], answer.content) == ("image/png", b"png")
    assert page.get(content.picture_address("https://shop.example/gone.png")).status_code == 404
    forged = signing.dumps("https://shop.example/x.png", salt="something else")
    assert page.get(f"/mail/pictures/{forged}").status_code == 404
    assert asked == ["https://shop.example/x.png", "https://shop.example/gone.png"]
