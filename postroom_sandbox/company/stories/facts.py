"""The figures, dates and names a storyline keeps to from its first mail to its last."""

from __future__ import annotations

import random
from collections.abc import Mapping
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
    day = when + timedelta(days=rng.randint(1, 6))
    quarter = (when.month + 3) // 3 if when.month < 10 else 4
    hour = rng.randint(8, 13)
    facts: dict[str, object] = {
        "company": company,
        "site": rng.choice(SITES.get(company, _CITIES)),
        "station": rng.choice(_STATIONS),
        "start": date_text(when + timedelta(days=rng.randint(35, 95)), language),
        "end": date_text(when + timedelta(days=rng.randint(20, 60)), language),
        "valid": date_text(when + timedelta(days=rng.randint(18, 35)), language),
        "meeting": date_text(when + timedelta(days=rng.randint(6, 14)), language),
        "day": WEEKDAYS.get(language, WEEKDAYS["en"])[day.weekday() % 5],
        "month": MONTHS.get(language, MONTHS["en"])[when.month - 1],
        "hour": hour,
        "hour2": hour + rng.randint(2, 5),
        "qty": rng.randint(12, 80),
        "num": rng.randint(4, 39),
        "num2": rng.randint(2, 6),
        "sku": f"{rng.randint(12, 98)}{rng.choice((',', '')) if language == 'en' else ''}{rng.randint(100, 999)}",
        "quarter": f"Q{quarter}",
        "nextquarter": f"Q{quarter % 4 + 1}",
        "year": when.year,
        "nextyear": when.year + 1,
        "week": when.isocalendar().week,
        "quote": f"Q-{when.year}-{rng.randint(100, 1899):04d}",
        "po": f"45{rng.randint(1000000, 9999999)}",
        "invoice": f"NW-{when:%y}{rng.randint(1000, 9899)}",
        "order": f"SO-{rng.randint(200000, 899999)}",
        "order2": f"SO-{rng.randint(200000, 899999)}",
        "delivery": f"D{rng.randint(10000, 98999)}",
        "ticket": f"NW-{rng.randint(1, 9)}{rng.randint(1000, 9999)}",
        "profile": f"P{rng.randint(2, 19)}",
        "discount": rng.choice((4, 5, 6, 7, 8, 10, 12)),
        "threshold": f"{rng.choice((5, 10, 15, 20, 25, 40))},000",
        "phone": f"ext. {rng.randint(120, 899)}",
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
        "release": f"{when:%y}.{when.month}.{rng.randint(0, 4)}",
        "years": rng.randint(3, 14),
        "employer": rng.choice(_EMPLOYERS),
        "ordinal": rng.choice(("third", "fifth", "second", "sixth")),
        "small": money(rng.randint(1900, 48900) / 100, "GBP"),
        "salary": f"£{rng.randint(38, 72)},000",
        "total": money(rng.randint(4200, 68000), rng.choice(("EUR", "GBP", "USD"))),
    }
    facts.update(known)
    return facts


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


def known(facts: Mapping[str, object], name: str) -> str:
    """A fact as text."""
    return str(facts[name])
