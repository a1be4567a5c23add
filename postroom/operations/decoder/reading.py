"""From any pasted text to the codes in it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from postroom.operations.decoder.aadsts import AADSTS, Row
from postroom.operations.decoder.graph_codes import GRAPH, SPELLING
from postroom.operations.decoder.remedies import REMEDIES, Remedy, Retry, Who

MOST = 20_000  # characters that are looked at
MOST_CODES = 8
_NUMBER = re.compile(r"AADSTS\s?(\d{4,8})", re.IGNORECASE)
_BARE_NUMBER = re.compile(r"\s*(\d{5,8})\s*")
_WORD = re.compile(r"[A-Za-z][A-Za-z_]{4,80}")
_UNKNOWN_GRAPH = re.compile(r"\bError[A-Z][A-Za-z]{3,60}\b")
_GUID = r"([0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})"
_IDS = {
    "Trace ID": re.compile(rf"trace[_ ]?id[\"':\s]+{_GUID}", re.IGNORECASE),
    "Correlation ID": re.compile(rf"correlation[_ ]?id[\"':\s]+{_GUID}", re.IGNORECASE),
    "Request ID": re.compile(rf"(?<!client-)request-id[\"':\s]+{_GUID}", re.IGNORECASE),
    "Client request ID": re.compile(rf"client-request-id[\"':\s]+{_GUID}", re.IGNORECASE),
    "Time": re.compile(r"(?:timestamp|date)[\"':\s]+(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\dZ?)", re.IGNORECASE),
}
# Words that are codes only where they stand alone or in an answer: in a sentence they are English.
_EVERYDAY = frozenset({"badrequest", "notallowed", "notsupported", "accessdenied", "server_error", "access_denied"})


@dataclass(frozen=True)
class Explained:
    """One code. ``known`` is false for a code that is in no table: then the rest says so and guesses nothing."""

    code: str
    title: str
    meaning: str
    remedy: Remedy
    known: bool = True


@dataclass(frozen=True)
class Answer:
    """All that a text holds; ``ids`` are what Microsoft's support asks for (trace, correlation, request, time)."""

    found: list[Explained]
    ids: dict[str, str] = field(default_factory=dict)


def explain(text: str) -> Answer:
    """The codes in a pasted error text, JSON body, page or bare number, the most exact first."""
    text = text[:MOST]
    numbers = list(dict.fromkeys(_numbers(text)))
    words = [word for word in dict.fromkeys(_words(text)) if not (numbers and _is_wrapper(word))]
    found = [_of_number(number) for number in numbers] + [_of_word(word) for word in words]
    ids = {name: match[1] for name, pattern in _IDS.items() if (match := pattern.search(text))}
    return Answer(found[:MOST_CODES], ids)


def _is_wrapper(word: str) -> bool:
    """The token endpoint's words only wrap a number, which says more."""
    return "_" in word and word.lower() in GRAPH


def _numbers(text: str) -> Iterator[int]:
    if bare := _BARE_NUMBER.fullmatch(text):
        yield int(bare[1])
    yield from (int(digits) for digits in _NUMBER.findall(text))
    yield from _listed(_parsed(text))


def _listed(body: object) -> Iterator[int]:
    """``error_codes`` of the token endpoint's body."""
    codes = body.get("error_codes") if isinstance(body, dict) else None
    for code in codes if isinstance(codes, list) else ():
        if isinstance(code, int) and not isinstance(code, bool):
            yield code


def _words(text: str) -> Iterator[str]:
    """Known words, the innermost of a JSON envelope first: outer ones are often only wrappers (graph.md 5)."""
    nested = list(_nested(_parsed(text)))
    yield from reversed(nested)
    alone = len(text.split()) == 1
    for word in _WORD.findall(text):
        if word.lower() in GRAPH and (alone or word.lower() not in _EVERYDAY):
            yield SPELLING[word.lower()]
    yield from _UNKNOWN_GRAPH.findall(text)


def _nested(body: object) -> Iterator[str]:
    node = body.get("error") if isinstance(body, dict) else None
    if isinstance(node, str) and node:
        yield SPELLING.get(node.lower(), node[:80])
    for _ in range(8):
        if not isinstance(node, dict):
            return
        code = node.get("code")
        if isinstance(code, str) and code and not code.isdecimal():
            yield SPELLING.get(code.lower(), code[:80])
        node = node.get("innerError") or node.get("innererror")


def _parsed(text: str) -> object:
    """The first JSON object in the text, or None."""
    start = text.find("{")
    if start < 0:
        return None
    try:
        return json.JSONDecoder().raw_decode(text[start:])[0]
    except (ValueError, RecursionError):
        return None


def _of_number(number: int) -> Explained:
    row = AADSTS.get(number)
    return _explained(f"AADSTS{number}", row) if row else _unknown(f"AADSTS{number}")


def _of_word(word: str) -> Explained:
    row = GRAPH.get(word.lower())
    return _explained(word, row) if row else _unknown(word)


def _explained(code: str, row: Row) -> Explained:
    return Explained(code, row.title, row.meaning, REMEDIES[row.remedy])


def _unknown(code: str) -> Explained:
    where = (
        f"Open https://login.microsoftonline.com/error?code={code[6:]} for Microsoft's own words."
        if _entra(code)
        else ""
    )
    todo = f"Postroom's table does not have this code, so this is no advice but a start. {where}".strip()
    steps = ("entra.microsoft.com → Identity → Monitoring & health → Sign-in logs → the failed sign-in",)
    return Explained(
        code,
        "Not in our table",
        "We do not know what Microsoft means by this code.",
        Remedy(Who.ADMIN if _entra(code) else Who.OPERATOR, todo, steps if _entra(code) else (), Retry.NO),
        known=False,
    )


def _entra(code: str) -> bool:
    return code.startswith("AADSTS")
