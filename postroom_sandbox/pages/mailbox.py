"""A mailbox from inside: folders, messages, one message, and what can be done with it."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import msgspec

from ..http import ApiError, Request, Response, html_response
from ..mime import Parsed
from ..store.mailbox import Mailbox
from ..store.model import COMPLETE, DELETED, FLAGGED, INBOX, ROOT, SENT, Folder, Message
from ..store.tree import NameTaken
from ..text import without_scripts
from . import letters
from .layout import mail_path, page
from .markup import avatar, button, esc, form, options

if TYPE_CHECKING:
    from ..world import World

PAGE = 40
_FIRST = {INBOX: 0, "drafts": 1, SENT: 2, "archive": 3, "junkemail": 8, DELETED: 9}
_BODY_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"


@dataclass(frozen=True, slots=True)
class Place:
    """What is looked at: a mailbox, one of its folders, perhaps one of its messages."""

    mailbox: Mailbox
    folder: Folder
    message: Message | None = None

    @property
    def address(self) -> str:
        return self.mailbox.user.address

    @property
    def folder_id(self) -> str:
        return self.mailbox.ids.folder(self.folder.number)

    def link(self, *parts: str, **query: object) -> str:
        """A link inside this mailbox; the folder goes along."""
        wanted = {"folder": self.folder_id} | {key: str(value) for key, value in query.items()}
        return f"{mail_path(self.address, *parts)}?{urlencode(wanted)}"


def open_place(world: World, request: Request, address: str, message: str = "") -> Place:
    """Finds mailbox, folder and message. Raises ApiError 404."""
    user = world.users.find(address)
    if user is None or not user.has_mailbox:
        raise ApiError(404, "ResourceNotFound", f"There is no mailbox {address}.")
    mailbox = world.mailbox(user)
    found = mailbox.find(message) if message else None
    if message and found is None:
        raise ApiError(404, "ErrorItemNotFound", "The message is not there any more.")
    key = request.query.get("folder", "")
    folder = (mailbox.tree.get(key) if key else None) or (found.folder if found else mailbox.tree[INBOX])
    return Place(mailbox, folder, found)


# -- the list


def show_folder(world: World, request: Request, address: str) -> Response:
    """A folder's messages, newest first."""
    place = open_place(world, request, address)
    name = place.folder.name
    main = (
        f'<div class="head"><h1>{esc(name)}</h1><span class="quiet">{esc(place.mailbox.user.name)}</span>'
        f"{_write_link(place)}</div>{_messages(place, request)}{_folder_tools(place)}"
    )
    return page(
        world, request, f"{name} of {place.mailbox.user.name}", main, current=place.address, folders=_folders(place)
    )


def _write_link(place: Place) -> str:
    query = urlencode({"to": place.address})
    return f'<a class="button primary" href="/write?{query}">Write to {esc(place.mailbox.user.name.split()[0])}</a>'


def _messages(place: Place, request: Request) -> str:
    asked = request.query.get("page", "0")
    number = int(asked) if asked.isdigit() and len(asked) < 7 else 0
    items = place.folder.messages.items
    end = len(items) - number * PAGE
    shown = list(reversed(items[max(end - PAGE, 0) : max(end, 0)]))
    if not shown:
        return '<p class="empty">Nothing in this folder.</p>'
    said = place.mailbox.contents.summaries([message.content for message in shown])
    rows = "".join(_row(place, message, _summary(said[message.content])) for message in shown)
    turn = ""
    if number:
        turn += f'<a class="button" href="{esc(place.link(page=number - 1))}">Newer</a>'
    if end > PAGE:
        turn += f'<a class="button" href="{esc(place.link(page=number + 1))}">Older</a>'
    count = f'<span class="quiet">{len(items):,} messages</span>'
    return f'<ul class="messages" data-live>{rows}</ul><div class="turn">{count}{turn}</div>'


def _summary(data: bytes) -> dict[str, Any]:
    text = data if data.startswith(b"{") else b"{" + data + b"}"
    found: dict[str, Any] = msgspec.json.decode(text)
    return found


def _person(value: dict[str, Any] | None) -> tuple[str, str]:
    box = (value or {}).get("emailAddress") or {}
    return str(box.get("name") or box.get("address") or "nobody"), str(box.get("address") or "")


def _row(place: Place, message: Message, said: dict[str, Any]) -> str:
    outgoing = place.folder.well_known in (SENT, "drafts")
    people = said.get("toRecipients") or [None] if outgoing else [said.get("from")]
    name, address = _person(people[0])
    mark = '<span class="flag" role="img" aria-label="Flagged">⚑</span>' if message.flags & FLAGGED else ""
    tags = "".join(f'<span class="tag">{esc(item)}</span>' for item in message.categories[:3])
    state = "" if message.is_read else " unread"
    label = "" if message.is_read else '<span class="sr">Unread. </span>'
    when = datetime.fromtimestamp(message.received, UTC)
    return (
        f'<li><a class="message{state}" href="{esc(place.link("message", place.mailbox.immutable_id(message)))}">'
        f'{avatar(name, address)}<span class="who">'
        f'<span class="name">{label}{"To " if outgoing else ""}{esc(name)}</span>'
        f'<span class="subject">{esc(said.get("subject") or "(no subject)")}</span>'
        f'<span class="quiet preview">{esc((said.get("bodyPreview") or "")[:140])}</span></span>'
        f'<span class="side-notes"><time datetime="{when:%Y-%m-%dT%H:%M:%SZ}">{_short(place, when)}</time>'
        f"{mark}{tags}</span>"
        "</a></li>"
    )


def _short(place: Place, when: datetime) -> str:
    today = datetime.fromtimestamp(place.mailbox.now(), UTC).date()
    if when.date() == today:
        return f"{when:%H:%M}"
    return f"{when:%d %b}" if when.year == today.year else f"{when:%d %b %Y}"


# -- the folders


def _folders(place: Place) -> str:
    tree = _branch(place, place.mailbox.tree[ROOT])
    return f'<details class="folders wide"><summary>Folders</summary><nav aria-label="Folders">{tree}</nav></details>'


def _branch(place: Place, parent: Folder) -> str:
    children = sorted(
        parent.visible_children(), key=lambda item: (_FIRST.get(item.well_known, 5), item.name.casefold())
    )
    return f"<ul>{''.join(_folder(place, child) for child in children)}</ul>" if children else ""


def _folder(place: Place, folder: Folder) -> str:
    here = ' aria-current="page"' if folder is place.folder else ""
    unread = f'<span class="count" aria-label="{folder.unread} unread">{folder.unread}</span>' if folder.unread else ""
    href = f"{mail_path(place.address)}?{urlencode({'folder': place.mailbox.ids.folder(folder.number)})}"
    return f'<li><a href="{href}"{here}><span>{esc(folder.name)}</span>{unread}</a>{_branch(place, folder)}</li>'


def _folder_tools(place: Place) -> str:
    create = (
        f'<label for="new">New folder inside {esc(place.folder.name)}</label><div class="row">'
        f'<input id="new" name="name" required maxlength="250">{button("Create", name="do", value="create")}</div>'
    )
    tools = form(place.link("folder"), create)
    if not place.folder.well_known:
        rename = (
            f'<label for="rename">Rename {esc(place.folder.name)}</label><div class="row">'
            f'<input id="rename" name="name" required maxlength="250" value="{esc(place.folder.name)}">'
            f"{button('Rename', name='do', value='rename')}</div>"
        )
        tools += form(place.link("folder"), rename)
        tools += form(place.link("folder"), button("Delete this folder", name="do", value="delete", css="danger"))
    return f'<details class="tools"><summary>Folder tools</summary>{tools}</details>'


def change_folder(world: World, request: Request, address: str) -> str:
    """Creates, renames or deletes; returns where to go next. Raises ApiError 400 or 409."""
    place, fields = open_place(world, request, address), request.form()
    name, act = fields.get("name", "").strip(), fields.get("do", "")
    tree = place.mailbox.tree
    if act != "delete" and not name:
        raise ApiError(400, "BadRequest", "A folder needs a name.")
    try:
        if act == "create":
            tree.create(name, place.folder)
        elif place.folder.well_known:
            raise ApiError(400, "BadRequest", "This folder belongs to the mailbox and stays as it is.")
        elif act == "rename":
            tree.rename(place.folder, name)
        else:
            tree.delete(place.folder)
            return mail_path(place.address)
    except NameTaken:
        raise ApiError(409, "ErrorFolderExists", "There is a folder of that name already.") from None
    return place.link()


# -- one message


def show_message(world: World, request: Request, address: str, message: str) -> Response:
    """One message with its actions."""
    place = open_place(world, request, address, message)
    assert place.message is not None
    said = _summary(place.mailbox.contents.summaries([place.message.content])[place.message.content])
    subject = said.get("subject") or "(no subject)"
    body = place.link("body", message)
    back = f'<a class="button" href="{esc(place.link())}">Back to {esc(place.folder.name)}</a>'
    main = (
        f'<div class="head back">{back}</div>'
        f"<article><h1>{esc(subject)}</h1>{_envelope(place, said)}{_actions(place, said)}"
        f'<iframe class="mail" sandbox src="{esc(body)}" title="Text of the message"></iframe>'
        f"{_attachments(place)}</article>"
    )
    return page(world, request, subject, main, current=place.address, folders=_folders(place))


def _envelope(place: Place, said: dict[str, Any]) -> str:
    assert place.message is not None
    name, address = _person(said.get("from"))
    lines = []
    for label, field in (("To", "toRecipients"), ("Cc", "ccRecipients")):
        people = [_person(item) for item in said.get(field) or []]
        if people:
            names = ", ".join(f'<span title="{esc(where)}">{esc(who)}</span>' for who, where in people[:20])
            lines.append(f'<div class="quiet">{label} {names}</div>')
    when = datetime.fromtimestamp(place.message.received, UTC)
    return (
        f'<div class="envelope">{avatar(name, address)}<div><strong>{esc(name)}</strong> '
        f'<span class="quiet">{esc(address)}</span>{"".join(lines)}</div>'
        f'<time class="quiet" datetime="{when:%Y-%m-%dT%H:%M:%SZ}">{when:%a %d %b %Y, %H:%M} UTC</time></div>'
    )


def _actions(place: Place, said: dict[str, Any]) -> str:
    message, mailbox = place.message, place.mailbox
    assert message is not None
    identifier = mailbox.immutable_id(message)
    read = button(
        "Mark unread" if message.is_read else "Mark read", name="do", value="unread" if message.is_read else "read"
    )
    flagged = bool(message.flags & FLAGGED)
    flag = button("Remove flag" if flagged else "Flag", name="do", value="unflag" if flagged else "flag")
    bin_ = button("Delete", name="do", value="delete", css="danger")
    folders = [
        (mailbox.ids.folder(item.number), item.path)
        for item in mailbox.tree
        if item.parent is not None and not item.hidden and item is not message.folder
    ]
    target = options(sorted(folders, key=lambda pair: pair[1].casefold()))
    move = (
        f'<label class="sr" for="target">Move to</label><select id="target" name="target">{target}</select>'
        f"{button('Move', name='do', value='move')}"
    )
    act = place.link("act", identifier)
    return (
        f'<div class="actions">{_answers(place, said, identifier)}{form(act, read + flag + bin_, css="inline")}'
        f"{form(act, move, css='inline')}</div>"
    )


def _answers(place: Place, said: dict[str, Any], identifier: str) -> str:
    """Who may answer: the owner, and on the other side the person it came from or went to."""
    owner = place.address
    sender = _person(said.get("from"))
    others = [_person(item) for item in said.get("toRecipients") or []]
    writers = [(place.mailbox.user.name, owner), sender, *others[:2]]
    links, seen = "", set()
    for name, address in writers:
        if "@" not in address or address.lower() in seen:
            continue
        seen.add(address.lower())
        query = urlencode({"as": address, "mailbox": owner, "message": identifier})
        css = "button" if links else "button primary"
        links += f'<a class="{css}" href="/write?{esc(query)}">Answer as {esc(name.split()[0])}</a>'
    return links


def act(world: World, request: Request, address: str, message: str) -> str:
    """Does what a button says; returns where to go next. Raises ApiError 400."""
    place, fields = open_place(world, request, address, message), request.form()
    found, mailbox, what = place.message, place.mailbox, fields.get("do", "")
    assert found is not None
    if what in ("read", "unread"):
        mailbox.set_read(found, what == "read")
        mailbox.touch(found, read_state_only=True)
    elif what in ("flag", "unflag"):
        found.set_flags(COMPLETE, False)
        found.set_flags(FLAGGED, what == "flag")
        mailbox.touch(found)
    elif what == "move":
        target = mailbox.tree.get(fields.get("target", ""))
        if target is None:
            raise ApiError(400, "BadRequest", "Choose a folder to move to.")
        mailbox.move(found, target)
        return place.link()
    elif what == "delete":
        mailbox.delete(found)
        return place.link()
    else:
        raise ApiError(400, "BadRequest", f"'{what}' cannot be done with a message.")
    return place.link("message", message)


# -- its content


def show_body(world: World, request: Request, address: str, message: str) -> Response:
    """The HTML of a message for the sandboxed frame: no scripts, no requests, inline pictures as data."""
    place = open_place(world, request, address, message)
    assert place.message is not None
    parsed = place.mailbox.contents.load(place.message.content)
    html = without_scripts(parsed.html)
    for item in parsed.attachments:
        if item.content_id and item.content_type.startswith("image/"):
            data = base64.b64encode(item.content).decode()
            html = html.replace(f"cid:{item.content_id}", f"data:{item.content_type};base64,{data}")
    return html_response(html, headers=[("Content-Security-Policy", _BODY_POLICY), ("Cache-Control", "no-store")])


def _attachments(place: Place) -> str:
    assert place.message is not None
    infos = [item for item in place.mailbox.contents.attachments(place.message.content) if not item.is_inline]
    identifier = place.mailbox.immutable_id(place.message)
    rows = "".join(
        f'<li><a href="{esc(place.link("file", identifier, str(number)))}">{esc(info.name or "without a name")}</a> '
        f'<span class="quiet">{info.size:,} bytes</span></li>'
        for number, info in enumerate(infos)
    )
    return f'<section><h2>Attachments</h2><ul class="files">{rows}</ul></section>' if rows else ""


def download(world: World, request: Request, address: str, message: str, number: str) -> Response:
    """An attachment, always as a download of a fixed type."""
    place = open_place(world, request, address, message)
    assert place.message is not None
    contents = place.mailbox.contents
    infos = [item for item in contents.attachments(place.message.content) if not item.is_inline]
    if not number.isdigit() or int(number) >= len(infos):
        raise ApiError(404, "ErrorItemNotFound", "There is no such attachment.")
    info = infos[int(number)]
    data = contents.attachment(place.message.content, info).content
    name = f"attachment; filename*=UTF-8''{quote(info.name or 'attachment', safe='')}"
    return Response(200, data, [("Content-Type", "application/octet-stream"), ("Content-Disposition", name)])


def answered(world: World, request: Request) -> Parsed | None:
    """The message a letter answers, by the `mailbox` and `message` (or `outgoing`) of the query."""
    fields = {**request.query, **(request.form() if request.method == "POST" else {})}
    if fields.get("outgoing", "").isdigit():
        row = world.db.query_one("SELECT raw FROM outgoing WHERE id = ?", (int(fields["outgoing"]),))
        return letters.parse(row[0]) if row else None
    if not fields.get("message"):
        return None
    place = open_place(world, request, fields.get("mailbox", ""), fields["message"])
    return place.mailbox.contents.load(place.message.content, attachments=False) if place.message else None
