"""What a message contains, made ready for a reader: its text as a page of its own, its attachments, the original.

A mail's HTML is never part of one of our pages. It has an address of its own, is shown in a frame without scripts, and
carries a policy under which nothing in it can run or load.
"""

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

from django.core import signing
from django.http import StreamingHttpResponse
from django.urls import reverse
from django.utils.html import escape

from postroom.files import storage
from postroom.files.models import Blob
from postroom.mail import dusk, previews, quotes
from postroom.mail import html as mail_html
from postroom.mail.models import Attachment, Message, MessageBody
from postroom.mailboxes.models import Mailbox
from postroom.mailboxes.session import open_mail

FRAME_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
FILE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
MAX_PREVIEWED = 50_000_000  # bytes of what is read to be shown
PREVIEWED = {  # what a browser may show by itself, by the type the sender gave; everything else is only saved
    "image/png": "image/png",
    "image/jpeg": "image/jpeg",
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/gif": "image/gif",
    "image/webp": "image/webp",
    "image/bmp": "image/bmp",
    "application/pdf": "application/pdf",
}
_BY_NAME = {"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "pdf": "application/pdf"}

# The colours a mail brings know both themes (``dusk``). Some mail programs note the width of their window at every
# block: kept, the whole mail would be shrunk to half its size to fit.
_STYLE = """
:root { color-scheme: light dark; }
html { background: transparent; }
body { margin: 0; color: light-dark(#1f2430, #e4e6eb); font: 15px/1.55 system-ui, sans-serif; overflow-wrap: anywhere; }
a { color: light-dark(#2457d6, #8fb0ff); }
img { max-width: 100%; height: auto; }
img[data-remote]:not([alt]), img[data-remote][alt=""], img[data-missing] { display: none; }
img[data-remote] { font-size: 12px; color: light-dark(#646b7a, #9aa1b0); }
table, div, hr, p, blockquote { max-width: 100%; }
table:is([border]:not([border="0"]), :has(> * > tr > th)) > * > tr > :is(td, th) { overflow-wrap: break-word; }
div[style*="display:table"] { display: inline-block !important; }
hr { box-sizing: border-box; }
pre, [style*="white-space:pre;"], [style$="white-space:pre"] { white-space: pre-wrap !important; }
blockquote { margin: 0 0 0 .5em; padding-left: 1em; border-left: 2px solid light-dark(#d5d9e2, #3a4050); }
details.quoted > summary { list-style: none; display: inline-block; padding: 0 .6em; margin: .4em 0; cursor: pointer;
  border-radius: 999px; line-height: 1.3; letter-spacing: .1em; background: light-dark(#eceef3, #2b303b); }
details.quoted > summary::-webkit-details-marker { display: none; }
.paper { color-scheme: only light; background: #fff; color: #1f2430; padding: 12px 14px; border-radius: 6px; }
pre { white-space: pre-wrap; font: 13px/1.5 ui-monospace, monospace; margin: 0; }
.grid { border-collapse: collapse; font-size: 13px; max-width: none; }
.grid :is(td, th) { border: 1px solid light-dark(#d5d9e2, #3a4050); padding: .25em .6em; text-align: start;
  overflow-wrap: normal; }
.grid th { background: light-dark(#f3f4f7, #2b303b); }
.grid .number { text-align: end; white-space: nowrap; }
:root:has(.print) { color-scheme: only light; }
.print { max-width: 48rem; margin: 0 auto; padding: 1rem; }
.print h1 { font-size: 20px; }
.sheet { border-top: 1px solid #999; padding: .75em 0 1.5em; }
.sheet dl { display: grid; grid-template-columns: auto 1fr; gap: .1em 1em; margin: 0 0 1em; font-size: 13px; }
.sheet dd { margin: 0; }
.sheet dt { color: #555; }
.print details.quoted { display: none; }
.clipped { margin-top: 1em; padding: .6em .9em; border-radius: 6px; background: light-dark(#fdf3d8, #3a3220); }
"""


class Unavailable(Exception):
    """The content cannot be had from anywhere; the text says why and is fit for a reader."""


# --- the text ----------------------------------------------------------------------------------------------------


def page(message: Message, *, pictures: bool = False) -> str:
    """A whole HTML document with a message's text. ``pictures``: load remote ones, through our own address."""
    return _document(text_of_message(message, pictures=pictures))


def text_of_message(message: Message, *, pictures: bool = False) -> str:
    """The same without the document around it. For pages under ``FRAME_POLICY`` alone."""
    body: MessageBody | None = getattr(message, "body", None)
    if body is None:
        return f"<p><em>{escape(_why_empty(message))}</em></p>"
    html = body.html if body.content_type == "html" else mail_html.from_text(body.text)
    attachments = [one for one in message.attachments.all() if one.content_id]
    addresses = {one.content_id.strip("<>"): inline_address(one) for one in attachments}
    text = _inside(html, addresses, proxied=picture_address if pictures else None)
    return text.replace(mail_html.CLIPPED, _clipped_notice(message))


def printed(subject: str, messages: Sequence[tuple[Sequence[tuple[str, str]], str]]) -> str:
    """A document to put on paper: of each message the lines of its head, and its ``text_of_message``."""
    parts = [f"<h1>{escape(subject)}</h1>"]
    for head, text in messages:
        lines = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in head)
        parts.append(f'<section class="sheet"><dl>{lines}</dl>{text}</section>')
    return _document(f'<div class="print">{"".join(parts)}</div>')


def rendered(html: str, attachments: Mapping[str, str]) -> str:
    """Sanitised HTML as a document of its own: quotes folded, colours for both themes, no picture from elsewhere."""
    return _document(_inside(html, attachments))


def _inside(html: str, attachments: Mapping[str, str], *, proxied: mail_html.PictureAddress | None = None) -> str:
    folded = quotes.folded(html)
    long = len(folded) > dusk.LONGEST  # then it gets white paper in the dark too
    text = mail_html.shown(folded if long else dusk.dusk(folded), attachments=attachments, proxied=proxied)
    return f'<div class="{"paper" if long else "mail"}" dir="auto">{text}</div>'


def _document(content: str) -> str:
    return (
        '<!doctype html><html><head><meta charset="utf-8"><meta name="referrer" content="no-referrer">'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body>{content}</body></html>"
    )


def _why_empty(message: Message) -> str:
    if message.body_state == Message.BodyState.UNUSABLE:
        return "Postroom could not read the text of this message. Open the original to see it."
    return "The text of this message has not been pulled yet."


def _clipped_notice(message: Message) -> str:
    address = escape(reverse("mail:original", args=[message.pk]))
    link = f'<a href="{address}" target="_blank" rel="noopener">Open the original</a>'  # it may not be framed
    return f'<p class="clipped">This message is longer than can be shown. {link}</p>'


def has_hidden_pictures(message: Message) -> bool:
    """Whether a message has pictures from elsewhere that are only loaded when the reader asks."""
    body: MessageBody | None = getattr(message, "body", None)
    return body is not None and mail_html.has_remote_pictures(body.html)


def picture_address(url: str) -> str:
    """Our own address for a picture from elsewhere. Signed: nobody else's addresses are fetched."""
    return reverse("mail:picture", args=[signing.dumps(url, salt="mail.picture", compress=True)])


def signed_picture(token: str) -> str:
    """The picture's address behind ``picture_address``. Raises ``signing.BadSignature``."""
    return str(signing.loads(token, salt="mail.picture", max_age=7 * 24 * 3600))


# --- attachments -------------------------------------------------------------------------------------------------


def inline_address(attachment: Attachment) -> str:
    return reverse("mail:attachment-view", args=[attachment.pk])


def preview_type(attachment: Attachment) -> str:
    """The fixed type under which a browser may show an attachment; empty when it may not."""
    if attachment.kind != "file":
        return ""
    told = attachment.content_type.partition(";")[0].strip().lower()
    if told in {"", "application/octet-stream"}:
        return _BY_NAME.get(attachment.name.rpartition(".")[2].lower(), "")
    return PREVIEWED.get(told, "")


def preview_kind(attachment: Attachment) -> str:
    """How an attachment is shown: picture, pdf, or as a page of ours (``previews``); empty: only saved."""
    shown_as = preview_type(attachment)
    if shown_as:
        return "pdf" if shown_as == "application/pdf" else "picture"
    if attachment.kind != "file" or attachment.size > MAX_PREVIEWED:
        return ""
    return "page" if previews.kind_of(attachment.content_type, attachment.name) else ""


def preview_page(attachment: Attachment) -> str:
    """A text, table or archive as a page. Raises as ``blob``."""
    path = storage.path(blob(attachment))
    return _document(previews.page(previews.kind_of(attachment.content_type, attachment.name), path))


def file_name(attachment: Attachment) -> str:
    """A name that any file system takes: no path, no control characters, never empty."""
    name = attachment.name.replace("\\", "/").rpartition("/")[2]
    name = "".join(c for c in name if c.isprintable()).strip(" .")[:150]
    name = name or "attachment"
    return f"{name}.eml" if attachment.kind == "item" and not name.lower().endswith(".eml") else name


def blob(attachment: Attachment) -> Blob:
    """The attachment's bytes, from our own storage or else from the provider, once.

    Raises ``Unavailable`` for a mere link, and ``providers.errors`` when the provider cannot be asked.
    """
    if attachment.blob is not None and storage.path(attachment.blob).exists():
        return attachment.blob
    if attachment.kind == "reference":
        raise Unavailable("This attachment is a link to a file in the cloud and has no content of its own.")
    kept = storage.store_stream(
        attachment.message.mailbox.workspace, fetch_attachment(attachment), content_type=attachment.content_type
    )
    attachment.blob = kept
    attachment.save(update_fields=["blob"])
    return kept


def fetch_attachment(attachment: Attachment) -> Iterator[bytes]:
    """The attachment's bytes from the provider, as they come. Raises ``providers.errors``."""
    message = attachment.message
    return open_mail(message.mailbox).attachment(message.remote_id, attachment.remote_id)


def original(message: Message) -> Iterator[bytes]:
    """The message as it travelled; see ``mime``."""
    return mime(message.mailbox, message.remote_id)


def mime(mailbox: Mailbox, remote_id: str) -> Iterator[bytes]:
    """A message as it travelled (MIME), from the provider. Raises ``providers.errors``, before the first byte: what
    the provider refuses is told as a page, not as a broken file."""
    chunks = iter(open_mail(mailbox).mime(remote_id))
    first = next(chunks, b"")
    return _led_by(first, chunks)


def _led_by(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def as_it_came(chunks: Iterator[bytes], name: str, *, save: bool) -> StreamingHttpResponse:
    """The answer with a message's MIME: as text to look at, or as a file to ``save``."""
    headers = {
        "Content-Security-Policy": FILE_POLICY,
        "Content-Disposition": disposition("attachment" if save else "inline", name),
    }
    kind = "message/rfc822" if save else "text/plain; charset=utf-8"
    return StreamingHttpResponse(chunks, content_type=kind, headers=headers)


def disposition(kind: str, name: str) -> str:
    """A Content-Disposition header (RFC 6266) for ``inline`` or ``attachment``."""
    plain = "".join(c if c.isascii() and c not in '"\\' else "_" for c in name)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def visible_attachments(message: Message) -> Sequence[Attachment]:
    """What a reader calls attachments: everything but the pictures that are shown inside the text."""
    body: MessageBody | None = getattr(message, "body", None)
    shown = mail_html.content_ids(body.html) if body is not None else set()
    rows = message.attachments.order_by("pk")
    return [one for one in rows if not (one.is_inline and one.content_id.strip("<>") in shown)]
