from django.apps import AppConfig


class DropBoxConfig(AppConfig):
    name = "postroom.dropbox"
    label = "dropbox"
    default_auto_field = "django.db.models.BigAutoField"
