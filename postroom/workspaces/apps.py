from django.apps import AppConfig


class WorkspacesConfig(AppConfig):
    name = "postroom.workspaces"
    label = "workspaces"
    verbose_name = "Workspaces"
