"""How text is compared: without regard to case, accents and spacing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]+")


def clean(text: str) -> str:
    """One line without control characters, lone surrogates and doubled blanks, as every name is stored."""
    return " ".join(_CONTROL.sub(" ", text).split())


def fold(text: str) -> str:
    """The form two texts are compared in: "Müller & Söhne" and "MULLER & SOHNE" are the same."""
    # Folding case may compose or decompose again, and some marks decompose into a blank: so twice, and cleaned last.
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return clean("".join(char for char in folded if not unicodedata.combining(char)).casefold())


def search_text(parts: Iterable[str]) -> str:
    """What a list's filter looks in: the folded parts, one a line, so that no match runs over from one to the next."""
    return "\n".join(dict.fromkeys(folded for part in parts if (folded := fold(part))))
