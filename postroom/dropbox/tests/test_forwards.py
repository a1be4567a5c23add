"""Forwarded mail, as programs write it in the languages they speak."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from postroom.dropbox import addresses
from postroom.dropbox.forwards import head_in, moment
from postroom.dropbox.letter import readable
from postroom.dropbox.models import DropBox, Dropped
from postroom.dropbox.tests.conftest import ADELE, written
from postroom.mail.models import Message, Participant
from postroom.records.people import commands as people
from postroom.timeline.models import Link
from postroom.timeline.tests.world import World

Take = Callable[..., Dropped]
AT = datetime(2026, 11, 12, 9, 30, tzinfo=UTC)

TEXTS = {
    "Gmail": """FYI

---------- Forwarded message ---------
From: Ben Contoso <ben@contoso.example>
Date: Thu, Nov 12, 2026 at 9:30 AM
Subject: Prices
To: Adele <adele@northwind.example>


Hello""",
    "Outlook": """

________________________________
From: Ben Contoso <ben@contoso.example>
Sent: Thursday, November 12, 2026 9:30 AM
To: Adele <adele@northwind.example>; Carl <carl@contoso.example>
Cc: Dora <dora@contoso.example>
Subject: Prices

Hello""",
    "Outlook, older": """-----Original Message-----
From: Ben Contoso [mailto:ben@contoso.example]
Sent: 12 November 2026 09:30
To: Adele
Subject: Prices

Hello""",
    "Apple Mail": """

Begin forwarded message:

> From: Ben Contoso <ben@contoso.example>
> Subject: Prices
> Date: 12 November 2026 at 09:30:00 GMT
> To: Adele <adele@northwind.example>
>
> Hello""",
    "Thunderbird": """
-------- Forwarded Message --------
Subject: \tPrices
Date: \tThu, 12 Nov 2026 09:30:00 +0000
From: \tBen Contoso <ben@contoso.example>
To: \tadele@northwind.example

Hello""",
    "German": """Zur Info

Von: Ben Contoso <ben@contoso.example>
Gesendet: Donnerstag, 12. November 2026 09:30
An: Adele <adele@northwind.example>
Betreff: Prices

Hallo""",
    "German Gmail": """---------- Forwarded message ---------
Von: Ben Contoso <ben@contoso.example>
Date: Do., 12. Nov. 2026 um 09:30 Uhr
Subject: Prices
To: Adele <adele@northwind.example>

Hallo""",
    "French": """-----Message d'origine-----
De : Ben Contoso <ben@contoso.example>
Envoyé : mardi 12 novembre 2026 09:30
À : Adele <adele@northwind.example>
Objet : Prices

Bonjour""",
    "Spanish": """De: Ben Contoso <ben@contoso.example>
Enviado el: jueves, 12 de noviembre de 2026 9:30
Para: Adele <adele@northwind.example>
Asunto: Prices

Hola""",
    "Italian": """Da: Ben Contoso <ben@contoso.example>
Inviato: giovedì 12 novembre 2026 09:30
A: Adele <adele@northwind.example>
Oggetto: Prices

Ciao""",
    "Portuguese": """De: Ben Contoso <ben@contoso.example>
Enviada em: quinta-feira, 12 de novembro de 2026 09:30
Para: Adele <adele@northwind.example>
Assunto: Prices

Ola""",
    "Dutch": """Van: Ben Contoso <ben@contoso.example>
Verzonden: donderdag 12 november 2026 09:30
Aan: Adele <adele@northwind.example>
Onderwerp: Prices

Hallo""",
    "Swedish": """Från: Ben Contoso <ben@contoso.example>
Skickat: den 12 november 2026 09:30
Till: Adele <adele@northwind.example>
Ämne: Prices

Hej""",
    "Polish": """Od: Ben Contoso <ben@contoso.example>
Wysłano: czwartek, 12 listopada 2026 09:30
Do: Adele <adele@northwind.example>
Temat: Prices

Witam""",
    "Russian": """От: Ben Contoso <ben@contoso.example>
Отправлено: 12 ноября 2026 г. 9:30
Кому: Adele <adele@northwind.example>
Тема: Prices

Привет""",
    "Japanese": """差出人: Ben Contoso <ben@contoso.example>
送信日時: 2026年11月12日 9:30
宛先: Adele <adele@northwind.example>
件名: Prices

こんにちは""",
    "Chinese": """发件人: Ben Contoso <ben@contoso.example>
发送时间: 2026年11月12日 9:30
收件人: Adele <adele@northwind.example>
主题: Prices

你好""",
}


@pytest.mark.parametrize("program", TEXTS)
def test_the_head_of_a_forward_is_found(program: str) -> None:
    found = head_in(TEXTS[program])
    assert found is not None and found.author is not None
    assert (found.author.address, found.subject) == ("ben@contoso.example", "Prices")
    assert found.sent == AT, found.sent
    assert found.author.name in ("Ben Contoso", "")


def test_the_head_in_html_is_the_same() -> None:
    html = (
        "<div>FYI</div><hr><div><b>From:</b> Ben Contoso &lt;ben@contoso.example&gt;<br><b>Sent:</b> Thursday, "
        "November 12, 2026 9:30 AM<br><b>To:</b> Adele &lt;adele@northwind.example&gt;<br><b>Subject:</b> Prices</div>"
        "<p>Hello</p>"
    )
    found = head_in(readable(html))
    assert found is not None and found.author is not None and found.author.address == "ben@contoso.example"
    assert found.sent == AT and found.subject == "Prices"


@pytest.mark.parametrize("text", ["Hello\n\nFrom: here to there\nis far\n", "To: do\nSubject: x\n", "", "From:\n\n\n"])
def test_what_only_looks_like_a_head_is_none(text: str) -> None:
    assert head_in(text) is None


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-12 09:30", AT),
        ("12.11.2026 09:30", AT),
        ("12/11/2026 09:30", AT),
        ("11/12/2026 9:30 AM", AT),
        ("Thu, 12 Nov 2026 10:30:00 +0100", AT),
        ("11/12/2026 9:30 PM", datetime(2026, 11, 12, 21, 30, tzinfo=UTC)),
        ("yesterday", None),
        ("31 February 2026", None),
        ("", None),
    ],
)
def test_moments_are_read_as_far_as_they_can_be(text: str, at: datetime | None) -> None:
    assert moment(text) == at


def forward(drop: DropBox, text: str, **headers: str) -> EmailMessage:
    return written(to=addresses.address_of(drop), subject="Fwd: Prices", text=text, **headers)


def test_a_forward_in_the_text_is_filed_as_the_mail_it_tells_of(world: World, drop: DropBox, dropped: Take) -> None:
    ben = people.create(world.workspace, by=world.adele, last_name="Ben", addresses=["ben@contoso.example"])
    row = dropped(forward(drop, TEXTS["Outlook"]))
    message = row.message
    assert (row.state, row.way) == ("filed", "inline") and message is not None
    assert (message.from_address, message.from_name) == ("ben@contoso.example", "Ben Contoso")
    assert (message.subject, message.received, message.categories) == ("Prices", AT, ["Forwarded"])
    assert message.to == [["Adele", ADELE], ["Carl", "carl@contoso.example"]]
    assert [link.person for link in Link.objects.filter(conversation=message.thread.conversation)] == [ben]
    assert not Participant.objects.filter(address__contains="log-").exists()


def test_a_forward_joins_the_conversation_it_refers_to(drop: DropBox, dropped: Take) -> None:
    sent = dropped(written(Message_ID="<first@northwind.example>"))
    row = dropped(forward(drop, TEXTS["Gmail"], References="<first@northwind.example>"))
    assert row.message is not None and sent.message is not None
    assert row.message.thread == sent.message.thread and Message.objects.count() == 2


def test_a_forward_that_does_not_say_of_whom_waits(drop: DropBox, dropped: Take) -> None:
    row = dropped(forward(drop, "From: Ben\nSent: yesterday\nTo: Adele\nSubject: Prices\n\nHello"))
    assert row.state == "held" and "which address" in row.reason
    assert dropped(forward(drop, "See below.\n")).state == "held"


def test_a_mail_forwarded_as_an_attachment_is_filed_whole(world: World, drop: DropBox, dropped: Take) -> None:
    inner = written(sender="Ben <ben@contoso.example>", to=f"Adele <{ADELE}>", Message_ID="<ben-1@contoso.example>")
    inner.add_attachment(b"figures", maintype="application", subtype="pdf", filename="figures.pdf")
    outer = forward(drop, "FYI\n")
    outer.add_attachment(inner)
    row = dropped(outer.as_bytes(policy=SMTP))
    message = row.message
    assert (row.state, row.way) == ("filed", "attached") and message is not None
    assert (message.internet_message_id, message.from_address) == ("<ben-1@contoso.example>", "ben@contoso.example")
    assert [one.name for one in message.attachments.all()] == ["figures.pdf"]
    assert message.categories == ["Forwarded"] and Message.objects.count() == 1


def test_a_redirected_mail_is_its_authors(dropped: Take) -> None:
    by_hand = written(
        sender="Ben <ben@contoso.example>", to=f"Adele <{ADELE}>", Resent_From=ADELE, Resent_To="x@in.postroom.example"
    )
    by_rule = written(sender="Ben <ben@contoso.example>", to=f"Adele <{ADELE}>", subject="By rule")
    rows = [dropped(by_hand), dropped(by_rule, sender="adele+caf_=log=x@northwind.example")]
    assert [(row.state, row.way) for row in rows] == [("filed", "redirected")] * 2
    assert {row.message.from_address for row in rows if row.message} == {"ben@contoso.example"}


def test_who_redirects_must_be_the_member_and_prove_it(dropped: Take) -> None:
    mail = written(sender="Ben <ben@contoso.example>", Resent_From=ADELE)
    assert dropped(mail, peer="198.51.100.66").state == "held"
    assert dropped(written(sender="Ben <ben@contoso.example>", Resent_From="eve@evil.example")).state == "held"


def test_a_mail_to_others_with_a_forward_below_is_the_members_own(dropped: Take) -> None:
    row = dropped(written(subject="Fwd: Prices", text=TEXTS["Outlook"]))
    assert row.way == "sent" and row.message is not None and row.message.from_address == ADELE
