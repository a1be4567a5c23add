"""Context processor: `workspace` and `member` in every template."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest


def current(request: HttpRequest) -> dict[str, Any]:
    return {"workspace": getattr(request, "workspace", None), "member": getattr(request, "member", None)}
