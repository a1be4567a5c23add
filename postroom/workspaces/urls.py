"""Addresses of `workspaces`."""

from django.urls import path

from postroom.workspaces import views

app_name = "workspaces"
urlpatterns = [
    path("settings/members/", views.members, name="members"),
    path("workspaces/<int:pk>/choice/", views.choose, name="choose"),
]
