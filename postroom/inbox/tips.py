"""Who is away (product.md SE10): asked of the provider while one writes, remembered for a while, never waited for."""

from collections.abc import Sequence
from hashlib import sha256

from django.core.cache import cache

from postroom.inbox.accounts import Accounts
from postroom.inbox.hints import Hint
from postroom.mail import html as mail_html
from postroom.mail import text
from postroom.mail.models import Composition
from postroom.mailboxes.session import open_mail
from postroom.providers.errors import ProviderError

REMEMBERED = 600  # seconds
ASKED = 50  # addresses at once
LONGEST = 160  # characters of what somebody's automatic reply says


def of(composition: Composition, known: Accounts) -> tuple[list[Hint], list[str]]:
    """(what is known of those recipients, whom the provider was not asked about yet).

    Colleagues only: of people elsewhere it knows nothing, and need not be told whom one thinks of writing to.
    """
    domains = {address.rpartition("@")[2] for address in known.ours}
    people = composition.recipients
    ours = {address.lower(): name for name, address in people if address.lower().rpartition("@")[2] in domains}
    found = cache.get_many([_key(composition, address) for address in ours])
    told = [(name or address, found.get(_key(composition, address), "")) for address, name in ours.items()]
    unknown = [address for address in ours if _key(composition, address) not in found]
    return [Hint("palmtree", f"{who}: {what}") for who, what in told if what], unknown


def ask(composition: Composition, addresses: Sequence[str]) -> None:
    """Ask the provider and remember, also that it did not say."""
    asked = list(addresses)[:ASKED]
    told = dict.fromkeys((_key(composition, address) for address in asked), "")
    try:
        for tip in open_mail(composition.mailbox).tips(asked):
            told[_key(composition, tip.address.lower())] = _said(tip.away, is_full=tip.is_full)
    except ProviderError:  # nobody is kept from writing by that
        pass
    cache.set_many(told, REMEMBERED)


def _said(away: str, *, is_full: bool) -> str:
    reply = " ".join(text.from_html(mail_html.sanitise(away).html).split())
    if reply:
        return f"away. “{reply[:LONGEST]}{'…' if len(reply) > LONGEST else ''}”"
    return "the mailbox is full and takes no mail." if is_full else ""


def _key(composition: Composition, address: str) -> str:
    """Whom a mailbox may ask about is its own matter."""
    return f"mail-tip-{composition.mailbox_id}-{sha256(address.encode()).hexdigest()[:32]}"
