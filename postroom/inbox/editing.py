"""A message's text between the editor in the page and what is kept (``Composition.html``).

What is kept names pictures by content id and may carry styles. The page's policy allows no style in HTML, so the editor
gets them as ``data-style`` and sets them itself; a picture gets an address of ours and keeps its content id beside it.
Whatever comes back is sanitised here, as mail is.
"""

import binascii
import re
from base64 import b64decode
from collections.abc import Mapping, Sequence
from html import escape, unescape
from urllib.parse import urlsplit

from django.urls import Resolver404, resolve, reverse

from postroom.inbox import queries
from postroom.mail import commands, content, pasting, text
from postroom.mail import html as mail_html
from postroom.mail.models import Attachment, Composition, CompositionFile
from postroom.mail.pictures import kind_of
from postroom.workspaces.models import Membership

LARGEST_PASTED = 10_000_000  # bytes of a picture that is pasted inside of text

_TAG = re.compile(r'<[a-z][a-z0-9]*(?: [a-z-]+="[^"]*")+>')
_SRC = re.compile(r' src="(cid:|blocked:)([^"]*)"')
_IMG = re.compile(r'<img((?:\s+[a-zA-Z-]+(?:="[^"]*")?)*)\s*/?>')
_ATTRIBUTE = re.compile(r'([a-zA-Z-]+)="([^"]*)"')
_NOT_BLANK = re.compile(r"<(?:img|hr|table)\b")
_DATA = re.compile(r"data:image/(?P<kind>png|jpe?g|gif|webp|bmp);base64,(?P<bytes>[A-Za-z0-9+/=\s]+)\Z", re.IGNORECASE)


# --- to the page -------------------------------------------------------------------------------------------------


def for_editor(composition: Composition, inside: Sequence[CompositionFile] | None = None) -> str:
    """What its author wrote, as the editor shows it. Safe to put into a page. ``inside``: its inline files, if they are
    at hand."""
    return shown(composition.html, addresses(composition, inside))


def shown(html: str, pictures: Mapping[str, str]) -> str:
    """HTML of mail for one of our pages; ``pictures``: addresses of ours by content id."""

    def tag(found: re.Match[str]) -> str:
        return _SRC.sub(picture, found[0].replace(' style="', ' data-style="'))

    def picture(found: re.Match[str]) -> str:
        kind, value = found[1], unescape(found[2])
        if kind == "blocked:":
            return f' data-remote="{escape(value)}"'
        address = pictures.get(value)
        known = f' src="{escape(address)}"' if address else ""
        return f'{known} data-cid="{escape(value)}"'

    return _TAG.sub(tag, mail_html.sanitise(html).html)


def addresses(composition: Composition, inside: Sequence[CompositionFile] | None = None) -> dict[str, str]:
    """Where the pictures of a composition's text are had: files of its own, or those that lie with its draft."""
    theirs = Attachment.objects.filter(
        message__mailbox=composition.mailbox_id, message__remote_id=composition.draft_id, message__is_draft=True
    ).exclude(content_id="")
    rows = theirs if composition.draft_id else ()
    there = {one.content_id.strip("<>"): content.inline_address(one) for one in rows}
    if inside is None:
        inside = list(CompositionFile.objects.filter(composition=composition, is_inline=True))
    return there | {one.content_id: address_of(one) for one in inside if one.blob_id is not None}


def address_of(file: CompositionFile) -> str:
    """Where a picture of a composition is shown."""
    return reverse("inbox:file", args=[file.composition_id, file.pk])


# --- from the page -----------------------------------------------------------------------------------------------


def kept(typed: str) -> str:
    """What came from the editor, as it is kept: sanitised; an empty text when there is nothing to read in it."""
    html = mail_html.sanitise(_IMG.sub(_named, typed.replace("\0", ""))).html
    return "" if is_blank(html) else html


def is_blank(html: str) -> bool:
    """Whether sanitised HTML shows nothing."""
    return not _NOT_BLANK.search(html) and not text.from_html(html).strip()


def _named(found: re.Match[str]) -> str:
    """A picture of the editor by its content id, or by the address from elsewhere that was not loaded."""
    told = {name.lower(): unescape(value) for name, value in _ATTRIBUTE.findall(found[1])}
    source = f"cid:{told['data-cid']}" if told.get("data-cid") else told.get("data-remote") or told.get("src", "")
    rest = {name: told[name] for name in ("alt", "width", "height", "style") if told.get(name)}
    return "<img" + "".join(f' {name}="{escape(value)}"' for name, value in {"src": source, **rest}.items()) + ">"


def pasted(composition: Composition | None, member: Membership, html: str) -> str:
    """What is pasted into a composition (None: a text without pictures), cleaned, as the editor shows it."""
    if composition is None:
        return shown(pasting.clean(html), {})
    one = composition

    def picture(source: str) -> str:
        file = _from_data(one, source) if source[:5].lower() == "data:" else _from_ours(one, member, source)
        return f"cid:{file.content_id}" if file else ""

    clean = pasting.clean(html, picture=picture)
    return shown(clean, addresses(one))


def _from_data(composition: Composition, source: str) -> CompositionFile | None:
    """A picture that was pasted as bytes inside of the text becomes a file."""
    found = _DATA.match(source[: LARGEST_PASTED * 2])
    try:
        content = b64decode(found["bytes"]) if found else b""
    except (binascii.Error, ValueError):
        return None
    if not kind_of(content[:32]) or len(content) > LARGEST_PASTED:
        return None
    kind = kind_of(content[:32])
    name = f"picture.{kind.partition('/')[2]}"
    file = commands.attach(composition, name=name, content_type=kind, chunks=[content])
    commands.show_inside(file)
    return file


def _from_ours(composition: Composition, member: Membership, source: str) -> CompositionFile | None:
    """A picture copied from this text, or from another one of the member's."""
    try:
        found = resolve(urlsplit(source).path)
    except (Resolver404, ValueError):
        return None
    if found.view_name != "inbox:file":
        return None
    owner = queries.own_composition(member, found.kwargs["pk"])
    file = owner.files.filter(pk=found.kwargs["file"], is_inline=True).exclude(blob=None).first() if owner else None
    if file is None or file.composition_id == composition.pk:
        return file
    file.pk, file.composition, file.remote_id = None, composition, ""
    file.save(force_insert=True)
    commands.show_inside(file)
    return file
