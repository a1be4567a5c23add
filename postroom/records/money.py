"""Amounts as they are read: €84,000, £1,250.50, 84,000 CHF."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

SIGNS: dict[str, str] = {"EUR": "€", "GBP": "£", "USD": "$", "JPY": "¥", "INR": "₹"}
CURRENCIES: tuple[str, ...] = (
    *SIGNS,
    *("AED", "AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EGP", "HKD", "HUF", "ILS", "KRW", "MXN", "NOK", "NZD"),
    *("PLN", "RON", "SEK", "SGD", "TRY", "ZAR"),
)


CENTS_MATTER = 100  # of an estimate, below this


def money(amount: Decimal | None, currency: str) -> str:
    """An amount in a currency; decimals only where there are any; empty for None."""
    if amount is None:
        return ""
    number = f"{amount:,.0f}" if amount == amount.to_integral_value() else f"{amount:,.2f}"
    sign = SIGNS.get(currency)
    return f"{sign}{number}" if sign else f"{number} {currency}"


def weighted(amount: Decimal, chance: int) -> Decimal:
    """What of an amount is to be expected, exactly; `chance` is in per cent."""
    return amount * chance / 100


def roughly(amount: Decimal) -> Decimal:
    """An estimate without the cents that it cannot know; a small one stays as it is."""
    return amount.quantize(Decimal(1)) if abs(amount) >= CENTS_MATTER else amount


def totals(amounts: Iterable[tuple[str, Decimal]]) -> str:
    """Sums by currency, the largest first: "€84,000 + $12,000"."""
    sums: dict[str, Decimal] = {}
    for currency, amount in amounts:
        sums[currency] = sums.get(currency, Decimal(0)) + amount
    largest = sorted(sums.items(), key=lambda one: -one[1])
    return " + ".join(money(amount, currency) for currency, amount in largest)
