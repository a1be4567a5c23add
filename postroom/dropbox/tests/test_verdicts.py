"""SPF, DKIM and DMARC, asked of a DNS of our own."""

from __future__ import annotations

import base64
from functools import cache

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from postroom.dropbox.tests.conftest import PEER, Zone, written
from postroom.dropbox.verdicts import Came, Unanswered, Verdicts, judge, organisation, told

AUTHOR = "northwind.example"
CAME = Came(peer=PEER, helo="mail.northwind.example", sender="adele@northwind.example")
ELSEWHERE = Came(peer="198.51.100.66", helo="relay.example", sender="adele@northwind.example")


@cache
def key() -> tuple[bytes, bytes]:
    """(private key as PEM, the record that publishes the other half)."""
    private = rsa.generate_private_key(public_exponent=65_537, key_size=1024)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    public = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pem, b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)


def signed(domain: str, *, length: bool = False) -> bytes:
    raw = bytes(written(text="As agreed.\n")).replace(b"\n", b"\r\n")
    return bytes(dkim.sign(raw, b"s1", domain.encode(), key()[0], length=length)) + raw


@pytest.fixture
def dns() -> Zone:
    zone = Zone()
    zone.publish(AUTHOR, "TXT", f"v=spf1 ip4:{PEER} -all".encode())
    zone.publish("_dmarc.northwind.example", "TXT", b"v=DMARC1; p=reject")
    for domain in (AUTHOR, "mail.northwind.example", "evil.example"):
        zone.publish(f"s1._domainkey.{domain}", "TXT", key()[1])
    return zone


def test_spf_proves_a_mail_from_a_server_the_domain_names(dns: Zone) -> None:
    assert judge(b"From: x\r\n\r\n", CAME, AUTHOR, ask=dns) == Verdicts("pass", "none", "pass", True)
    assert judge(b"From: x\r\n\r\n", ELSEWHERE, AUTHOR, ask=dns) == Verdicts("fail", "none", "fail", False)


def test_spf_of_another_domain_proves_nothing(dns: Zone) -> None:
    dns.publish("evil.example", "TXT", b"v=spf1 ip4:198.51.100.66 -all")
    came = Came(peer="198.51.100.66", helo="x", sender="adele@evil.example")
    assert judge(b"From: x\r\n\r\n", came, AUTHOR, ask=dns) == Verdicts("pass", "none", "fail", False)


def test_a_signature_proves_a_mail_whatever_way_it_came(dns: Zone) -> None:
    assert judge(signed(AUTHOR), ELSEWHERE, AUTHOR, ask=dns) == Verdicts("fail", "pass", "pass", True)
    changed = signed(AUTHOR).replace(b"As agreed", b"As denied")
    assert judge(changed, ELSEWHERE, AUTHOR, ask=dns) == Verdicts("fail", "fail", "fail", False)


def test_a_signature_of_somebody_else_or_over_a_part_proves_nothing(dns: Zone) -> None:
    assert not judge(signed("evil.example"), ELSEWHERE, AUTHOR, ask=dns).proven
    assert not judge(signed(AUTHOR, length=True) + b"and more\r\n", ELSEWHERE, AUTHOR, ask=dns).proven


def test_a_domain_may_ask_for_strict_alignment(dns: Zone) -> None:
    assert judge(signed("mail.northwind.example"), ELSEWHERE, AUTHOR, ask=dns).proven
    dns.publish("_dmarc.northwind.example", "TXT", b"v=DMARC1; p=reject; adkim=s")
    assert not judge(signed("mail.northwind.example"), ELSEWHERE, AUTHOR, ask=dns).proven


def test_organisations_end_where_the_public_suffix_begins() -> None:
    assert organisation("a.b.example.co.uk") == "example.co.uk"
    assert organisation("mail.northwind.example") == "northwind.example"


@pytest.mark.parametrize(
    ("record", "spf"),
    [
        (b"v=spf1 include:a.example -all", "pass"),
        (b"v=spf1 mx -all", "pass"),
        (b"v=spf1 include:nobody.example -all", "permerror"),
        (b"v=spf1 redirect=northwind.example", "permerror"),
        (b"v=spf1 ?all", "neutral"),
        (b"v=spf1 nonsense", "permerror"),
    ],
)
def test_what_domains_publish_is_followed_to_its_end(record: bytes, spf: str, dns: Zone) -> None:
    dns.publish(AUTHOR, "TXT", b"something else", record)
    dns.publish("a.example", "TXT", b"v=spf1 ip4:192.0.2.0/24 -all")
    dns.publish(AUTHOR, "MX", (10, "mx.northwind.example"))
    dns.publish("mx.northwind.example", "A", PEER)
    assert judge(b"From: x\r\n\r\n", CAME, AUTHOR, ask=dns).spf == spf


def test_a_silent_dns_is_no_verdict(dns: Zone) -> None:
    dns.silent = True
    with pytest.raises(Unanswered):
        judge(b"From: x\r\n\r\n", CAME, AUTHOR, ask=dns)


def test_an_unknown_way_is_no_proof(dns: Zone) -> None:
    for peer in ("", "127.0.0.1", "nonsense"):
        assert judge(b"From: x\r\n\r\n", Came(peer, "", CAME.sender), AUTHOR, ask=dns).spf == "none"


def test_what_has_no_headers_or_no_end_of_lines_is_no_trouble(dns: Zone) -> None:
    for raw in (b"", b" folded before it began\r\n", b"x\r\n" * 10, b"DKIM-Signature: v=1\r\n\r\n", b"\0\xff"):
        assert not judge(raw, ELSEWHERE, AUTHOR, ask=dns).proven
    assert judge(signed(AUTHOR) + b"\n" * 1_000_001, ELSEWHERE, AUTHOR, ask=dns).dkim == "none"


def test_only_our_own_mail_server_is_believed() -> None:
    ours = "mx.in.example; spf=pass smtp.mailfrom=adele@northwind.example; dkim=fail header.d=x.example; dmarc=pass"
    theirs = "mx.evil.example; dkim=pass header.d=northwind.example"
    assert told([ours], "mx.in.example", AUTHOR) == Verdicts("pass", "fail", "pass", True)
    assert told([theirs], "mx.in.example", AUTHOR) is None
    assert told([theirs, ours], "mx.in.example", AUTHOR) is None
    assert told(["mx.in.example; dkim=pass header.d=evil.example"], "mx.in.example", AUTHOR) == Verdicts(
        "none", "pass", "none", False
    )
    assert told(["((((;;"], "mx.in.example", AUTHOR) is None and told([], "mx.in.example", AUTHOR) is None
