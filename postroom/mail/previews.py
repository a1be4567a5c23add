"""Attachments that a browser does not show by itself, as a page: text, tables, and what lies in an archive.

Pure: bytes or a file in, HTML without anything of the file's own in it but escaped text. Served under the policy of the
mail frame.
"""

import csv
import io
import struct
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from django.utils.html import escape

from postroom.ui.words import filesize

MAX_TEXT = 400_000  # bytes of a text that are shown
MAX_ROWS, MAX_COLUMNS = 500, 40
MAX_ENTRIES = 500
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


_CUT = '<p class="clipped">Only the beginning is shown. Save the file to see all of it.</p>'


class Inside(NamedTuple):
    """A file in an archive."""

    name: str
    size: int


# --- which -------------------------------------------------------------------------------------------------------

_BY_TYPE: Mapping[str, str] = {
    "text/plain": "text",
    "text/csv": "table",
    "text/tab-separated-values": "table",
    "text/markdown": "text",
    "text/calendar": "text",
    "text/x-log": "text",
    "application/json": "text",
    "message/delivery-status": "text",
    "text/rfc822-headers": "text",
    "application/zip": "zip",
    "application/x-zip-compressed": "zip",
    "application/ms-tnef": "tnef",
    "application/vnd.ms-tnef": "tnef",
}
_BY_NAME: Mapping[str, str] = {
    **dict.fromkeys(("txt", "log", "md", "json", "ics", "yaml", "yml", "ini", "sql", "xml", "vcf"), "text"),
    **dict.fromkeys(("csv", "tsv"), "table"),
    "zip": "zip",
    "winmail.dat": "tnef",
}
_SAYS_NOTHING = {"", "application/octet-stream", "text/plain", "application/vnd.ms-excel", "application/x-download"}


def kind_of(content_type: str, name: str) -> str:
    """text, table, zip or tnef; empty for what is only saved. The name counts where the type says little."""
    told = content_type.partition(";")[0].strip().lower()
    if told in _SAYS_NOTHING:
        found = _BY_NAME.get(name.lower()) or _BY_NAME.get(name.rpartition(".")[2].lower(), "")
        if found:
            return found
    return _BY_TYPE.get(told, "")


def page(kind: str, path: Path) -> str:
    """The inside of a page. What is broken says so."""
    match kind:
        case "zip":
            return _listed(_zipped(path))
        case "tnef":
            return _listed(_tnef(path))
        case _:
            text, cut = _text(path)
            shown = _table(text) if kind == "table" else f"<pre>{escape(text)}</pre>"
            return shown + (_CUT if cut else "")


# --- text --------------------------------------------------------------------------------------------------------


def _text(path: Path) -> tuple[str, bool]:
    with path.open("rb") as file:
        raw = file.read(MAX_TEXT + 1)
    return decoded(raw[:MAX_TEXT]), len(raw) > MAX_TEXT


def decoded(raw: bytes) -> str:
    """By its mark, as UTF-8 where that fits (a cut last character is forgiven), else as Windows writes it."""
    for mark, charset in _MARKS:
        if raw.startswith(mark):
            return raw.decode(charset, "replace")
    try:
        return raw.decode()
    except UnicodeDecodeError as odd:
        if odd.start >= len(raw) - 3:
            return raw[: odd.start].decode()
    return raw.decode("cp1252", "replace")


def _table(text: str) -> str:
    rows = list(_rows(text))
    if not rows:
        return f"<pre>{escape(text)}</pre>"
    head, *rest = rows
    body = "".join(f"<tr>{_cells(row, 'td')}</tr>" for row in rest)
    return f'<table class="grid"><thead><tr>{_cells(head, "th")}</tr></thead><tbody>{body}</tbody></table>'


def _rows(text: str) -> Iterator[Sequence[str]]:
    try:
        dialect: type[csv.Dialect] | str = csv.Sniffer().sniff(text[:4_000], delimiters=",;\t|")
    except csv.Error:
        dialect = "excel"
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text), dialect)):
            if number > MAX_ROWS:
                return
            if row:
                yield row[:MAX_COLUMNS]
    except csv.Error:
        return


def _cells(row: Sequence[str], tag: str) -> str:
    return "".join(f"<{tag}>{escape(cell[:500])}</{tag}>" for cell in row)


# --- archives ----------------------------------------------------------------------------------------------------


def _listed(files: Sequence[Inside] | None) -> str:
    if files is None:
        return "<p><em>This archive cannot be read. It may be damaged or encrypted.</em></p>"
    if not files:
        return "<p><em>There is nothing in this archive.</em></p>"
    rows = "".join(
        f'<tr><td>{escape(one.name)}</td><td class="number">{filesize(one.size)}</td></tr>'
        for one in files[:MAX_ENTRIES]
    )
    more = f"<p><em>and {len(files) - MAX_ENTRIES:,} more</em></p>" if len(files) > MAX_ENTRIES else ""
    head = "<thead><tr><th>In the archive</th><th>Size</th></tr></thead>"
    return f'<table class="grid">{head}<tbody>{rows}</tbody></table>{more}'


def _zipped(path: Path) -> list[Inside] | None:
    """The files named in the directory of a zip archive; nothing is unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            return [Inside(one.filename[:300], one.file_size) for one in archive.infolist() if not one.is_dir()]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return None


_TNEF, _TITLE, _DATA, _RENDERING = 0x223E9F78, 0x8010, 0x800F, 0x9002
MAX_TNEF = 50_000_000


def _tnef(path: Path) -> list[Inside] | None:
    """The attachments in a winmail.dat ([MS-OXTNEF] 2.1.3): each begins with its rendering."""
    raw = path.read_bytes()[:MAX_TNEF]
    if len(raw) < 6 or struct.unpack_from("<I", raw)[0] != _TNEF:
        return None
    found: list[Inside] = []
    at = 6
    while at + 11 <= len(raw):
        _, name, _, length = struct.unpack_from("<BHHI", raw, at)
        value = raw[at + 9 : at + 9 + length]
        at += 9 + length + 2
        if name == _RENDERING:
            found.append(Inside("attachment", 0))
        elif name == _TITLE and found:
            found[-1] = found[-1]._replace(name=value.rstrip(b"\0").decode("cp1252", "replace")[:300])
        elif name == _DATA and found:
            found[-1] = found[-1]._replace(size=length)
    return found
