"""Addresses of `operations`."""

from django.urls import path

from postroom.operations.views import alerts, doctor, machines, operators, setup

app_name = "operations"
urlpatterns = [
    path("settings/doctor/", doctor.page, name="doctor"),
    path("settings/doctor/checks/<str:part>/", doctor.checks, name="doctor-checks"),
    path("settings/doctor/explanation/", doctor.explanation, name="explanation"),
    path("settings/setup/", setup.page, name="setup"),
    path("settings/alerts/", alerts.page, name="alerts"),
    path("settings/alerts/test/", alerts.send_test, name="alert-test"),
    path("settings/alerts/secret/", alerts.new_secret, name="alert-secret"),
    path("operations/", operators.page, name="operators"),
    path("metrics", machines.metrics, name="metrics"),
    path("readyz", machines.ready, name="ready"),
]
