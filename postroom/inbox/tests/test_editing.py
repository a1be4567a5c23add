"""The text between the editor and what is kept: styles, pictures, pastes."""

import base64
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from postroom.inbox import editing
from postroom.mail import commands, signatures
from postroom.mail.models import Composition, CompositionFile
from postroom.mailboxes.models import Mailbox
from postroom.providers.memory.mailbox import Box

SCRIPT = {"HX-Request": "true"}
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEklEQVR42mNk+M9Qz4AHMI4qAAD4egMB9tXKXQAAAABJRU5ErkJggg=="
)


@pytest.fixture
def address(page: Client, mailbox: Mailbox) -> str:
    """The address of an empty draft to Ines."""
    begun = page.get("/compose/?to=ines@contoso.example").headers["Location"]
    page.post(f"{begun}save/", {"subject": "Offer"}, headers=SCRIPT)
    return str(begun)


def inside(page: Client, address: str, name: str = "image.png", data: bytes = PNG) -> str:
    file = SimpleUploadedFile(name, data, content_type="image/png")
    return page.post(f"{address}files/", {"file": file, "inside": "1"}, headers=SCRIPT).content.decode()


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("<br>", ""),
        ("<div><br></div>", ""),
        ("<p>&nbsp;</p>", ""),
        ("<b>Hi</b><script>alert(1)</script>", "<b>Hi</b>"),
        ('<p style="color: red; position: fixed" onclick="x()">Hi</p>', '<p style="color:red">Hi</p>'),
        ('<img data-cid="a@x" src="/compose/1/files/2/" alt="Plan">', '<img src="cid:a@x" alt="Plan">'),
        ('<img data-remote="https://x.example/a.png">', '<img src="blocked:https://x.example/a.png">'),
        ('<img src="/compose/1/files/2/">', "<img>"),
    ],
)
def test_what_comes_from_the_editor_is_sanitised_and_named(typed: str, kept: str) -> None:
    assert editing.kept(typed) == kept


def test_what_goes_to_the_editor_and_back_is_the_same() -> None:
    html = '<p style="color:red">Hi <b>you</b></p><img src="cid:a@x"><img src="blocked:https://x.example/a.png">'
    shown = editing.shown(html, {"a@x": "/compose/1/files/2/"})
    assert ' style="' not in shown and 'data-style="color:red"' in shown
    assert 'src="/compose/1/files/2/" data-cid="a@x"' in shown and "https://x.example" in shown
    assert editing.kept(shown.replace("data-style", "style")) == html


def test_formatting_of_an_outlook_draft_stays_when_its_author_goes_on_here(page: Client, address: str) -> None:
    one = Composition.objects.get()
    Composition.objects.filter(pk=one.pk).update(html='<p style="color:red">From <i>Outlook</i></p>')
    shown = page.get(address).content.decode()
    assert '<p data-style="color:red">From <i>Outlook</i></p>' in shown
    page.post(f"{address}save/", {"html": '<p style="color: red;">From <i>Outlook</i> and here</p>'}, headers=SCRIPT)
    assert Composition.objects.get().html == '<p style="color:red">From <i>Outlook</i> and here</p>'


def test_a_picture_in_the_text_goes_out_only_while_it_stands_there(
    page: Client, address: str, box: Box, mailbox: Mailbox, settle: Callable[[Mailbox], int]
) -> None:
    first, second = inside(page, address), inside(page, address)
    one, two = CompositionFile.objects.order_by("pk")
    assert one.name != two.name and one.content_id != two.content_id and one.is_inline
    shown = page.get(f"{address}files/{one.pk}/")
    assert shown.headers["Content-Type"] == "image/png" and b"".join(shown.streaming_content) == PNG  # type: ignore[attr-defined]
    assert f'data-cid="{two.content_id}"' in second
    page.post(f"{address}save/", {"html": f"<div>Look {first}</div>"}, headers=SCRIPT)
    page.post(f"{address}send/", {"to": "ines@contoso.example"}, headers=SCRIPT)
    settle(mailbox)
    sent = next(one for one in box.messages.values() if one.subject == "Offer")
    assert [(file.name, file.is_inline, file.content_id) for file in sent.attachments or ()] == [
        (one.name, True, one.content_id)
    ]
    assert sent.body is not None and f'src="cid:{one.content_id}"' in sent.body.content


def test_what_is_no_picture_is_attached_instead(page: Client, address: str) -> None:
    answer = inside(page, address, "image.png", b"<svg onload=alert(1)>")
    assert "data-attachment" in answer
    file = CompositionFile.objects.get()
    assert not file.is_inline
    assert page.get(f"{address}files/{file.pk}/").status_code == 404


def test_pictures_in_a_paste_become_files_and_copied_ones_come_along(page: Client, address: str) -> None:
    data = f'<p>a<img src="data:image/png;base64,{base64.b64encode(PNG).decode()}"></p>'
    shown = page.post(f"{address}clean/", {"html": data}, headers=SCRIPT).content.decode()
    file = CompositionFile.objects.get()
    assert f'src="{address}files/{file.pk}/" data-cid="{file.content_id}"' in shown
    other = Composition.objects.get()
    other.pk, other.marker = None, "another"
    other.save()
    again = page.post(f"/compose/{other.pk}/clean/", {"html": f"<p>x{shown}</p>"}, headers=SCRIPT).content.decode()
    copy = CompositionFile.objects.get(composition=other)
    assert copy.content_id in again and copy.blob_id == file.blob_id and copy.name != file.name


def test_a_picture_of_somebody_elses_text_does_not(page: Client, colleague: Client, address: str) -> None:
    inside(page, address)
    file = CompositionFile.objects.get()
    assert colleague.get(f"{address}files/{file.pk}/").status_code == 404
    assert colleague.post(f"{address}clean/", {"html": "x"}).status_code == 404
    assert colleague.post("/compose/clean/", {"html": "<b>x</b>"}).content == b"<b>x</b>"


def test_a_discarded_draft_comes_back_with_its_pictures(page: Client, address: str) -> None:
    picture = inside(page, address)
    page.post(f"{address}save/", {"html": picture}, headers=SCRIPT)
    before = CompositionFile.objects.values("name", "is_inline", "content_id").get()
    told = page.post(f"{address}discard/", follow=True).content.decode()
    page.post(told.partition('class="toast-undo"')[2].partition('action="')[2].partition('"')[0].replace("&amp;", "&"))
    assert CompositionFile.objects.values("name", "is_inline", "content_id").get() == before


def test_pictures_from_elsewhere_are_sent_as_they_were_written(
    page: Client, address: str, box: Box, mailbox: Mailbox, settle: Callable[[Mailbox], int]
) -> None:
    signatures.set_for(mailbox, '<p><img src="https://northwind.example/logo.png" alt="Northwind"></p>')
    one = commands.compose(mailbox, Composition.objects.get().author, to=[("", "i@x.example")], subject="S", html="x")
    commands.send(one)
    settle(mailbox)
    sent = next(one for one in box.messages.values() if one.subject == "S")
    assert sent.body is not None and 'src="https://northwind.example/logo.png"' in sent.body.content
