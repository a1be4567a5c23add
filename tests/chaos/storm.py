"""Somebody at work in every mailbox at once: changes through Graph in batches of twenty, at a steady rate.

Mostly reads, flags and categories; some moves, some new mail. Each change is a notification (a move is two).
"""

import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import httpx2

BATCH = 20
SCOPES = ["Mail.ReadWrite", "Mail.Send"]
# Graph allows one app four requests at a time on one mailbox; the storm is another app's, but the sandbox counts per
# mailbox and app, and there is only one app.
LIMITS = {"concurrent": 16, "requests": 200_000}


@dataclass
class Place:
    """A mailbox and who is at work in it."""

    address: str
    token: str
    ids: list[str]
    folders: list[str]


@dataclass
class Storm:
    """``blow(rate, seconds)`` makes ``rate`` changes a second in all ``places`` together, on time if it can."""

    url: str
    seed: int
    threads: int = 4
    places: list[Place] = field(default_factory=list)
    changes: int = 0
    failed: int = 0

    def enter(self, address: str) -> None:
        """Take up work in a mailbox."""
        with httpx2.Client(base_url=self.url, timeout=120) as http:
            http.put(f"/sandbox/mailboxes/{address}/limits", json=LIMITS).raise_for_status()
            body = {"user": address, "scopes": SCOPES, "minutes": 600}
            token = http.post("/sandbox/tokens", json=body).raise_for_status().json()["access_token"]
            http.headers["Authorization"] = f"Bearer {token}"
            http.headers["Prefer"] = 'IdType="ImmutableId"'
            ids, folders = [], [one["id"] for one in self._all(http, "/v1.0/me/mailFolders?$select=id&$top=100")]
            ids = [one["id"] for one in self._all(http, "/v1.0/me/messages?$select=id&$top=1000")]
        self.places.append(Place(address, token, ids, folders))

    @staticmethod
    def _all(http: httpx2.Client, path: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        url: str | None = path
        while url:
            page = http.get(url).raise_for_status().json()
            rows += page["value"]
            url = page.get("@odata.nextLink")
        return rows

    def blow(self, rate: float, seconds: float, stop: threading.Event) -> None:
        until = time.monotonic() + seconds
        threads = [
            threading.Thread(target=self._work, args=(number, rate / self.threads, until, stop), daemon=True)
            for number in range(self.threads)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _work(self, number: int, rate: float, until: float, stop: threading.Event) -> None:
        pick = random.Random(f"{self.seed}-{number}")
        mine = self.places[number :: self.threads] or self.places
        with httpx2.Client(base_url=self.url, timeout=60) as http:
            due = time.monotonic()
            while due < until and not stop.is_set():
                time.sleep(max(0.0, due - time.monotonic()))
                if time.monotonic() >= until:
                    return
                due += BATCH / rate
                self._batch(http, pick.choice(mine), pick)

    def _batch(self, http: httpx2.Client, place: Place, pick: random.Random) -> None:
        asked = [self._change(str(number), place, pick) for number in range(BATCH - 1)]
        headers = {"Authorization": f"Bearer {place.token}"}
        answer = http.post("/v1.0/$batch", json={"requests": asked}, headers=headers).raise_for_status().json()
        statuses = [one["status"] for one in answer["responses"]]
        good = sum(200 <= status < 300 for status in statuses)
        raw = _letter(place.address, pick)
        http.post(f"/sandbox/mailboxes/{place.address}/deliver", content=raw).raise_for_status()
        self.changes += good + 1
        self.failed += len(statuses) - good

    def _change(self, number: str, place: Place, pick: random.Random) -> dict[str, Any]:
        message = pick.choice(place.ids)
        headers = {"Content-Type": "application/json", "Prefer": 'IdType="ImmutableId"'}
        method, url, body = "PATCH", f"/me/messages/{message}", _fields(pick)
        if pick.random() < 0.05:
            method, url, body = "POST", f"{url}/move", {"destinationId": pick.choice(place.folders)}
        return {"id": number, "method": method, "url": url, "body": body, "headers": headers}


def _fields(pick: random.Random) -> dict[str, Any]:
    return pick.choice(
        [
            {"isRead": pick.random() < 0.5},
            {"flag": {"flagStatus": pick.choice(["flagged", "notFlagged", "complete"])}},
            {"categories": pick.sample(["Red category", "Blue category", "Café ☕"], pick.randint(0, 2))},
        ]
    )


def _letter(address: str, pick: random.Random) -> bytes:
    number = pick.getrandbits(60)
    return (
        f"From: Zoë Lindqvist <zoe{number % 7}@contoso.example>\nTo: {address}\nSubject: Sturm {number}\n"
        f"Message-ID: <storm-{number}@contoso.example>\nContent-Type: text/html; charset=utf-8\n"
        f"\n<p>Nummer {number}</p>\n"
    ).encode()
