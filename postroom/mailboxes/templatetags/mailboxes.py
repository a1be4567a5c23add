"""What the templates of mailboxes ask for: `{% load mailboxes %}`."""

from django import template

from postroom.mailboxes import cards
from postroom.mailboxes.models import Mailbox

register = template.Library()


@register.filter
def history_choices(mailbox: Mailbox) -> list[dict[str, str]]:
    """The answers to the history question."""
    return cards.history_choices(mailbox)
