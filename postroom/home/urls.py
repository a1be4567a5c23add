"""Addresses of `home`."""

from django.urls import path

from postroom.home import views

app_name = "home"
urlpatterns = [
    path("home/", views.today, name="today"),
    path("home/steps/open/", views.open_steps, name="steps-open"),
    path("home/steps/close/", views.close_steps, name="steps-close"),
    path("home/steps/palette/", views.palette_tried, name="steps-palette"),
    path("home/news/", views.news, name="news"),
    path("settings/notifications/", views.notifications, name="notifications"),
    path("settings/notifications/wishes/", views.browser_wishes, name="browser-wishes"),
    path("settings/notifications/digest/", views.digest_wishes, name="digest-wishes"),
    path("settings/notifications/digest/now/", views.digest_now, name="digest-now"),
]
