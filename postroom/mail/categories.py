"""Categories of a mailbox with their colours (product.md SY9). The colour belongs to the name; messages carry names.

Without the permission for the list of categories names still work, in both directions; they are shown without a colour.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Func

from postroom.lib.clock import now
from postroom.mail.models import Category, Thread
from postroom.mail.text import storable
from postroom.mailboxes import features
from postroom.mailboxes.models import Mailbox
from postroom.sync import lanes
from postroom.sync.models import Activity, OutboxEntry, SyncState
from postroom.workspaces.models import Membership

RESOURCE = "categories"
FEATURE = "categories"
LONGEST = 255
LOOKED_LATELY = timedelta(minutes=1)
COLORS = (
    *("Red", "Orange", "Brown", "Yellow", "Green", "Teal", "Olive", "Blue", "Purple", "Cranberry", "Steel"),
    *("Dark steel", "Grey", "Dark grey", "Black", "Dark red", "Dark orange", "Dark brown", "Dark yellow"),
    *("Dark green", "Dark teal", "Dark olive", "Dark blue", "Dark purple", "Dark cranberry"),
)  # Outlook's 25 presets, in their order

Colors = Mapping[int, Mapping[str, int | None]]


def may_keep(mailbox: Mailbox) -> bool:
    """Whether we may read and add to the mailbox's list of categories."""
    if mailbox.connection is None or mailbox.kind == Mailbox.Kind.SHARED:  # graph.md 11: never another's settings
        return False
    return any(one.on for one in features.states(mailbox.connection) if one.feature.name == FEATURE)


def colors(mailbox_ids: Collection[int]) -> Colors:
    """Mailbox -> name -> colour. One query."""
    found: dict[int, dict[str, int | None]] = {}
    for mailbox_id, name, color in Category.objects.filter(mailbox__in=mailbox_ids).values_list(
        "mailbox", "name", "color"
    ):
        found.setdefault(mailbox_id, {})[name] = color
    return found


def known(mailbox_ids: Sequence[int]) -> dict[str, int | None]:
    """Every name that is in the lists or on mail of these mailboxes, by name, with its colour."""
    used = Thread.objects.filter(mailbox__in=mailbox_ids).exclude(categories=[])
    names = used.values_list(Func(F("categories"), function="unnest"), flat=True).distinct()[:200]
    found: dict[str, int | None] = dict.fromkeys(names)
    for of_one in colors(mailbox_ids).values():
        found |= of_one
    return dict(sorted(found.items(), key=lambda one: one[0].casefold()))


def spelled(mailbox: Mailbox, name: str) -> str:
    """A name as the mailbox's list writes it; cleaned when it is new. Empty when nothing is left."""
    clean = " ".join(storable(name).split())[:LONGEST]
    found = Category.objects.filter(mailbox=mailbox, name__iexact=clean).values_list("name", flat=True).first()
    return found or clean


def create(mailbox: Mailbox, member: Membership, *, name: str, color: int | None = None) -> str:
    """A category in the mailbox's list, if we may keep that; the name as it is written there."""
    written = spelled(mailbox, name)
    if not written or not may_keep(mailbox):
        return written
    with transaction.atomic():
        lanes.want(mailbox.pk, Activity.OUTBOX)
        made, is_new = Category.objects.get_or_create(mailbox=mailbox, name=written, defaults={"color": color})
        if is_new:
            OutboxEntry.objects.create(
                mailbox=mailbox,
                kind=OutboxEntry.Kind.CATEGORY,
                subject_key=f"category:{made.pk}",
                fields={"name": written, "color": color},
                fields_at={"name": now().timestamp()},
                member=member,
            )
    return written


def look_again(mailboxes: Iterable[Mailbox]) -> None:
    """Somebody looks at the lists of these: have them read again, unless that was just done."""
    states = SyncState.objects.filter(resource=RESOURCE)
    kept = [one.pk for one in mailboxes if may_keep(one)]
    lately = states.filter(mailbox__in=kept, updated_at__gt=now() - LOOKED_LATELY)
    stale = set(kept) - set(lately.values_list("mailbox", flat=True))
    if stale:
        states.filter(mailbox__in=stale).update(due_at=now())
        lanes.want_all(stale, Activity.LIVE)
