"""The files of a message on their way into its draft at the provider (product.md SE5).

A large one goes in parts, and after each it is written down how far it is: whoever goes on, also after a kill, goes on
there. What the provider gave for that is as good as a password to one file, so it lies sealed, for this file in this
draft only, and is dropped once the file is there. If its key is gone by then, the file goes up anew.
"""

from collections.abc import Collection, Iterator

from django.template.defaultfilters import filesizeformat

from postroom.accounts.keys import keyring
from postroom.files import storage
from postroom.lib.crypto import CannotOpen
from postroom.mail.models import Composition, CompositionFile
from postroom.providers.contract import OutgoingAttachment, RemoteDraft, Uploading
from postroom.sync.contract import Run, Steps, Work


def attach(run: Run, composition: Composition, draft: RemoteDraft) -> Steps:
    """Bring what the draft does not carry yet; also of a message taken back meanwhile: its draft has files, too."""
    for file, is_there in _files(composition, draft):
        if not is_there:
            for reached in run.source.attach(draft.id, _outgoing(file), session=_session(file, draft.id)):
                yield _keep(file, draft.id, reached)
        if file.sealed_upload:
            yield _forget(file)


def _files(composition: Composition, draft: RemoteDraft) -> Iterator[tuple[CompositionFile, bool]]:
    """What goes out, and whether it is there already, compared by name: an interrupted upload leaves nothing behind."""
    there = [attachment.name for attachment in draft.attachments]
    for file in CompositionFile.objects.filter(composition=composition).select_related("blob").order_by("pk"):
        if file.name in there:
            there.remove(file.name)
            yield file, True
        elif file.blob is not None and file.is_used(composition.html):  # else it lay with a draft that is gone, or left
            yield file, False  # the text


def _outgoing(file: CompositionFile) -> OutgoingAttachment:
    assert file.blob is not None
    return OutgoingAttachment(
        name=file.name,
        content_type=file.content_type,
        size=file.blob.size,
        open=storage.opener(file.blob),
        is_inline=file.is_inline,
        content_id=file.content_id,
    )


def progress(compositions: Collection[int]) -> dict[int, str]:
    """How far the large file is that these compositions send up at the moment, in words. At most one query."""
    rows = CompositionFile.objects.filter(composition__in=compositions, uploaded__gt=0).select_related("blob")
    going = rows.order_by("-pk") if compositions else ()
    return {
        row.composition_id: f"{filesizeformat(row.uploaded)} of {filesizeformat(row.size)} of {row.name} are there."
        for row in going
    }


# --- what is written down ------------------------------------------------------------------------------------------


def _place(file: CompositionFile, draft: str) -> tuple[str, ...]:
    return (f"file {file.pk}", "upload", draft)


def _session(file: CompositionFile, draft: str) -> str:
    """Where an attempt before was told to go on; empty to begin."""
    if not file.sealed_upload:
        return ""
    try:
        return keyring().open(file.sealed_upload, _place(file, draft)).decode()
    except CannotOpen:  # of another draft, or its key is no longer configured
        return ""


def _keep(file: CompositionFile, draft: str, reached: Uploading) -> Work:
    def work() -> None:
        file.uploaded = reached.position
        if _session(file, draft) != reached.session:
            file.sealed_upload = keyring().seal(reached.session.encode(), _place(file, draft))
        _save(file)

    return work


def _forget(file: CompositionFile) -> Work:
    def work() -> None:
        file.sealed_upload, file.uploaded = b"", 0
        _save(file)

    return work


def _save(file: CompositionFile) -> None:
    told = {"sealed_upload": file.sealed_upload, "uploaded": file.uploaded}
    CompositionFile.objects.filter(pk=file.pk).update(**told)
