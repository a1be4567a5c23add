from django.apps import AppConfig


class InboxConfig(AppConfig):
    name = "postroom.inbox"
    label = "inbox"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from postroom.inbox import reminding, views_kept
        from postroom.mail.signals import sent

        views_kept.register()
        sent.connect(reminding.on_sent, dispatch_uid="inbox-reminding")
