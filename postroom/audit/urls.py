"""Addresses of `audit`."""

from django.urls import path

from postroom.audit import views

app_name = "audit"
urlpatterns = [
    path("settings/access-log/", views.entries, name="entries"),
    path("settings/access-log.csv", views.export, name="export"),
]
