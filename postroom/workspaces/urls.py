"""Addresses of `workspaces`."""

from django.urls import path

from postroom.workspaces import leaving_views, views

app_name = "workspaces"
urlpatterns = [
    path("settings/members/", views.members, name="members"),
    path("workspaces/<int:pk>/choice/", views.choose, name="choose"),
    path("settings/members/<int:pk>/remove/", leaving_views.remove_member, name="remove-member"),
    path("settings/workspace/delete/", leaving_views.delete_workspace, name="delete-workspace"),
]
