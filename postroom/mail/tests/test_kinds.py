"""What kind of mail it is."""

import pytest

from postroom.mail.kinds import kind_of
from postroom.providers.contract import Address, RemoteAttachment, RemoteMessage

ANA = Address("ana@fabrikam.example", "Ana")


def message(
    *, subject: str = "Renewal", sender: Address = ANA, headers: dict[str, str] | None = None, attached: str = ""
) -> RemoteMessage:
    files = (RemoteAttachment(id="a", name="x", content_type=attached, size=1),) if attached else ()
    return RemoteMessage(id="m", subject=subject, from_=sender, headers=headers, attachments=files)


@pytest.mark.parametrize(
    ("kind", "row"),
    [
        ("mail", message()),
        ("mail", message(subject="Undeliverable promises")),
        ("invitation", message(attached="text/calendar; method=REQUEST")),
        ("invitation", message(headers={"content-type": 'text/calendar; charset="utf-8"'})),
        ("invitation", message(headers={"content-class": "urn:content-classes:calendarmessage"})),
        ("bounce", message(headers={"content-type": "multipart/report; report-type=delivery-status"})),
        ("bounce", message(headers={"x-ms-exchange-message-is-ndr": ""})),
        ("bounce", message(attached="message/delivery-status", headers={"auto-submitted": "auto-generated"})),
        ("mail", message(subject="FW: this came back", attached="message/delivery-status")),
        ("bounce", message(headers={"x-failed-recipients": "bob@x.example"})),
        ("bounce", message(subject="Undeliverable: Offer", sender=Address("MAILER-DAEMON@x.example"))),
        ("bounce", message(subject="Unzustellbar: Angebot", sender=Address("postmaster@x.example"))),
        ("bounce", message(subject="Mail delivery failed", headers={"return-path": "<>"})),
        ("auto_reply", message(headers={"auto-submitted": "auto-replied (vacation)"})),
        ("auto_reply", message(subject="Automatische Antwort: Angebot")),
        ("auto_reply", message(subject="Réponse automatique : devis")),
        ("bulk", message(headers={"list-unsubscribe": "<https://x.example/u>"})),
        ("bulk", message(headers={"precedence": "bulk"})),
    ],
)
def test_headers_tell_the_kind_then_sender_and_subject(kind: str, row: RemoteMessage) -> None:
    assert kind_of(row) == kind


def test_a_provider_that_knows_a_meeting_is_believed() -> None:
    row = RemoteMessage(id="m", subject="Accepted: Pipeline meeting", from_=ANA, headers={}, meeting=True)
    assert kind_of(row) == "invitation"


def test_what_we_wrote_ourselves_is_mail_or_an_invitation() -> None:
    own = frozenset({"ana@fabrikam.example"})
    assert kind_of(message(subject="Automatic reply: no, a joke", headers={"list-id": "x"}), own) == "mail"
    assert kind_of(message(attached="text/calendar"), own) == "invitation"
