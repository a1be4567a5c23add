"""The `postroom` command (contracts: `postroom --help`). Bad usage and missing settings: one line, exit code 2."""

from __future__ import annotations

import argparse
import os
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn, TypeAlias

from postroom import __version__
from postroom.config import env
from postroom.config.env import SettingsError
from postroom.config.errors import UsageError

HISTORY = ("30d", "90d", "12m", "4y", "all", "none")


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def port(text: str) -> int:
    """A TCP port, 0 for any free one."""
    if text.isdecimal() and 0 <= int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a port (0 to 65535)")


def place(text: str) -> str:
    """Where to listen: ``host:port``, or the path of a socket file."""
    host, colon, number = text.rpartition(":")
    if text.startswith("/") or (colon and host and number.isdecimal() and int(number) <= 65535):
        return text
    raise argparse.ArgumentTypeError(f"{text!r} is neither host:port nor the path of a socket file")


def mbox_file(text: str) -> Path:
    """An existing file."""
    path = Path(text).expanduser().resolve()
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"there is no file {text}")
    return path


def positive(text: str) -> int:
    """A whole number above zero."""
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")


def build_parser() -> argparse.ArgumentParser:
    """Every command with its options; `run` is what it does."""
    parser = Parser(prog="postroom", description="A self-hosted CRM whose heart is the mailbox.")
    parser.add_argument("--version", action="version", version=f"Postroom {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command", required=True, parser_class=Parser)

    for add in (add_processes, add_care, add_members, add_purge_commands, add_mailbox_commands):
        add(commands)
    return parser


Commands: TypeAlias = "argparse._SubParsersAction[Parser]"


def add_processes(commands: Commands) -> None:
    """`postroom demo | serve | worker | sandbox`."""
    demo = commands.add_parser("demo", help="everything on this machine, with made-up mail", allow_abbrev=False)
    demo.add_argument("--port", type=port, help="of the web pages (8000, or any free one)")
    demo.add_argument("--sandbox-port", type=port, help="of the local Microsoft 365 (8365, or any free one)")
    demo.add_argument("--fresh", action="store_true", help="throw away the demo's data first")
    demo.add_argument("--no-open", action="store_true", help="do not open a browser")
    demo.add_argument("--mail", type=mbox_file, metavar="FILE.mbox", help="your own mail instead of made-up mail")
    demo.set_defaults(run=run_demo)

    serve = commands.add_parser("serve", help="the web process", allow_abbrev=False)
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=port, default=8000)
    serve.add_argument("--socket", type=int, help=argparse.SUPPRESS)  # a listening socket inherited from `demo`
    serve.set_defaults(run=run_serve)

    worker = commands.add_parser("worker", help="the process that syncs and sends", allow_abbrev=False)
    worker.add_argument("--threads", type=positive, help="mailboxes worked on at the same time (8)")
    worker.set_defaults(run=run_worker)

    drop = commands.add_parser("dropbox", help="the process that takes mail for drop boxes", allow_abbrev=False)
    drop.add_argument("--lmtp", action="append", type=place, default=[], metavar="PLACE", help="behind a mail server")
    drop.add_argument("--smtp", action="append", type=place, default=[], metavar="PLACE", help="without one")
    drop.add_argument("--policy", action="append", type=place, default=[], metavar="PLACE", help="asked by Postfix")
    drop.epilog = "PLACE: host:port or a socket file. Without any: --lmtp 127.0.0.1:8024 --policy 127.0.0.1:8025"
    drop.set_defaults(run=run_dropbox)

    sandbox = commands.add_parser("sandbox", help="only the local Microsoft 365", add_help=False)
    sandbox.set_defaults(run=run_sandbox)


def add_care(commands: Commands) -> None:
    """`postroom migrate | rotate-keys | doctor`."""
    migrate = commands.add_parser("migrate", help="prepare the database", allow_abbrev=False)
    migrate.set_defaults(run=run_migrate)

    rotate = commands.add_parser(
        "rotate-keys", help="seal every secret with the newest of POSTROOM_ENCRYPTION_KEYS", allow_abbrev=False
    )
    rotate.set_defaults(run=run_rotate)

    doctor = commands.add_parser("doctor", help="check the installation and say what to mend", allow_abbrev=False)
    doctor.add_argument("--generate-keys", action="store_true", help="print fresh secrets for .env and end")
    doctor.add_argument("--json", action="store_true", help="for scripts")
    doctor.set_defaults(run=run_doctor, action="")
    about = doctor.add_subparsers(dest="action", metavar="explain")
    explain = about.add_parser("explain", help="what an error of Microsoft's means, and who mends it")
    explain.add_argument("text", nargs="*", help="the error text, its JSON, or a code; from standard input without")
    explain.add_argument("--letter", action="store_true", help="also a letter to your IT")
    explain.add_argument("--reference", default="", metavar="ID", help="the reference Postroom showed, for the letter")
    explain.add_argument("--json", action="store_true", help="for scripts")


def add_members(commands: Commands) -> None:
    """`postroom member add | delete | reset-second-factor`."""
    member = commands.add_parser("member", help="people who sign in, without a browser", allow_abbrev=False)
    add = member.add_subparsers(dest="action", metavar="action", required=True, parser_class=Parser)
    new = add.add_parser("add", help="make a member, or give one another role or password", allow_abbrev=False)
    new.add_argument("address")
    new.add_argument("--name", default="", help="as colleagues see it")
    new.add_argument("--role", default="Member", help="Admin, Member, Guest or one of your own (Member)")
    new.add_argument("--workspace", default="", metavar="NAME", help="made when there is none of that name")
    leave = add.add_parser("delete", help="remove a member; purged some days later", allow_abbrev=False)
    leave.add_argument("address")
    leave.add_argument("--workspace", default="", metavar="NAME", help="needed where the person is in several")
    leave.add_argument("--to", default="", metavar="ADDRESS", help="who takes over the mailboxes they may read")
    leave.add_argument("--yes", action="store_true", help="do not ask for a confirmation")
    lost = add.add_parser("reset-second-factor", help="for who lost their authenticator and codes", allow_abbrev=False)
    lost.add_argument("address")
    member.set_defaults(run=run_member)


def add_purge_commands(commands: Commands) -> None:
    """`postroom workspace delete` and `postroom purge list | run`."""
    workspace = commands.add_parser("workspace", help="workspaces, without a browser", allow_abbrev=False)
    actions = workspace.add_subparsers(dest="action", metavar="action", required=True, parser_class=Parser)
    leave = actions.add_parser("delete", help="delete a workspace with everything in it", allow_abbrev=False)
    leave.add_argument("name")
    leave.add_argument("--yes", action="store_true", help="do not ask for a confirmation")
    workspace.set_defaults(run=run_purge, action="delete")
    purge = commands.add_parser("purge", help="what was deleted leaves every table", allow_abbrev=False)
    kinds = purge.add_subparsers(dest="action", metavar="action", required=True, parser_class=Parser)
    listing = kinds.add_parser("list", help="what waits, and the certificates of what is gone", allow_abbrev=False)
    listing.add_argument("--json", action="store_true", help="for scripts")
    kinds.add_parser("run", help="purge now what is due", allow_abbrev=False)
    purge.set_defaults(run=run_purge)


def add_mailbox_commands(commands: Commands) -> None:
    """`postroom mailbox list | connect | sync | dump` and `postroom search`."""
    mailbox = commands.add_parser("mailbox", help="mailboxes without a browser", allow_abbrev=False)
    mailbox.set_defaults(run=run_mailbox)
    actions = mailbox.add_subparsers(dest="action", metavar="action", required=True, parser_class=Parser)
    listing = actions.add_parser("list", help="one row per mailbox", allow_abbrev=False)
    listing.add_argument("--json", action="store_true", help="for scripts")
    connect = actions.add_parser("connect", help="connect a mailbox of the local sandbox", allow_abbrev=False)
    connect.add_argument("address")
    connect.add_argument("--sandbox", action="store_true", help="required: only the sandbox needs no browser")
    connect.add_argument("--since", default="90d", choices=HISTORY, help="how much history (90d)")
    for name, text in (("sync", "sync now"), ("dump", "what Postroom believes, as JSON lines")):
        actions.add_parser(name, help=text, allow_abbrev=False).add_argument("address")

    search = commands.add_parser("search", help="find mail; JSON lines, best first", allow_abbrev=False)
    search.add_argument("address")
    search.add_argument("query")
    search.add_argument("--limit", type=positive, default=20, help="how many at most (20)")
    search.set_defaults(run=run_mailbox, action="search")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = build_parser()
    if given[:1] == ["sandbox"]:  # its options are its own
        return run_sandbox(argparse.Namespace(rest=given[1:]))
    options = parser.parse_args(given)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except (SettingsError, UsageError) as problem:
        print(f"postroom: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def run_demo(options: argparse.Namespace) -> int:
    """`postroom demo`."""
    from postroom.config.demo import Demo, DemoError, Options
    from postroom.lib.postgres import PostgresError

    if os.environ.get("DATABASE_URL", "").strip() or env.read_env_file(Path.cwd() / ".env").get("DATABASE_URL"):
        raise UsageError("the demo uses its own database: unset DATABASE_URL first, or use `postroom serve`.")
    demo = Options(
        home=env.home_of({**env.read_env_file(Path.cwd() / ".env"), **os.environ}, Path.cwd()),
        port=options.port,
        sandbox_port=options.sandbox_port,
        fresh=options.fresh,
        open_browser=not options.no_open,
        mail=options.mail,
    )
    try:
        return Demo(demo, say=lambda line: print(line, flush=True)).run()
    except (DemoError, PostgresError) as problem:
        raise UsageError(str(problem)) from None


def run_serve(options: argparse.Namespace) -> int:
    """`postroom serve`."""
    from postroom.config.serve import bind, serve

    with django_ready():
        if options.socket is not None:
            listening = socket.socket(fileno=options.socket)
        else:
            try:
                listening = bind(options.host, options.port)
            except OSError as problem:
                raise UsageError(f"port {options.port} cannot be used ({problem.strerror})") from None
        serve(listening)
    return 0


def run_worker(options: argparse.Namespace) -> int:
    """`postroom worker`."""
    with django_ready():
        from postroom.config.worker import work

        return work(threads=options.threads)


def run_dropbox(options: argparse.Namespace) -> int:
    """`postroom dropbox`."""
    with django_ready():
        from postroom.config.dropbox import take_mail

        places = {kind: getattr(options, kind) for kind in ("lmtp", "smtp", "policy")}
        take_mail(places, say=lambda line: print(line, flush=True))
    return 0


def run_migrate(options: argparse.Namespace) -> int:
    """`postroom migrate`."""
    with django_ready():
        from django.core.management import call_command

        call_command("migrate", verbosity=1, interactive=False)
    return 0


def run_rotate(options: argparse.Namespace) -> int:
    """`postroom rotate-keys`; may be interrupted and run again."""
    with django_ready():
        from django.conf import settings
        from django.utils.module_loading import import_string

        from postroom.lib.crypto import CannotOpen

        try:
            count = sum(import_string(reseal)() for reseal in settings.SEALED)
        except CannotOpen as problem:
            raise UsageError(f"a secret stays shut ({problem}): add its key to POSTROOM_ENCRYPTION_KEYS") from None
        print(f"{count} sealed anew; the older keys may be removed when every process has the new list.")
    return 0


def run_doctor(options: argparse.Namespace) -> int:
    """`postroom doctor`."""
    from postroom.config.doctor import examine, explain_text, generate_keys

    if options.generate_keys:
        print(generate_keys(), end="")
        return 0
    if options.action == "explain":
        text = " ".join(options.text) or sys.stdin.read(20_000)
        return explain_text(print, text, with_letter=options.letter, as_json=options.json, reference=options.reference)
    return examine(print, django_ready, as_json=options.json)


def run_member(options: argparse.Namespace) -> int:
    """`postroom member add | delete | reset-second-factor`."""
    with django_ready():
        from postroom.config import member_cli, purge_cli

        actions = {"add": member_cli.add, "reset-second-factor": member_cli.reset_second_factor}
        return actions.get(options.action, purge_cli.delete_member)(options)


def run_purge(options: argparse.Namespace) -> int:
    """`postroom workspace delete` and `postroom purge list | run`."""
    with django_ready():
        from postroom.config import purge_cli

        return purge_cli.ACTIONS[options.action](options)


def run_mailbox(options: argparse.Namespace) -> int:
    """`postroom mailbox …` and `postroom search`."""
    with django_ready():
        from postroom.config import mailbox_cli

        return mailbox_cli.run(options)


def run_sandbox(options: argparse.Namespace) -> int:
    """`postroom sandbox`: hands over to the sandbox's own command."""
    os.execv(sys.executable, [sys.executable, "-m", "postroom_sandbox", *options.rest])  # noqa: S606


class django_ready:
    """Settings read, the embedded database running (if that is the one), Django set up.

    Raises SettingsError, and UsageError when the database cannot be brought up.
    """

    def __enter__(self) -> None:
        from postroom.lib.postgres import PostgresError, PostgresServer

        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "postroom.config.settings")
        from django.conf import settings

        self._server = None
        if settings.POSTROOM_EMBEDDED:
            self._server = PostgresServer(settings.POSTROOM_HOME)
            try:
                self._server.start()
            except PostgresError as problem:
                raise UsageError(str(problem)) from None
        import django

        django.setup()

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            from django.db import connections

            connections.close_all()
            self._server.stop()


if __name__ == "__main__":
    sys.exit(main())
