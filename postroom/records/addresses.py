"""Email addresses and domains as members type them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

from postroom.records.text import clean

_ANGLE = re.compile(r"<([^<>]*)>\s*$")
_SEPARATORS = re.compile(r"[\n,;]+")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")
_looks_right = EmailValidator()


def address(text: str) -> str:
    """The address in "ines@contoso.example" or "Inês <Ines@Contoso.example>", lower-cased. Raises ValidationError."""
    inner = _ANGLE.search(text)
    found = clean(inner.group(1) if inner else text).lower().removeprefix("mailto:")
    try:
        _looks_right(found)
    except ValidationError:
        raise ValidationError(f"“{clean(text)[:80]}” is not an email address.") from None
    return found


def domain(text: str) -> str:
    """The domain in "contoso.example", "https://www.contoso.example/about" or "ines@contoso.example".

    Lower-cased and in the form mail uses (xn--…). Raises ValidationError.
    """
    bare = re.sub(r"^[a-z]+://", "", clean(text).lower()).split("/")[0].rpartition("@")[2]
    bare = bare.split(":")[0].removeprefix("www.").strip(".")
    try:
        ascii_form = bare.encode("idna").decode()
    except UnicodeError:
        ascii_form = ""
    labels = ascii_form.split(".")
    if len(labels) < 2 or len(ascii_form) > 253 or not all(map(_LABEL.match, labels)):
        raise ValidationError(f"“{clean(text)[:80]}” is not a domain. Write it as in contoso.com.")
    return ascii_form


def parts(text: str) -> list[str]:
    """The entries of a list that is written with commas, semicolons or one a line; empty ones left out."""
    return [part for one in _SEPARATORS.split(text) if (part := clean(one))]


def unique(items: Iterable[str]) -> list[str]:
    """Without repetitions, in order."""
    return list(dict.fromkeys(items))
