"""HTML as strings: escaping, the document frame, form controls. No script is needed for anything."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping

from ..http import Response, html_response

CONTENT_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "frame-src 'self'; base-uri 'none'"
)


def esc(value: object) -> str:
    """Text for element content and quoted attributes."""
    return html.escape(str(value), quote=True)


def document(title: str, body: str, *, status: int = 200, kind: str = "page", refresh: int = 0) -> Response:
    """A whole page. `kind` names the body class (`page` or `sign-in`); `refresh` reloads after that many seconds."""
    reload = f'<meta http-equiv="refresh" content="{refresh}">' if refresh else ""
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="robots" content="noindex">'
        f'{reload}<title>{esc(title)}</title><link rel="icon" href="data:,">'
        f'<link rel="stylesheet" href="/sandbox/page.css"></head><body class="{kind}">{body}</body></html>'
    )
    headers = [
        ("Content-Security-Policy", CONTENT_POLICY),
        ("Cache-Control", "no-store"),
        ("Referrer-Policy", "no-referrer"),
        ("X-Frame-Options", "SAMEORIGIN"),
    ]
    return html_response(text, status, headers=headers)


def hidden(fields: Mapping[str, object]) -> str:
    """Hidden form fields."""
    return "".join(f'<input type="hidden" name="{esc(name)}" value="{esc(value)}">' for name, value in fields.items())


def form(action: str, inner: str, *, fields: Mapping[str, object] | None = None, css: str = "") -> str:
    """A POST form."""
    return f'<form method="post" action="{esc(action)}" class="{css}">{hidden(fields or {})}{inner}</form>'


def button(label: str, *, name: str = "", value: object = "", css: str = "") -> str:
    """A submit button."""
    named = f' name="{esc(name)}" value="{esc(value)}"' if name else ""
    return f'<button type="submit" class="{css}"{named}>{esc(label)}</button>'


def options(pairs: Iterable[tuple[str, str]], selected: str = "") -> str:
    """The options of a select, as (value, label)."""
    return "".join(
        f'<option value="{esc(value)}"{" selected" if value == selected else ""}>{esc(label)}</option>'
        for value, label in pairs
    )


def initials(name: str) -> str:
    """Two letters for an avatar."""
    words = [word for word in name.replace("@", " ").split() if word[0].isalnum()]
    return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words[:1])).upper() or "?"


def avatar(name: str, key: str) -> str:
    """A coloured circle with initials, the same colour for the same key. Decoration only."""
    hue = sum(map(ord, key.lower())) % 8
    return f'<span class="avatar tint-{hue}" aria-hidden="true">{esc(initials(name))}</span>'
