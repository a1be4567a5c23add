"""Addresses of `mailboxes`. One button, one address."""

from django.urls import path

from postroom.mailboxes import (
    approval_views,
    connect_views,
    connection_test_views,
    leave_views,
    settings_views,
    shared_views,
    views,
)

app_name = "mailboxes"
urlpatterns = [
    path("settings/integrations/outlook/", views.mailboxes, name="list"),
    path("mailboxes/connect/", connect_views.choose_provider, name="connect"),
    path("mailboxes/connect/<slug:provider>/", connect_views.permissions, name="permissions"),
    path("mailboxes/connect/<slug:provider>/callback", connect_views.callback, name="callback"),
    path("mailboxes/connect/<slug:provider>/approval/", approval_views.choose, name="ask-approval"),
    path("mailboxes/approvals/<int:pk>/", approval_views.approval, name="approval"),
    path("mailboxes/approvals/<int:pk>/forget/", approval_views.forget, name="forget-approval"),
    path("mailboxes/<int:pk>/", settings_views.settings, name="settings"),
    path("mailboxes/<int:pk>/hand-over/", settings_views.hand_over, name="hand-over"),
    path("mailboxes/<int:pk>/direction/", settings_views.direction, name="direction"),
    path("mailboxes/<int:pk>/permission/<slug:feature>/ask/", approval_views.ask, name="ask-permission"),
    path("mailboxes/<int:pk>/card/", views.card, name="card"),
    path("mailboxes/<int:pk>/sync/", views.sync_now, name="sync"),
    path("mailboxes/<int:pk>/pause/", views.pause, name="pause"),
    path("mailboxes/<int:pk>/resume/", views.resume, name="resume"),
    path("mailboxes/<int:pk>/history/", views.history, name="history"),
    path("mailboxes/<int:pk>/history/<str:change>/", views.change_pull, name="pull"),
    path("mailboxes/<int:pk>/reconnect/", connect_views.reconnect, name="reconnect"),
    path("mailboxes/<int:pk>/permission/<slug:feature>/", connect_views.allow, name="allow"),
    path("mailboxes/<int:pk>/disconnect/", leave_views.disconnect, name="disconnect"),
    path("mailboxes/departures/", leave_views.departing, name="departures"),
    path("mailboxes/<int:pk>/test/", connection_test_views.test, name="test"),
    path("mailboxes/<int:pk>/test/steps/", connection_test_views.steps, name="test-steps"),
    path("mailboxes/<int:pk>/test/shown/", connection_test_views.shown, name="test-shown"),
    path("mailboxes/shared/new/", shared_views.new, name="add-shared"),
    path("mailboxes/<int:pk>/delegate/", shared_views.redelegate, name="delegate"),
]
