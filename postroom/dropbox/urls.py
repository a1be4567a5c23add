"""Addresses of `dropbox`."""

from django.urls import URLPattern

app_name = "dropbox"
urlpatterns: list[URLPattern] = []
