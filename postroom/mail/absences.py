"""When somebody is back, read from their automatic reply. Pure; a reply that names no day answers ``None``."""

import re
from collections.abc import Iterator
from datetime import date, timedelta

LONGEST = timedelta(days=400)
_READ = 4_000  # characters

_MONTHS: dict[str, int] = {}
for _number, _names in enumerate(
    (
        "jan january januar jänner janvier enero ene gennaio gen janeiro januari styczeń stycznia sty",
        "feb february februar février fev févr fevereiro febrero febbraio febr februari luty lutego",
        "mar march märz mrz mars marzo março maart marca marzec",
        "apr april avril avr abril abr aprile kwietnia kwiecień",
        "may mai mayo maggio mag maio mei maj maja",
        "jun june juni juin junio jun giugno giu junho czerwca czerwiec",
        "jul july juli juillet juil julio luglio lug julho lipca lipiec",
        "aug august août aout agosto ago augustus augusti sierpnia sierpień",
        "sep sept september septembre septiembre settembre set setembro września wrzesień",
        "oct october oktober okt octobre octubre ottobre ott outubro out października październik",
        "nov november novembre noviembre novembro listopada listopad",
        "dec december dezember dez décembre déc diciembre dic dicembre dezembro desember grudnia grudzień",
    ),
    start=1,
):
    for _name in _names.split():
        _MONTHS.setdefault(_name, _number)

_NAME = r"([^\W\d_]{3,12})\.?"
_YEAR = r"(?:,?\s*(?:de\s+|of\s+)?(\d{4}))?"
_DAY = r"(\d{1,2})(?:st|nd|rd|th|er|º|°|\.)?"
_DATES = (
    (re.compile(r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b"), ("year", "month", "day")),
    (re.compile(r"\b(\d{1,2})\.\s?(\d{1,2})\.(?:\s?(\d{4}|\d{2}))?(?!\d)"), ("day", "month", "year")),
    (re.compile(r"\b(\d{1,2})/(\d{1,2})(?:/(\d{4}|\d{2}))?\b"), ("day", "month", "year")),
    (re.compile(rf"\b{_DAY}\s+(?:de\s+|of\s+)?{_NAME}{_YEAR}", re.IGNORECASE), ("day", "name", "year")),
    (re.compile(rf"\b{_NAME}\s+{_DAY}(?!\d|:){_YEAR}", re.IGNORECASE), ("name", "day", "year")),
)
# The words before a day that say whether it is the first day back or the last away.
_BACK = re.compile(
    r"(?:\b(?:back|return(?:ing|s)?|available|reachable|in the office)\b(?!.*\buntil\b)"
    r"|\b(?:wieder|zurück|erreichbar ab)\b"
    r"|\bde retour\b|\breviendrai\b|\bde vuelta\b|\bregreso\b|\bregresaré\b|\bdi ritorno\b|\brientr\w+|\bterug\b"
    r"|\bde volta\b|\bretorn\w+|\bz powrotem\b|\bwracam\b|\btilbage\b|\btillbaka\b)[^.!?\n]{0,60}$",
    re.IGNORECASE,
)
_AWAY = re.compile(
    r"(?:\b(?:until|till|til|through|thru|to|bis(?: zum| einschließlich)?|jusqu['’]au|jusqu['’]à|hasta(?: el)?|"
    r"fino al|al|até(?: o dia)?|tot(?: en met)?|t/m|do dnia|do|til og med|t\.o\.m\.)|[–—-])[\s:]*"
    r"(?:\w{2,10}day,?\s+|\w{2,10}tag,?\s+(?:den\s+)?|[^\W\d]{2,12},?\s+)?(?:the\s+|den\s+|dem\s+|le\s+|el\s+|il\s+)?$",
    re.IGNORECASE,
)
_FROM = re.compile(
    r"\b(?:ab|from|as of|starting|à partir du|a partir del|a partire dal|dal|vanaf|a partir de|od)"
    r"(?:\s+(?:dem|den|the|el|le|\w{2,10}(?:day|tag),?))*\s*$",
    re.IGNORECASE,
)
_AGAIN = re.compile(
    r"[^.!?\n]{0,50}\b(?:wieder|zurück|back|again|available|retour|disponible|reachable|terug|ritorno|volta|vuelta)\b",
    re.IGNORECASE,
)


def returns(text: str, written: date) -> date | None:
    """The first day back, as an automatic reply written on a day tells it: after that day and within a year or so.

    "Until the 6th" means back on the 7th; a weekend is not skipped. Where several days are named, the last counts.
    """
    text = text[:_READ]
    found = [
        day
        for start, end, one in _days(text, written)
        if (day := _back_on(text[max(0, start - 90) : start], text[end : end + 80], one))
        and written < day <= written + LONGEST
    ]
    return max(found) if found else None


def _back_on(before: str, after: str, day: date) -> date | None:
    """What the words around a day make of it; ``None``: it means something else."""
    if _FROM.search(before) and _AGAIN.match(after):
        return day
    if _AWAY.search(before):
        return day if _BACK.search(before) and not re.search(r"\b(?:until|bis)\b", before) else day + timedelta(days=1)
    return day if _BACK.search(before) else None


def _days(text: str, written: date) -> Iterator[tuple[int, int, date]]:
    """(where it begins, where it ends, the day) of what reads as one. Without a year: the next after ``written``."""
    for pattern, parts in _DATES:
        for match in pattern.finditer(text):
            told = dict(zip(parts, match.groups(), strict=True))
            month = _MONTHS.get((told.get("name") or "").lower().rstrip(".")) or int(told.get("month") or 0)
            if (day := _day(int(told["day"] or 0), month, told.get("year"), written)) is not None:
                yield match.start(), match.end(), day


def _day(day: int, month: int, year: str | None, written: date) -> date | None:
    if month > 12 >= day:  # 11/24/2026, as Americans write it
        day, month = month, day
    try:
        if year:
            return date(int(year) + (2000 if len(year) == 2 else 0), month, day)
        near = date(written.year, month, day)
        return near if near >= written - timedelta(days=60) else date(written.year + 1, month, day)
    except ValueError:
        return None
