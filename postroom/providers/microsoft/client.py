"""Talking to Microsoft Graph: one connection pool per process, one ``Graph`` per mailbox.

    place in the budget -> token -> request -> answer -> error of ours | bytes

Safe requests (reading, and writes that may be repeated) are tried again with patience; others never, because an
error does not prove that nothing was done (graph.md 2.9): they raise ``Transient(maybe_done=True)``.
"""

import logging
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import httpx2
from msgspec import Raw, Struct, json

from postroom.providers.budget import AT_ONCE, Budget
from postroom.providers.contract import TokenSource, Unusable, Urgency
from postroom.providers.errors import Conflict, Malformed, ProviderError, ReauthNeeded, Throttled, Transient
from postroom.providers.microsoft.decode import Listing, decode, decode_listing
from postroom.providers.microsoft.faults import broken, challenge, fault

T = TypeVar("T")
Sleep = Callable[[float], object]

ATTEMPTS = 5
PATIENCE = 30.0  # seconds of waiting in one call before the lane is told to come back later
BACKOFF = 0.25  # seconds before the second attempt; doubles
TIMEOUT = httpx2.Timeout(60.0, connect=10.0)
IMMUTABLE = 'IdType="ImmutableId"'
BATCH = 20
# Tokens tried before a member is asked to sign in again. A dead grant shows at the first fresh token already (fetching
# it fails); a 401 to a fresh token is more likely a hiccup of Microsoft's than a reason to bother anybody.
SIGN_INS = 3


# The HTTP client tells every address; they hold Message-IDs and, of upload sessions, secrets.
logging.getLogger("httpx2").setLevel(logging.WARNING)


class Ask(Struct, frozen=True, kw_only=True):
    """A request to Graph. ``path`` starts with ``/`` and is what follows ``/v1.0``; ``prefer`` is sent besides ids.

    ``if_match`` is a change key: the request is refused (412) when the item has another one by then.
    """

    path: str
    method: str = "GET"
    body: Any = None
    prefer: str = ""
    safe: bool = True
    if_match: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """The headers every way of asking needs: immutable ids are asked for each time (graph.md 2.7)."""
        prefer = f"{IMMUTABLE}, {self.prefer}" if self.prefer else IMMUTABLE
        needed = {"Prefer": prefer, "Accept": "application/json"}
        return {**needed, "If-Match": f'W/"{self.if_match}"'} if self.if_match else needed


class Answer(Struct, frozen=True):
    status: int
    headers: Mapping[str, str]
    body: bytes


class _Inner(Struct):
    id: str
    status: int
    headers: dict[str, str] = {}
    body: Raw = Raw()


class _Batch(Struct):
    responses: list[_Inner]


@cache
def pool(origin: str) -> httpx2.Client:
    """The process's connections to one host. Proxies of the environment are used except towards this machine."""
    local = urlsplit(origin).hostname in ("127.0.0.1", "::1", "localhost")
    limits = httpx2.Limits(max_connections=200, max_keepalive_connections=50, keepalive_expiry=60)
    return httpx2.Client(timeout=TIMEOUT, limits=limits, follow_redirects=False, trust_env=not local)


def path_of(**options: str | int) -> str:
    """OData options as a query: ``path_of(select="id", top=5)`` -> ``?$select=id&$top=5``. Empty ones are left out."""
    parts = [f"${name}={quote(str(value), safe='$,():;=/@')}" for name, value in options.items() if value != ""]
    return "?" + "&".join(parts) if parts else ""


def literal(value: str) -> str:
    """A text inside a filter: a single quote is doubled (graph.md 2.3)."""
    return "'" + value.replace("'", "''") + "'"


def segment(identifier: str) -> str:
    """An id as one part of a path. Ids are opaque and may hold any character."""
    return quote(identifier, safe="")


def took_too_long(error: Transient) -> bool:
    """Was it too much at once (504, or no answer in time) rather than an accident?"""
    return error.status == 504 or error.code == "Timeout"


class Graph:
    """Graph on behalf of one grant, inside one mailbox's budget. Thread-safe."""

    def __init__(
        self,
        *,
        url: str,
        token: TokenSource,
        budget: Budget,
        http: httpx2.Client | None = None,
        sleep: Sleep = time.sleep,
    ) -> None:
        self._url = url
        self._origin = "{0.scheme}://{0.netloc}".format(urlsplit(url))
        self._token = token
        self._budget = budget
        self._http = http or pool(self._origin)
        self._sleep = sleep

    def get(self, path: str, type: type[T], *, urgency: Urgency, prefer: str = "") -> T:
        """One GET, decoded. An answer that cannot be read counts as cut off on the way and is asked for again."""
        ask = Ask(path=path, prefer=prefer)
        return self._patiently(lambda: decode(self._once(ask, urgency).body, type), safe=True)

    def page(
        self, path: str, item: type[T], *, urgency: Urgency, prefer: str = "", hasty: bool = False
    ) -> Listing[T | Unusable]:
        """One page of a listing; items that cannot be read are ``Unusable``.

        ``hasty``: a page that takes too long is not asked for again but raised at once, for a smaller one to be tried.
        """
        ask = Ask(path=path, prefer=prefer)
        return self._patiently(lambda: decode_listing(self._once(ask, urgency).body, item), safe=True, hasty=hasty)

    def call(self, ask: Ask, *, urgency: Urgency) -> Answer:
        """One request; retried only when it is ``safe``."""
        return self._patiently(lambda: self._once(ask, urgency), safe=ask.safe)

    def follow(self, link: str) -> str:
        """A link of Graph's as a cursor we may keep: path and query only. Never to another host (``Malformed``)."""
        parts = urlsplit(link)
        if f"{parts.scheme}://{parts.netloc}".lower() != self._origin.lower():
            raise Malformed("a link of Microsoft's leads to a foreign host")
        if not parts.path.startswith(urlsplit(self._url).path + "/"):
            raise Malformed("a link of Microsoft's leads outside of Graph")
        return link[len(self._url) :]

    def _address(self, path: str) -> str:
        if not path.startswith("/") or path.startswith("//"):
            raise Malformed("not a cursor of this provider")
        return self._url + path

    def _once(self, ask: Ask, urgency: Urgency, *, requests: int = 1) -> Answer:
        token, challenged = self._token(), ""
        for number in range(1, SIGN_INS + 1):
            answer = self._exchange(ask, token, urgency, requests)
            claims = challenge(answer.headers)
            if answer.status != 401 or number == SIGN_INS or (claims and challenged):
                break
            token, challenged = self._token(rejected=token, claims=claims or None), claims
        if answer.status >= 400:
            raise self._fault(answer.status, answer.headers, answer.body, ask)
        return answer

    def _fault(self, status: int, headers: Mapping[str, str], body: bytes, ask: Ask) -> ProviderError:
        error = fault(status, headers, body, safe=ask.safe)
        if isinstance(error, Throttled) and error.retry_after:
            self._budget.pause(error.retry_after)
        if isinstance(error, Conflict) and ask.method == "GET":  # seen for no reason (graph.md 2.5, 14.40)
            return Transient(str(error), code=error.code, status=error.status, request_id=error.request_id)
        return error

    def _exchange(self, ask: Ask, token: str, urgency: Urgency, requests: int) -> Answer:
        content = b"" if ask.body is None else json.encode(ask.body)
        headers = self._headers(ask, token)
        if ask.body is not None:
            headers["Content-Type"] = "application/json"
        with self._budget.place(urgency, requests=requests, width=min(requests, AT_ONCE)):
            try:
                response = self._http.request(ask.method, self._address(ask.path), headers=headers, content=content)
            except (httpx2.HTTPError, httpx2.StreamError) as error:
                raise broken(error, safe=ask.safe) from None
        return Answer(response.status_code, response.headers, response.content)

    def _headers(self, ask: Ask, token: str) -> dict[str, str]:
        return {**ask.headers, "Authorization": f"Bearer {token}", "client-request-id": str(uuid.uuid4())}

    def _patiently(self, attempt: Callable[[], T], *, safe: bool, hasty: bool = False) -> T:
        waited = 0.0
        for number in range(1, ATTEMPTS + 1):
            try:
                return attempt()
            except Transient as error:
                delay = self._pause_before(number, error)
                if not safe or number == ATTEMPTS or waited + delay > PATIENCE or (hasty and took_too_long(error)):
                    raise
                waited += delay
                # A throttled mailbox is paused in its budget, for everybody; the next attempt waits there.
                if not isinstance(error, Throttled) or not error.retry_after:
                    self._sleep(delay)
        raise AssertionError("unreachable")

    @staticmethod
    def _pause_before(number: int, error: Transient) -> float:
        return BACKOFF * 2.0**number / 2 if error.retry_after is None else error.retry_after

    def elsewhere(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, content: bytes = b""
    ) -> bytes:
        """A request to a pre-authenticated address that Graph gave us (an upload session): no token, no retry."""
        local = url.startswith(self._origin + "/")
        if not local and not url.startswith("https://"):
            raise Malformed("an upload address that is not https")
        http = self._http if local else pool("{0.scheme}://{0.netloc}".format(urlsplit(url)))
        with self._budget.place(Urgency.USER):
            try:
                response = http.request(method, url, headers=headers, content=content)
            except (httpx2.HTTPError, httpx2.StreamError) as error:
                raise broken(error, safe=True) from None
        if response.status_code >= 400:
            raise self._fault(response.status_code, response.headers, response.content, Ask(path="", method=method))
        return response.content

    # Streams: attachments and MIME are handed on as they come; memory stays flat.

    def stream(self, path: str, *, urgency: Urgency = Urgency.USER) -> Iterator[bytes]:
        """The bytes of ``path``. Retried until the first byte; a later break raises ``Transient``."""
        ask = Ask(path=path)
        yield from self._patiently(lambda: self._open(ask, urgency), safe=True)

    def _open(self, ask: Ask, urgency: Urgency) -> Iterator[bytes]:
        """A generator that stands at its first chunk, so that everything that can be repeated has happened."""
        chunks = self._chunks(ask, urgency)
        first = next(chunks, b"")

        def rest() -> Iterator[bytes]:
            yield first
            yield from chunks

        return rest()

    def _chunks(self, ask: Ask, urgency: Urgency) -> Iterator[bytes]:
        token = self._token()
        for number in range(1, SIGN_INS + 1):
            with self._budget.place(urgency), self._response(ask, token) as response:
                if response.status_code < 400:
                    yield from response.iter_bytes()
                    return
                body, headers = response.read(), response.headers
            if response.status_code != 401 or number == SIGN_INS:
                raise self._fault(response.status_code, headers, body, ask)
            token = self._token(rejected=token, claims=challenge(headers) or None)

    @contextmanager
    def _response(self, ask: Ask, token: str) -> Iterator[httpx2.Response]:
        try:
            headers = self._headers(ask, token) | {"Accept": "*/*"}
            with self._http.stream(ask.method, self._address(ask.path), headers=headers) as response:
                yield response
        except (httpx2.HTTPError, httpx2.StreamError) as error:
            raise broken(error, safe=ask.safe) from None

    # Batches: up to 20 requests in one; each has its own outcome.

    def batch(self, asks: Sequence[Ask], *, urgency: Urgency) -> list[Raw | ProviderError]:
        """Every request's body or error, in order. Safe ones are repeated while their error is ``Transient``.

        A mailbox-wide error of the outer call is raised; an inner 401 is answered with one fresh token.
        """
        outcomes: list[Raw | ProviderError] = []
        for start in range(0, len(asks), BATCH):
            outcomes += self._batch(asks[start : start + BATCH], urgency)
        return outcomes

    def _batch(self, asks: Sequence[Ask], urgency: Urgency) -> list[Raw | ProviderError]:
        outcomes: dict[int, Raw | ProviderError] = {}
        open_ = list(range(len(asks)))
        waited = 0.0
        for number in range(1, ATTEMPTS + 1):
            outcomes |= self._round([(index, asks[index]) for index in open_], urgency)
            if number < SIGN_INS and (refused := self._renew_token(outcomes)):
                outcomes |= self._round([(index, asks[index]) for index in refused], urgency)
            open_ = [i for i in open_ if isinstance(outcomes[i], Transient) and asks[i].safe]
            errors = [e for i in open_ if isinstance(e := outcomes[i], Transient)]
            delay = max((self._pause_before(number, error) for error in errors), default=0.0)
            if not errors or number == ATTEMPTS or waited + delay > PATIENCE:
                break
            waited += delay
            self._sleep(delay)
        return [outcomes[index] for index in range(len(asks))]

    def _round(self, asks: Sequence[tuple[int, Ask]], urgency: Urgency) -> dict[int, Raw | ProviderError]:
        safe = all(ask.safe for _, ask in asks)
        outer = Ask(path="/$batch", method="POST", safe=safe, body={"requests": [_inner(i, ask) for i, ask in asks]})

        def attempt() -> dict[int, Raw | ProviderError]:
            body = self._once(outer, urgency, requests=len(asks)).body
            return self._outcomes(asks, decode(body, _Batch, safe=safe).responses)

        return self._patiently(attempt, safe=safe)

    def _renew_token(self, outcomes: Mapping[int, Raw | ProviderError]) -> set[int]:
        """Get a fresh token when inner requests were answered 401; the indexes of those requests."""
        refused = {index: error for index, error in outcomes.items() if isinstance(error, ReauthNeeded)}
        if refused:
            claims = next((error.claims for error in refused.values() if error.claims), None)
            self._token(rejected=self._token(), claims=claims)
        return set(refused)

    def _outcomes(self, asks: Sequence[tuple[int, Ask]], responses: list[_Inner]) -> dict[int, Raw | ProviderError]:
        answered = {response.id: response for response in responses}
        outcomes: dict[int, Raw | ProviderError] = {}
        for index, ask in asks:
            inner = answered.get(str(index))
            if inner is None:
                outcomes[index] = Transient("a batch came back without one of its answers", maybe_done=not ask.safe)
            elif inner.status >= 400:
                outcomes[index] = self._fault(inner.status, inner.headers, bytes(inner.body), ask)
            else:
                outcomes[index] = inner.body
        return outcomes


def _inner(index: int, ask: Ask) -> dict[str, Any]:
    headers = ask.headers if ask.body is None else {**ask.headers, "Content-Type": "application/json"}
    request = {"id": str(index), "method": ask.method, "url": ask.path, "headers": headers}
    return request if ask.body is None else {**request, "body": ask.body}
