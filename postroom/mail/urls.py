"""Addresses of `mail`: the content of messages. Lists of them are screens and lie with the screens."""

from django.urls import path

from postroom.mail import trace_views, truth_views, views
from postroom.mail.outbound import views as sending_views

app_name = "mail"
urlpatterns = [
    path("mail/messages/<int:pk>/body", views.body, name="body"),
    path("mail/messages/<int:pk>/card", views.card, name="card"),
    path("mail/messages/<int:pk>/original", views.original, name="original"),
    path("mail/attachments/<int:pk>", views.attachment, name="attachment"),
    path("mail/attachments/<int:pk>/view", views.attachment_view, name="attachment-view"),
    path("mail/messages/<int:pk>/pictures", views.pictures_always, name="pictures-always"),
    path("mail/pictures/<str:token>", views.picture, name="picture"),
    path("settings/sending/", sending_views.sending, name="sending"),
    path("settings/sending/test/", sending_views.test_server, name="sending-test"),
    path("settings/sending/forget/", sending_views.forget_server, name="sending-forget"),
    path("settings/sending/mailboxes/<int:pk>/", sending_views.allowance, name="allowance"),
    path("mail/missing/", trace_views.why, name="why"),
    path("mail/missing/fetch/", trace_views.fetch, name="fetch"),
    path("mailboxes/<int:pk>/complete/", truth_views.complete, name="complete"),
    path("mailboxes/<int:pk>/complete/check/", truth_views.check, name="check"),
    path("mailboxes/<int:pk>/folders/<int:folder>/", truth_views.switch, name="switch"),
    path("mailboxes/<int:pk>/set-aside/", truth_views.aside, name="aside"),
    path("mailboxes/<int:pk>/set-aside/again/", truth_views.aside_again, name="aside-again"),
    path("mailboxes/<int:pk>/set-aside/<int:item>/original", truth_views.aside_original, name="aside-original"),
    path("mailboxes/<int:pk>/brake/", truth_views.stopped, name="brake"),
    path("mailboxes/<int:pk>/brake/decide/", truth_views.decide, name="decide"),
]
