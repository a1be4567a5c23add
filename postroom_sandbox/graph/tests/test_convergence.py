"""A client that does nothing but follow delta ends with exactly what is there, whatever happened and however told."""

from __future__ import annotations

import random
from typing import Any

import pytest

from postroom_sandbox.graph.tests.client import Graph, mail
from postroom_sandbox.limits import Limits
from postroom_sandbox.store.model import ROOT, Folder, Message

_STATE = ("internetMessageId", "isRead", "categories")


class Follower:
    """Keeps each folder's rows by id, merging sparse rows and forgetting removed ones."""

    def __init__(self, graph: Graph, *, immutable: bool) -> None:
        self.graph = graph
        self.prefer = {"prefer": "odata.maxpagesize=3" + (', IdType="ImmutableId"' if immutable else "")}
        self.folders: dict[str, dict[str, dict[str, Any]]] = {}
        self.links: dict[str, str] = {}

    def follow(self) -> None:
        for folder in [row["id"] for row in self._round("tree", "/me/mailFolders/delta") if "@removed" not in row]:
            self.folders.setdefault(folder, {})
        for folder, rows in list(self.folders.items()):
            if self.graph("GET", f"/me/mailFolders/{folder}").status == 404:
                del self.folders[folder]
                continue
            for row in self._round(folder, f"/me/mailFolders/{folder}/messages/delta"):
                if "@removed" in row:
                    rows.pop(row["id"], None)
                elif row["id"] in rows or len(row) > 4:
                    rows[row["id"]] = rows.get(row["id"], {}) | row

    def _round(self, key: str, start: str) -> list[dict[str, Any]]:
        link, rows = self.links.get(key, start), []
        while True:
            answer = self.graph("GET", link, **self.prefer)
            if answer.status == 410:
                self.folders.get(key, {}).clear()
                link, rows = start, []
                continue
            page = answer.json
            rows += page["value"]
            link = (page.get("@odata.nextLink") or page["@odata.deltaLink"]).partition(".test")[2]
            if "@odata.deltaLink" in page:
                self.links[key] = link
                return rows


def _truth(graph: Graph) -> dict[str, list[tuple[object, ...]]]:
    mailbox = graph.mailbox()
    root = mailbox.tree[ROOT]
    shown = [folder for folder in mailbox.tree if folder.is_below(root) and folder is not root and not folder.hidden]

    def row(message: Message) -> tuple[object, ...]:
        return (message.internet_message_id, message.is_read, list(message.categories))

    return {mailbox.ids.folder(folder.number): sorted(map(row, folder.messages.items), key=repr) for folder in shown}


def _something(graph: Graph, chance: random.Random, number: int) -> None:
    mailbox = graph.mailbox()
    own = [folder for folder in mailbox.tree if not folder.well_known and folder.is_below(mailbox.tree[ROOT])]
    places: list[Folder] = [mailbox.tree["inbox"], mailbox.tree["archive"], *own]
    messages = mailbox.all.items
    act = chance.choice(("deliver", "read", "tag", "move", "move", "delete", "folder", "rename", "drop", "expire"))
    with graph.world.operation():
        if act == "deliver" or not messages:
            graph.world.transport.deliver(mailbox, mail(number=number), folder=chance.choice(places))
            return
        message = chance.choice(messages)
        if act == "read":
            mailbox.set_read(message, not message.is_read)
            mailbox.touch(message, read_state_only=True)
        elif act == "tag":
            message.categories = (f"c{number}",)
            mailbox.touch(message)
        elif act == "move":
            mailbox.move(message, chance.choice(places))
        elif act == "delete":
            mailbox.delete(message)
        elif act == "folder" and len(own) < 5:
            mailbox.tree.create(f"f{number}", chance.choice(places))
        elif act == "rename" and own:
            mailbox.tree.rename(chance.choice(own), f"r{number}")
        elif act == "drop" and own and chance.random() < 0.3:
            mailbox.tree.delete(chance.choice(own))
        elif act == "expire" and chance.random() < 0.2:
            mailbox.expire_delta()


@pytest.mark.parametrize("seed", range(8))
def test_following_delta_ends_with_what_is_there(seed: int) -> None:
    chance = random.Random(seed)
    limits = Limits(replays=0.5, empty_pages=0.5, duplicates=1, requests=10**6)
    graph = Graph(limits=limits)
    follower = Follower(graph, immutable=seed % 2 == 0)
    for number in range(150):
        _something(graph, chance, number)
        if chance.random() < 0.1:
            follower.follow()
    follower.follow()
    follower.follow()
    told = {
        folder: sorted((tuple(row[name] for name in _STATE) for row in rows.values()), key=repr)
        for folder, rows in follower.folders.items()
    }
    assert told == _truth(graph)
