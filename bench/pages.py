"""How long the server thinks about a page in a workspace with a million messages.

Every request goes through the whole of Django (middleware, session, view, queries, template), as a signed-in member
who may read five of twenty mailboxes. The database is made once and kept in `var/bench`; `--size` makes another.
"""

from __future__ import annotations

import random
import re
import statistics
import time
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import urlencode, urljoin

from bench import common, many_records, million

REQUESTS = 100
TARGETS = {"search": (150, 400)}
PAGE_TARGET = (50, 100)  # milliseconds: median, 99th percentile
RECORDS = 100_000
LISTS = ("contacts", "companies", "deals/list", "tickets", "candidates/list", "tasks")
SORT = re.compile(r'<th\b[^>]*><a href="([^"]+)"')
CHIP = re.compile(r'<a class="chip"\s+href="([^"]+)"')
MORE = re.compile(r'<a class="button button-quiet" href="([^"]+)">Show more')
WARM_UP = 20
WORD = many_records.WORDS[0]


def run(size: int) -> Iterator[dict[str, Any]]:
    """A result for each kind of page."""
    with common.home(f"pages-{size}") as home, common.database_server(home, keep=True):
        common.set_up({**common.environment(home), "POSTROOM_PUBLIC_URL": "http://127.0.0.1"})
        from postroom.config.serve import load_ahead

        common.migrate()
        _make(size)
        _add_records()
        load_ahead()
        client = _client()
        addresses = {name: paths for name, paths in _all(client).items() if paths}
        for path in (one for paths in addresses.values() for one in paths[:WARM_UP]):
            _timed(client, path)
        times: dict[str, list[float]] = {name: [] for name in addresses}
        for number in range(REQUESTS):
            for name, paths in addresses.items():
                times[name].append(_timed(client, paths[number % len(paths)]))
        for name, found in times.items():
            yield _result(name, size, found, addresses[name])


def _make(size: int) -> None:
    from django.core.cache import cache
    from django.db import connection

    with connection.cursor() as db:
        db.execute("CREATE TABLE IF NOT EXISTS bench_made (size int)")
        db.execute("SELECT size FROM bench_made")
        if db.fetchone():
            return
        started = time.monotonic()
        million.load(size)
        db.execute("INSERT INTO bench_made VALUES (%s)", [size])
    connection.close()
    cache.clear()
    common.note(f"  made in {time.monotonic() - started:.0f} s")


def _add_records() -> None:
    from postroom.records.models import Person

    if Person.objects.count() < RECORDS // 4:
        many_records.load(RECORDS)


def _client() -> Any:
    from django.test import Client

    from postroom.accounts.models import User

    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(User.objects.get(email=common.OWNER))
    return client


def _timed(client: Any, path: str) -> float:
    """Milliseconds until the page was complete. Raises RuntimeError when it is not a page."""
    began = time.perf_counter()
    answer = client.get(path)
    took = (time.perf_counter() - began) * 1000
    if answer.status_code != 200:
        raise RuntimeError(f"{path}: {answer.status_code}")
    return took


def _all(client: Any) -> dict[str, list[str]]:
    """Every address that is asked, by what it is called in the results."""
    return _addresses() | _records(client) | _others(client)


def _addresses() -> dict[str, list[str]]:
    """Many addresses of each kind, always the same ones."""
    from postroom.mail.models import Folder, Thread
    from postroom.mailboxes.models import Mailbox
    from postroom.records.models import Company, Person

    pick = random.Random(1)
    mine = list(Mailbox.objects.filter(visibility="workspace").order_by("pk").values_list("pk", flat=True))
    threads = list(Thread.objects.filter(mailbox__in=mine).order_by("-last_at").values_list("pk", flat=True)[:50_000])
    people = list(Person.objects.order_by("pk").values_list("pk", flat=True))
    companies = list(Company.objects.order_by("pk").values_list("pk", flat=True))
    folders = list(Folder.objects.filter(mailbox__in=mine, role="inbox").values_list("mailbox_id", "pk"))
    return {
        "inbox": ["/inbox/"],
        "folder": [f"/mail/{mailbox}/{folder}/" for mailbox, folder in folders],
        "thread": [f"/inbox/threads/{pk}/" for pk in pick.sample(threads, min(REQUESTS, len(threads)))],
        "contact's mail": [f"/contacts/{pk}/?tab=email" for pk in people[:10] + pick.sample(people, 140)],
        "contact's timeline": [f"/contacts/{pk}/?tab=timeline" for pk in people[:10] + pick.sample(people, 140)],
        "company's timeline": [f"/companies/{pk}/?tab=timeline" for pk in pick.sample(companies, 100)],
        "search, rare word": [_search(million.RARE)],
        "search, 12 in a thousand": [_search(million.MID)],
        "search, common word": [_search(million.COMMON)],
        "search, two words": [_search(f"{million.COMMON} {million.MID}")],
        "search, a person": [_search(f"from:person{n}") for n in range(100)],
        "search, a person's address": [_search(f"person{n}@domain{n % million.DOMAINS}.example") for n in range(100)],
    }


def _records(client: Any) -> dict[str, list[str]]:
    """Lists of records plain, searched and in every order their heads offer, boards, pages, and what is typed."""
    from postroom.records.record import TYPES

    pick, found = (
        random.Random(2),
        {"home": ["/home/"], "deals' board": ["/deals/"], "candidates' board": ["/candidates/"]},
    )
    for name in LISTS:
        page = client.get(f"/{name}/")
        if page.status_code != 200:
            continue
        found[f"list of {name}"] = [f"/{name}/"]
        found[f"list of {name}, searched"] = [f"/{name}/?q={word}" for word in many_records.WORDS]
        sorts = [urljoin(f"/{name}/", unescape(one)) for one in SORT.findall(page.content.decode())]
        found |= {f"list of {name}, in another order": sorts} if sorts else {}
        found[f"list of {name}, in parts"] = _links(client, f"/{name}/", CHIP)
        if any("sort=mail" in one for one in sorts):
            down, up = (f"/{name}/?sort=mail&way={way}" for way in ("down", "up"))
            found[f"list of {name}, by last mail"] = [down, up, *_links(client, down, MORE), f"{down}&q={WORD}"]
    for kind in TYPES:
        pks = list(kind.model._base_manager.order_by("pk").values_list("pk", flat=True))
        some = pick.sample(pks, min(100, len(pks)))
        pages = [kind.model(pk=pk).get_absolute_url() for pk in some]
        found[f"page of a {kind.label.lower()}"] = pages
        found[f"{kind.label.lower()}'s Email tab"] = [f"{page}?tab=email" for page in pages]
    typed = [f"person{n}"[: 3 + n % 5] for n in range(10, 60)] + [word[:4] for word in many_records.WORDS]
    found["suggestions of the palette"] = [f"/search/suggestions/?q={one}" for one in typed]
    found["suggestions of the composer"] = [f"/compose/people/?q={one}" for one in typed]
    return found


def _others(client: Any) -> dict[str, list[str]]:
    """The Inbox by its chips and its next page, search with operators, what is in Settings."""
    from postroom.ui import rail

    operators = ("is:unread", "has:attachment", "in:inbox", "after:2025 before:2027", f"-{million.MID}", "from:person7")
    settings = [one.url for one in rail.destinations(rail.SETTINGS)]
    return {
        "inbox, by its chips": _links(client, "/inbox/", CHIP),
        "search, with operators": [_search(f"{million.COMMON} {one}") for one in operators],
        "settings": [one for one in settings if client.get(one).status_code == 200],
    }


def _links(client: Any, path: str, what: re.Pattern[str]) -> list[str]:
    """The addresses a page leads to, as far as they are pages themselves."""
    found = (urljoin(path, unescape(one)) for one in what.findall(client.get(path).content.decode()))
    return [one for one in dict.fromkeys(found) if client.get(one).status_code == 200]


def _search(words: str) -> str:
    return f"/search/?{urlencode({'q': words})}"


def _result(name: str, size: int, found: list[float], paths: list[str]) -> dict[str, Any]:
    median, last = statistics.median(found), common.percentile(found, 0.99)
    targets = next((value for key, value in TARGETS.items() if name.startswith(key)), PAGE_TARGET)
    return common.result(
        f"pages: {name}",
        f"{len(found)} requests among {size} messages; median milliseconds",
        round(median, 1),
        p99=round(last, 1),
        slowest=paths[found.index(max(found)) % len(paths)],
        targets={"median": targets[0], "p99": targets[1]},
        met=median < targets[0] and last < targets[1],
    )
