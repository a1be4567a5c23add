"""The form for a letter, and sending it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from ..http import Request, Response
from ..mime import Parsed
from ..text import html_to_text
from . import letters
from .layout import mail_path, page
from .mailbox import answered
from .markup import button, esc, form, options

if TYPE_CHECKING:
    from ..world import World

_KEPT = ("mailbox", "message", "outgoing")


def show(world: World, request: Request, *, problem: str = "", filled: dict[str, str] | None = None) -> Response:
    """The form. `as` is who writes, `to` whom for; with `message` or `outgoing` it is an answer."""
    query = {**request.query, **(filled or {})}
    original = answered(world, request)
    writer = query.get("as", "")
    values = {
        "as": writer,
        "to": query.get("to", "") or (_reply_to(original, writer) if original else ""),
        "subject": query.get("subject", "") or (letters.reply_subject(original.subject) if original else ""),
        "text": query.get("text", ""),
        "attach": query.get("attach", ""),
    }
    alert = f'<p class="alert" role="alert">{esc(problem)}</p>' if problem else ""
    title = "Answer" if original else "Write"
    main = f'<div class="head"><h1>{title}</h1></div>{alert}{_form(world, values, query)}{_quoted(original)}'
    return page(world, request, title, main, current="/write", status=400 if problem else 200)


def _form(world: World, values: dict[str, str], query: dict[str, str]) -> str:
    known = {user.address: user.name for user in world.users if user.has_mailbox} | letters.CONTACT_NAMES
    people = "".join(f'<option value="{esc(address)}">{esc(name)}</option>' for address, name in known.items())
    inner = (
        f'<datalist id="known">{people}</datalist>'
        f'<label for="as">From</label><input id="as" name="as" list="known" required value="{esc(values["as"])}" '
        'aria-describedby="as-help"><p id="as-help" class="quiet">Anybody: a customer, or a person of the company.</p>'
        f'<label for="to">To</label><input id="to" name="to" list="known" required value="{esc(values["to"])}">'
        f'<label for="subject">Subject</label><input id="subject" name="subject" value="{esc(values["subject"])}">'
        f'<label for="text">Text</label><textarea id="text" name="text" rows="10">{esc(values["text"])}</textarea>'
        f'<label for="attach">Attachment</label><select id="attach" name="attach">'
        f"{options(letters.ATTACHMENTS.items(), values['attach'])}</select>"
        f'<div class="actions">{button("Send", css="primary")}</div>'
    )
    kept = {name: query[name] for name in _KEPT if query.get(name)}
    return form("/write", inner, fields=kept, css="sheet")


def _reply_to(original: Parsed, writer: str) -> str:
    """The sender of the original, or whom it went to when the writer answers their own mail."""
    sender = (original.reply_to or [original.from_ or original.sender or ("", "")])[0][1]
    if sender.lower() != writer.lower():
        return sender
    return ", ".join(address for _, address in original.to)


def _quoted(original: Parsed | None) -> str:
    if original is None:
        return ""
    text = original.text if original.text is not None else html_to_text(original.html)
    name = (original.from_ or ("", "somebody"))[0]
    return f'<section><h2>What {esc(name)} wrote</h2><pre class="text">{esc(text[:4000])}</pre></section>'


def send(world: World, request: Request) -> tuple[str, str] | Response:
    """Sends the letter; (where to go next, what to say), or the form again with what is wrong."""
    fields = request.form()
    letter = letters.Letter(
        sender=fields.get("as", "").strip(),
        recipients=letters.addresses(fields.get("to", "")),
        subject=" ".join(fields.get("subject", "").split()),
        text=fields.get("text", ""),
        attach=fields.get("attach", ""),
        answers=answered(world, request),
    )
    try:
        said = letters.send(world, letter)
    except letters.LetterError as error:
        return show(world, request, problem=str(error), filled=fields)
    user = world.user_by_address(letter.sender)
    if user and user.has_mailbox:
        return mail_path(user.address), said
    if fields.get("outgoing"):
        return f"/people/{letter.sender}", said
    first = next(found for address in letter.recipients if (found := world.user_by_address(address)))
    return f"{mail_path(first.address)}?{urlencode({'folder': 'inbox'})}", said
