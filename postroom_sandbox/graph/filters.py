"""`$filter` on messages: the language (graph.md 2.3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from postroom_sandbox.clock import parse_iso
from postroom_sandbox.graph.call import bad_request
from postroom_sandbox.http import ApiError

_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^']|'')*')|(?P<date>\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:?\d\d)?)?)"
    r"|(?P<number>-?\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][\w./]*)|(?P<mark>[(),:]))"
)
_OPERATORS = {"eq", "ne", "gt", "ge", "lt", "le"}
_FUNCTIONS = {"contains", "startswith", "endswith"}
MAX_DEPTH = 50

Value = str | bool | float | None


@dataclass(frozen=True, slots=True)
class Compare:
    """`field operator value`."""

    field: str
    operator: str
    value: Value


@dataclass(frozen=True, slots=True)
class Function:
    """`contains(field, 'x')` and its like."""

    name: str
    field: str
    value: str


@dataclass(frozen=True, slots=True)
class AnyOf:
    """`field/any(x:test)`; inside, fields are relative to the variable."""

    field: str
    test: Test


@dataclass(frozen=True, slots=True)
class Logic:
    """`and`, `or`, `not`."""

    operator: str
    parts: tuple[Test, ...]


Test = Compare | Function | AnyOf | Logic


def syntax_error(detail: str) -> ApiError:
    """400 for a filter that is no filter."""
    return bad_request(f"Invalid filter clause: {detail}")


def parse_filter(text: str) -> Test:
    """The tree of a filter. Raises `ApiError` 400."""
    parser = _Parser(list(_tokens(text)))
    test = parser.disjunction(0)
    if parser.peek() != ("end", ""):
        raise syntax_error(f"unexpected '{parser.peek()[1]}'")
    return test


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at, text = 0, text.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if not found or found.lastgroup is None:
            raise syntax_error(f"syntax error at position {at} in '{text}'")
        yield found.lastgroup, found[found.lastgroup]
        at = found.end()


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0

    def peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def take(self) -> tuple[str, str]:
        token = self.peek()
        self._at += 1
        return token

    def expect(self, mark: str) -> None:
        if self.take() != ("mark", mark):
            raise syntax_error(f"'{mark}' expected")

    def _word(self, *words: str) -> bool:
        kind, text = self.peek()
        if kind == "name" and text.lower() in words:
            self._at += 1
            return True
        return False

    def disjunction(self, depth: int) -> Test:
        parts = [self._conjunction(depth)]
        while self._word("or"):
            parts.append(self._conjunction(depth))
        return parts[0] if len(parts) == 1 else Logic("or", tuple(parts))

    def _conjunction(self, depth: int) -> Test:
        parts = [self._negation(depth)]
        while self._word("and"):
            parts.append(self._negation(depth))
        return parts[0] if len(parts) == 1 else Logic("and", tuple(parts))

    def _negation(self, depth: int) -> Test:
        if depth > MAX_DEPTH:
            raise syntax_error("the expression is nested too deeply")
        if self._word("not"):
            return Logic("not", (self._negation(depth + 1),))
        if self.peek() == ("mark", "("):
            self.take()
            inner = self.disjunction(depth + 1)
            self.expect(")")
            return inner
        return self._leaf(depth)

    def _leaf(self, depth: int) -> Test:
        kind, name = self.take()
        if kind != "name":
            raise syntax_error(f"a property is expected, not '{name}'")
        if name.lower() in _FUNCTIONS:
            return self._function(name.lower())
        if name.lower().endswith("/any"):
            return self._any(name[:-4], depth)
        operator = self.take()[1].lower()
        if operator not in _OPERATORS:
            raise syntax_error(f"operator expected after '{name}'")
        return Compare(name, operator, self._value())

    def _function(self, name: str) -> Test:
        self.expect("(")
        field = self.take()[1]
        self.expect(",")
        value = self._value()
        self.expect(")")
        if not isinstance(value, str):
            raise syntax_error(f"{name} needs a string")
        return Function(name, field, value)

    def _any(self, field: str, depth: int) -> Test:
        self.expect("(")
        variable = self.take()[1]
        self.expect(":")
        test = self.disjunction(depth + 1)
        self.expect(")")
        return AnyOf(field, _without(test, variable))

    def _value(self) -> Value:
        kind, text = self.take()
        if kind == "string":
            return text[1:-1].replace("''", "'")
        if kind == "date":
            return _instant(text)
        if kind == "number":
            return float(text)
        if kind == "name" and text.lower() in ("true", "false"):
            return text.lower() == "true"
        if kind == "name" and text.lower() == "null":
            return None
        raise syntax_error(f"a value is expected, not '{text}'")


def _instant(text: str) -> float:
    try:
        return parse_iso(text).timestamp()
    except (ValueError, OverflowError):
        raise syntax_error(f"'{text}' is no date") from None


def _without(test: Test, variable: str) -> Test:
    def strip(field: str) -> str:
        return "" if field == variable else field.removeprefix(f"{variable}/")

    if isinstance(test, Compare):
        return Compare(strip(test.field), test.operator, test.value)
    if isinstance(test, Function):
        return Function(test.name, strip(test.field), test.value)
    if isinstance(test, Logic):
        return Logic(test.operator, tuple(_without(part, variable) for part in test.parts))
    raise syntax_error("any() inside any() is not supported")


def conjuncts(test: Test) -> tuple[Test, ...]:
    """The parts that must all hold."""
    return test.parts if isinstance(test, Logic) and test.operator == "and" else (test,)


def fields_of(test: Test) -> list[str]:
    """The properties a filter names, in order, each once."""
    if isinstance(test, Logic):
        return list(dict.fromkeys(name for part in test.parts for name in fields_of(part)))
    return [test.field]


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
}
_MATCHES: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda text, part: part in text,
    "startswith": str.startswith,
    "endswith": str.endswith,
}


def compare(actual: Value, operator: str, wanted: Value) -> bool:
    """One comparison; text in any letter case, unequal kinds are simply unequal."""
    if isinstance(actual, str) and isinstance(wanted, str):
        actual, wanted = actual.casefold(), wanted.casefold()
    comparable = actual is not None and wanted is not None and isinstance(actual, str) == isinstance(wanted, str)
    if not comparable and operator not in ("eq", "ne"):
        return False
    return _COMPARISONS[operator](actual, wanted)


def holds(test: Test, get: Callable[[str], Any], any_of: Callable[[AnyOf], bool]) -> bool:
    """Evaluates: `get(field)` gives a value, `any_of` decides the collections."""
    if isinstance(test, Logic):
        if test.operator == "not":
            return not holds(test.parts[0], get, any_of)
        outcomes = (holds(part, get, any_of) for part in test.parts)
        return all(outcomes) if test.operator == "and" else any(outcomes)
    if isinstance(test, AnyOf):
        return any_of(test)
    value = get(test.field)
    if isinstance(test, Compare):
        return compare(value, test.operator, test.value)
    return isinstance(value, str) and _MATCHES[test.name](value.casefold(), test.value.casefold())
