"""The forty: every kind of text, name, file, picture, recipient and answer that a member can write."""

from __future__ import annotations

from dataclasses import dataclass, field

BEN, CLEO = "ben@northwind.example", "cleo@northwind.example"
HIDDEN = "hidden.person@contoso.example"
OUTSIDE = "dirk@contoso.example"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
EVERY_BYTE = bytes(range(256)) * 9
LONG = "A sentence without any break in it that is longer than a line of mail may be. " * 40


@dataclass(frozen=True)
class Variant:
    """``picture``: names of pictures in the text; ``{0}`` in ``html`` is where the first stands. ``words``: what its
    reader has to find in the text."""

    name: str
    subject: str = "Offer"
    html: str = "<p>Dear Ben</p>"
    words: tuple[str, ...] = ()
    to: tuple[tuple[str, str], ...] = (("Ben", BEN),)
    cc: tuple[tuple[str, str], ...] = ()
    bcc: tuple[tuple[str, str], ...] = ()
    files: dict[str, bytes] = field(default_factory=dict)
    pictures: dict[str, bytes] = field(default_factory=dict)
    kind: str = "application/octet-stream"
    how: str = "new"


def _picture(text: str = "") -> str:
    return f'<p>{text}</p><p><img src="cid:{{0}}" alt="chart"></p>'


VARIANTS = (
    # texts
    Variant("plain English"),
    Variant("German", subject="Grüße aus Köln", html="<p>Schöne Grüße, süßer Spaß</p>", words=("Schöne Grüße",)),
    Variant("Polish", subject="Zażółć gęślą jaźń", html="<p>Zażółć gęślą jaźń</p>", words=("gęślą",)),
    Variant("Russian", subject="Предложение", html="<p>Здравствуйте</p>", words=("Здравствуйте",)),
    Variant("Greek", subject="Προσφορά", html="<p>Καλημέρα σας</p>", words=("Καλημέρα",)),
    Variant("Hebrew", subject="הצעה", html='<p dir="rtl">שלום עולם</p>', words=("שלום עולם",)),
    Variant("Arabic", subject="عرض", html='<p dir="rtl">مرحبا بالعالم</p>', words=("مرحبا",)),
    Variant("Japanese", subject="見積もり", html="<p>お世話になっております</p>", words=("お世話",)),
    Variant("Chinese", subject="报价单与合同草案", html="<p>您好，世界</p>", words=("您好",)),
    Variant("emoji", subject="Done 🎉👩‍💻", html="<p>Well done 👩‍💻 🇩🇪 𝔘</p>", words=("👩‍💻 🇩🇪 𝔘",)),
    Variant("mixed scripts, long subject", subject="Ein sehr langer Betreff – 漢字 und mehr – " * 5),
    Variant("subject that looks encoded", subject="=?utf-8?B?bm90?= really"),
    Variant("subject with quotes and colons", subject='Re-think: "A" & <B>; 100 % sure?'),
    Variant("no subject", subject=""),
    Variant("long lines", html=f"<p>{LONG}</p>", words=(LONG[:78].strip(),)),
    Variant("a line of one word", html=f"<p>{'x' * 3000}</p>", words=("x" * 3000,)),
    Variant("dots at line starts", html="<p>one</p>\n.\n..two\n<p>.three</p>", words=("..two", ".three")),
    Variant("From at a line start", html="<p>Look:</p>\nFrom here on\n", words=("From here on",)),
    Variant("entities", html="<p>1 &lt; 2 &amp;&amp; 3 &gt; 2, &euro; 5</p>", words=("1 < 2 && 3 > 2",)),
    Variant("nothing but space", html="<p>&nbsp;</p>"),
    Variant("a table", html="<table><tr><td>Seats</td><td>12</td></tr></table>", words=("Seats", "12")),
    Variant("large text", html="<p>Zeile äöü.</p>" * 8_000, words=("Zeile äöü.",)),
    # people
    Variant("many recipients", to=(*tuple((f"Person {n}", f"p{n}@contoso.example") for n in range(60)), ("", BEN))),
    Variant("names to be quoted", to=(('Ben "B." O\'Hara, Jr.', BEN),), cc=(("Cleo (Sales); EU", CLEO),)),
    Variant("names to be encoded", to=(("Bén Öztürk", BEN),), cc=(("山田 太郎", CLEO), ("Łukasz", OUTSIDE))),
    Variant("copies", cc=(("Cleo", CLEO),)),
    Variant("a hidden copy", bcc=(("Hidden Person", HIDDEN),)),
    Variant("hidden copies beside others", cc=(("", CLEO),), bcc=(("", HIDDEN), ("", OUTSIDE))),
    # files and pictures
    Variant("a file", files={"offer.pdf": b"%PDF-1.4 offer"}, kind="application/pdf"),
    Variant("every byte", files={"all.bin": EVERY_BYTE}),
    Variant("an empty file", files={"empty.txt": b""}, kind="text/plain"),
    Variant("names of files", files={"Ängebot für Łódź.pdf": b"1", 'a "b" c; d=e.txt': b"2", "見積.xlsx": b"3"}),
    Variant("twenty files", files={f"page {n}.txt": f"page {n}".encode() for n in range(20)}, kind="text/plain"),
    Variant("text in another code", files={"alt.txt": "Grüße".encode("latin-1")}, kind="text/plain"),
    Variant("a picture in the text", html=_picture("Look"), pictures={"chart.png": PNG}, words=("Look",)),
    Variant(
        "pictures and files",
        html='<p><img src="cid:{0}"> and <img src="cid:{1}"></p>',
        pictures={"one.png": PNG, "zwei ü.png": PNG + b"2"},
        files={"offer.pdf": b"%PDF", "chart.png": PNG},
    ),
    # answers
    Variant("a reply", how="reply", html="<p>Here it is</p>", words=("Here it is", "Could you send it?")),
    Variant("a reply to all", how="reply_all", html="<p>Für alle</p>", words=("Für alle", "Could you send it?")),
    Variant(
        "a reply with a picture and a file",
        how="reply",
        html=_picture("See"),
        pictures={"graph.png": PNG},
        files={"annex ß.pdf": EVERY_BYTE},
        words=("See", "Could you send it?"),
    ),
    Variant("a forward", how="forward", html="<p>FYI</p>", words=("FYI", "Could you send it?"), cc=(("", CLEO),)),
)
