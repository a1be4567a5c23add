"""Addresses of `workspaces`."""

from django.urls import path

from postroom.workspaces import leaving_views, sign_in_views, views

app_name = "workspaces"
urlpatterns = [
    path("settings/members/", views.members, name="members"),
    path("workspaces/<int:pk>/choice/", views.choose, name="choose"),
    path("settings/members/<int:pk>/remove/", leaving_views.remove_member, name="remove-member"),
    path("settings/workspace/delete/", leaving_views.delete_workspace, name="delete-workspace"),
    path("settings/sign-in/", sign_in_views.settings, name="sign-in"),
    path("settings/sign-in/tenants/", sign_in_views.allow_tenant, name="tenant-allow"),
    path("settings/sign-in/tenants/<int:pk>/remove/", sign_in_views.remove_tenant, name="tenant-remove"),
    path("settings/sign-in/second-factor/", sign_in_views.second_factor, name="second-factor"),
    path("settings/sign-in/invitations/", sign_in_views.invite, name="invite"),
    path("settings/sign-in/invitations/<int:pk>/withdraw/", sign_in_views.withdraw, name="withdraw"),
    path("settings/security/needed/", sign_in_views.second_factor_needed, name="second-factor-needed"),
    path("invitations/<str:token>/", sign_in_views.invitation, name="invitation"),
]
