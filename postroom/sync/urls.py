from django.urls import path

from postroom.sync import views

urlpatterns = [path("hooks/<slug:provider>", views.notifications, name="notifications")]
