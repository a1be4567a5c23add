"""Addresses of `timeline`."""

from django.urls import path

from postroom.timeline import views

app_name = "timeline"
urlpatterns = [
    path("conversations/<int:pk>/records/", views.beside, name="panel"),
    path("conversations/<int:pk>/records/choices/", views.choices, name="choices"),
    path("conversations/<int:pk>/contact/", views.add_contact, name="add-contact"),
    path("conversations/<int:pk>/links/<slug:key>/<int:record>/", views.link, name="link"),
    path("conversations/<int:pk>/links/<slug:key>/<int:record>/removal/", views.unlink, name="unlink"),
]
