"""The figures, dates and names a storyline keeps to from its first mail to its last."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

MONTHS = {
    "en": [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    "de": [
        "Januar",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
    ],
    "fr": [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ],
    "es": [
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "septiembre",
        "octubre",
        "noviembre",
        "diciembre",
    ],
    "pt": [
        "janeiro",
        "fevereiro",
        "março",
        "abril",
        "maio",
        "junho",
        "julho",
        "agosto",
        "setembro",
        "outubro",
        "novembro",
        "dezembro",
    ],
    "ar": [
        "يناير",
        "فبراير",
        "مارس",
        "أبريل",
        "مايو",
        "يونيو",
        "يوليو",
        "أغسطس",
        "سبتمبر",
        "أكتوبر",
        "نوفمبر",
        "ديسمبر",
    ],
}
WEEKDAYS = {
    "en": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"],
    "de": ["Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag"],
    "fr": ["lundi", "mardi", "mercredi", "jeudi", "vendredi"],
    "es": ["lunes", "martes", "miércoles", "jueves", "viernes"],
    "pt": ["segunda-feira", "terça-feira", "quarta-feira", "quinta-feira", "sexta-feira"],
    "ja": ["月曜日", "火曜日", "水曜日", "木曜日", "金曜日"],
    "ar": ["الاثنين", "الثلاثاء", "الأربعاء", "الخميس", "الجمعة"],
}
_DATE = {"en": "{d} {m}", "de": "{d}. {m}", "fr": "{d} {m}", "es": "{d} de {m}", "pt": "{d} de {m}", "ar": "{d} {m}"}
CURRENCY = {"EUR": "€", "GBP": "£", "USD": "$"}
SITES = {
    "Contoso": ("Setúbal", "Porto", "Azambuja"),
    "Fabrikam": ("Wakefield", "Hull", "Doncaster"),
    "Vogt & Söhne": ("Bremerhaven", "Halle 4", "Oldenburg"),
    "Sato Logistics": ("Kobe", "Sakai", "Nagoya"),
    "Atelier Lumière": ("Villeurbanne", "Saint-Priest", "Vienne"),
    "Grupo Almazara": ("Carmona", "Jaén", "Écija"),
    "Nile Cold Chain": ("Alexandria", "10th of Ramadan", "Port Said"),
    "Tailspin Outdoor": ("Gresham", "Reno", "Salem"),
    "Wingtip Pharma": ("Naas", "Cork", "Athlone"),
}
_STATIONS = ("PACK-03", "Packing 7", "Dock 2", "RETURNS-1", "Line B", "GOODS-IN 4", "Cold store 1", "PACK-11", "Desk 5")
_EMPLOYERS = ("Halden Freight", "Orbit Retail", "Kestrel Systems", "Marais Textile", "Nordhafen", "Quill Software")
_PEOPLE = ("Marie", "Sven", "Aisha", "Pedro", "Kasia", "Liam", "Noor", "Ivan", "Greta", "Samir")
_CITIES = ("London", "Bremen", "Lyon", "Lisbon", "Leeds", "Osaka")


def date_text(moment: datetime, language: str) -> str:
    """A day of the year in words."""
    if language == "ja":
        return f"{moment.month}月{moment.day}日"
    return _DATE[language].format(d=moment.day, m=MONTHS[language][moment.month - 1])


def money(amount: float, currency: str, language: str = "en") -> str:
    """An amount as it is written in that language: £12,400.00 or 12.400,00 €."""
    text = f"{amount:,.2f}" if amount < 1000 else f"{amount:,.0f}"
    sign = CURRENCY[currency]
    if language in {"de", "es", "pt"}:
        return text.replace(",", "_").replace(".", ",").replace("_", ".") + f" {sign}"
    if language == "fr":
        return text.replace(",", "\u202f").replace(".", ",") + f" {sign}"
    return f"{sign}{text}"


def make(
    rng: random.Random, when: datetime, *, language: str = "en", company: str = "", **known: object
) -> dict[str, object]:
    """Facts for a storyline that starts at `when`; whatever is `known` already wins."""
    facts: dict[str, object] = {"company": company, "site": rng.choice(SITES.get(company, _CITIES))}
    return facts | _dates(rng, when, language) | _figures(rng, when, language) | _names(rng) | known


def _dates(rng: random.Random, when: datetime, language: str) -> dict[str, object]:
    def later(low: int, high: int) -> str:
        return date_text(when + timedelta(days=rng.randint(low, high)), language)

    quarter = (when.month + 3) // 3 if when.month < 10 else 4
    day = when + timedelta(days=rng.randint(1, 6))
    hour = rng.randint(8, 13)
    return {
        "start": later(35, 95),
        "end": later(20, 60),
        "valid": later(18, 35),
        "meeting": later(6, 14),
        "day": WEEKDAYS[language][day.weekday() % 5],
        "month": MONTHS.get(language, MONTHS["en"])[when.month - 1],
        "hour": hour,
        "hour2": hour + rng.randint(2, 5),
        "quarter": f"Q{quarter}",
        "nextquarter": f"Q{quarter % 4 + 1}",
        "year": when.year,
        "nextyear": when.year + 1,
        "week": when.isocalendar().week,
        "release": f"{when:%y}.{when.month}.{rng.randint(0, 4)}",
    }


def _figures(rng: random.Random, when: datetime, language: str) -> dict[str, object]:
    comma = "," if language == "en" else ""
    return {
        "qty": rng.randint(12, 80),
        "num": rng.randint(4, 39),
        "num2": rng.randint(2, 6),
        "sku": f"{rng.randint(12, 98)}{comma}{rng.randint(100, 999)}",
        "quote": f"Q-{when.year}-{rng.randint(100, 1899):04d}",
        "po": f"45{rng.randint(1000000, 9999999)}",
        "invoice": f"NW-{when:%y}{rng.randint(1000, 9899)}",
        "order": f"SO-{rng.randint(200000, 899999)}",
        "order2": f"SO-{rng.randint(200000, 899999)}",
        "delivery": f"D{rng.randint(10000, 98999)}",
        "ticket": f"NW-{rng.randint(10000, 99999)}",
        "profile": f"P{rng.randint(2, 19)}",
        "discount": rng.choice((4, 5, 6, 7, 8, 10, 12)),
        "threshold": f"{rng.choice((5, 10, 15, 20, 25, 40))},000",
        "phone": f"ext. {rng.randint(120, 899)}",
        "years": rng.randint(3, 14),
        "small": money(rng.randint(1900, 48900) / 100, "GBP"),
        "salary": f"£{rng.randint(38, 72)},000",
        "total": money(rng.randint(4200, 68000), rng.choice(("EUR", "GBP", "USD"))),
    }


def _names(rng: random.Random) -> dict[str, object]:
    return {
        "station": rng.choice(_STATIONS),
        "person": rng.choice(_PEOPLE),
        "other": rng.choice(_PEOPLE),
        "boss": "the director",
        "colleague": "Ben",
        "manager": "Mara",
        "finance": "Ruth",
        "hanna": "Hanna",
        "officecity": rng.choice(_CITIES),
        "city": rng.choice(_CITIES),
        "fair": rng.choice(("Hanover", "Lyon", "Milan", "Stuttgart", "Birmingham")),
        "employer": rng.choice(_EMPLOYERS),
        "ordinal": rng.choice(("third", "fifth", "second", "sixth")),
    }


def order_lines(
    rng: random.Random, goods: tuple[tuple[str, int, tuple[int, int]], ...], currency: str
) -> tuple[str, int, list[list[object]]]:
    """(text of a table, total, rows) for the goods of a deal: name, unit price, range of the quantity."""
    quantity = rng.randint(*goods[0][2])
    rows: list[list[object]] = []
    for name, price, (low, high) in goods:
        count = quantity if (low, high) == goods[0][2] else rng.randint(low, high)
        rows.append([name, count, price, count * price])
    total = sum(int(str(row[3])) for row in rows)
    lines = [
        f"{row[0]} | {row[1]} | {money(float(str(row[2])), currency)} | {money(float(str(row[3])), currency)}"
        for row in rows
    ]
    return "\n".join(["Item | Quantity | Each | Sum", *lines]), total, rows
