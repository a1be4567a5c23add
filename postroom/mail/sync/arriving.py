"""New mail that a comparison brought: what push is judged by (``sync.silence``)."""

from collections.abc import Collection, Sequence

from postroom.mail import backlog
from postroom.providers.contract import Gone, RemoteMessage, Unusable
from postroom.sync import silence
from postroom.sync.contract import Run


def arrivals(
    run: Run, asked_for: Collection[str], answers: Sequence[RemoteMessage | Gone | Unusable]
) -> list[silence.Arrival]:
    """The mail among the answers that was new to us: push should have told us of it (``sync.silence``)."""
    own, wanted = backlog.own_addresses(run.mailbox), set(asked_for)
    return [
        silence.Arrival(one.received, ours=bool(one.is_draft or (one.from_ and one.from_.address.lower() in own)))
        for one in answers
        if isinstance(one, RemoteMessage) and one.id in wanted
    ]
