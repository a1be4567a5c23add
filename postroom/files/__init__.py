"""Bytes: storage by checksum, kept once, on disk or in S3-compatible storage."""
