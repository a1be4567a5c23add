"""`{% url %}` for all templates: as Django's, but what it works out is remembered. A page asks for a hundred paths."""

from django import template

from postroom.lib.paths import path_to

register = template.Library()

register.simple_tag(path_to, name="url")
