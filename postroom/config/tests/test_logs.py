"""Lines of log: readable ones and JSON."""

import json
import logging
import sys

from postroom.config import logs
from postroom.lib.about import about


def record(message: str, *values: object, error: bool = False) -> logging.LogRecord:
    try:
        raise ValueError("broken")
    except ValueError:
        info = sys.exc_info() if error else None
    return logging.LogRecord("postroom.sync", logging.WARNING, __file__, 1, message, values, info)


def test_a_line_of_json_has_mailbox_reference_and_request_in_fields_of_their_own() -> None:
    with about(request="7FAB-3KQM"):
        line = json.loads(logs.json_lines().format(record("mailbox %s: %s, reference %s", 7, "reauth", "8GAB-3KQM")))
    assert line["mailbox"] == 7 and line["reference"] == "8GAB-3KQM" and line["request"] == "7FAB-3KQM"
    assert line["level"] == "warning" and line["logger"] == "postroom.sync" and line["event"].startswith("mailbox 7")
    assert line["time"].endswith("Z") and line["pid"]


def test_a_traceback_stays_in_one_line_of_json() -> None:
    text = logs.json_lines().format(record("it broke", error=True))
    assert "\n" not in text and "ValueError: broken" in json.loads(text)["exception"]


def test_a_readable_line_says_what_it_is_about() -> None:
    with about(mailbox=7):
        assert logs.Readable(logs.LINE).format(record("slow")).endswith("postroom.sync: slow [mailbox=7]")
