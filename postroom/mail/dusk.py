"""Mail in the dark: what becomes of the colours a mail brings on a dark page, so that every word stays readable.

Light grounds become dark ones of the same hue, dark words light ones; grounds that are dark or strong already stay,
with the words on them. Both are written as ``light-dark(own, ours)``: a light page shows the mail as it was made.
Whatever stands on a ground ends with a contrast of ``ENOUGH`` to it, or with the mail's own where that was less.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from html import escape, unescape
from typing import NamedTuple

from postroom.mail.colours import NAMES
from postroom.mail.text import VOID, joined, tokens

LONGEST = 1_500_000  # characters; beyond it a mail keeps its white paper
ENOUGH = 4.5  # WCAG 2.1, 1.4.3


class Rgb(NamedTuple):
    """A colour of sRGB, 0-255 each."""

    red: float
    green: float
    blue: float


PAPER, INK, LINK = Rgb(255, 255, 255), Rgb(31, 36, 48), Rgb(36, 87, 214)  # of a light page
NIGHT, CHALK, NIGHT_LINK = Rgb(26, 28, 32), Rgb(228, 230, 235), Rgb(143, 176, 255)  # of a dark one
_LIGHT = 0.66  # of OKLab's lightness: lighter grounds turn dark


class _Around(NamedTuple):
    """What an element stands in: its ground and words, on a light page and on a dark one."""

    name: str
    ground: Rgb
    words: Rgb
    dark_ground: Rgb
    dark_words: Rgb


_HEX = re.compile(r"#([0-9a-fA-F]{3,4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})\Z")
_CALL = re.compile(r"rgba?\(\s*([\d.]+%?)[\s,]+([\d.]+%?)[\s,]+([\d.]+%?)(?:[\s,/]+([\d.]+%?))?\s*\)\Z", re.IGNORECASE)
_DECLARATION = re.compile(r"""(?:[^;"']|"[^"]*"|'[^']*')+""")
_IMPORTANT = re.compile(r"\s*!\s*important\s*\Z", re.IGNORECASE)
_ATTRIBUTE = re.compile(r' (bgcolor|color|style)="([^"]*)"')
_ANY_COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}\b|rgba?\([^)]{1,60}\)|(?<![\w-])[a-zA-Z]{3,20}(?![\w(-])")
_COLOURED = re.compile(r' (?:bgcolor|color)="|[";: -]color ?:|background-color ?:|border', re.IGNORECASE)


def dusk(html: str) -> str:
    """Sanitised HTML whose colours know both themes. Linear in its length."""
    if not _COLOURED.search(html):
        return html
    some = tokens(html)
    stack = [_Around("", PAPER, INK, NIGHT, CHALK)]
    for index, (end, name, attributes, text) in enumerate(some):
        if not name or (name in VOID and not attributes):
            continue
        if end:
            _leave(stack, name)
            continue
        inside, changed = _entered(stack[-1], name, attributes)
        if changed is not attributes:
            some[index] = (end, name, changed, text)
        if name not in VOID:
            stack.append(inside)
    return joined(some)


def _leave(stack: list[_Around], name: str) -> None:
    for position in range(len(stack) - 1, max(len(stack) - 20, 0), -1):
        if stack[position].name == name:
            del stack[position:]
            return


def _entered(around: _Around, name: str, attributes: str) -> tuple[_Around, str]:
    """What the element's own text stands in, and its attributes with colours for both themes."""
    if name != "a" and not (attributes and _COLOURED.search(attributes)):
        return around._replace(name=name), attributes
    told = dict(_ATTRIBUTE.findall(attributes))
    style = unescape(told.get("style", ""))
    if "\\" in style:  # strings within strings: left as they are
        return around._replace(name=name), attributes
    declared = _declared(style)
    ground = _last(declared, "background-color") or parsed(told.get("bgcolor", ""))
    words = _last(declared, "color") or (parsed(told.get("color", "")) if name == "font" else None)
    if words is None and name == "a":
        words = LINK
    inside = _inside(around, name, ground, words)
    worded = words is not None or inside.dark_words != around.dark_words
    if not (worded or ground or any(key.startswith("border") for key, _ in declared)):
        return inside, attributes
    return inside, _written(attributes, declared, inside, grounded=ground is not None, worded=worded)


def _inside(around: _Around, name: str, ground: Rgb | None, words: Rgb | None) -> _Around:
    light_ground, light_words = ground or around.ground, words or around.words
    dark_ground = by_night(ground) if ground else around.dark_ground
    dark_words = readable(words_by_night(words) if words else around.dark_words, dark_ground)
    own = contrast(light_words, light_ground)
    if own < ENOUGH and words:  # faint on purpose, or hidden: not louder than it was made
        dark_words = readable(words_by_night(words), dark_ground, enough=own)
    return _Around(name, light_ground, light_words, dark_ground, dark_words)


def _written(
    attributes: str, declared: Sequence[tuple[str, str]], inside: _Around, *, grounded: bool, worded: bool
) -> str:
    kept = [f"{key}:{value}" for key, value in (_bordered(*one) for one in declared) if key not in _OURS]
    if grounded:
        kept.append(f"background-color:{_both(inside.ground, inside.dark_ground)}")
    if worded:
        kept.append(f"color:{_both(inside.words, inside.dark_words)}")
    rest = _ATTRIBUTE.sub(lambda found: "" if found[1] in ("style", "bgcolor") or worded else found[0], attributes)
    style = escape(";".join(kept))
    return f'{rest} style="{style}"' if style else rest


_OURS = frozenset({"color", "background-color"})


def _declared(style: str) -> list[tuple[str, str]]:
    parts = (part.partition(":") for part in _DECLARATION.findall(style))
    return [(key.strip().lower(), value.strip()) for key, _, value in parts if value.strip()]


def _last(declared: Sequence[tuple[str, str]], wanted: str) -> Rgb | None:
    return next((found for key, value in reversed(declared) if key == wanted and (found := parsed(value))), None)


def _bordered(key: str, value: str) -> tuple[str, str]:
    if not key.startswith("border"):
        return key, value

    def both(found: re.Match[str]) -> str:
        colour = parsed(found[0])
        return _both(colour, _line_by_night(colour)) if colour else found[0]

    return key, _ANY_COLOUR.sub(both, value)


def _both(light: Rgb, dark: Rgb) -> str:
    return f"light-dark({_hex(light)},{_hex(dark)})"


def _hex(colour: Rgb) -> str:
    return "#" + "".join(f"{min(255, max(0, round(part))):02x}" for part in colour)


# --- colours -----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def parsed(value: str) -> Rgb | None:
    """A colour as mail writes it; ``None`` for what is none, what is seen through, and what follows the theme."""
    value = _IMPORTANT.sub("", value).strip().lower()
    if found := _HEX.match(value):
        digits = found[1] if len(found[1]) > 4 else "".join(sign * 2 for sign in found[1])
        if len(digits) == 8 and int(digits[6:], 16) < 128:
            return None
        return Rgb(*(int(digits[at : at + 2], 16) for at in (0, 2, 4)))
    if found := _CALL.match(value):
        if found[4] is not None and _number(found[4], 1) < 0.5:
            return None
        return Rgb(*(min(255.0, _number(part, 255)) for part in found.groups()[:3]))
    if value in NAMES:
        number = NAMES[value]
        return Rgb(number >> 16, number >> 8 & 255, number & 255)
    # bgcolor="ffffff", as some write it
    return parsed(f"#{value}") if re.fullmatch(r"[0-9a-f]{6}", value) else None


def _number(text: str, whole: float) -> float:
    try:
        return float(text.rstrip("%")) / 100 * whole if text.endswith("%") else float(text)
    except ValueError:
        return 0.0


@lru_cache(maxsize=4096)
def by_night(ground: Rgb) -> Rgb:
    """A ground on a dark page."""
    light, a, b = _oklab(ground)
    if light <= _LIGHT:
        return ground
    if min(ground) >= 250:
        return NIGHT
    return _rgb(0.235 + (1 - light) * 0.5, a * 0.8, b * 0.8)


@lru_cache(maxsize=4096)
def words_by_night(words: Rgb) -> Rgb:
    light, a, b = _oklab(words)
    return words if light >= _LIGHT else _rgb(0.93 - light * 0.32, a, b)


@lru_cache(maxsize=4096)
def _line_by_night(line: Rgb) -> Rgb:
    light, a, b = _oklab(line)
    return _rgb(0.32 + (1 - light) * 0.4, a * 0.8, b * 0.8) if light > _LIGHT else _rgb(max(light, 0.5), a, b)


@lru_cache(maxsize=4096)
def readable(words: Rgb, ground: Rgb, enough: float = ENOUGH) -> Rgb:
    """The words, as much lighter or darker as the ground asks for."""
    if contrast(words, ground) >= enough:
        return words
    light, a, b = _oklab(words)
    ends = (1.0, 0.0) if contrast(PAPER, ground) >= contrast(Rgb(0, 0, 0), ground) else (0.0, 1.0)
    for step in range(1, 21):
        nearer = light + (ends[0] - light) * step / 20
        found = _rgb(nearer, a * (1 - step / 20), b * (1 - step / 20))
        if contrast(found, ground) >= enough:
            return found
    return PAPER if ends[0] else Rgb(0, 0, 0)


def contrast(one: Rgb, other: Rgb) -> float:
    """WCAG's ratio, 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@lru_cache(maxsize=4096)
def _luminance(colour: Rgb) -> float:
    red, green, blue = (_linear(part) for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    share = part / 255
    return float(share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4)


def _gamma(share: float) -> float:
    share = min(1.0, max(0.0, share))
    return float(share * 12.92 if share <= 0.0031308 else 1.055 * share ** (1 / 2.4) - 0.055) * 255


@lru_cache(maxsize=4096)
def _oklab(colour: Rgb) -> tuple[float, float, float]:
    """Lightness 0-1 and two axes of colour (Björn Ottosson's OKLab)."""
    red, green, blue = (_linear(part) for part in colour)
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    middle = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def _rgb(light: float, a: float, b: float) -> Rgb:
    long = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (light - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return Rgb(
        round(_gamma(4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short)),
        round(_gamma(-1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short)),
        round(_gamma(-0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short)),
    )
