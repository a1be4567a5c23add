"""Made-up data for the gallery, and the example of what each component takes."""

from datetime import datetime, timedelta
from typing import Any

from postroom.lib import clock
from postroom.ui.rail import FOOT, RAIL, SETTINGS, Destination, Entry
from postroom.ui.shell import Shell

PEOPLE = [
    {"name": "Ines Ribeiro", "address": "ines@contoso.example", "note": "Contoso"},
    {"name": "Paul Meyer", "address": "paul@contoso.example", "note": "Contoso"},
    {"name": "Tom Sato", "address": "tom@fabrikam.example", "note": ""},
    {"name": "Priya Kaur", "address": "priya@mail.example", "note": "out until Monday"},
    {"name": "", "address": "support@tailspin.example", "note": "recent"},
]

MAIL = """<!doctype html><meta charset="utf-8"><base target="_blank">
<style>html{color-scheme:light dark}body{margin:0;font:14px/1.55 system-ui,sans-serif}p{margin:0 0 12px}</style>
<p>Hi Adele,</p>
<p>The board agreed to the three-year term if the uplift stays under 4%. Could you send the revised order form with the
start date moved to 1 February? Paul needs it for Thursday's meeting.</p><p>Best,<br>Ines</p>
<details><summary>··· quoted text</summary><blockquote>Hi Ines, as promised the two options.</blockquote></details>"""

_TAGS = {
    "contoso": {"label": "Contoso renewal", "module": "deal"},
    "ticket": {"label": "Ticket 1042", "module": "ticket"},
    "support": {"label": "support@", "module": "shared"},
    "candidate": {"label": "Candidate", "module": "candidate"},
    "fabrikam": {"label": "Fabrikam rollout", "module": "deal"},
}


def _row(number: int, who: str, key: str, when: datetime, subject: str, snippet: str, **more: Any) -> dict[str, Any]:
    return {
        "id": f"row-{number}",
        "href": f"/ui/gallery/inbox?thread={number}",
        "who": who,
        "key": key,
        "when": when,
        "subject": subject,
        "snippet": snippet,
        "tags": [],
        **more,
    }


def rows(now: datetime) -> list[dict[str, Any]]:
    """The list of `ui/inbox.png`, and a few lines that don't fit so well."""
    minutes, day = timedelta(minutes=1), timedelta(days=1)
    long_subject = "Re: Re: AW: Fwd: Minutes of the steering committee with all the annexes nobody has ever read"
    return [
        _row(
            1,
            "Ines Ribeiro, you",
            "ines@contoso.example",
            now - 4 * minutes,
            "Re: Renewal terms for 2027",
            "The board agreed to the three-year term if the uplift stays",
            unread=True,
            current=True,
            tags=[_TAGS["contoso"]],
            has_attachment=True,
        ),
        _row(
            2,
            "Tom Sato",
            "tom@fabrikam.example",
            now - 15 * minutes,
            "Label printer offline again",
            "Hi support, since the update this morning the label printer",
            unread=True,
            tags=[_TAGS["ticket"], _TAGS["support"]],
        ),
        _row(
            3,
            "Mara Lind",
            "mara@northwind.example",
            now - 36 * minutes,
            "Mentioned you on Contoso renewal",
            "@adele can we hold the price until Friday?",
        ),
        _row(
            4,
            "Priya Kaur",
            "priya@mail.example",
            now - 51 * minutes,
            "Interview on Thursday",
            "Thursday 14:00 works, and I have attached my references",
            count=3,
            tags=[_TAGS["candidate"]],
        ),
        _row(
            5,
            "Jonas Okafor",
            "jonas@fabrikam.example",
            now - day,
            "Signed order form",
            "Please find the countersigned order form attached",
            tags=[_TAGS["fabrikam"]],
            has_attachment=True,
            starred=True,
        ),
        _row(
            6,
            "Lena Vogt",
            "lena@adatum.example",
            now - day,
            "Data processing agreement",
            "Our counsel has two comments on section 4",
        ),
        _row(
            7,
            "Gita Chand",
            "gita@northwind.example",
            now - 3 * day,
            long_subject,
            "Updated the sheet in SharePoint, the link is the same",
            count=7,
        ),
        _row(
            8, "محمد الأحمد", "m@example.example", now - 40 * day, "طلب عرض سعر", "السلام عليكم ورحمة الله", draft=True
        ),
        _row(9, "support@tailspin.example", "support@tailspin.example", now - 500 * day, "", ""),
    ]


def shell(now: datetime) -> Shell:
    """A workspace with three mailboxes and a running backfill."""
    mailbox = "/ui/gallery/inbox"
    return {
        "workspace": {"name": "Northwind Traders"},
        "member": {"name": "Adele Vance", "address": "adele@northwind.example"},
        "mailboxes": [
            {
                "address": "adele@northwind.example",
                "label": "adele@northwind",
                "health": "healthy",
                "shared": False,
                "unread": 3,
                "url": f"{mailbox}?mailbox=1",
            },
            {
                "address": "support@northwind.example",
                "label": "support@",
                "health": "stale",
                "shared": True,
                "unread": 0,
                "url": f"{mailbox}?mailbox=2",
            },
            {
                "address": "adele.vance@outlook.example",
                "label": "adele.vance@outlook",
                "health": "error",
                "shared": False,
                "unread": 12,
                "url": f"{mailbox}?mailbox=3",
            },
        ],
        "inbox_unread": 12,
        "sync": {
            "title": "Pulling 12 months of adele@",
            "done": 24118,
            "total": 37600,
            "note": "24,118 of 37,600 · 2 min left",
            "url": "/ui/gallery/settings",
            "pause_url": "/ui/gallery",
            "cancel_url": "/ui/gallery",
        },
    }


def _rail() -> dict[str, Any]:
    """The whole rail, whatever URL names exist already."""

    def drawn(entries: tuple[Entry, ...]) -> list[Destination]:
        return [
            Destination(one.key, one.label, one.icon, f"/ui/gallery/{one.key}", one.group, one.keys) for one in entries
        ]

    return {
        "main": drawn(RAIL),
        "foot": drawn(FOOT),
        "settings": drawn(SETTINGS),
        "active": "inbox",
        "active_setting": "outlook",
    }


def person(now: datetime) -> dict[str, Any]:
    """The right pane of an open thread."""
    hour = timedelta(hours=1)
    return {
        "facts": [
            {"label": "Email", "value": "ines@contoso.example", "href": "mailto:ines@contoso.example"},
            {"label": "Phone", "value": "+351 21 555 0134"},
            {"label": "Owner", "value": "Adele V."},
            {"label": "Synced", "value": "Outlook contacts"},
            {"label": "Title", "value": ""},
        ],
        "stages": [
            {"label": label, "state": state}
            for label, state in (
                ("Lead", "done"),
                ("Proposal", "done"),
                ("Negotiation", "now"),
                ("Contract", ""),
                ("Won", ""),
            )
        ],
        "events": [
            {"text": "Ines replied", "when": now - hour / 15},
            {"text": "Call with Paul Meyer", "when": now - 67 * hour, "note": "Teams · 25 min"},
            {"text": "Stage: Proposal → Negotiation", "when": now - 240 * hour, "note": "Mara"},
            {"text": "Order form v2 in OneDrive", "when": now - 320 * hour},
        ],
    }


def thread(now: datetime) -> dict[str, Any]:
    """An open conversation."""
    return {
        "actions": [
            {"label": "Reply", "icon": "reply", "href": "#reply", "key": "r"},
            {"label": "Reply to all", "icon": "reply-all", "href": "#reply", "key": "a"},
            {"label": "Forward", "icon": "forward", "href": "#reply", "key": "f"},
            {"label": "Show original", "icon": "file-text", "href": "#original"},
        ],
        "files": [
            {"name": "Order form v3.docx", "size": 86200, "href": "#file"},
            {
                "name": "Very long name of a spreadsheet with all the numbers of the year.xlsx",
                "size": 3400000,
                "href": "#file",
            },
        ],
        "draft_files": [{"name": "Order form v4.docx", "size": 86100, "value": "7"}],
        "earlier": now - timedelta(hours=41),
        "comment_at": now - timedelta(minutes=36),
        "at": now - timedelta(minutes=4),
        "froms": [
            {"value": "1", "label": "adele@northwind.example", "current": True},
            {"value": "2", "label": "support@northwind.example (shared)"},
        ],
    }


def settings_cards(now: datetime) -> dict[str, Any]:
    """The cards of `ui/settings.png`."""
    return {
        "synced": now - timedelta(seconds=14),
        "stale": now - timedelta(hours=27),
        "renews": now + timedelta(hours=4, minutes=1),
        "stats": [
            {"label": "Messages", "value": "61,204"},
            {"label": "Linked to records", "value": "18,770"},
            {"label": "Sync", "value": "Two-way"},
            {"label": "Subscription", "value": "renews in 4 h"},
        ],
    }


def context(page: str) -> dict[str, Any]:
    """What a gallery page is drawn from."""
    now = clock.now()
    links = {
        "home": "/ui/gallery/inbox",
        "compose": "/ui/gallery",
        "search": "/ui/gallery",
        "events": None,
        "sign_out": "/ui/gallery",
    }
    return {
        "shell": {**shell(now), "worst_health": "error"},
        "rail": _rail(),
        "links": links,
        "page": page,
        "now": now,
        "rows": rows(now),
        "person": person(now),
        "thread": thread(now),
        "settings_cards": settings_cards(now),
        "people": PEOPLE,
        "modules": [
            "deal",
            "contact",
            "company",
            "ticket",
            "candidate",
            "shared",
            "comment",
            "neutral",
            "good",
            "warn",
            "bad",
            "info",
        ],
        "healths": ["healthy", "never", "stale", "error", "paused"],
        "tabs": [
            {"label": "Overview", "href": "#", "current": True},
            {"label": "Email", "href": "#", "count": 28},
            {"label": "Deals", "href": "#", "count": 2},
            {"label": "Timeline", "href": "#"},
        ],
        "segments": [
            {"label": "List", "href": "#", "current": True, "value": "list"},
            {"label": "Board", "href": "#", "value": "board"},
        ],
        "crumbs": [
            {"label": "Companies", "href": "#"},
            {"label": "Contoso", "href": "#"},
            {"label": "Ines Ribeiro", "href": ""},
        ],
        "ranges": [
            {"value": value, "label": label}
            for value, label in (("30d", "30 days"), ("90d", "90 days (recommended)"), ("12m", "12 months"))
        ],
        "todo": [
            "Sign in again with the account that was connected before.",
            "If Microsoft refuses, send the reference below to your administrator.",
        ],
        "reference": "7F3K",
        "headline": "Microsoft did not give Postroom access",
        "what": "You pressed Cancel on Microsoft's page, or your organisation forbids it. Nothing was connected.",
        "actions": [{"label": "Try again", "url": "#"}, {"label": "Back to settings", "url": "#"}],
    }
