"""What the composer component is given for a composition."""

from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils.safestring import mark_safe

from postroom.inbox import editing, extras, reminding, writing
from postroom.inbox.accounts import Accounts
from postroom.mail.models import Composition, CompositionFile
from postroom.timeline.team import queries as team

TITLES = {"new": "New message", "reply": "Reply", "reply_all": "Reply to all", "forward": "Forward"}


def context(
    composition: Composition,
    known: Accounts,
    *,
    seen: int | None = None,
    errors: Mapping[str, str] | None = None,
    notice: str = "",
    focus: bool = False,
    place: str = "",
    made: bool = False,
) -> dict[str, Any]:
    """``seen``: the newest message of the thread the author has before them, its id (SE13); ``place``: "dock" or
    "window"; ``made``: it was begun just now."""
    newest = seen or composition.answers_id or ""
    hidden: dict[str, Any] = {"taken": composition.taken} | ({"place": place} if place else {})
    if composition.conversation_id:
        said = team.newest_comment(composition.conversation_id)
        hidden |= {"seen": newest, "commented": said.pk if said else 0}
    everything = [] if made else files(composition)
    return {
        "composition": composition,
        "number": str(composition.pk),
        "title": TITLES[composition.how],
        "mode": "compose" if composition.how == "new" else "reply",
        "froms": writing.froms(known, composition),
        **extras.hints_of(composition, known),
        "reminders": reminding.options(composition),
        "to": writing.as_typed(composition.to),
        "cc": writing.as_typed(composition.cc),
        "bcc": writing.as_typed(composition.bcc),
        "subject": composition.subject,
        "text": writing.to_text(composition.html),
        "rich": mark_safe(editing.for_editor(composition, [one for one in everything if one.is_inline])),  # noqa: S308 -- sanitised there
        "version": version(composition),
        "attachments": [_file(one) for one in everything if not one.is_inline],
        "hidden": hidden,
        "errors": errors or {},
        "notice": notice or composition.note or extras.notice(composition),
        "focus": focus,
        **_addresses(composition, place=place),
        **extras.of(composition, made=made),
    }


def _addresses(composition: Composition, *, place: str) -> dict[str, str]:
    """Where the component sends what, and where else the message can be written."""
    key = [composition.pk]
    full = reverse("inbox:draft", args=key)
    window = f"{full}?place=window"
    return {
        "full_url": full,
        "window_url": window,
        "pop_out_url": "" if place else window,
        "quoted_url": reverse("mail:body", args=[composition.answers_id]) if composition.answers_id else "",
        "suggest_url": reverse("inbox:people"),
        **{
            f"{what}_url": reverse(f"inbox:{what}", args=key) for what in ("clean", "send", "save", "upload", "discard")
        },
    }


def version(composition: Composition) -> str:
    """Changes with whatever is kept; a text that was kept in a browser meanwhile belongs to one of them."""
    return f"{composition.updated_at.timestamp():.6f}"


def files(composition: Composition) -> list[CompositionFile]:
    """Those beside the text and the pictures in it."""
    rows = CompositionFile.objects.filter(composition=composition)
    return list(rows.select_related("blob").order_by("pk"))


def _file(one: CompositionFile) -> dict[str, Any]:
    return {"name": one.name, "size": one.size, "value": one.pk}
