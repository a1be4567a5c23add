"""Addresses of the screens of mail."""

from django.urls import path

from postroom.inbox.views import actions, choosing, compose, files, folders, lists, news, threads

app_name = "inbox"
urlpatterns = [
    path("inbox/", lists.inbox, name="list"),
    path("inbox/rail/", news.rail, name="rail"),
    path("inbox/notices/", news.notices, name="notices"),
    path("inbox/undo/", actions.undo_last, name="undo-last"),
    path("inbox/undo/<str:token>/", actions.undo, name="undo"),
    path("inbox/bulk/<slug:action>/", actions.bulk, name="bulk"),
    path("inbox/choose/categories/", choosing.categories, name="choose-category"),
    path("inbox/choose/folders/", choosing.folders, name="choose-folder"),
    path("inbox/threads/<int:pk>/categories/", choosing.of_thread, name="categories"),
    path("inbox/threads/<int:pk>/", threads.in_inbox, name="thread"),
    path("inbox/threads/<int:pk>/folders/", threads.folders, name="folders"),
    path("inbox/threads/<int:pk>/reply/", threads.reply, name="reply"),
    path("inbox/threads/<int:pk>/<slug:action>/", actions.act, name="act"),
    path("mail/", lists.mail, name="mail"),
    path("mail/<int:mailbox>/", lists.mailbox, name="mailbox"),
    path("mail/<int:mailbox>/sync/", lists.sync, name="sync"),
    path("mail/<int:mailbox>/folders/new/", folders.create, name="folder-new"),
    path("mail/<int:mailbox>/<int:folder>/", lists.folder, name="folder"),
    path("mail/<int:mailbox>/<int:folder>/rename/", folders.rename, name="folder-rename"),
    path("mail/<int:mailbox>/<int:folder>/move/", folders.move, name="folder-move"),
    path("mail/<int:mailbox>/<int:folder>/delete/", folders.delete, name="folder-delete"),
    path("mail/<int:mailbox>/<int:folder>/<int:pk>/", threads.in_folder, name="folder-thread"),
    path("compose/", compose.begin, name="compose"),
    path("compose/people/", compose.people, name="people"),
    path("compose/drafts/<int:message>/", compose.resume, name="resume"),
    path("compose/<int:pk>/", compose.draft, name="draft"),
    path("compose/<int:pk>/save/", compose.save, name="save"),
    path("compose/<int:pk>/send/", compose.send, name="send"),
    path("compose/<int:pk>/again/", compose.again, name="again"),
    path("compose/<int:pk>/discard/", compose.discard, name="discard"),
    path("compose/<int:pk>/restore/", compose.restore, name="restore"),
    path("compose/<int:pk>/files/", files.upload, name="upload"),
    path("compose/<int:pk>/files/<int:file>/remove/", files.remove, name="remove-file"),
]
