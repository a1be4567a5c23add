"""What a text/calendar part says of a meeting (RFC 5545, 5546), as far as a reader of the mail wants to know.

Pure and forgiving: calendars are written by hundreds of programs. What cannot be read is left out; what is no calendar
answers ``None``. Nothing in here is trusted: texts are cut, links are only those of the web.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple

from msgspec import Struct

from postroom.mail import zones
from postroom.mail.text import storable

MAX_READ = 1_000_000  # characters
_MOST_LINES = 20_000
_MOST_PEOPLE = 300
_DURATION = re.compile(r"([+-]?)P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?\Z")
_ESCAPED = re.compile(r"\\([\\;,nN])")
_LINK = re.compile(r"https://[^\s<>\"']{4,1500}")
_JOIN = (
    "X-MICROSOFT-SKYPETEAMSMEETINGURL",
    "X-MICROSOFT-ONLINEMEETINGEXTERNALLINK",
    "X-GOOGLE-CONFERENCE",
    "CONFERENCE",
)
_MEETING_HOSTS = re.compile(
    r"https://(?:teams\.microsoft\.com/|teams\.live\.com/|[\w.-]*zoom\.us/[jw]|meet\.google\.com/|[\w.-]*webex\.com/|"
    r"meet\.jit\.si/|[\w.-]*gotomeeting\.com/|[\w.-]*whereby\.com/)",
    re.IGNORECASE,
)
_ANSWERS = {"ACCEPTED": "accepted", "DECLINED": "declined", "TENTATIVE": "tentative"}


class Guest(Struct, frozen=True):
    """Somebody who is asked. ``answer``: accepted, declined, tentative, or empty."""

    name: str
    address: str
    answer: str = ""
    optional: bool = False


class Meeting(Struct, frozen=True, kw_only=True):
    """One meeting as a mail tells it. ``method``: request, cancel, reply, counter, publish …

    ``start`` and ``end`` are aware, and midnights of ``all_day`` events in UTC, of which only the date counts (``end``
    is the last day). ``zone`` is how the writer calls theirs. ``rule``: an RRULE's parts; ``only``: of a series, this
    time alone.
    """

    method: str
    title: str
    start: datetime | None
    end: datetime | None
    all_day: bool = False
    zone: str = ""
    place: str = ""
    join: str = ""
    text: str = ""
    organizer: Guest | None = None
    guests: tuple[Guest, ...] = ()
    rule: dict[str, str] = {}
    only: bool = False
    changed: bool = False  # not told for the first time (SEQUENCE)
    more: int = 0  # events beside this one

    @property
    def cancelled(self) -> bool:
        return self.method == "cancel"


class _Line(NamedTuple):
    name: str
    parameters: Mapping[str, str]
    value: str


_Event = dict[str, list[_Line]]


def read(text: str) -> Meeting | None:
    """The first meeting of a calendar."""
    lines = list(_lines(storable(text[:MAX_READ])))
    if not any(line.name == "BEGIN" and line.value.upper() == "VCALENDAR" for line in lines):
        return None
    events = [_fields(part) for part in _parts(lines, "VEVENT")]
    if not events:
        return None
    # A series may come with its exceptions: the whole first.
    event = next((one for one in events if "RECURRENCE-ID" not in one), events[0])
    return _meeting(event, _zones(lines), method=_method(lines, event), more=len(events) - 1)


def _meeting(event: _Event, rules: Mapping[str, list[zones.Turn]], *, method: str, more: int) -> Meeting:
    start, all_day, zone = _moment(event, "DTSTART", rules)
    place, text = _text(event, "LOCATION", 500), _text(event, "DESCRIPTION", 5_000)
    return Meeting(
        method=method,
        title=_text(event, "SUMMARY", 500),
        start=start,
        end=_end(event, start, all_day, rules),
        all_day=all_day,
        zone=zone,
        place=place,
        join=_join(event, place, text),
        text=text,
        organizer=next(iter(_people(event, "ORGANIZER")), None),
        guests=tuple(_people(event, "ATTENDEE")),
        rule=_parts_of(event["RRULE"][0].value) if "RRULE" in event else {},
        only="RECURRENCE-ID" in event,
        changed=_text(event, "SEQUENCE", 10) not in ("", "0"),
        more=more,
    )


def _method(lines: Sequence[_Line], event: _Event) -> str:
    if _text(event, "STATUS", 20).upper() == "CANCELLED":
        return "cancel"
    return next((line.value.strip().lower()[:20] for line in lines if line.name == "METHOD"), "publish")


# --- lines -------------------------------------------------------------------------------------------------------


def _lines(text: str) -> Iterator[_Line]:
    """Content lines, unfolded (3.1)."""
    unfolded = re.sub(r"\r?\n[ \t]", "", text.lstrip("\ufeff"))
    for line in unfolded.splitlines()[:_MOST_LINES]:
        head, value = _split(line)
        name, *parameters = _outside_quotes(head)
        told = (one.partition("=") for one in parameters)
        if name:
            yield _Line(name.strip().upper(), {key.upper(): word.strip('"') for key, _, word in told}, value)


def _split(line: str) -> tuple[str, str]:
    """Name with parameters, and value: at the first colon that stands in no quotes."""
    quoted = False
    for at, sign in enumerate(line):
        if sign == '"':
            quoted = not quoted
        elif sign == ":" and not quoted:
            return line[:at], line[at + 1 :]
    return "", ""


def _outside_quotes(head: str) -> list[str]:
    """The parts between semicolons that stand in no quotes."""
    if '"' not in head:
        return head.split(";")
    parts, quoted = [""], False
    for piece in re.split('([";])', head[:20_000]):
        quoted ^= piece == '"'
        if piece == ";" and not quoted:
            parts.append("")
        else:
            parts[-1] += piece
    return parts


def _parts(lines: Sequence[_Line], kind: str) -> Iterator[list[_Line]]:
    """The lines of each component of a kind, without those of components inside it (alarms)."""
    found: list[_Line] | None = None
    inside = 0
    for line in lines:
        word = line.value.strip().upper()
        if line.name == "BEGIN":
            if found is not None:
                inside += 1
            elif word == kind:
                found = []
        elif line.name == "END" and found is not None:
            if inside:
                inside -= 1
            else:
                yield found
                found = None
        elif found is not None and not inside:
            found.append(line)
    if found:  # cut off
        yield found


def _fields(lines: Sequence[_Line]) -> _Event:
    found: _Event = {}
    for line in lines:
        found.setdefault(line.name, []).append(line)
    return found


def _text(event: _Event, name: str, most: int) -> str:
    lines = event.get(name)
    if not lines:
        return ""
    plain = _ESCAPED.sub(lambda sign: "\n" if sign[1] in "nN" else sign[1], lines[0].value)
    return "".join(c for c in plain if c.isprintable() or c == "\n").strip()[:most]


# --- people, places ----------------------------------------------------------------------------------------------


def _people(event: _Event, name: str) -> Iterator[Guest]:
    for line in event.get(name, ())[:_MOST_PEOPLE]:
        told = line.parameters
        address = re.sub(r"(?i)\Amailto:", "", line.value.strip())[:320]
        if "@" not in address:
            address = told.get("EMAIL", "")[:320]
        if told.get("CUTYPE", "").upper() in {"ROOM", "RESOURCE"} or not (address or told.get("CN")):
            continue
        yield Guest(
            (told.get("CN", "") or address)[:200],
            address,
            _ANSWERS.get(told.get("PARTSTAT", "").upper(), ""),
            told.get("ROLE", "").upper() == "OPT-PARTICIPANT",
        )


def _join(event: _Event, place: str, text: str) -> str:
    """Where to join: a field made for it, else an address of a meeting service in the place or the text."""
    for name in _JOIN:
        for line in event.get(name, ()):
            if found := _LINK.match(line.value.strip()):
                return found[0]
    links = (found[0].rstrip(".,;)]>") for one in (place, text) for found in _LINK.finditer(one))
    return next((link for link in links if _MEETING_HOSTS.match(link)), "")


# --- times -------------------------------------------------------------------------------------------------------


def _moment(event: _Event, name: str, rules: Mapping[str, list[zones.Turn]]) -> tuple[datetime | None, bool, str]:
    """(the moment, whether it is a whole day, the writer's name for the zone)."""
    lines = event.get(name)
    if not lines:
        return None, False, ""
    told, value = lines[0].parameters, lines[0].value.strip()
    try:
        if len(value) == 8:
            day = date(int(value[:4]), int(value[4:6]), int(value[6:8]))
            return datetime(day.year, day.month, day.day, tzinfo=UTC), True, ""
        local = datetime.strptime(value.rstrip("Z")[:15], "%Y%m%dT%H%M%S")  # noqa: DTZ007 -- its zone follows
        zone = told.get("TZID", "").strip('"')[:100]
        return (
            local.replace(tzinfo=UTC if value.endswith("Z") else _zone(zone, local, rules)).astimezone(UTC),
            False,
            zone,
        )
    except (ValueError, OverflowError):
        return None, False, ""


def _zone(name: str, local: datetime, rules: Mapping[str, list[zones.Turn]]) -> tzinfo:
    known = zones.named(name) if name else None
    return known or zones.by_rules(rules.get(name, []), local)


def _end(
    event: _Event, start: datetime | None, all_day: bool, rules: Mapping[str, list[zones.Turn]]
) -> datetime | None:
    end, _, _ = _moment(event, "DTEND", rules)
    if start is None:
        return None
    if end is None:
        end = start + _duration(event) if "DURATION" in event else start + timedelta(days=1 if all_day else 0)
    end = end - timedelta(days=1) if all_day else end  # DTEND is the first day that is no longer part of it
    return max(end, start)


def _duration(event: _Event) -> timedelta:
    match = _DURATION.match(event["DURATION"][0].value.strip())
    if not match or match[1] == "-":
        return timedelta()
    weeks, days, hours, minutes, seconds = (min(int(part or 0), 100_000) for part in match.groups()[1:])
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)


def _zones(lines: Sequence[_Line]) -> dict[str, list[zones.Turn]]:
    """The rules of the zones a calendar brings, by their names."""
    found: dict[str, list[zones.Turn]] = {}
    name, offset, rule = "", "", ""
    for line in lines:
        if line.name == "TZID" and not line.parameters:
            name = line.value.strip().strip('"')[:100]
        elif line.name == "TZOFFSETTO":
            offset = line.value.strip()
        elif line.name == "RRULE":
            rule = line.value
        elif line.name == "END" and line.value.strip().upper() in {"STANDARD", "DAYLIGHT"}:
            if (turn := zones.turn(offset, _parts_of(rule))) is not None:
                found.setdefault(name, []).append(turn)
            offset = rule = ""
    return found


def _parts_of(rule: str) -> dict[str, str]:
    parts = (part.partition("=") for part in rule[:500].upper().split(";"))
    return {key.strip(): value.strip() for key, _, value in parts if value}
