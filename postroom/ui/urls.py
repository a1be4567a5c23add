from django.urls import path

from postroom.ui import views

app_name = "ui"
urlpatterns = [
    path("gallery", views.gallery, name="gallery"),
    path("gallery/frame", views.frame, name="gallery-frame"),
    path("gallery/suggestions", views.suggestions, name="gallery-suggestions"),
    path("gallery/<slug:page>", views.gallery, name="gallery-page"),
]
