"""Small real files to attach: PDF, PNG, CSV, Word and calendar files, made byte by byte, equal for equal input."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from xml.sax.saxutils import escape

_EPOCH = (2020, 1, 1, 0, 0, 0)


def pdf(title: str, lines: Sequence[str]) -> bytes:
    """A one-page A4 PDF with a heading and lines of Helvetica. Letters outside Latin-1 become '?'."""
    text = [f"BT /F2 17 Tf 56 780 Td {_pdf_text(title)} Tj ET"]
    text += [f"BT /F1 10 Tf 56 {748 - 15 * row} Td {_pdf_text(line)} Tj ET" for row, line in enumerate(lines[:46])]
    stream = zlib.compress("\n".join(text).encode("latin-1", "replace"))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R/F2 6 0 R>>>>>>",
        b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(stream), stream),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica-Bold/Encoding/WinAnsiEncoding>>",
    ]
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


def _pdf_text(text: str) -> str:
    plain = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    return f"({plain.encode('cp1252', 'replace').decode('latin-1')})"


def png(width: int, height: int, rows: Sequence[bytes]) -> bytes:
    """An 8-bit RGB picture from `height` rows of `width * 3` bytes."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bar_chart(values: Sequence[int], colour: tuple[int, int, int] = (45, 96, 200)) -> bytes:
    """A small bar chart as PNG."""
    width, height, gap = 36 * len(values) + 24, 160, 12
    top = max(values) or 1
    heights = [round(value / top * (height - 28)) for value in values]
    rows = []
    for y in range(height):
        row = bytearray(b"\xff\xff\xff" * width)
        for number, tall in enumerate(heights):
            left = gap + number * 36 + 6
            if height - 12 - tall <= y < height - 12:
                row[left * 3 : (left + 24) * 3] = bytes(colour) * 24
        if y == height - 12:
            row[gap * 3 : (width - gap) * 3] = b"\x99\x99\x99" * (width - 2 * gap)
        rows.append(bytes(row))
    return png(width, height, rows)


def logo(colour: tuple[int, int, int], size: int = 40) -> bytes:
    """A square company mark: a rounded tile with two diagonal strokes."""
    rows, middle = [], size // 2
    for y in range(size):
        row = bytearray()
        for x in range(size):
            corner = max(abs(x - middle), abs(y - middle)) + min(abs(x - middle), abs(y - middle)) // 3
            stroke = abs((x - y) % middle) < 4 and 8 <= x < size - 8 and 8 <= y < size - 8
            row += b"\xff\xff\xff" if corner > middle + 4 or stroke else bytes(colour)
        rows.append(bytes(row))
    return png(size, size, rows)


def csv(rows: Sequence[Sequence[object]]) -> bytes:
    """Comma-separated, CRLF, with the byte order mark spreadsheet programs look for."""
    lines = (",".join(_cell(value) for value in row) for row in rows)
    return ("\ufeff" + "\r\n".join(lines) + "\r\n").encode()


def _cell(value: object) -> str:
    text = str(value)
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\n') else text


_DOCX_PARTS = {
    "[Content_Types].xml": '<?xml version="1.0" encoding="UTF-8"?>'
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/word/document.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>',
    "_rels/.rels": '<?xml version="1.0" encoding="UTF-8"?>'
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
    'officeDocument" Target="word/document.xml"/></Relationships>',
}
_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def docx(title: str, paragraphs: Sequence[str]) -> bytes:
    """A Word document with a bold heading and plain paragraphs."""
    heading = f"<w:p><w:r><w:rPr><w:b/><w:sz w:val='32'/></w:rPr><w:t>{escape(title)}</w:t></w:r></w:p>"
    body = "".join(f"<w:p><w:r><w:t>{escape(text)}</w:t></w:r></w:p>" for text in paragraphs)
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    document = f'{head}<w:document xmlns:w="{_W}"><w:body>{heading}{body}</w:body></w:document>'
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**_DOCX_PARTS, "word/document.xml": document}.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content)
    return out.getvalue()


def ics(
    *,
    uid: str,
    summary: str,
    start: datetime,
    minutes: int,
    organizer: tuple[str, str],
    attendees: Sequence[tuple[str, str]],
    location: str = "",
    method: str = "REQUEST",
    status: str = "NEEDS-ACTION",
    stamp: datetime | None = None,
    weekly: bool = False,
) -> bytes:
    """One VEVENT (RFC 5545). `start` is aware; people are (name, address); `status` is the attendees' PARTSTAT."""
    end = start + timedelta(minutes=minutes)
    lines = [
        "BEGIN:VCALENDAR",
        "PRODID:-//Northwind//Calendar//EN",
        "VERSION:2.0",
        f"METHOD:{method}",
        "BEGIN:VEVENT",
        f"UID:{uid}",
        f"DTSTAMP:{(stamp or start):%Y%m%dT%H%M%SZ}",
        f"DTSTART:{start:%Y%m%dT%H%M%SZ}",
        f"DTEND:{end:%Y%m%dT%H%M%SZ}",
        f"SUMMARY:{_ics_text(summary)}",
        *([f"LOCATION:{_ics_text(location)}"] if location else []),
        *(["RRULE:FREQ=WEEKLY"] if weekly else []),
        f'ORGANIZER;CN="{organizer[0]}":mailto:{organizer[1]}',
        *(
            f'ATTENDEE;CN="{name}";ROLE=REQ-PARTICIPANT;PARTSTAT={status};RSVP=TRUE:mailto:{address}'
            for name, address in attendees
        ),
        f"STATUS:{'CANCELLED' if method == 'CANCEL' else 'CONFIRMED'}",
        "SEQUENCE:0",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]
    return "\r\n".join(_fold(line) for line in lines).encode()


def _ics_text(text: str) -> str:
    return text.replace("\\", "\\\\").replace(";", r"\;").replace(",", r"\,").replace("\n", r"\n")


def _fold(line: str) -> str:
    """Lines of at most 73 characters, continued with a blank."""
    return "\r\n ".join(line[start : start + 70] for start in range(0, len(line), 70)) or line
