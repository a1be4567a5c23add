"""Addresses of `timeline`."""

from django.urls import path

from postroom.timeline import views
from postroom.timeline.sharing import settings_views
from postroom.timeline.sharing import views as sharing

app_name = "timeline"
urlpatterns = [
    path("conversations/<int:pk>/", sharing.shared, name="shared"),
    path("conversations/<int:pk>/who/", sharing.who, name="who"),
    path("conversations/<int:pk>/sharing/", sharing.share, name="share"),
    path("conversations/<int:pk>/records/", views.beside, name="panel"),
    path("conversations/<int:pk>/records/choices/", views.choices, name="choices"),
    path("conversations/<int:pk>/contact/", views.add_contact, name="add-contact"),
    path("conversations/<int:pk>/links/<slug:key>/<int:record>/", views.link, name="link"),
    path("conversations/<int:pk>/links/<slug:key>/<int:record>/removal/", views.unlink, name="unlink"),
    path("settings/privacy/", settings_views.privacy, name="privacy"),
    path("settings/privacy/workspace/", settings_views.workspace, name="privacy-workspace"),
    path("settings/privacy/mailboxes/<int:pk>/", settings_views.mailbox, name="privacy-mailbox"),
    path("settings/privacy/only-records/", settings_views.only_mail_of_records, name="privacy-only-records"),
    path(
        "settings/privacy/mailboxes/<int:pk>/only-records/",
        settings_views.only_mail_of_records_in,
        name="privacy-only-records-in",
    ),
    path("settings/privacy/never/", settings_views.never, name="privacy-never"),
    path("settings/privacy/never/<int:pk>/removal/", settings_views.log_again, name="privacy-log-again"),
    path("settings/privacy/no-contact/<int:pk>/removal/", settings_views.contact_again, name="privacy-contact-again"),
    path("contacts/<int:pk>/no-contact/", settings_views.no_contact, name="no-contact"),
]
