"""Somebody else at work in the mailbox: seeded random changes made through Graph and the sandbox's control calls.

Uses its own HTTP client and token, shares no code with the product, and is spared by fault rules that name its token.
"""

import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx2

_PREFER = {"Prefer": 'IdType="ImmutableId"'}


@dataclass
class OtherSide:
    """``steps(n)`` makes ``n`` random changes in ``address``; the same seed makes the same ones."""

    url: str
    token: str
    address: str
    seed: int
    letters: Iterable[bytes] = ()
    done: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._http = httpx2.Client(base_url=self.url, timeout=30, headers={"Authorization": f"Bearer {self.token}"})
        self._letters = iter(self.letters)
        self._moved: list[tuple[str, str]] = []
        self._folders: list[str] = []
        self._number = 0

    def steps(self, count: int) -> None:
        self._folders = self._all_folders()
        for _ in range(count):
            act = self._random.choices([a for a, _ in _ACTS], weights=[w for _, w in _ACTS])[0]
            act(self)
            self.done[act.__name__] = self.done.get(act.__name__, 0) + 1

    # -- what can happen -------------------------------------------------------------------------------------------

    def deliver(self) -> None:
        raw = next(self._letters, None) or self._letter()
        response = httpx2.post(f"{self.url}/sandbox/mailboxes/{self.address}/deliver", content=raw, timeout=30)
        response.raise_for_status()

    def read(self) -> None:
        self._patch({"isRead": self._random.random() < 0.6})

    def flag(self) -> None:
        self._patch({"flag": {"flagStatus": self._random.choice(["flagged", "notFlagged", "complete"])}})

    def categorise(self) -> None:
        names = ["Red category", "Blue category", "Café ☕"]
        self._patch({"categories": self._random.sample(names, self._random.randint(0, 2))})

    def move(self) -> None:
        if message := self._some_message():
            target = self._random.choice(self._folders)
            if target != message["parentFolderId"]:
                self._send("POST", f"/me/messages/{message['id']}/move", {"destinationId": target})
                self._moved.append((message["id"], message["parentFolderId"]))

    def move_back(self) -> None:
        """A -> B -> A, which a delta may report as removed and nothing else (graph.md 14, trap 7)."""
        if self._moved:
            message_id, home = self._moved.pop(self._random.randrange(len(self._moved)))
            if home in self._folders:
                self._send("POST", f"/me/messages/{message_id}/move", {"destinationId": home}, gone_is_fine=True)

    def delete(self) -> None:
        if message := self._some_message():
            self._send("DELETE", f"/me/messages/{message['id']}", gone_is_fine=True)

    def delete_for_ever(self) -> None:
        if message := self._some_message():
            self._send("POST", f"/users/{self.address}/messages/{message['id']}/permanentDelete", gone_is_fine=True)

    def create_folder(self) -> None:
        self._number += 1
        name = self._random.choice(["Kunden", "a/b", "📁", "مشروع", "R&D"]) + f" {self._number}"
        parent = self._random.choice([*self._folders, ""])
        path = f"/me/mailFolders/{parent}/childFolders" if parent else "/me/mailFolders"
        self._folders.append(self._send("POST", path, {"displayName": name})["id"])

    def rename_folder(self) -> None:
        if own := self._own_folders():
            self._number += 1
            self._send(
                "PATCH", f"/me/mailFolders/{self._random.choice(own)}", {"displayName": f"Umbenannt {self._number}"}
            )

    def move_folder(self) -> None:
        own = self._own_folders()
        if len(own) > 1:
            folder, target = self._random.sample(own, 2)
            if not self._lies_below(target, folder):
                self._send("POST", f"/me/mailFolders/{folder}/move", {"destinationId": target})

    # -- how -------------------------------------------------------------------------------------------------------

    def _patch(self, body: dict[str, Any]) -> None:
        if message := self._some_message():
            self._send("PATCH", f"/me/messages/{message['id']}", body)

    def _some_message(self) -> dict[str, Any] | None:
        folder = self._random.choice(self._folders)
        total = self._send("GET", f"/me/mailFolders/{folder}?$select=totalItemCount")["totalItemCount"]
        if not total:
            return None
        skip = self._random.randrange(total)
        page = self._send("GET", f"/me/mailFolders/{folder}/messages?$select=id,parentFolderId&$top=1&$skip={skip}")
        return page["value"][0] if page["value"] else None

    def _all_folders(self) -> list[str]:
        found: list[str] = []
        address: str | None = "/me/mailFolders/delta?$select=id,displayName,parentFolderId"
        self._parents: dict[str, str] = {}
        while address:
            page = self._send("GET", address)
            for row in page["value"]:
                found.append(row["id"])
                self._parents[row["id"]] = row.get("parentFolderId", "")
            address = page.get("@odata.nextLink")
        self._given = set(found) if not hasattr(self, "_given") else self._given
        return found

    def _own_folders(self) -> list[str]:
        return [folder for folder in self._folders if folder not in self._given]

    def _lies_below(self, folder: str, above: str) -> bool:
        self._folders = self._all_folders()
        while folder:
            if folder == above:
                return True
            folder = self._parents.get(folder, "")
        return False

    def _send(self, method: str, path: str, body: Any = None, *, gone_is_fine: bool = False) -> Any:
        url = path if path.startswith("http") else f"/v1.0{path}"
        response = self._http.request(method, url, json=body, headers=_PREFER)
        while response.status_code == 429:  # Microsoft's own limits hold for everybody
            time.sleep(float(response.headers.get("Retry-After", 1)))
            response = self._http.request(method, url, json=body, headers=_PREFER)
        if response.status_code == 404 and gone_is_fine:
            return {}
        response.raise_for_status()
        return response.json() if response.content else {}

    def _letter(self) -> bytes:
        self._number += 1
        who = self._random.choice(["ines", "tom", "priya", "jonas"])
        return (
            f"From: {who}@contoso.example\r\nTo: {self.address}\r\nSubject: News {self._number} für dich\r\n"
            f"Message-ID: <other-{self.seed}-{self._number}@contoso.example>\r\n"
            f"Date: Sat, 21 Nov 2026 09:{self._number % 60:02}:00 +0000\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n\r\nHello, this is a letter.\r\n"
        ).encode()


_ACTS: list[tuple[Callable[[OtherSide], None], int]] = [
    (OtherSide.deliver, 30),
    (OtherSide.read, 20),
    (OtherSide.flag, 8),
    (OtherSide.categorise, 5),
    (OtherSide.move, 16),
    (OtherSide.move_back, 8),
    (OtherSide.delete, 6),
    (OtherSide.delete_for_ever, 2),
    (OtherSide.create_folder, 2),
    (OtherSide.rename_folder, 2),
    (OtherSide.move_folder, 1),
]
