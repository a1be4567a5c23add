"""Asking the provider where messages are now and how they stand, with no more of their bodies than is needed."""

from collections.abc import Sequence

from postroom.mail import store
from postroom.mail.store import KnownMessage
from postroom.providers.contract import Gone, RemoteMessage, Unusable, Urgency
from postroom.sync.contract import Run


def ask(
    run: Run, ids: Sequence[str], *, urgency: Urgency, missing_bodies: bool = False
) -> list[RemoteMessage | Gone | Unusable]:
    """Drafts come whole: a state that is newer than its text would pass for the text's own for ever. Of other mail the
    state is enough, because the body of what was sent never changes; ``missing_bodies``: those we lack come, too."""
    known = store.known(run.mailbox.pk, ids)
    settled = [i for i in ids if _is_settled(known.get(i), missing_bodies=missing_bodies)]
    whole = [i for i in ids if i not in set(settled)]
    answers = run.source.get(whole, urgency=urgency) if whole else []
    return answers + (run.source.get(settled, whole=False, urgency=urgency) if settled else [])


def _is_settled(have: KnownMessage | None, *, missing_bodies: bool) -> bool:
    if have is None:
        return not missing_bodies
    return not have.is_draft and not (missing_bodies and have.body_missing)
