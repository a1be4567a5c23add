"""Addresses of `dropbox`."""

from django.urls import path

from postroom.dropbox import views

app_name = "dropbox"
urlpatterns = [
    path("settings/drop-box/", views.settings_page, name="settings"),
    path("settings/drop-box/open/", views.new_address, name="open"),
    path("settings/drop-box/close/", views.close, name="close"),
    path("settings/drop-box/senders/", views.add_sender, name="senders"),
    path("settings/drop-box/senders/<int:pk>/remove/", views.remove_sender, name="remove-sender"),
    path("settings/drop-box/waiting/<int:pk>/original/", views.original, name="original"),
    path("settings/drop-box/waiting/<int:pk>/file/", views.file, name="file"),
    path("settings/drop-box/waiting/<int:pk>/discard/", views.discard, name="discard"),
]
