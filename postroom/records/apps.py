from django.apps import AppConfig


class RecordsConfig(AppConfig):
    name = "postroom.records"
    label = "records"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from postroom.records import panels
        from postroom.records.candidates import panels as candidates
        from postroom.records.saved import tables
        from postroom.records.tasks import views as tasks

        for one in (panels, candidates, tasks, tables):
            one.register()
