from typing import Any

from django.apps import AppConfig


class TimelineConfig(AppConfig):
    name = "postroom.timeline"
    label = "timeline"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from postroom.mail import counted
        from postroom.mail import queries as mail
        from postroom.mail.signals import sent
        from postroom.records.signals import addresses_changed, deleting, merged
        from postroom.timeline import links, making, panels, resume, written
        from postroom.timeline.sharing import levels, only_records
        from postroom.timeline.team import undoing

        undoing.register()
        mail.set_opened_through(levels.opens)
        counted.set_rule(only_records.is_on)
        deleting.connect(making.on_deleting, dispatch_uid="timeline-making")
        sent.connect(written.on_sent, dispatch_uid="timeline-written")
        panels.register()
        resume.register()
        addresses_changed.connect(_relink, dispatch_uid="timeline")
        merged.connect(links.on_merged, dispatch_uid="timeline-links")


def _relink(*, record: Any, lost: bool, **_: Any) -> None:
    from postroom.timeline.matching import relink_for
    from postroom.timeline.sharing import only_records

    relink_for(record, forget=lost)
    only_records.look_for(record)
    if (employer := getattr(record, "company", None)) is not None:
        relink_for(employer)
