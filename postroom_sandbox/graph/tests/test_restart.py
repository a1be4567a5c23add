"""Everything a client was told still holds after the process died."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from postroom_sandbox import entra
from postroom_sandbox.app import Application
from postroom_sandbox.graph.tests.client import ADA, encoded, mail
from postroom_sandbox.http import Request
from postroom_sandbox.testing import MAIL_SCOPES
from postroom_sandbox.world import World

MARK = "String {66f5a359-4659-4830-9070-00047ec6ac6e} Name Marker"


class Session:
    """A process: opened on a home, asked, and never closed properly."""

    def __init__(self, home: Path) -> None:
        self.world = World(home)
        self.app = Application(self.world)
        with self.world.operation():
            user = self.world.user_by_address(ADA) or self.world.users.add(ADA, "Ada")
            self.token = entra.issue_token(self.world, user, MAIL_SCOPES, base_url="")["access_token"]

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"authorization": f"Bearer {self.token}", "host": "s.test", "content-type": "application/json"}
        path, _, query = path.partition("?")
        data = json.dumps(body).encode() if body is not None else b""
        request = Request(method, f"/v1.0{path}", query.replace(" ", "%20"), headers, data)
        response, _ = asyncio.run(self.app.handle(request))
        assert response.status < 300, response.body
        return json.loads(response.body or b"null")


def test_ids_delta_links_properties_and_attachments_survive(tmp_path: Path) -> None:
    first = Session(tmp_path)
    with first.world.operation():
        mailbox = first.world.mailbox(first.world.users.by_address(ADA))  # type: ignore[arg-type]
        for number in range(3):
            first.world.transport.deliver(mailbox, mail(number=number))
        first.world.limits[mailbox.user.id] = first.world.limits_of(mailbox.user).changed(
            {"replays": 0, "empty_pages": 0}
        )
    folder = first("POST", "/me/mailFolders", {"displayName": "Deals"})
    inbox = "/me/mailFolders/inbox/messages"
    rows = first("GET", f"{inbox}?$top=3")["value"]
    link = first("GET", f"{inbox}/delta")["@odata.deltaLink"].partition("/v1.0")[2]
    tree = first("GET", "/me/mailFolders/delta")["@odata.deltaLink"].partition("/v1.0")[2]
    moved = first("POST", f"/me/messages/{rows[0]['id']}/move", {"destinationId": folder["id"]})
    first("PATCH", f"/me/messages/{rows[1]['id']}", {"isRead": True, "categories": ["x"]})
    file = {"@odata.type": "#microsoft.graph.fileAttachment", "name": "a", "contentBytes": encoded(b"data")}
    marked = [{"id": MARK, "value": "7"}]
    draft = first(
        "POST", "/me/messages", {"subject": "d", "attachments": [file], "singleValueExtendedProperties": marked}
    )

    again = Session(tmp_path)
    again.world.limits = first.world.limits
    assert again("GET", f"/me/messages/{moved['id']}") == moved
    assert again("GET", f"/me/messages/{rows[2]['id']}")["changeKey"] == rows[2]["changeKey"]
    changed = {row["id"]: row for row in again("GET", link)["value"]}
    assert set(changed) == {rows[0]["id"], rows[1]["id"]} and "@removed" in changed[rows[0]["id"]]
    assert again("GET", tree)["value"] == []
    found = again(
        "GET", f"/me/messages?$filter=singleValueExtendedProperties/any(e:e/id eq '{MARK}' and e/value eq '7')"
    )
    assert [row["id"] for row in found["value"]] == [draft["id"]]
    assert again("GET", f"/me/messages/{draft['id']}/attachments")["value"][0]["contentBytes"] == encoded(b"data")
    assert again("GET", "/me/mailFolders/inbox")["unreadItemCount"] == 1
    new = again("POST", "/me/messages", {"subject": "new"})
    assert new["id"] not in {draft["id"], moved["id"], *changed}


def test_conversations_go_on_after_a_restart(tmp_path: Path) -> None:
    first = Session(tmp_path)
    user = first.world.user_by_address(ADA)
    assert user is not None
    with first.world.operation():
        one = first.world.transport.deliver(first.world.mailbox(user), mail(number=1))
    again = Session(tmp_path)
    with again.world.operation():
        raw = mail(number=2, headers="References: <m1@outside.example>\r\n")
        two = again.world.transport.deliver(again.world.mailbox(user), raw)
    assert two.conversation == one.conversation and two.index.startswith(one.index)
