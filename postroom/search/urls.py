"""Addresses of search."""

from django.urls import path

from postroom.search import views

app_name = "search"
urlpatterns = [
    path("search/", views.results, name="list"),
    path("search/suggestions/", views.suggested, name="suggestions"),
    path("search/threads/<int:pk>/", views.thread, name="thread"),
]
