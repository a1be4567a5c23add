"""Mail HTML made safe: an allow-list when it is stored, a second look when it is shown.

What ``sanitise`` returns can neither run nor load anything, wherever it is shown: scripts, styles, forms, frames and
comments are gone, links open outside, and every remote picture's address is disguised as ``blocked:https://…`` so that
only ``shown`` (a deliberate act of the reader) turns it into one that loads, through our own picture proxy.
Pictures that travel with the mail keep ``cid:…`` until ``shown`` puts in the address of the attachment.
"""

import re
from collections.abc import Callable, Mapping
from html import escape, unescape
from typing import NamedTuple
from urllib.parse import unquote

import nh3

from postroom.mail.nesting import MAX_TAG, flattened, words
from postroom.mail.text import storable

VERSION = 2  # of this recipe; kept beside what it made (MessageBody.made_by)
MAX_LENGTH = 4_000_000  # characters; beyond it the reader is sent to the original
_MANY_TAGS = 2_000  # below this no nesting can hurt
_SWOLLEN = 8  # times longer than what was delivered: formatting that was never closed

BLOCKED = "blocked:"
CLIPPED = '<p data-clipped="true"></p>'  # the reader's page says in its place that there is more

_TEXT_TAGS = (
    "a abbr acronym address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del "
    "details dfn div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hgroup hr i img ins kbd li main "
    "map mark menu nav ol p pre q rp rt ruby s samp section small span strike strong sub summary sup table tbody td "
    "tfoot th thead time tr tt u ul var wbr"
)
_TAGS = set(words(_TEXT_TAGS))
# What stands inside is no text for a reader, or (iframe, noembed, noframes) markup that would be shown as text.
_DROPPED_WITH_CONTENT = set(words("script style title head template iframe noembed noframes xml object"))

_EVERYWHERE = {"align", "bgcolor", "class", "color", "dir", "height", "id", "lang", "style", "title", "valign", "width"}
_ATTRIBUTES: dict[str, set[str]] = {
    "*": _EVERYWHERE,
    "a": {"href", "name"},
    "blockquote": {"type"},
    "col": {"span"},
    "colgroup": {"span"},
    "font": {"face", "size"},
    "hr": {"size"},
    "img": {"alt", "border", "hspace", "src", "vspace"},
    "li": {"value"},
    "ol": {"start", "type"},
    "p": {"data-clipped"},
    "table": {"border", "cellpadding", "cellspacing", "rules", "summary"},
    "td": {"colspan", "nowrap", "rowspan"},
    "th": {"colspan", "nowrap", "rowspan", "scope"},
    "ul": {"type"},
}
# Whatever can load, cover other things or leave its place is missing here on purpose.
_SIDES = ("", "-top", "-right", "-bottom", "-left")
_STYLES = {
    *words("background-color color direction display font font-family font-size font-style font-variant font-weight"),
    *words("letter-spacing line-height text-align text-decoration text-indent text-transform unicode-bidi"),
    *words("vertical-align white-space word-break word-spacing word-wrap overflow-wrap"),
    *words("height width max-height max-width min-height min-width float clear"),
    *words("border-collapse border-spacing border-radius border-color border-style border-width table-layout"),
    *(f"{name}{side}" for name in ("margin", "padding", "border") for side in _SIDES),
    *(f"border{side}-{what}" for side in _SIDES[1:] for what in ("color", "style", "width")),
}

# Of classes and ids only those survive by which ``quotes`` recognises what a reply quotes.
QUOTE_CLASSES = words(
    "gmail_quote gmail_quote_container gmail_attr gmail_signature gmail_extra yahoo_quoted moz-cite-prefix "
    "moz-signature protonmail_quote protonmail_signature_block zmail_extra tutanota_quote mail-quote "
    "WordSection1 OutlookMessageHeader AppleMailSignature x_gmail_quote"
)
QUOTE_IDS = words(
    "divRplyFwdMsg appendonsend OLK_SRC_BODY_SECTION mail-editor-reference-message-container isForwardContent "
    "isReplyContent reply-intro AppleMailSignature Signature x_divRplyFwdMsg x_appendonsend "
    "ms-outlook-mobile-signature x_Signature origbody"
)
_YAHOO = re.compile(r"\A(?:ydp[0-9a-f]{4,12}|yiv\d{4,12})+")  # what Yahoo puts before every name it finds or makes
_QUOTE_WORDS = {"class": QUOTE_CLASSES, "id": QUOTE_IDS}

_LONG_TAG = re.compile(rf"<[a-zA-Z][^<>]{{{MAX_TAG},}}")
_DATA_PICTURE = re.compile(r"data:image/(?:png|jpe?g|gif|webp|bmp);base64,[A-Za-z0-9+/=\s]*\Z", re.IGNORECASE)
_COLOUR = r"#[0-9a-fA-F]{3,8}|rgba?\([\d\s.,%]{1,40}\)|[a-zA-Z]{3,24}"
_BACKGROUND = re.compile(rf"(?<![\w-])background\s*:\s*({_COLOUR})\s*(?=;|!|\Z)")
# What a value of an allowed property may compute. Everything else that is called (url, expression, attr …) loads, runs
# or looks around, if not in this browser then in another.
_CALL = re.compile(r"([\w-]*)\s*\(")
_CALLS = words("rgb rgba hsl hsla hwb lab lch oklab oklch color-mix calc min max clamp")
_ODD_IN_STYLE = re.compile(r"[\\(){}]")
_REMOTE = ("http://", "https://")


class Clean(NamedTuple):
    """``html`` is safe to serve; ``clipped`` when the mail was longer than anyone reads."""

    html: str
    clipped: bool


def sanitise(html: str) -> Clean:
    """The mail's HTML without anything that runs, loads or escapes. Never raises; time is bounded by ``MAX_LENGTH``."""
    clipped = len(html) > MAX_LENGTH
    html = storable(html[:MAX_LENGTH])
    if html.count("<") > _MANY_TAGS or (len(html) > MAX_TAG and _LONG_TAG.search(html)):
        html = flattened(html)
    clean = _ALLOWED.clean(html)
    if len(clean) > _SWOLLEN * len(html) + MAX_TAG:
        clean = _ALLOWED.clean(flattened(html))
    return Clean(clean + CLIPPED if clipped else clean, clipped)


def _attribute(tag: str, name: str, value: str) -> str | None:
    """nh3's view of one attribute: ``None`` drops it."""
    if name == "style":
        return _style(value)
    if name in _QUOTE_WORDS:
        bare = (_YAHOO.sub("", word) for word in value.split()) if "y" in value else value.split()
        return " ".join(word for word in bare if word in _QUOTE_WORDS[name]) or None
    if name == "src":
        return _picture(value)
    if name == "href":
        return value if value[:5].lower() in {"http:", "https", "mailt"} or value[:4].lower() == "tel:" else None
    return value


def _style(style: str) -> str:
    """Declarations without escapes, blocks and calls that a mail has no use for; nh3 looks at their names."""
    if _ODD_IN_STYLE.search(style):
        style = ";".join(part for part in style.split(";") if _is_plain(part))
    return _BACKGROUND.sub(r"background-color:\1", style) if "background" in style else style


def _is_plain(declaration: str) -> bool:
    odd = any(sign in declaration for sign in "\\{}")
    return not odd and all(call.lower() in _CALLS for call in _CALL.findall(declaration))


def _picture(address: str) -> str | None:
    address = address.strip().removeprefix(BLOCKED)  # stored HTML may come by again
    start = address[:8].lower()
    if start.startswith(_REMOTE):
        return BLOCKED + address
    if start.startswith("cid:"):
        return "cid:" + address[4:]
    return address if start.startswith("data:") and _DATA_PICTURE.match(address) else None


_ALLOWED = nh3.Cleaner(
    tags=_TAGS,
    clean_content_tags=_DROPPED_WITH_CONTENT,
    attributes=_ATTRIBUTES,
    attribute_filter=_attribute,
    filter_style_properties=_STYLES,
    set_tag_attribute_values={"a": {"target": "_blank"}},
    link_rel="noopener noreferrer nofollow",
    url_schemes={"http", "https", "mailto", "tel", "cid", "data", "blocked"},
    url_relative="deny",
    strip_comments=True,
)

# --- showing -----------------------------------------------------------------------------------------------------

# Only inside the tag of a picture: a mail's text may say ``src="cid:…`` as well, and means nothing by it.
_SRC = re.compile(r'(<img(?: [a-z-]+="[^"]*")*?) src="(blocked:|cid:)([^"]*)"')
PictureAddress = Callable[[str], str]


def shown(html: str, *, attachments: Mapping[str, str], proxied: PictureAddress | None = None) -> str:
    """Stored HTML with picture addresses that load.

    ``attachments`` maps content ids (without angle brackets) to our own addresses. ``proxied`` gives our proxy's
    address for a remote picture; without it remote pictures stay away and leave only their description.
    """

    def address(found: re.Match[str]) -> str:
        tag, kind, value = found[1], found[2], unescape(found[3])
        if kind == "cid:":
            own = attachments.get(value) or attachments.get(unquote(value))
            return f'{tag} src="{escape(own)}"' if own else f'{tag} data-missing="{escape(value)}"'
        if proxied is None:
            return f'{tag} data-remote="{escape(value)}"'
        return f'{tag} src="{escape(proxied(value))}"'

    return _SRC.sub(address, html)


def has_remote_pictures(html: str) -> bool:
    return ' src="blocked:' in html and any(kind == BLOCKED for _, kind, _ in _SRC.findall(html))


def unblocked(html: str) -> str:
    """What is sent: the pictures from elsewhere that a mail or signature was written with load again."""
    return _SRC.sub(lambda found: f'{found[1]} src="{found[3]}"' if found[2] == BLOCKED else found[0], html)


def content_ids(html: str) -> set[str]:
    """The content ids that pictures of a stored mail refer to."""
    return {unquote(unescape(value)) for _, kind, value in _SRC.findall(html) if kind == "cid:"}


def from_text(text: str) -> str:
    """Plain text as HTML: line breaks kept, addresses made links. The result is safe like that of ``sanitise``."""
    return '<div style="white-space:pre-wrap">' + _LINK.sub(_linked, escape(text, quote=False)) + "</div>"


_LINK = re.compile(r"\bhttps?://[^\s<>\"']{1,2000}")
_TRAILING = ".,;:!?)]}"


def _linked(found: re.Match[str]) -> str:
    # The text is escaped already, so an address may end in an entity such as "&gt;" that belongs to the sentence.
    whole = found[0]
    address = re.split(r"&(?:gt|lt);", whole, maxsplit=1)[0].rstrip(_TRAILING)
    link = f'<a href="{address}" target="_blank" rel="noopener noreferrer nofollow">{address}</a>'
    return link + whole[len(address) :]
