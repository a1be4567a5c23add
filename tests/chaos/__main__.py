"""Chaos on real processes (see ``scripts/chaos``): nothing is lost, nobody waits long, the endpoint answers at once.

    python -m tests.chaos [--minutes 1] [--mailboxes 20] [--messages 5000] [--rate 500] [--workers 3] [--kill-every 5]

A local Microsoft 365, a database of its own, one web process and the workers. Mailboxes are filled and connected;
then for that long changes come at that rate in all of them, each with its notification, while a random worker is killed
(SIGKILL, started again as a supervisor would) every few seconds and the database is restarted once, half-way.
Afterwards every mailbox has to become equal to the provider's by itself. The last line has the figures; exits 1 if any
falls short.
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.chaos.storm import Storm
from tests.chaos.town import Town
from tests.chaos.watching import Watch, at_rest, eventually_ready, percentile
from tests.mirror import corpus

MOST_WAIT = 60.0  # seconds
MOST_P99 = 200.0  # milliseconds
CONNECT_SECONDS = 1_200.0


@dataclass
class Figures:
    """The last line."""

    mailboxes: int
    messages: int = 0
    equal: int = 0
    longest_wait_s: float = 0.0
    p99_ms: float = 0.0
    median_ms: float = 0.0
    notifications: int = 0
    posts: int = 0
    per_second: float = 0.0
    kills: int = 0
    database_away_s: float = 0.0
    endpoint: str = ""
    most_rows: int = 0
    differing: int = 0
    seconds: float = 0.0

    @property
    def falls_short(self) -> list[str]:
        rules = {
            "mailboxes differ": self.equal < self.mailboxes,
            f"a mailbox waited over {MOST_WAIT:.0f} s": self.longest_wait_s > MOST_WAIT,
            f"p99 of the endpoint is not under {MOST_P99:.0f} ms": self.p99_ms >= MOST_P99 or not self.posts,
            "the endpoint was judged slow": self.endpoint != "normal",
        }
        return [what for what, wrong in rules.items() if wrong]


def note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201


def chaos(town: Town, options: argparse.Namespace) -> Figures:
    figures = Figures(options.mailboxes)
    began = time.monotonic()
    town.up()
    storm = fill_and_connect(town, options, figures)
    note(f"{figures.messages} messages connected after {time.monotonic() - began:.0f} s; the storm begins")
    watch = Watch(town.database.dsn())
    watch.start()
    blown = weather(town, storm, options, figures)
    ended = time.monotonic()
    settle(town, storm, watch, ended)
    watch.stop()
    figures.longest_wait_s = round(max(watch.longest.values(), default=0.0), 1)
    figures.most_rows, figures.kills = watch.most_rows, town.kills
    measure_endpoint(town, figures, blown)
    compare(town, storm, figures)
    figures.seconds = round(time.monotonic() - began, 1)
    return figures


def fill_and_connect(town: Town, options: argparse.Namespace, figures: Figures) -> Storm:
    """Mailboxes with mail, connected with everything, and somebody at work in each."""
    addresses = [f"m{number:02}@northwind.example" for number in range(1, options.mailboxes + 1)]
    town.control("PUT", "/sandbox/requests", json={"enabled": False})
    mail = list(corpus.generated(options.messages))
    for address in addresses:
        town.control("POST", "/sandbox/users", json={"address": address, "name": address.partition("@")[0].upper()})
        for folder, mbox in mail:
            path = f"/sandbox/mailboxes/{address}/import"
            figures.messages += town.control("POST", path, params={"folder": folder}, content=mbox).json()["imported"]
    note(f"{figures.messages} messages there")
    _connect(addresses)
    storm = Storm(town.sandbox, options.seed)
    for address in addresses:
        storm.enter(address)
    eventually_ready(town.database.dsn(), len(addresses), seconds=CONNECT_SECONDS)
    return storm


def _connect(addresses: list[str]) -> None:
    """As `postroom mailbox connect … --sandbox --since all`, in this process and without waiting for each."""
    import django

    django.setup()
    from postroom.accounts.models import User
    from postroom.mailboxes import commands
    from postroom.workspaces.commands import add_member, create_workspace

    owner = User.objects.create_user(addresses[0], "Robin Storm")
    add_member(create_workspace("Northwind Traders"), owner, role="Admin")
    for address in addresses:
        commands.connect_sandbox(address, "all")


def weather(town: Town, storm: Storm, options: argparse.Namespace, figures: Figures) -> float:
    """The storm, the kills and the restart. Returns the seconds the storm took."""
    pick, seconds, stop = random.Random(options.seed), options.minutes * 60, threading.Event()
    blowing = threading.Thread(target=storm.blow, args=(options.rate, seconds, stop), daemon=True)
    began = time.monotonic()
    blowing.start()
    next_kill, restart_at = began + options.kill_every, began + seconds / 2
    if options.calm:
        next_kill, restart_at = float("inf"), 0.0
    while blowing.is_alive():
        town.mend()
        if time.monotonic() >= next_kill:
            town.kill_a_worker(pick)
            next_kill += options.kill_every
        if restart_at and time.monotonic() >= restart_at:
            restart_at = 0.0
            figures.database_away_s = round(town.restart_database(), 2)
            note(f"the database was away for {figures.database_away_s} s")
        time.sleep(0.1)
    note(f"{storm.changes} changes made, {storm.failed} refused, {town.kills} workers killed")
    return time.monotonic() - began


def settle(town: Town, storm: Storm, watch: Watch, ended: float) -> None:
    """Wait until nothing is to be done for a mailbox; whoever takes longer than allowed is compared as it is."""
    left = {place.address for place in storm.places}
    while left and time.monotonic() - ended < MOST_WAIT + 5:
        town.mend()
        time.sleep(0.5)
        resting = left & at_rest(town.database.dsn())
        for address in sorted(left):
            watch.note(address, time.monotonic() - ended)
        left -= resting
    note(f"at rest {time.monotonic() - ended:.0f} s after the storm" + (f", but for {sorted(left)}" if left else ""))


def measure_endpoint(town: Town, figures: Figures, seconds: float) -> None:
    posts = town.posts()
    (town.home / "posts.json").write_text(json.dumps(posts))
    took = [post["ms"] for post in posts if post["status"]]
    figures.posts, figures.notifications = len(posts), sum(len(post["items"]) for post in posts)
    figures.per_second = round(figures.notifications / max(seconds, 1), 1)
    figures.p99_ms, figures.median_ms = round(percentile(took, 0.99), 1), round(percentile(took, 0.5), 1)
    judged = town.control("GET", "/sandbox/subscriptions").json()["endpoints"]
    figures.endpoint = "normal" if set(judged.values()) <= {"normal"} else json.dumps(judged)
    statuses: dict[int, int] = {}
    for post in posts:
        statuses[post["status"]] = statuses.get(post["status"], 0) + 1
    note(f"answers of the endpoint: {statuses}")


def compare(town: Town, storm: Storm, figures: Figures) -> None:
    for place in storm.places:
        ours, theirs = town.ours(place.address), town.theirs(place.address)
        figures.equal += ours == theirs
        if ours != theirs:
            found = sorted(set(ours) ^ set(theirs))
            figures.differing += len(found) or 1
            note(f"{place.address}: {len(found)} lines differ, {len(ours)} here, {len(theirs)} there")
            for line in found[:4]:
                note(f"  {'ours  ' if line in ours else 'theirs'} {line[:400]}")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="chaos", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=1.0, help="how long the storm lasts (1)")
    parser.add_argument("--mailboxes", type=int, default=20)
    parser.add_argument("--messages", type=int, default=5_000, help="in each mailbox (5000)")
    parser.add_argument("--rate", type=float, default=500.0, help="changes a second in all mailboxes (500)")
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--kill-every", type=float, default=5.0, help="seconds between two kills (5)")
    parser.add_argument("--calm", action="store_true", help="only the storm: nothing is killed or restarted")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--home", type=Path, help="keep everything, logs too, in this directory (temporary)")
    options = parser.parse_args()
    for name in ("minutes", "mailboxes", "messages", "rate", "workers", "kill_every"):
        if getattr(options, name) <= 0:
            parser.error(f"--{name.replace('_', '-')} must be more than 0")
    return options


def main() -> int:
    options = parse()
    home = options.home or Path(tempfile.mkdtemp(prefix="postroom-chaos-"))
    home.mkdir(parents=True, exist_ok=True)
    town = Town(home, options.workers)
    try:
        figures = chaos(town, options)
    finally:
        town.down()
        if options.home is None:
            shutil.rmtree(home, ignore_errors=True)
    for what in figures.falls_short:
        note(f"short: {what}")
    print(json.dumps(asdict(figures)))  # noqa: T201
    return 1 if figures.falls_short else 0


if __name__ == "__main__":
    sys.exit(main())
