from django.apps import AppConfig


class RecordsConfig(AppConfig):
    name = "postroom.records"
    label = "records"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from postroom.records import panels

        panels.register()
