"""Template tags and filters every screen uses: `{% load ui %}`."""

from datetime import datetime
from functools import lru_cache
from typing import Any, cast

from django import template
from django.conf import settings
from django.template.loader import get_template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from lucide import IconDoesNotExist
from lucide.templatetags.lucide import lucide

from postroom.ui import assets, rail, shortcuts, words
from postroom.ui.shell import HEALTH_WORDS

register = template.Library()

_ATTRIBUTE_PREFIXES = ("hx_", "data_", "aria_", "formaction")


@register.simple_tag(takes_context=True)
def ui(context: template.Context, component: str, /, **params: Any) -> SafeString:
    """A component: `{% ui "button" label="Send" kind="primary" hx_post=url %}` draws `ui/components/button.html`.

    The partial sees its parameters and nothing of the page around it, so that a `name` or `url` of the page can't leak
    into it. Parameters that begin with hx_, data_ or aria_ (and formaction) reach its root element as `{{ attrs }}`.
    """
    same = component in DRAWN_OF_PARAMETERS and not SENT_BY.intersection(params) and not settings.DEBUG
    if same and _SIMPLE.issuperset(map(type, params.values())):
        return _drawn(component, **params)
    engine = cast(template.Template, context.template).engine
    around = {key: context[key] for key in ("csrf_token", "request") if key in context}
    attributes = {key: value for key, value in params.items() if key.startswith(_ATTRIBUTE_PREFIXES)}
    inner = context.new({**around, **params, "attrs": _attributes(attributes)})
    return engine.get_template(f"ui/components/{component}.html").render(inner)


# Drawn of their parameters alone: without the time of day, the member, or the token a form needs.
DRAWN_OF_PARAMETERS = frozenset(
    {
        "avatar",
        "badge",
        "button",
        "check",
        "chip",
        "count",
        "dot",
        "empty",
        "key",
        "lazy_menu",
        "menu_item",
        "pane_button",
        "skeleton",
        "tag",
    }
)
SENT_BY = frozenset({"remove_url", "post_url"})  # with one of these a component has a form
_SIMPLE = frozenset({str, SafeString, int, bool, type(None)})


@lru_cache(maxsize=4096, typed=True)  # typed: a text that is safe as it stands is not one that is to be escaped
def _drawn(component: str, /, **params: str | int | None) -> SafeString:
    attributes = {key: value for key, value in params.items() if key.startswith(_ATTRIBUTE_PREFIXES)}
    drawn = get_template(f"ui/components/{component}.html").render({**params, "attrs": _attributes(attributes)})
    return cast(SafeString, drawn)


@register.simple_tag
def drawn_once(name: str) -> SafeString:
    """A part of the page that is the same for everybody on every page, drawn when it is first asked for."""
    return cast(SafeString, get_template(name).render()) if settings.DEBUG else _part(name)


@lru_cache
def _part(name: str) -> SafeString:
    return cast(SafeString, get_template(name).render())


def _attributes(values: dict[str, Any]) -> SafeString:
    """hx_get="/x" as an attribute; False and None leave it out, True writes it bare."""
    named = ((key.replace("_", "-"), value) for key, value in values.items() if value not in (None, False))
    return mark_safe(  # noqa: S308 -- every part went through format_html
        "".join(
            format_html(" {}", key) if value is True else format_html(' {}="{}"', key, value) for key, value in named
        )
    )


@register.simple_tag
def icon(name: str, size: int = 16) -> SafeString:
    """A lucide icon as inline SVG, hidden from screen readers: the text beside it says what it means.

    Raises TemplateSyntaxError for a name lucide does not know while DEBUG is on; otherwise a blank square stands in.
    """
    try:
        return _svg(name, size)
    except IconDoesNotExist as error:
        if settings.DEBUG:
            raise template.TemplateSyntaxError(str(error)) from error
        return _svg("square", size)


@lru_cache(maxsize=256)
def _svg(name: str, size: int) -> SafeString:
    attributes = {"class": "icon", "aria_hidden": "true", "focusable": "false"}
    return mark_safe(lucide(name, size=size, **attributes))  # noqa: S308 -- lucide's own markup, no member's text


@register.simple_tag
def ui_styles() -> SafeString:
    """The stylesheet links of the shell."""
    return format_html_join("\n  ", '<link rel="stylesheet" href="{}">', ((static(path),) for path in assets.STYLES))


@register.simple_tag(takes_context=True)
def ui_scripts(context: template.Context) -> SafeString:
    """The scripts of the shell: the early one, htmx with its settings and token, then the behaviours."""
    return format_html(
        '<script src="{}"></script>\n  <meta name="htmx-config" content="{}">\n  '
        '<meta name="csrf-token" content="{}">\n  <script src="{}" defer></script>\n  {}',
        static(assets.EARLY_SCRIPT),
        assets.HTMX_CONFIG,
        context.get("csrf_token", ""),
        static(assets.HTMX),
        format_html_join(
            "\n  ", '<script type="module" src="{}"></script>', ((static(path),) for path in assets.BEHAVIOURS)
        ),
    )


@register.simple_tag
def live(topic: str, **ids: Any) -> str:
    """The hx-trigger for news: `hx-trigger="{% live 'mail' threads=thread.pk %}"`; without ids, for any of the topic.

    It also fires when the news name no single thing, and when so much was missed that everything is looked at again.
    """
    wanted = [f"live:{topic}:{key}:{value}" for key, value in ids.items()] + ([f"live:{topic}:all"] if ids else [])
    return ", ".join(f"{name} from:body" for name in [*(wanted or [f"live:{topic}"]), "live:resync"])


@register.simple_tag
def current_timezone_name() -> str:
    """The zone the page's times are written in, for the script that keeps them fresh."""
    return timezone.get_current_timezone_name()


@register.simple_tag
def shortcut_groups() -> list[shortcuts.Group]:
    """The keyboard map, for the help dialog."""
    return shortcuts.groups()


@register.simple_tag
def settings_places() -> list[rail.Destination]:
    """Where settings lead, for the command palette."""
    return rail.destinations(rail.SETTINGS)


@register.simple_tag
def moment(when: datetime | None, style: str = "short") -> SafeString | str:
    """A `<time>` that reads relative, shows the exact time on hover and stays fresh in the browser.

    `style` "short" is the list form (9:42, Yesterday, Thu, 14 Nov), "ago" the sentence form (14 seconds ago).
    """
    if not when:
        return ""
    text = words.ago(when) if style == "ago" else words.short(when)
    return format_html(
        '<time datetime="{}" title="{}" data-time="{}">{}</time>', when.isoformat(), words.exact(when), style, text
    )


@register.filter
def ago(when: datetime | None) -> str:
    """ "14 seconds ago", "yesterday 14:00", "in 4 hours"."""
    return words.ago(when) if when else ""


@register.filter
def short_time(when: datetime | None) -> str:
    """The list form of a time: 9:42, Yesterday, Thu, 14 Nov, 14 Nov 2024."""
    return words.short(when) if when else ""


@register.filter
def exact(when: datetime | None) -> str:
    """The exact form of a time: Thu 14 Nov 2026, 09:42."""
    return words.exact(when) if when else ""


@register.filter
def filesize(size: int | None) -> str:
    """Bytes as 84 KB, 3.2 MB."""
    return words.filesize(size or 0)


@register.filter
def initials(name: object) -> str:
    """One or two letters that stand for a person or an address."""
    return words.initials(str(name or ""))


@register.filter
def hue(key: object) -> str:
    """The class of a stable colour for a person: `hue-0` … `hue-7`, from the address (or whatever is given)."""
    return f"hue-{words.hue(str(key or ''))}"


@register.filter
def health_word(health: str) -> str:
    """The word for a health (SY17)."""
    return HEALTH_WORDS.get(health, health)


@register.filter
def is_text(value: Any) -> bool:
    """Whether a value is one text rather than a list of them."""
    return isinstance(value, str)


@register.filter
def thousands(value: int | None) -> str:
    """24118 as 24,118."""
    return f"{value or 0:,}"


@register.filter
def split(value: str, separator: str = " ") -> list[str]:
    """The parts of a text, so that `{{ "g i"|split }}` can be drawn as two keys."""
    return [part for part in value.split(separator) if part]
