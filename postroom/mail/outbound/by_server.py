"""Sending through the workspace's mail server, once (docs/decisions/sending.md).

The provider's draft -> its text as mail -> the server -> our own copy, come back -> Sent Items

SMTP cannot be asked what became of a message. So the mailbox itself is one of the recipients: all of them are taken in
one answer or none is, and the copy that arrives proves it, under the Message-ID we chose. Moved to Sent Items, it is
also the sent copy. ``step="server"`` is committed before the text goes out. If the connection is lost then and no copy
comes, nobody can know: the message is held and its author decides.
"""

import tempfile
from collections.abc import Callable, Iterator
from typing import IO

from postroom.lib.clock import now
from postroom.mail.models import Composition
from postroom.mail.outbound import returns, servers
from postroom.providers.contract import Change, FolderRole, RemoteMessage
from postroom.providers.errors import Conflict, ProviderError, Refused, Transient
from postroom.providers.smtp import Session, as_sent
from postroom.sync.contract import Run, Steps, Work
from postroom.sync.models import OutboxEntry

STEP, TAKEN = "server", "taken"
STEPS = (STEP, TAKEN)
IN_MEMORY = 1_000_000  # bytes of a message; what is larger lies on disk meanwhile
CHUNK = 65_536
State = OutboxEntry.State
Reached = Callable[..., Work]


def hand_over(run: Run, entry: OutboxEntry, composition: Composition, *, draft: str, reached: Reached) -> Steps:
    """From the draft to the server's word that it has taken it. ``reached`` writes a step down."""
    server = servers.of(run.mailbox.workspace_id)
    if server is None:  # it was taken out in this very moment
        raise Transient("no mail server", code="smtp_host")
    sender, back_to = servers.sender_of(server, composition, at=now())
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as text:
        for chunk in as_sent(run.source.mime(draft), sender):
            text.write(chunk)
        with servers.session(server) as session:
            refused = _begin(session, back_to, composition, size=text.tell())
            yield reached(entry, STEP, refused=refused, via=server.host)
            if entry.state != State.WORKING:  # taken back in this very moment
                session.forget()
                return
            try:
                session.finish(_chunks(text))
            except ProviderError as trouble:
                if not (isinstance(trouble, Transient) and trouble.maybe_done):
                    yield reached(entry, "drafted")  # a definite no: nothing went out
                raise
    yield reached(entry, TAKEN)


def _begin(session: Session, back_to: str, composition: Composition, *, size: int) -> dict[str, str]:
    """Name everybody, ourselves last. Raises ``Refused`` when the server takes none of them."""
    people, own = servers.recipients_of(composition), composition.mailbox.address
    rest = [] if own.lower() in (one.lower() for one in people) else [own]
    refused = session.begin(back_to, [*people, *rest], size=size)
    if all(one in refused for one in people):
        said = next(iter(refused.values()), "")
        raise Refused(f"No address was taken. The mail server said: {said}"[:300], code="smtp_recipients")
    return refused


def _chunks(text: IO[bytes]) -> Iterator[bytes]:
    text.seek(0)
    while chunk := text.read(CHUNK):
        yield chunk


# --- what became of it ---------------------------------------------------------------------------------------------


def is_out(entry: OutboxEntry) -> bool:
    return entry.step in STEPS


def filed(run: Run, composition: Composition, copy: RemoteMessage) -> RemoteMessage:
    """The copy that came back, read and in Sent Items; where it is if its author wrote to themselves, too."""
    roles = run.source.roles()
    if roles.get(copy.folder_id or "") == FolderRole.SENT or _wrote_to_self(composition):
        return copy
    folder = next((id_ for id_, role in roles.items() if role == FolderRole.SENT), None)
    if folder is None:
        return copy
    done = run.source.apply([Change(id=copy.id, is_read=True), Change(id=copy.id, move_to=folder)])[-1]
    if isinstance(done.refused, Transient | Conflict):
        raise done.refused
    return done.message or copy


def _wrote_to_self(composition: Composition) -> bool:
    return composition.mailbox.address.lower() in (one.lower() for one in servers.recipients_of(composition))


def done(entry: OutboxEntry, composition: Composition) -> None:
    """It is in Sent Items: say which way it went, and to whom it did not. In the transaction that says it is sent."""
    if not is_out(entry):
        return
    Composition.objects.filter(pk=composition.pk).update(via=entry.fields.get("via", ""))
    for address, said in entry.fields.get("refused", {}).items():
        returns.refused_at_once(composition, address, said)


def tidy(run: Run, entry: OutboxEntry, sent: RemoteMessage) -> None:
    """The draft the text was taken from has had its day. It goes to Deleted Items, as anything does."""
    if is_out(entry) and entry.remote_id and entry.remote_id != sent.id:
        run.source.delete_draft(entry.remote_id)
