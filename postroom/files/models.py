"""Blobs: bytes kept once per workspace, named by their checksum."""

from django.db import models

from postroom.lib.clock import now


class Blob(models.Model):
    """``sha256`` is the content's hexadecimal checksum; ``size`` is in bytes; the bytes lie in ``files.storage``."""

    workspace = models.ForeignKey("workspaces.Workspace", on_delete=models.CASCADE, related_name="blobs")
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    content_type = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "sha256"], name="blob_once")]
