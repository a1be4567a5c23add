from typing import Any

from django.apps import AppConfig


class TimelineConfig(AppConfig):
    name = "postroom.timeline"
    label = "timeline"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from postroom.mail.signals import sent
        from postroom.records.signals import addresses_changed, merged
        from postroom.timeline import links, panels, resume, written
        from postroom.timeline.team import undoing

        undoing.register()
        sent.connect(written.on_sent, dispatch_uid="timeline-written")
        panels.register()
        resume.register()
        addresses_changed.connect(_relink, dispatch_uid="timeline")
        merged.connect(links.on_merged, dispatch_uid="timeline-links")


def _relink(*, record: Any, lost: bool, **_: Any) -> None:
    from postroom.timeline.matching import relink_for

    relink_for(record, forget=lost)
    if (employer := getattr(record, "company", None)) is not None:
        relink_for(employer)
