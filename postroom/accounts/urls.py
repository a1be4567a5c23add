"""Addresses of `accounts`."""

from django.urls import path

from postroom.accounts import views

app_name = "accounts"
urlpatterns = [
    path("sign-in/", views.sign_in, name="sign-in"),
    path("sign-out/", views.sign_out, name="sign-out"),
    path("demo/sign-in", views.demo_sign_in, name="demo-sign-in"),
    path("settings/profile/", views.profile, name="profile"),
]
