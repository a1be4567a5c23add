"""Addresses of `mailboxes`. One button, one address."""

from django.urls import path

from postroom.mailboxes import connect_views, views

app_name = "mailboxes"
urlpatterns = [
    path("settings/integrations/outlook/", views.mailboxes, name="list"),
    path("mailboxes/connect/", connect_views.choose_provider, name="connect"),
    path("mailboxes/connect/<slug:provider>/", connect_views.permissions, name="permissions"),
    path("mailboxes/connect/<slug:provider>/callback", connect_views.callback, name="callback"),
    path("mailboxes/<int:pk>/", views.settings, name="settings"),
    path("mailboxes/<int:pk>/card/", views.card, name="card"),
    path("mailboxes/<int:pk>/sync/", views.sync_now, name="sync"),
    path("mailboxes/<int:pk>/pause/", views.pause, name="pause"),
    path("mailboxes/<int:pk>/resume/", views.resume, name="resume"),
    path("mailboxes/<int:pk>/history/", views.history, name="history"),
    path("mailboxes/<int:pk>/history/<str:change>/", views.change_pull, name="pull"),
    path("mailboxes/<int:pk>/reconnect/", connect_views.reconnect, name="reconnect"),
    path("mailboxes/<int:pk>/permission/<slug:feature>/", connect_views.allow, name="allow"),
    path("mailboxes/<int:pk>/disconnect/", views.disconnect, name="disconnect"),
]
