"""Addresses of our own static files that change with their content, so that browsers may keep them for good."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage


@cache
def _digest(name: str, modified_ns: int) -> str:
    path = finders.find(name)
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:10] if isinstance(path, str) else ""


class VersionedStorage(StaticFilesStorage):
    """`url("ui/css/base.css")` -> "/static/ui/css/base.css?v=<digest>"; no copies, no build step."""

    def url(self, name: str | None) -> str:
        address = super().url(name)
        version = _version(name) if name else ""
        return f"{address}?v={version}" if version else address


def _version(name: str) -> str:
    if settings.DEBUG:
        path = finders.find(name)
        return _digest(name, Path(path).stat().st_mtime_ns) if isinstance(path, str) else ""
    return _digest(name, 0)
