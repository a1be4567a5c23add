"""How log lines look: readable (the default) or one JSON object a line, for a collector.

Lines name mailboxes by id and errors by reference; addresses, subjects and tokens never reach them (rule 9).
What belongs to everything a thread does at the moment — the request, the mailbox a worker is at — is bound once and
stands in every line:

    with logs.about(mailbox=7): …
"""

from __future__ import annotations

import logging
import os
import re
from typing import Any

import structlog

from postroom.lib.about import about, current

__all__ = ["FORMATTERS", "about", "configuration"]

_MAILBOX = re.compile(r"\bmailbox (\d+)\b")
_REFERENCE = re.compile(r"\breference ([2-9A-Z]{4}-[2-9A-Z]{4})\b")
LINE = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class Readable(logging.Formatter):
    """2026-11-21 09:42:10,120 INFO postroom.sync: …, then what is bound as name=value."""

    def format(self, record: logging.LogRecord) -> str:
        bound = " ".join(f"{name}={value}" for name, value in current().items())
        text = super().format(record)
        first, *rest = text.split("\n")
        return "\n".join([f"{first} [{bound}]" if bound else first, *rest])


def _fields(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
    """Bound names, and the mailbox and the reference a sentence names, as fields of their own."""
    text = str(event.get("event", ""))
    for name, pattern in (("mailbox", _MAILBOX), ("reference", _REFERENCE)):
        if found := pattern.search(text):
            event.setdefault(name, int(found[1]) if name == "mailbox" else found[1])
    return {**event, **current(), "pid": os.getpid()}


def json_lines() -> logging.Formatter:
    """One JSON object a line: time, level, logger, event, pid; request, mailbox, reference, exception where known."""
    before: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.stdlib.ExtraAdder(allow=()),
        _fields,
    ]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=before,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(sort_keys=True, ensure_ascii=False),
        ],
    )


FORMATTERS: dict[str, dict[str, Any]] = {
    "text": {"()": Readable, "fmt": LINE},
    "json": {"()": json_lines},
}


def configuration(level: str, form: str) -> dict[str, Any]:
    """Django's LOGGING."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": FORMATTERS[form]},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            "postroom": {"level": level},
            # Django's own report of an error may quote the request; ours (config.views) has a reference id instead.
            "django.request": {"level": "CRITICAL"},
            "procrastinate": {"level": "WARNING"},
            # Three tracebacks each time the database goes away; config.worker says it in one line.
            "procrastinate.utils": {"level": "CRITICAL"},
            "procrastinate.worker.postroom": {"level": "CRITICAL"},
            "psycopg.pool": {"level": "ERROR"},
        },
    }
