"""STARTTLS: what it protects, and that nothing of the clear reaches what comes after it (RFC 3207)."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from postroom.dropbox import running
from postroom.dropbox.tests.conftest import Client, Desk
from postroom.dropbox.tests.test_receiver import ENVELOPE, TEXT, through
from postroom.dropbox.tls import Certificate, Unusable

Connect = Callable[..., Client]
PEM = serialization.Encoding.PEM


def made(folder: Path, *, password: bytes = b"") -> Certificate:
    """A certificate for this machine, signed by itself, in place of the one before."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "in.test")])
    moment = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(moment - timedelta(days=1)).not_valid_after(moment + timedelta(days=1))
    here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    chain = builder.add_extension(here, critical=False).sign(key, hashes.SHA256()).public_bytes(PEM)
    how = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    put(folder / "chain.pem", chain)
    put(folder / "key.pem", key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, how))
    return Certificate(folder / "chain.pem", folder / "key.pem")


def put(place: Path, content: bytes) -> None:
    """As those who renew certificates do: another file under the same name."""
    new = place.with_suffix(".new")
    new.write_bytes(content)
    new.replace(place)


def shown(client: Client) -> bytes:
    """Ask for TLS; the certificate that is shown."""
    assert client.ask("EHLO x").startswith("250") and client.ask("STARTTLS").startswith("220 2.0.0")
    return client.secure()


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "certificate"
    folder.mkdir()
    return folder


def test_a_program_of_the_usual_make_sends_a_large_mail_over_tls(connected: Connect, desk: Desk, files: Path) -> None:
    port = connected("smtp", certificate=made(files)).port  # type: ignore[attr-defined]
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "ana@x.example", "good@in.test", "large"
    mail.set_content("".join(f"line {number}\n" for number in range(50_000)))
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
        client.ehlo()
        assert client.has_extn("starttls")
        client.starttls(context=ssl.create_default_context(cafile=files / "chain.pem"))
        client.ehlo()
        assert not client.has_extn("starttls") and client.has_extn("size")
        client.send_message(mail)
    ((envelope, text),) = desk.taken
    assert envelope.recipients == ["good@in.test"] and text.endswith(b"line 49999\r\n")


def test_it_is_offered_and_known_with_a_certificate_only(connected: Connect, files: Path) -> None:
    plain = connected("smtp")
    assert "STARTTLS" not in plain.ask("EHLO x") and plain.ask("STARTTLS").startswith("500 5.5.1")
    client = connected("smtp", certificate=made(files))
    assert "STARTTLS" in client.ask("EHLO x")
    assert client.ask("STARTTLS now").startswith("501") and "STARTTLS" not in client.ask("HELO x")
    shown(client)
    assert "STARTTLS" not in client.ask("EHLO x") and client.ask("STARTTLS").startswith("503")
    assert client.ask("NOOP").startswith("250")


def test_what_was_sent_ahead_of_the_handshake_is_thrown_away(connected: Connect, desk: Desk, files: Path) -> None:
    """Somebody on the way may put commands behind a client's STARTTLS, to have them believed as the client's own."""
    injected = b"EHLO eve\r\nMAIL FROM:<eve@evil.example>\r\nRCPT TO:<good@in.test>\r\nDATA\r\nevil\r\n.\r\nNOO"
    client = connected("smtp", certificate=made(files))
    client.ask("EHLO x")
    assert client.ask(b"STARTTLS\r\n" + injected).startswith("220")
    client.secure()
    assert client.ask("NOOP") == "250 2.0.0 OK"  # the first answer, and to this alone
    assert client.ask(ENVELOPE[0]).startswith("503"), "the greeting that was put there counts"
    assert through(client, TEXT + b".\r\n", hello="EHLO x").startswith("250")
    assert [(envelope.sender, envelope.helo) for envelope, _ in desk.taken] == [("ana@x.example", "x")]


def test_nothing_that_was_learned_before_counts_after_it(connected: Connect, desk: Desk, files: Path) -> None:
    client = connected("smtp", certificate=made(files))
    client.ask("EHLO before")
    assert client.ask("XFORWARD ADDR=192.0.2.9 HELO=else").startswith("250")
    for line in ENVELOPE:
        assert client.ask(line).startswith("250")
    assert client.ask("STARTTLS").startswith("220")
    client.secure()
    for line in (*ENVELOPE, "DATA"):
        assert client.ask(line).startswith("503"), line
    assert through(client, TEXT + b".\r\n", hello="EHLO after").startswith("250")
    ((envelope, _),) = desk.taken
    assert (envelope.peer, envelope.helo) == ("127.0.0.1", "after")


def test_commands_in_place_of_a_handshake_end_the_connection(connected: Connect, desk: Desk, files: Path) -> None:
    client = connected("smtp", certificate=made(files))
    client.ask("EHLO x")
    assert client.ask("STARTTLS").startswith("220")
    client.say("EHLO x", *ENVELOPE, "DATA", TEXT + b".\r\n")
    assert b"250" not in client.left() and desk.taken == []
    again = Client(client.port)  # type: ignore[attr-defined]
    assert again.hear().startswith("220")
    again.close()


def test_who_never_shakes_hands_is_left(connected: Connect, files: Path) -> None:
    client = connected("smtp", certificate=made(files), handshake=0.05)
    client.ask("EHLO x")
    assert client.ask("STARTTLS").startswith("220") and client.left() == b""


def test_who_hangs_up_in_the_middle_leaves_nothing(
    connected: Connect, desk: Desk, files: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    client = connected("smtp", certificate=made(files))
    shown(client)
    client.ask("EHLO x")
    for line in ENVELOPE:
        client.ask(line)
    assert client.ask("DATA", TEXT).startswith("354")
    client.socket.shutdown(1)  # without a goodbye of TLS
    client.left()
    assert desk.taken == [] and [one for one in tmp_path.iterdir() if one != files] == []
    assert not [one for one in caplog.messages if "cannot be taken" in one or "mistake of ours" in one]


def test_a_renewed_certificate_is_shown_from_the_next_handshake_on(connected: Connect, files: Path) -> None:
    certificate = made(files)
    first = connected("smtp", certificate=certificate)

    def another() -> bytes:
        client = Client(first.port)  # type: ignore[attr-defined]
        client.hear()
        seen = shown(client)
        client.close()
        return seen

    before = shown(first)
    assert another() == before
    made(files)
    renewed = another()
    assert renewed != before and another() == renewed
    assert first.ask("NOOP").startswith("250"), "who is connected stays so"
    put(files / "chain.pem", b"-----BEGIN CERTIFICATE-----\nhalf wri")
    assert another() == renewed
    (files / "key.pem").unlink()
    assert another() == renewed
    made(files)
    assert another() not in (before, renewed)


def test_files_that_cannot_be_used_are_named(files: Path) -> None:
    made(files)
    with pytest.raises(Unusable, match=r"none\.pem cannot be read \(No such file"):
        Certificate(files / "none.pem", files / "key.pem")
    (files / "text.pem").write_text("no certificate")
    with pytest.raises(Unusable, match=r"text\.pem and .*key\.pem are no certificate with its key"):
        Certificate(files / "text.pem", files / "key.pem")
    (files / "old.pem").write_bytes((files / "key.pem").read_bytes())
    made(files)
    with pytest.raises(Unusable, match="key values mismatch"):
        Certificate(files / "chain.pem", files / "old.pem")
    with pytest.raises(Unusable, match="are no certificate with its key"):
        made(files, password=b"long enough")


def test_only_the_plain_listener_has_one(files: Path, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    assert running.handler("smtp").__self__.certificate is None  # type: ignore[attr-defined]
    made(files)
    settings.POSTROOM_DROPBOX_CERTIFICATE, settings.POSTROOM_DROPBOX_KEY = f"{files}/chain.pem", f"{files}/key.pem"
    assert running.handler("smtp").__self__.certificate is not None  # type: ignore[attr-defined]
    assert running.handler("lmtp").__self__.certificate is None  # type: ignore[attr-defined]
    settings.POSTROOM_DROPBOX_KEY = f"{files}/none.pem"
    running.handler("lmtp")
    with pytest.raises(Unusable):
        running.handler("smtp")
