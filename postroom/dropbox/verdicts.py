"""Is a mail from whom it says: SPF (RFC 7208), DKIM (RFC 6376) and DMARC (RFC 7489), by libraries; only the questions
to the DNS are ours, so that they can be asked of something else.

Or what our own mail server found out, where the operator named it: the first Authentication-Results header under its
name (RFC 8601). Such headers of anybody else's prove nothing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from typing import Any, Protocol

import authres
import dkim
import dns.exception
import dns.resolver
import spf
from publicsuffixlist import PublicSuffixList

log = logging.getLogger(__name__)
PATIENCE = 5.0  # seconds for one question
TOGETHER = 20.0  # and for all of one mail's SPF
SIGNATURES = 5  # of a mail that are looked at
LEAST_KEY = 1024  # bits (RFC 8301)
LINES = 1_000_000  # of a mail whose signatures are looked at
_quiet = logging.getLogger(f"{__name__}.library")  # it would name whose mail it is
_quiet.disabled = True


class Unanswered(Exception):
    """The DNS does not answer at the moment: ask again later."""


class Resolver(Protocol):
    def ask(self, name: str, kind: str) -> Sequence[Any]:
        """The records of a kind (``TXT``: bytes, ``A``, ``AAAA``, ``PTR``: text, ``MX``: (preference, name)); none when
        there are none or no such name. Raises ``Unanswered``."""
        ...


class Dns:
    """The resolver of this machine."""

    def ask(self, name: str, kind: str) -> Sequence[Any]:
        try:
            found = dns.resolver.resolve(name, kind, lifetime=PATIENCE, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.Timeout, dns.resolver.NoNameservers, dns.resolver.NoResolverConfiguration) as trouble:
            raise Unanswered(type(trouble).__name__) from None
        except dns.exception.DNSException:
            return []  # a name that cannot be one
        return [_plain(one, kind) for one in found]


def _plain(record: Any, kind: str) -> Any:
    if kind == "TXT":
        return b"".join(record.strings)
    if kind == "MX":
        return record.preference, record.exchange.to_text(True)
    return record.target.to_text(True) if kind == "PTR" else record.address


@dataclass(frozen=True)
class Came:
    """How a mail came: the network address of its sender (empty: not known), HELO, MAIL FROM."""

    peer: str
    helo: str
    sender: str


@dataclass(frozen=True)
class Verdicts:
    """``spf``, ``dkim``, ``dmarc``: pass, fail, none … in the words of the RFCs. ``proven``: the author's domain is
    aligned with one that passed (DMARC pass, or what would be one had the domain a policy)."""

    spf: str
    dkim: str
    dmarc: str
    proven: bool

    def as_json(self) -> dict[str, Any]:
        return {"spf": self.spf, "dkim": self.dkim, "dmarc": self.dmarc, "proven": self.proven}


def judge(raw: bytes, came: Came, domain: str, *, ask: Resolver) -> Verdicts:
    """What speaks for ``domain`` (of the author) having sent this. Raises ``Unanswered``."""
    domain = _ascii(domain)
    policy = _policy(domain, ask)
    spf_said, spf_domain = _spf(came, ask)
    signed = list(_signatures(raw, ask))
    good = [one for one, passed in signed if passed]
    by_spf = spf_said == "pass" and _aligned(spf_domain, domain, strict=policy.get("aspf") == "s")
    by_dkim = any(_aligned(one, domain, strict=policy.get("adkim") == "s") for one in good)
    proven = by_spf or by_dkim
    dkim_said = "pass" if good else "fail" if signed else "none"
    return Verdicts(spf_said, dkim_said, ("pass" if proven else "fail") if policy else "none", proven)


def told(headers: Sequence[str], authserv: str, domain: str) -> Verdicts | None:
    """What our own mail server wrote into the mail's Authentication-Results; ``None`` when it wrote nothing. It stands
    above everybody else's, so only the first one counts."""
    try:
        first = authres.AuthenticationResultsHeader.parse(f"Authentication-Results: {headers[0]}") if headers else None
    except Exception:  # what does not parse was not written by our server
        return None
    if first is None or (first.authserv_id or "").lower() != authserv.lower():
        return None
    found: dict[str, list[tuple[str, str]]] = {"spf": [], "dkim": [], "dmarc": []}
    for one in first.results:
        if one.method in found:
            found[one.method].append(((one.result or "none").lower(), _about(one)))
    aligned = [
        _aligned(about, _ascii(domain), strict=False)
        for method in ("spf", "dkim")
        for result, about in found[method]
        if result == "pass"
    ]
    words = {name: _best([result for result, _ in results]) for name, results in found.items()}
    return Verdicts(words["spf"], words["dkim"], words["dmarc"], any(aligned))


def _about(result: Any) -> str:
    """The domain a result of an Authentication-Results header is about."""
    wanted = {"spf": ("mailfrom", "from", "helo"), "dkim": ("d", "i"), "dmarc": ("from",)}[result.method]
    named = {one.name: str(one.value) for one in result.properties}
    return next((named[name].rpartition("@")[2] for name in wanted if name in named), "")


def _best(results: Sequence[str]) -> str:
    return "pass" if "pass" in results else next(iter(results), "none")


# --- SPF -------------------------------------------------------------------------------------------------------------


class _Spf(spf.query):  # type: ignore[misc]
    """The library's evaluation, with its questions asked of a ``Resolver``."""

    asked: Resolver
    until: float

    def dns(self, name: str, qtype: str, cnames: Any = None, ignore_void: bool = False) -> Sequence[Any]:
        name = str(name).rstrip(".").lower()
        if not name or qtype == "SPF" or not all(0 < len(label) < 64 for label in name.split(".")):
            return []
        if time.monotonic() > self.until:
            raise spf.TempError("DNS: too slow")
        found = list(self.asked.ask(name, qtype))
        if not found and not ignore_void:
            self.void_lookups += 1
            if self.void_lookups > spf.MAX_VOID_LOOKUPS:
                raise spf.PermError("Void lookup limit exceeded")
        return [(one,) for one in found] if qtype == "TXT" else found


def _spf(came: Came, ask: Resolver) -> tuple[str, str]:
    """(result, the domain it is about)."""
    domain = _ascii(came.sender.rpartition("@")[2] or came.helo)
    try:
        if not domain or ip_address(came.peer).is_loopback:
            return "none", domain
    except ValueError:
        return "none", domain
    query = _Spf(i=came.peer, s=came.sender, h=came.helo or "unknown", timeout=PATIENCE, querytime=TOGETHER)
    query.asked, query.until = ask, time.monotonic() + TOGETHER
    try:
        result = str(query.check()[0])
    except Unanswered:
        raise
    except Exception as trouble:  # the library meets what people publish
        log.info("SPF of a mail could not be evaluated: %s", type(trouble).__name__)
        return "permerror", domain
    if result == "temperror":
        raise Unanswered("SPF")
    return result, domain


# --- DKIM ------------------------------------------------------------------------------------------------------------


def _signatures(raw: bytes, ask: Resolver) -> Iterator[tuple[str, bool]]:
    """(domain, whether it holds) of the mail's signatures."""

    def key(name: bytes, timeout: float = PATIENCE) -> bytes | None:
        found = ask.ask(name.decode("ascii", "replace").rstrip("."), "TXT")
        return bytes(found[0]) if found else None

    if raw.count(b"\n") > LINES:  # the library cuts all of it into lines
        return
    try:
        mail = dkim.DKIM(raw, logger=_quiet, minkey=LEAST_KEY)
        count = sum(1 for name, _ in mail.headers if name.lower() == b"dkim-signature")
    except Exception:  # what has no headers has no signature
        return
    for number in range(min(count, SIGNATURES)):
        one = dkim.DKIM(raw, logger=_quiet, minkey=LEAST_KEY)
        try:
            held = bool(one.verify(idx=number, dnsfunc=key))
        except Unanswered:
            raise
        except Exception:  # signatures are what strangers write
            held = False
        domain = bytes(one.domain or b"").decode("ascii", "replace").lower()
        # A signature over a part of the text (l=) holds for anything that is written below it.
        yield domain, held and b"l" not in (one.signature_fields or {})


# --- DMARC -----------------------------------------------------------------------------------------------------------


def _policy(domain: str, ask: Resolver) -> dict[str, str]:
    """The tags of the domain's policy, or of its organisation's; empty without one."""
    for name in dict.fromkeys((domain, organisation(domain))):
        for record in ask.ask(f"_dmarc.{name}", "TXT") if name else ():
            text = bytes(record).decode("ascii", "replace")
            if text.replace(" ", "").lower().startswith("v=dmarc1"):
                pairs = (part.partition("=") for part in text.split(";"))
                return {tag.strip().lower(): value.strip().lower() for tag, _, value in pairs if tag.strip()}
    return {}


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


def organisation(domain: str) -> str:
    """``mail.example.co.uk`` -> ``example.co.uk``; a public suffix is its own."""
    return str(_suffixes().privatesuffix(domain) or domain)


def _aligned(one: str, author: str, *, strict: bool) -> bool:
    one = one.lower().rstrip(".")
    if not one or not author:
        return False
    return one == author or (not strict and organisation(one) == organisation(author))


def _ascii(domain: str) -> str:
    domain = domain.strip().lower().rstrip(".")
    try:
        return domain if domain.isascii() else domain.encode("idna").decode()
    except UnicodeError:
        return ""
