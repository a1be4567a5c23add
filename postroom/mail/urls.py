"""Addresses of `mail`: the content of messages. Lists of them are screens and lie with the screens."""

from django.urls import path

from postroom.mail import views

app_name = "mail"
urlpatterns = [
    path("mail/messages/<int:pk>/body", views.body, name="body"),
    path("mail/messages/<int:pk>/original", views.original, name="original"),
    path("mail/attachments/<int:pk>", views.attachment, name="attachment"),
    path("mail/attachments/<int:pk>/view", views.attachment_view, name="attachment-view"),
    path("mail/pictures/<str:token>", views.picture, name="picture"),
]
