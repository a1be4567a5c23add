"""Checks that ask the network: our own public address as Microsoft would, and Microsoft.

They are given seconds, follow no redirect, and read little. The address they post to is the operator's own setting;
nobody who looks at the page can choose it.
"""

from __future__ import annotations

import json
import secrets
import socket
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlencode, urlsplit

import httpx2

from postroom.lib import http
from postroom.operations.decoder import explain
from postroom.operations.decoder.remedies import REGISTRATION
from postroom.operations.doctor.findings import HOOK, Check, Finding, Installation, fail, is_loopback, none, ok, warn

SECONDS = 10.0  # Microsoft's own limit for a validation request (graph.md 3)
SLOW_SECONDS = 3.0  # beyond it an endpoint is marked slow (graph.md 3)
CLOCK_TOLERANCE_SECONDS = 120  # tokens and subscriptions stop making sense beyond it
CERTIFICATE_SOON = 14  # days; certificates that renew themselves are younger than that
MAX_ANSWER = 1_000_000
_RESERVED = (".example", ".invalid", ".test", ".example.com", ".example.org", ".example.net")  # RFC 2606


def _client() -> httpx2.Client:
    return http.client(read_seconds=SECONDS)


def _ask(method: str, url: str, **options: object) -> httpx2.Response:
    with _client() as client:
        return http.fetch(client, method, url, max_bytes=MAX_ANSWER, max_seconds=SECONDS, **options)


def _why(problem: Exception) -> str:
    return str(problem).split("\n")[0][:160] or type(problem).__name__


def webhook(here: Installation) -> Iterator[Finding]:
    """Post the validation request that Microsoft sends, through DNS, TLS and proxy (product.md AD7)."""
    key, what = "webhook", "Webhook"
    url = f"{here.public_url}{HOOK}"
    if found := _unreachable(here):
        yield found
        return
    token = f"Validation: Testing client application reachability {secrets.token_urlsafe(12)}"
    began = time.monotonic()
    try:
        answer = _ask("POST", f"{url}?{urlencode({'validationToken': token})}", headers={"Content-Type": "text/plain"})
    except (httpx2.HTTPError, OSError) as problem:
        mend = "Start `postroom serve`, or look at DNS, TLS and the proxy below."
        yield fail(key, what, f"{url} does not answer: {_why(problem)}", mend)
        return
    took = time.monotonic() - began
    if wrong := _wrong_echo(answer, token):
        steps = ("Proxy: let POST to /hooks/… through with its query string, without a sign-in page or challenge",)
        yield fail(key, what, f"{url} {wrong}", "Something in front of Postroom answers instead of it.", *steps)
    elif took > SLOW_SECONDS:
        mend = "Microsoft marks addresses slow that take over 3 seconds: more web processes or threads."
        yield warn(key, what, f"{url} answers rightly, but in {took:.1f} s", mend)
    else:
        yield ok(key, what, f"{url} echoes the validation in {took * 1000:.0f} ms")


def _unreachable(here: Installation) -> Finding | None:
    """Why nobody could post to us anyhow."""
    if not here.public_url:
        return none("webhook", "Webhook", "no POSTROOM_PUBLIC_URL: mail is polled, real-time is off")
    host = urlsplit(here.public_url).hostname or ""
    if _is_reserved(host):
        return fail(
            "webhook", "Webhook", f"{host} is a name for examples", "Set POSTROOM_PUBLIC_URL to your own address."
        )
    if not here.public_url.startswith("https://") and not (here.is_sandbox and is_loopback(host)):
        mend = "Microsoft notifies https addresses only: put a TLS proxy in front."
        return fail("webhook", "Webhook", f"{here.public_url} is not https", mend)
    return None


def _is_reserved(host: str) -> bool:
    return f".{host}".endswith(_RESERVED)


def _wrong_echo(answer: httpx2.Response, token: str) -> str:
    """What is wrong with the answer: Microsoft wants 200, text/plain, and the decoded token (graph.md 3)."""
    if answer.is_redirect:
        return f"redirects ({answer.status_code}): Microsoft does not follow"
    if answer.status_code != 200:
        return f"answers {answer.status_code} instead of 200"
    if not answer.headers.get("content-type", "").startswith("text/plain"):
        return f"answers {answer.headers.get('content-type', 'without a type')[:60]} instead of text/plain"
    return "" if answer.content.decode("utf-8", "replace") == token else "does not give the validation token back"


def public_name(here: Installation) -> Iterator[Finding]:
    """DNS and TLS of the public address."""
    parts = urlsplit(here.public_url)
    host = parts.hostname or ""
    if not host or is_loopback(host) or _is_reserved(host):
        yield none("dns", "DNS", "no public name")
        yield none("tls", "TLS", "no public name")
        return
    try:
        addresses = sorted({str(one[4][0]) for one in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)})
    except OSError as problem:
        yield fail("dns", "DNS", f"{host}: {_why(problem)}", "Add an A or AAAA record for it at your DNS provider.")
        return
    yield _public_addresses(host, addresses)
    if parts.scheme == "https":
        yield _certificate(host, parts.port or 443)


def _public_addresses(host: str, addresses: list[str]) -> Finding:
    from postroom.mail.pictures import is_public

    found = f"{host} is {', '.join(addresses[:4])}"
    if any(is_public(one) for one in addresses):
        return ok("dns", "DNS", found)
    mend = "From here it is an address of your own network. If Microsoft sees another one, all is well."
    return warn("dns", "DNS", found, mend, "Look it up from outside your network")


def _certificate(host: str, port: int) -> Finding:
    """Whether strangers trust it, and for how long."""
    key, what = "tls", "TLS"
    try:
        with (
            socket.create_connection((host, port), timeout=SECONDS) as raw,
            ssl.create_default_context().wrap_socket(raw, server_hostname=host) as wrapped,
        ):
            ends = ssl.cert_time_to_seconds(str((wrapped.getpeercert() or {})["notAfter"]))
    except ssl.SSLCertVerificationError as problem:
        mend = "Microsoft refuses it too: use a certificate of a public authority, with the whole chain."
        return fail(key, what, f"{host}: {problem.verify_message}", mend)
    except (OSError, KeyError) as problem:
        return fail(key, what, f"{host}:{port}: {_why(problem)}", "Open the port, and give the proxy a certificate.")
    days = int((ends - time.time()) // 86400)
    left = "1 day" if days == 1 else f"{days} days"
    found = f"certificate ends in {left} ({datetime.fromtimestamp(ends, UTC):%Y-%m-%d})"
    return (
        ok(key, what, found) if days > CERTIFICATE_SOON else warn(key, what, found, "Renew it, and reload the proxy.")
    )


def entra(here: Installation) -> Iterator[Finding]:
    """Discovery of the tenant, and the clock by its Date header."""
    address = f"{here.login_url}/{here.tenant}/v2.0/.well-known/openid-configuration"
    try:
        answer = _ask("GET", address)
        issuer = json.loads(answer.content)["issuer"] if answer.status_code == 200 else ""
    except (httpx2.HTTPError, OSError, ValueError, KeyError, TypeError) as problem:
        mend = "Allow outgoing HTTPS to it, or check MICROSOFT_LOGIN_URL."
        yield fail("entra", "Entra", f"{address}: {_why(problem)}", mend)
        return
    if issuer:
        yield ok("entra", "Entra", f"answers, issuer {issuer}")
    else:
        mend = "Check MICROSOFT_TENANT: common, organizations, or your tenant's id."
        step = f"{REGISTRATION} → Overview → Directory (tenant) ID"
        yield fail("entra", "Entra", f"answers {answer.status_code} for tenant {here.tenant}", mend, step)
    if date := answer.headers.get("date"):
        yield clock("clock", "Clock against Microsoft's", _epoch(date))


def graph(here: Installation) -> Iterator[Finding]:
    """Graph answers 401 to a stranger: so it is Graph."""
    try:
        answer = _ask("GET", f"{here.graph_url}/v1.0/me")
    except (httpx2.HTTPError, OSError) as problem:
        mend = "Allow outgoing HTTPS to it, or check MICROSOFT_GRAPH_URL."
        yield fail("graph", "Graph", f"{here.graph_url}: {_why(problem)}", mend)
        return
    if answer.status_code == 401:
        yield ok("graph", "Graph", "answers")
    else:
        yield fail("graph", "Graph", f"answers {answer.status_code} instead of 401", "Check MICROSOFT_GRAPH_URL.")


def redirect_uri(here: Installation) -> Iterator[Finding]:
    """Ask Entra itself: with prompt=none it sends a stranger back only to a redirect URI that is registered."""
    key, what = "redirect", "Redirect URI"
    step = f"{REGISTRATION} → Authentication → Web → Redirect URIs: {here.redirect_uri}"
    if not here.client_id:
        yield none(key, what, f"{here.redirect_uri} (no MICROSOFT_CLIENT_ID yet)")
        return
    query = {
        "client_id": here.client_id, "response_type": "code", "response_mode": "query", "scope": "openid",
        "redirect_uri": here.redirect_uri, "prompt": "none", "state": secrets.token_urlsafe(8),
    }  # fmt: skip
    try:
        answer = _ask("GET", f"{here.login_url}/{here.tenant}/oauth2/v2.0/authorize?{urlencode(query)}")
    except (httpx2.HTTPError, OSError) as problem:
        yield fail(key, what, f"Entra does not answer: {_why(problem)}", "Allow outgoing HTTPS to it.")
        return
    yield _verdict(answer, here, step)


def _verdict(answer: httpx2.Response, here: Installation, step: str) -> Finding:
    key, what = "redirect", "Redirect URI"
    if answer.headers.get("location", "").startswith(f"{here.redirect_uri}?"):
        return ok(key, what, f"{here.redirect_uri} is registered")
    known = explain(answer.content.decode("utf-8", "replace")).found
    if known:
        first = known[0]
        return fail(
            key, what, f"Entra says {first.code}: {first.title}", first.remedy.todo, *(first.remedy.steps or (step,))
        )
    mend = "Compare it with the registration by eye: same scheme, host and path, no slash at the end."
    return warn(key, what, f"Entra's answer ({answer.status_code}) does not tell whether it is registered", mend, step)


def clock(key: str, what: str, epoch: float) -> Finding:
    """How far a clock is from ours."""
    off = abs(epoch - time.time())
    if off < CLOCK_TOLERANCE_SECONDS:
        return ok(key, what, f"{off:.0f} s apart")
    return fail(key, what, f"{off:.0f} s apart", "Synchronise this machine's clock.", "timedatectl set-ntp true")


def _epoch(date: str) -> float:
    try:
        return parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError):
        return time.time()


CHECKS: tuple[Check, ...] = (webhook, public_name, entra, graph, redirect_uri)
