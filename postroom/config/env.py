"""Settings from the environment, read once, with errors that say what to mend.

Sources, first that has the name wins: the environment, `.env` in the start directory, and, with the embedded
database only, `demo.env` in the home (written by `postroom demo`, so that other commands find the running demo).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

DEMO_FILE = "demo.env"
TRUE, FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}


class SettingsError(Exception):
    """A setting is missing or unusable; the text is one line that says what to do."""


def read_env_file(path: Path) -> dict[str, str]:
    """NAME=value lines; `export`, comments, blank lines and one pair of quotes are understood; no expansion."""
    values: dict[str, str] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return values
    except (OSError, UnicodeDecodeError) as problem:
        raise SettingsError(f"{path} cannot be read: {problem}") from None
    for number, line in enumerate(lines, 1):
        text = line.strip().removeprefix("export ").strip()
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.partition("=")
        if not equals or not name.strip().isidentifier():
            raise SettingsError(f"{path}, line {number}: expected NAME=value")
        value = value.strip()
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        values[name.strip()] = value
    return values


@dataclass(frozen=True)
class Environment:
    """Typed look-ups in a mapping of settings. Every method raises SettingsError on a bad value."""

    values: Mapping[str, str]

    def text(self, name: str, default: str = "") -> str:
        return self.values.get(name, "").strip() or default

    def required(self, name: str, hint: str) -> str:
        """`hint` completes the sentence "NAME is not set: …"."""
        if value := self.text(name):
            return value
        raise SettingsError(f"{name} is not set: {hint}")

    def together(self, one: str, other: str) -> None:
        """Both are set, or neither is."""
        for missing, there in ((one, other), (other, one)):
            if self.text(there) and not self.text(missing):
                raise SettingsError(f"{missing} is not set: it belongs to {there}, set both or none")

    def flag(self, name: str, *, default: bool = False) -> bool:
        value = self.text(name, "1" if default else "0").lower()
        if value not in TRUE | FALSE:
            raise SettingsError(f"{name} must be 1 or 0, not {value!r}")
        return value in TRUE

    def number(self, name: str, default: int, *, least: int = 0, most: int = 2**31) -> int:
        value = self.text(name, str(default))
        try:
            number = int(value)
        except ValueError:
            raise SettingsError(f"{name} must be a whole number, not {value!r}") from None
        if not least <= number <= most:
            raise SettingsError(f"{name} must be between {least} and {most}, not {number}")
        return number

    def url(self, name: str, default: str) -> str:
        """An http(s) address without query, fragment and trailing slash; empty stays empty."""
        value = self.text(name, default).rstrip("/")
        if not value:
            return ""
        try:
            parts = urlsplit(value)
            good = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError:
            good = False
        if not good or parts.query or parts.fragment:
            raise SettingsError(f"{name} must be an address like https://crm.example.com, not {value!r}")
        return value

    def day(self, name: str) -> date | None:
        """A date as 2027-05-31, or None when unset."""
        value = self.text(name)
        try:
            return date.fromisoformat(value) if value else None
        except ValueError:
            raise SettingsError(f"{name} must be a date like 2027-05-31, not {value!r}") from None

    def mail_server(self, name: str) -> str:
        """smtp://user:password@host:port (STARTTLS) or smtps://…; empty stays empty. The value is never quoted."""
        value = self.text(name)
        try:
            parts = urlsplit(value)
            good = parts.scheme in {"smtp", "smtps"} and bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError:
            good = False
        if value and not good:
            raise SettingsError(f"{name} must look like smtp://user:password@mail.example.com:587")
        return value

    def export(self, prefix: str) -> None:
        """Put settings that came from a file into the process's environment, for packages that know no Django."""
        for name, value in self.values.items():
            if name.startswith(prefix):
                os.environ.setdefault(name, value)

    def words(self, name: str) -> list[str]:
        """Comma or blank separated."""
        return self.text(name).replace(",", " ").split()

    def database(self, name: str = "DATABASE_URL") -> dict[str, str] | None:
        """libpq parameters of a PostgreSQL address, or None when unset."""
        value = self.text(name)
        if not value:
            return None
        if not value.startswith(("postgresql://", "postgres://")):
            raise SettingsError(f"{name} must start with postgresql:// (Postroom runs on PostgreSQL only)")
        try:
            return {key: str(part) for key, part in conninfo_to_dict(value).items() if part is not None}
        except ProgrammingError as problem:
            raise SettingsError(f"{name} is not a PostgreSQL address: {str(problem).strip()}") from None


def home_of(values: Mapping[str, str], directory: Path) -> Path:
    """POSTROOM_HOME, or `var` in the start directory."""
    return (directory / (values.get("POSTROOM_HOME", "").strip() or "var")).expanduser().resolve()


def load(directory: Path | None = None, environ: Mapping[str, str] | None = None) -> Environment:
    """The settings as this process sees them, POSTROOM_HOME always present and absolute."""
    directory = directory or Path.cwd()
    values = {**read_env_file(directory / ".env"), **(os.environ if environ is None else environ)}
    home = home_of(values, directory)
    if not values.get("DATABASE_URL", "").strip():
        values = {**read_env_file(home / DEMO_FILE), **values}
    return Environment({**values, "POSTROOM_HOME": str(home)})
