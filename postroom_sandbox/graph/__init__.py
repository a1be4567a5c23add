"""Microsoft Graph v1.0 as far as a mail client meets it (graph.md 2, 4, 5, 6)."""

from __future__ import annotations

from postroom_sandbox.graph import (
    attachments,
    delta,
    folders,
    listing,
    messages,
    people,
    relevance,
    sending,
    settings,
    uploads,
)
from postroom_sandbox.graph.call import (
    BASIC,
    PEOPLE,
    PROFILE,
    READ,
    SEND,
    SETTINGS,
    SETTINGS_WRITE,
    WRITE,
    Need,
    Operation,
    served,
)
from postroom_sandbox.graph.paths import normalise
from postroom_sandbox.http import Route
from postroom_sandbox.world import World

_M, _F, _A = "/messages/{message}", "/mailFolders/{folder}", "/messages/{message}/attachments/{attachment}"
# method, path below /v1.0/users/{user}, operation, what it needs
_TABLE: tuple[tuple[str, str, Operation, Need], ...] = (
    ("GET", "", people.get_user, PROFILE),
    ("GET", "/photo", people.get_photo, PROFILE),
    ("GET", "/photo/$value", people.get_photo, PROFILE),
    ("GET", "/photos/{size}/$value", lambda call, size: people.get_photo(call), PROFILE),
    ("GET", "/people", relevance.list_people, PEOPLE),
    ("GET", "/mailFolders", folders.list_folders, BASIC),
    ("GET", "/mailFolders/$count", folders.count_folders, BASIC),
    ("GET", "/mailFolders/delta", folders.folders_delta, BASIC),
    ("POST", "/mailFolders", folders.create_folder, WRITE),
    ("GET", _F, folders.get_folder, BASIC),
    ("PATCH", _F, folders.rename_folder, WRITE),
    ("DELETE", _F, folders.delete_folder, WRITE),
    ("POST", f"{_F}/move", folders.move_folder, WRITE),
    ("POST", f"{_F}/copy", folders.copy_folder, WRITE),
    ("POST", f"{_F}/permanentDelete", folders.purge_folder, WRITE),
    ("GET", f"{_F}/childFolders", folders.list_children, BASIC),
    ("POST", f"{_F}/childFolders", folders.create_child, WRITE),
    ("GET", f"{_F}/messages", listing.list_folder_messages, BASIC),
    ("GET", f"{_F}/messages/$count", listing.count_folder_messages, BASIC),
    ("GET", f"{_F}/messages/delta", delta.messages_delta, BASIC),
    ("POST", f"{_F}/messages", sending.create_in_folder, WRITE),
    ("GET", "/messages", listing.list_messages, BASIC),
    ("GET", "/messages/$count", listing.count_messages, BASIC),
    ("GET", "/messages/delta", delta.delta_of_all, BASIC),
    ("POST", "/messages", sending.create_message, WRITE),
    ("GET", _M, messages.get_message, BASIC),
    ("GET", f"{_M}/$value", messages.get_mime, READ),
    ("PATCH", _M, messages.patch_message, WRITE),
    ("DELETE", _M, messages.delete_message, WRITE),
    ("POST", f"{_M}/move", messages.move_message, WRITE),
    ("POST", f"{_M}/copy", messages.copy_message, WRITE),
    ("POST", f"{_M}/permanentDelete", messages.purge_message, WRITE),
    ("POST", f"{_M}/createReply", sending.create_reply, WRITE),
    ("POST", f"{_M}/createReplyAll", sending.create_reply_all, WRITE),
    ("POST", f"{_M}/createForward", sending.create_forward, WRITE),
    ("POST", f"{_M}/reply", sending.reply, SEND),
    ("POST", f"{_M}/replyAll", sending.reply_all, SEND),
    ("POST", f"{_M}/forward", sending.forward, SEND),
    ("POST", f"{_M}/send", sending.send_draft, SEND),
    ("POST", "/sendMail", sending.send_mail, SEND),
    ("GET", f"{_M}/attachments", messages.list_message_attachments, READ),
    ("POST", f"{_M}/attachments", attachments.add_attachment, WRITE),
    ("POST", f"{_M}/attachments/createUploadSession", uploads.create_session, WRITE),
    ("GET", _A, attachments.get_attachment, READ),
    ("GET", f"{_A}/$value", attachments.get_attachment_bytes, READ),
    ("DELETE", _A, attachments.delete_attachment, WRITE),
    ("POST", "/translateExchangeIds", messages.translate_ids, PROFILE),
    ("POST", "/getMailTips", settings.mail_tips, BASIC),
    ("GET", "/mailboxSettings", settings.get_settings, SETTINGS),
    ("GET", "/mailboxSettings/{part}", settings.get_setting, SETTINGS),
    ("PATCH", "/mailboxSettings", settings.patch_settings, SETTINGS_WRITE),
    ("GET", "/outlook/masterCategories", settings.list_categories, SETTINGS),
    ("POST", "/outlook/masterCategories", settings.create_category, SETTINGS_WRITE),
    ("GET", "/outlook/masterCategories/{category}", settings.get_category, SETTINGS),
    ("PATCH", "/outlook/masterCategories/{category}", settings.patch_category, SETTINGS_WRITE),
    ("DELETE", "/outlook/masterCategories/{category}", settings.delete_category, SETTINGS_WRITE),
)


def routes(world: World) -> list[Route]:
    """Every route of Graph mail. Paths are those `normalise` makes."""
    table = [Route(m, f"/v1.0/users/{{user}}{path}", served(world, op, need)) for m, path, op, need in _TABLE]
    everyone = Route("GET", "/v1.0/users", served(world, people.list_users, None))
    return [everyone, *table, *uploads.routes(world)]


__all__ = ["normalise", "routes"]
