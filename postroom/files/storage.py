"""Where bytes lie: a directory of files named by checksum, later S3-compatible storage behind the same functions.

A file is written beside its place and moved there, so a crash leaves either all of it or nothing under its name.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef

from postroom.files.models import Blob
from postroom.lib.clock import now
from postroom.providers.contract import OpenAt
from postroom.workspaces.models import Workspace

CHUNK = 256 * 1024


def store_stream(workspace: Workspace, chunks: Iterable[bytes], *, content_type: str = "") -> Blob:
    """Keep bytes as they come, never all in memory. The same bytes of one workspace are kept once."""
    root = _root(workspace.pk)
    root.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with tempfile.NamedTemporaryFile(dir=root, prefix=".", delete=False) as file:
        try:
            for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
            place = _place(workspace.pk, digest.hexdigest())
            place.parent.mkdir(exist_ok=True)
            Path(file.name).replace(place)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
    return _row(workspace, digest.hexdigest(), size, content_type)


def _row(workspace: Workspace, sha256: str, size: int, content_type: str) -> Blob:
    try:
        with transaction.atomic():
            return Blob.objects.get_or_create(
                workspace=workspace, sha256=sha256, defaults={"size": size, "content_type": content_type[:200]}
            )[0]
    except IntegrityError:  # another request kept the same bytes at the same moment
        return Blob.objects.get(workspace=workspace, sha256=sha256)


def chunks(blob: Blob, start: int = 0) -> Iterator[bytes]:
    """The bytes of a blob from ``start``. Raises ``FileNotFoundError`` when the storage has lost it."""
    with path(blob).open("rb") as file:
        file.seek(start)
        while chunk := file.read(CHUNK):
            yield chunk


def opener(blob: Blob) -> OpenAt:
    """The blob's bytes from any position, as sending wants them."""
    return lambda start=0: chunks(blob, start)


def path(blob: Blob) -> Path:
    return _place(blob.workspace_id, blob.sha256)


def delete(blob: Blob) -> None:
    """Drop row and bytes of a blob nothing refers to any more. Raises ``ProtectedError`` while something does."""
    place = path(blob)
    blob.delete()
    transaction.on_commit(lambda: place.unlink(missing_ok=True))


def forget(workspace_id: int) -> None:
    """Delete every byte of a workspace that was purged. Harmless when nothing is there."""
    shutil.rmtree(_root(workspace_id), ignore_errors=True)


def drop_unused(blobs: Iterable[int] | None = None, *, older_than: timedelta = timedelta(0)) -> int:
    """Drop those of ``blobs`` (ids; all when left out) that no row refers to any more. Returns how many.

    What refers to a blob is derived from the models, so that no list has to be kept complete. ``older_than`` spares
    what was stored a moment ago and is about to be referred to.
    """
    unused = Blob.objects.filter(created_at__lte=now() - older_than)
    if blobs is not None:
        unused = unused.filter(pk__in=list(blobs))
    for relation in Blob._meta.related_objects:
        used = relation.related_model._base_manager.filter(**{relation.field.name: OuterRef("pk")})
        unused = unused.exclude(Exists(used))
    found = list(unused)
    for blob in found:
        delete(blob)
    return len(found)


def _root(workspace_id: int) -> Path:
    return Path(settings.MEDIA_ROOT) / str(workspace_id)


def _place(workspace_id: int, sha256: str) -> Path:
    return _root(workspace_id) / sha256[:2] / sha256
