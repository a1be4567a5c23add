"""A Microsoft made of a function: the HTTP client's transport is the fake, everything above it is real."""

import json
from collections.abc import Callable
from typing import Any

import httpx2

from postroom.providers.budget import Budget
from postroom.providers.microsoft.client import Graph
from postroom.providers.microsoft.mail import Mail

URL = "https://graph.example/v1.0"
Handler = Callable[[httpx2.Request], httpx2.Response]


class Asleep:
    """Remembers how long was slept; takes no time."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)


class Microsoft:
    """Answers from ``script`` in order, or from a handler for everything; ``asked`` is what came."""

    def __init__(self, *script: httpx2.Response | Exception, handler: Handler | None = None) -> None:
        self.script = list(script)
        self.handler = handler
        self.asked: list[httpx2.Request] = []
        self.tokens: list[tuple[str | None, str | None]] = []
        self.sleep = Asleep()
        self.now = 0.0
        self.http = httpx2.Client(transport=httpx2.MockTransport(self._answer))
        self.budget = Budget(clock=lambda: self.now, wait=self._wait)
        self.graph = Graph(url=URL, token=self._token, budget=self.budget, http=self.http, sleep=self.sleep)

    def mail(self, address: str | None = None) -> Mail:
        mail = Mail(self.graph, address)
        mail._sleep = self.sleep
        return mail

    def body(self, number: int = -1) -> Any:
        return json.loads(self.asked[number].content)

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        request.read()
        self.asked.append(request)
        if self.handler:
            return self.handler(request)
        answer = self.script.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _token(self, *, rejected: str | None = None, claims: str | None = None) -> str:
        if rejected is not None:
            self.tokens.append((rejected, claims))
        return f"token-{len(self.tokens)}"

    def _wait(self, condition: Any, seconds: float | None) -> None:
        assert seconds is not None, "would wait for ever"
        self.now += seconds


def ok(body: Any = None, status: int = 200, **headers: str) -> httpx2.Response:
    return httpx2.Response(status, json=body if body is not None else {}, headers=_dashed(headers))


def no(status: int, code: str = "", inner: str = "", **headers: str) -> httpx2.Response:
    error: dict[str, Any] = {"code": code, "message": "Somebody's words", "innerError": {"request-id": "r1"}}
    if inner:
        error["innerError"]["innererror"] = {"code": inner}
    return httpx2.Response(status, json={"error": error}, headers={"request-id": "r1", **_dashed(headers)})


def batched(handler: Callable[[dict[str, Any]], tuple[int, Any] | tuple[int, Any, dict[str, str]]]) -> Handler:
    """A handler that answers ``$batch`` by asking ``handler`` for each inner request, in reverse order."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        assert request.url.path.endswith("/$batch")
        responses = []
        for inner in reversed(json.loads(request.content)["requests"]):
            status, body, *headers = handler(inner)
            responses.append({"id": inner["id"], "status": status, "headers": {}, "body": body})
            if headers:
                responses[-1]["headers"] = headers[0]
        return ok({"responses": responses})

    return answer


def refusal(code: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": "Somebody's words"}}


def _dashed(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
