from django.apps import AppConfig


class UiConfig(AppConfig):
    """The Django app that carries the templates, static files and template tags of the shell."""

    name = "postroom.ui"
    label = "ui"
    verbose_name = "Postroom user interface"
