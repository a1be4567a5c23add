"""Reading a table as spreadsheets save it, and writing one that they open without harm. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.core.exceptions import ValidationError

LARGEST = 8_000_000  # bytes
MOST_ROWS = 20_000
MOST_COLUMNS = 200
LONGEST_CELL = 20_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Table(NamedTuple):
    header: list[str]
    rows: list[list[str]]


def read(content: bytes) -> Table:
    """The table of a CSV file in whatever encoding and with whatever separator. Raises ValidationError.

    Rows are as long as the header; empty ones are left out.
    """
    if len(content) > LARGEST:
        raise ValidationError(f"The file is larger than {LARGEST // 1_000_000} MB. Split it into several.")
    text = _text(content)
    csv.field_size_limit(LARGEST)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=False))
    except csv.Error as problem:
        raise ValidationError(f"This is no table that can be read: {problem}.") from None
    filled = [[_cell(cell) for cell in line] for line in lines if any(cell.strip() for cell in line)]
    if len(filled) < 2:
        raise ValidationError("There must be a first row with the names of the columns, and rows below it.")
    header = filled[0]
    if len(header) > MOST_COLUMNS:
        raise ValidationError(f"There are {len(header)} columns; {MOST_COLUMNS} are possible.")
    if len(filled) - 1 > MOST_ROWS:
        raise ValidationError(f"There are {len(filled) - 1:,} rows; {MOST_ROWS:,} are possible. Split the file.")
    width = len(header)
    return Table(header, [(line + [""] * width)[:width] for line in filled[1:]])


def write(rows: Iterable[Sequence[str]]) -> Iterable[str]:
    """Lines of a CSV file. What a spreadsheet would take for a formula is led by an apostrophe."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    yield "\ufeff"  # spreadsheets know by it that this is UTF-8
    for row in rows:
        writer.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in row])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def _text(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _separator(text: str) -> str:
    first = text.split("\n", 1)[0]
    return max(",;\t|", key=first.count)


def _cell(cell: str) -> str:
    """What was typed: without the apostrophe that `write` puts before what looks like a formula."""
    plain = cell.replace("\x00", "").strip()[:LONGEST_CELL]
    return plain[1:] if plain.startswith("'") and plain[1:].startswith(_FORMULA) else plain
