from typing import Any

from django.apps import AppConfig


class TimelineConfig(AppConfig):
    name = "postroom.timeline"
    label = "timeline"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from postroom.mail import queries as mail
        from postroom.mail.signals import sent
        from postroom.records.signals import addresses_changed, deleting, merged
        from postroom.timeline import links, making, panels, resume, written
        from postroom.timeline.sharing import levels
        from postroom.timeline.team import undoing

        undoing.register()
        mail.set_opened_through(levels.opens)
        deleting.connect(making.on_deleting, dispatch_uid="timeline-making")
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
